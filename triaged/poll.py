"""Watching one mailbox: reading all there is, waiting for more, backing off when it fails."""

import logging
import random
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from triaged import pipeline
from triaged.config import MailboxSettings
from triaged.ingest.mailbox import Mailbox, MailboxError, backoff, open_mailbox
from triaged.office import Office
from triaged.store import health

log = logging.getLogger("triaged")
_FREE_OCTETS: Final = 1_000_000_000
_FREE_SHARE: Final = 0.05
_DISK_WAIT: Final = timedelta(minutes=5)
_SOON: Final = timedelta(milliseconds=50)


class Poller:
    """One mailbox between two polls: its connection and how often it failed.

    Args:
        name: The mailbox.
        engine: The database.
        clock: Now, aware UTC.
        rng: Jitter of the back-off.
    """

    def __init__(self, name: str, engine: Engine, clock: Callable[[], datetime], rng: random.Random) -> None:
        self._name = name
        self._engine = engine
        self._clock = clock
        self._rng = rng
        self._settings: MailboxSettings | None = None
        self._mailbox: Mailbox | None = None

    def run(self, office: Office, stopped: Callable[[], bool], progress: Callable[[], None]) -> timedelta:
        """Read all there is, then wait for more; return how long to rest before the next run."""
        try:
            mailbox = self._open(office)
            while not stopped():
                more = pipeline.accept(mailbox, self._engine, office, self._clock)
                progress()
                if not more:
                    break
            if not stopped():
                mailbox.wait(office.mailbox(self._name).poll, stopped)
        except MailboxError as error:
            return self._note(error)
        return _SOON

    def take_all(self, office: Office, stopped: Callable[[], bool], progress: Callable[[], None]) -> str:
        """Read all there is once; return what went wrong, empty if nothing did."""
        try:
            mailbox = self._open(office)
            while pipeline.accept(mailbox, self._engine, office, self._clock) and not stopped():
                progress()
        except MailboxError as error:
            self._note(error)
            return f"{self._name}: {error}"
        return ""

    def close(self) -> None:
        """Let go of the connection."""
        if self._mailbox is not None:
            self._mailbox.close()
            self._mailbox = None

    def _open(self, office: Office) -> Mailbox:
        if disk_is_low(office.state_folder):
            raise MailboxError(f"the disk of {office.state_folder} is nearly full: no new mail is taken until there is room")
        settings = office.mailbox(self._name)
        if self._mailbox is None or settings != self._settings:
            self.close()
            self._mailbox = open_mailbox(settings.kind, settings.name, settings.access, office.settings.file.parent)
            self._settings = settings
        return self._mailbox

    def _note(self, error: MailboxError) -> timedelta:
        with self._engine.begin() as db:
            failures = health.failed(db, self._name, str(error), self._clock())
        log.warning("mailbox not read", extra={"mailbox": self._name, "failures": failures, "why": str(error)})
        return backoff(failures, error.permanent, self._rng)


def disk_is_low(folder: Path) -> bool:
    """Tell whether less than 5 % or less than 1 GB of the disk is free."""
    usage = shutil.disk_usage(folder)
    return usage.free < _FREE_OCTETS or usage.free < usage.total * _FREE_SHARE

"""The `Mailbox` protocol: how mail comes in. One file a kind; this registry names them.

A kind reads; it never decides. It changes nothing on the server except through `move`, `mark` and `save_draft`, and it never
deletes.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

from triaged.message import LABEL_PREFIX, RawMail

BATCH_MAILS: Final = 200
BATCH_OCTETS: Final = 8_000_000  # a batch ends with the mail that passes this
MAX_MAIL_OCTETS: Final = 50_000_000
WAIT_SLICE: Final = timedelta(seconds=1)  # how late `wait` may notice that it shall stop
RETRY_FIRST: Final = timedelta(minutes=1)
RETRY_CAP: Final = timedelta(hours=1)
RETRY_PERMANENT: Final = timedelta(minutes=15)


class MailboxError(Exception):
    """The mailbox could not be read now.

    Attributes:
        permanent: True when only a person can mend it (refused password, missing folder): try seldom, tell the administrator.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Refused:
    """A mail that could not be taken whole (too large, cut off again and again): shown to people, never fetched again."""

    uid: str
    why: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some new mail, and the cursor to commit together with it."""

    mails: tuple[RawMail, ...]
    cursor: str
    more: bool = False  # there is more right now: fetch again
    refused: tuple[Refused, ...] = ()
    rebuilt: bool = False  # the folder was made anew (UIDVALIDITY): what it holds may be known, and is never acknowledged
    gone: int = 0  # listed, but gone before it could be fetched


class Mailbox(Protocol):
    """One account and folder that we poll. Used by one thread at a time; after an error the next call starts afresh."""

    @property
    def name(self) -> str:
        """The mailbox's name in triaged.toml."""

    def fetch(self, since: str) -> Batch:
        """Return the next batch after the cursor `since` ("" for all there is), oldest first; change nothing there.

        Raises:
            MailboxError: It could not be read now; the caller backs off and calls again with the same cursor.
        """

    def latest(self) -> str:
        """Return the cursor that lies after all mail present now (for `backfill = "none"`).

        Raises:
            MailboxError: As for `fetch`.
        """

    def wait(self, at_most: timedelta, stopped: Callable[[], bool]) -> None:
        """Return when there may be new mail, at the latest after `at_most`; soon after `stopped()` turns true.

        Raises:
            MailboxError: The connection broke.
        """

    def move(self, uid: str, folder: str) -> bool:
        """Move one mail to another folder (made if missing); tell whether it still was where it came in.

        That a person has moved or deleted it is no error.

        Raises:
            MailboxError: It was not moved.
        """

    def mark(self, uid: str, labels: Sequence[str]) -> None:
        """Make these the labels of ours that people see on a mail (categories, Gmail labels, keywords); a mail that is gone is
        not an error. Labels that are not ours stay as they are.

        Args:
            uid: The mail.
            labels: All begin with `LABEL_PREFIX`.

        Raises:
            MailboxError: It was not labelled.
        """

    def save_draft(self, octets: bytes, folder: str) -> None:
        """Put a mail into a folder, flagged as a draft where the kind knows drafts.

        Raises:
            MailboxError: It was not kept.
        """

    def check(self) -> str:
        """Connect, look, change nothing; return one line for the administrator ("212 mails in INBOX, IDLE, MOVE").

        Raises:
            MailboxError: With what the server said.
        """

    def close(self) -> None:
        """Let go of the connection; safe to call twice."""


def backoff(failures: int, permanent: bool, rng: Random) -> timedelta:
    """Return how long to leave a mailbox alone after it failed.

    Args:
        failures: How often it failed in a row; 0 means not at all.
        permanent: The last error's `permanent`: only a person can mend it, so look every quarter of an hour.
        rng: Where the jitter comes from; a quarter of the time, so that many mailboxes do not come back at once.
    """
    if failures <= 0:
        return timedelta(0)
    if permanent:
        return RETRY_PERMANENT
    doubled = min(RETRY_FIRST * (1 << min(failures - 1, 16)), RETRY_CAP)
    return doubled * rng.uniform(0.75, 1.0)


def pause(at_most: timedelta, stopped: Callable[[], bool], news: Callable[[], bool] = lambda: False) -> None:
    """Return when `news()` or `stopped()` is true, at the latest after `at_most`; both are asked every `WAIT_SLICE`."""
    end = time.monotonic() + at_most.total_seconds()
    while not stopped() and not news() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, WAIT_SLICE.total_seconds()))


def folder_parts(folder: str) -> tuple[str, ...]:
    """Split a folder's name as settings and rules give it ("Triaged/Done", always with "/") into its levels.

    Raises:
        MailboxError: A level is empty, "." or "..", or has control characters; permanent.
    """
    parts = tuple(folder.split("/"))
    if any(part in {"", ".", ".."} for part in parts) or any(letter < " " or letter == "\x7f" for letter in folder):
        raise MailboxError(f'folder {folder!r}: no level may be empty, "." or "..", or hold control characters', permanent=True)
    return parts


def relabelled(there: Iterable[str], ours: Sequence[str]) -> tuple[str, ...]:
    """Return what a mail's labels become when `ours` replace those of ours that are there."""
    return (*(label for label in there if not is_ours(label)), *ours)


def is_ours(label: str) -> bool:
    """Tell whether we gave a label; servers may change its case."""
    return label.lower().startswith(LABEL_PREFIX.lower())


KINDS: Final = {
    "exchange": "triaged.ingest.exchange:open_mailbox",
    "graph": "triaged.ingest.graph:open_mailbox",
    "imap": "triaged.ingest.imap:open_mailbox",
    "maildir": "triaged.ingest.maildir:open_mailbox",
}


def open_mailbox(kind: str, name: str, settings: Any, base: Path) -> Mailbox:
    """Open the mailbox of a kind, importing its file only now.

    Args:
        kind: A key of `KINDS`.
        name: The mailbox's name.
        settings: The kind's own settings (`config.Imap`, `config.Maildir`), passed through.
        base: The folder that relative paths start from.

    Raises:
        MailboxError: The kind's libraries are not installed; permanent.
    """
    module, function = KINDS[kind].split(":")
    try:
        opened: Mailbox = getattr(import_module(module), function)(name, settings, base)
    except ModuleNotFoundError as error:
        raise MailboxError(f'kind {kind} needs {error.name}: pip install "triaged[{kind}]"', permanent=True) from error
    return opened

"""The `Mailbox` protocol: how mail comes in. One file a kind; this registry names them.

A kind reads; it never decides. It changes nothing on the server except through `move` and `save_draft`, and it never deletes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from triaged.message import RawMail

BATCH_MAILS: Final = 200
BATCH_OCTETS: Final = 8_000_000  # a batch ends with the mail that passes this
MAX_MAIL_OCTETS: Final = 50_000_000


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
    """One account and folder that we poll."""

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

    def move(self, uid: str, folder: str) -> None:
        """Move one mail to another folder (made if missing); a mail that is gone is not an error.

        Raises:
            MailboxError: It was not moved.
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


KINDS: Final = {
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
    """
    module, function = KINDS[kind].split(":")
    opened: Mailbox = getattr(import_module(module), function)(name, settings, base)
    return opened

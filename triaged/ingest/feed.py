"""Servers that tell what changed in a folder since a state they gave (Graph's delta query, EWS's SyncFolderItems).

What such a kind must do; feed_mailbox.py makes a mailbox of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from triaged.ingest.mailbox import MAX_MAIL_OCTETS


class StateExpiredError(Exception):
    """The server no longer knows the state it gave."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail that the server told of."""

    uid: str
    received_at: datetime | None
    size_octets: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What changed: mails that came into the folder, and the state after."""

    mails: tuple[Listed, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Content:
    """What became of asking for one mail: its octets; neither octets nor why if it is gone; else why it cannot be had.

    Attributes:
        final: Asking again is of no use.
        answered: A person has replied to it.
    """

    uid: str
    octets: bytes | None = None
    why: str = ""
    final: bool = False
    answered: bool = False


class Feed(Protocol):
    """One folder on such a server. All methods raise MailboxError."""

    kind: str

    def folder(self) -> str:
        """Return the folder's own id, which a folder made anew under the same name does not have; asks the server."""

    def told_since(self, folder: str, state: str) -> Told:
        """Return the mails that came since a state ("" for all there are).

        Raises:
            StateExpiredError: List again.
        """

    def contents(self, folder: str, mails: Sequence[Listed]) -> Iterator[Content]:
        """Yield each mail's content, in order; a mail that is in another folder by now is gone."""

    def move(self, uid: str, parts: tuple[str, ...]) -> bool:
        """Move a mail that is in the folder; tell whether it was."""

    def mark(self, uid: str, labels: Sequence[str]) -> None:
        """Make these our labels of a mail; one that is gone is not an error."""

    def save_draft(self, octets: bytes, parts: tuple[str, ...]) -> None:
        """Put a draft into a folder."""

    def check(self) -> str:
        """Look, and say one line."""

    def close(self) -> None:
        """Let go of the connection."""


def above_limit() -> str:
    """Return why a mail above our limit is refused."""
    return f"above the limit of {MAX_MAIL_OCTETS:,} octets"

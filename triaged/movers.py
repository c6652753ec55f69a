"""Moving and labelling mail on the server from the delivery thread, over connections of its own: IMAP's serve one thread."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from triaged.config import MailboxSettings
from triaged.ingest.mailbox import Mailbox, MailboxError, open_mailbox
from triaged.route.handoff import MoveError

T = TypeVar("T")


class Movers:
    """One connection a mailbox, opened when something is to be done there.

    Args:
        mailboxes: The configured mailboxes.
        base: The folder that relative paths start from.
    """

    def __init__(self, mailboxes: tuple[MailboxSettings, ...], base: Path) -> None:
        self._settings = {mailbox.name: mailbox for mailbox in mailboxes}
        self._base = base
        self._open: dict[str, Mailbox] = {}

    def __call__(self, mailbox: str, uid: str, folder: str) -> bool:
        """Move one mail; tell whether it still was where it came in.

        Raises:
            MoveError: It was not moved.
        """
        return self._do(mailbox, lambda opened: opened.move(uid, folder))

    def mark(self, mailbox: str, uid: str, labels: Sequence[str]) -> None:
        """Make these our labels of one mail.

        Raises:
            MoveError: It was not labelled.
        """
        self._do(mailbox, lambda opened: opened.mark(uid, labels))

    def _do(self, mailbox: str, action: Callable[[Mailbox], T]) -> T:
        settings = self._settings.get(mailbox)
        if settings is None:
            raise MoveError(f"mailbox {mailbox} is not configured any more", permanent=True)
        if mailbox not in self._open:
            self._open[mailbox] = open_mailbox(settings.kind, settings.name, settings.access, self._base)
        try:
            return action(self._open[mailbox])
        except MailboxError as error:
            self.close(mailbox)
            raise MoveError(str(error), permanent=error.permanent) from error

    def close(self, mailbox: str = "") -> None:
        """Let go of one mailbox's connection, or of all."""
        for name in [mailbox] if mailbox else list(self._open):
            opened = self._open.pop(name, None)
            if opened is not None:
                opened.close()

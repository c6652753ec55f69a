"""How far an IMAP folder was read, and what to ask for next. Values only; the commands stand in imap_session.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from triaged.ingest.mailbox import BATCH_MAILS, BATCH_OCTETS, MAX_MAIL_OCTETS, MailboxError, is_ours

GROUP_MAILS: Final = 50  # small bodies that one FETCH asks for: round trips cost more than octets
GROUP_OCTETS: Final = 500_000


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder was read; as text it is the cursor.

    "UIDVALIDITY:UID" names the last mail taken. While a folder that was made anew is read again it is "UIDVALIDITY:UID:LAST",
    LAST being the highest UID found there, so that a restart half way still knows which mail is old.
    """

    validity: int = 0
    uid: int = 0
    old_up_to: int = 0

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read a cursor, or the uid of a mail; "" is before all mail.

        Raises:
            MailboxError: It is not one of ours; permanent.
        """
        try:
            return cls(*(int(number) for number in text.split(":"))) if text else cls()
        except (ValueError, TypeError) as error:
            raise MailboxError(f"{text[:100]!r} is not UIDVALIDITY:UID", permanent=True) from error

    @property
    def rebuilt(self) -> bool:
        """Whether the next mail may be known from before the folder was made anew."""
        return self.uid < self.old_up_to

    def __str__(self) -> str:
        return f"{self.validity}:{self.uid}" + (f":{self.old_up_to}" if self.rebuilt else "")


@dataclass(frozen=True, slots=True)
class Listed:
    """One mail of a listing, before its body is fetched."""

    uid: int
    size_octets: int | None  # RFC822.SIZE; servers have been wrong about it
    received_at: datetime | None
    answered: bool = False

    @property
    def too_large(self) -> bool:
        """Whether the server itself says that it is above our limit."""
        return (self.size_octets or 0) > MAX_MAIL_OCTETS


@dataclass(frozen=True, slots=True)
class Listing:
    """Mail known to be in the folder after a position, and not yet fetched."""

    position: Position
    mails: tuple[Listed, ...]
    more: bool  # the folder holds still more than is listed
    made_anew: bool = False  # this listing found it out; to be said even if the folder is empty

    def after(self, count: int) -> "Listing":
        """Return what is left when the first `count` mails are dealt with."""
        position, rest = self.position, self.mails[count:]
        if position.rebuilt and not rest and not self.more:
            position = Position(position.validity, position.old_up_to, position.old_up_to)  # all of the old mail is read
        elif count:
            position = Position(position.validity, self.mails[count - 1].uid, position.old_up_to)
        return Listing(position, rest, self.more)


def listing(since: Position, mails: Sequence[Listed], more: bool, made_anew: bool) -> Listing:
    """Return what a server listed as a `Listing` in which mail of before and after a rebuild is never mixed."""
    new = tuple(mail for mail in mails if mail.uid > since.uid)  # RFC 9051 §9: n+1:* always yields the last mail too
    if not since.rebuilt:
        return Listing(since, new, more, made_anew)
    old = tuple(mail for mail in new if mail.uid <= since.old_up_to)
    if new and not old:  # all of the old mail is gone by now
        return Listing(Position(since.validity, since.old_up_to, since.old_up_to), new, more, made_anew)
    return Listing(since, old, more or len(old) < len(new), made_anew)


def batch(mails: Sequence[Listed]) -> list[Listed]:
    """Return the first mails that fit a batch: it ends with the mail that passes `BATCH_OCTETS`."""
    chosen: list[Listed] = []
    octets = 0
    for mail in mails[:BATCH_MAILS]:
        chosen.append(mail)
        octets += 0 if mail.too_large else mail.size_octets or 0
        if octets >= BATCH_OCTETS:
            break
    return chosen


def groups(mails: Sequence[Listed], alone_up_to: int) -> Iterator[list[Listed]]:
    """Split mails into those that one FETCH asks for.

    Alone stand mails that are large or whose size the server did not tell, and all up to the UID `alone_up_to`: asked for
    together, they failed.
    """
    group: list[Listed] = []
    octets = 0
    for mail in mails:
        alone = mail.size_octets is None or mail.uid <= alone_up_to
        size = GROUP_OCTETS + 1 if alone else mail.size_octets or 0
        if group and (len(group) == GROUP_MAILS or octets + size > GROUP_OCTETS):
            yield group
            group, octets = [], 0
        group.append(mail)
        octets += size
    if group:
        yield group


def label_changes(there: Sequence[str], ours: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which labels to add and which to remove, so that of ours exactly these are there; case does not tell two apart."""
    known, wanted = {label.lower() for label in there}, {label.lower() for label in ours}
    add = [label for label in ours if label.lower() not in known]
    return add, [label for label in there if is_ours(label) and label.lower() not in wanted]


def allowed_octets(group: Sequence[Listed]) -> int:
    """Return how many octets of literals the answer to one FETCH may hold: some room for sizes that are a little wrong."""
    if len(group) == 1:
        return MAX_MAIL_OCTETS
    return 2 * sum(mail.size_octets or 0 for mail in group) + GROUP_OCTETS

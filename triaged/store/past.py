"""Letters of the past with what was understood of them, so that other rules can be tried on them."""

from collections.abc import Generator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from triaged.message import Assessment, Flag, Kind, Opinion, Urgency
from triaged.store.mails import first_since, unpacked
from triaged.store.tables import CASES, MAILS, MESSAGES

_PAGE: Final = 200
_LETTERS: Final = (Kind.LETTER, Kind.LIST, Kind.UNREADABLE)


@dataclass(frozen=True, slots=True)
class PastLetter:
    """One letter that was processed; `octets` is None where they are damaged, `assessment` also where it was not kept."""

    mail_id: int
    reference: str
    mailbox: str
    received_at: datetime
    octets: bytes | None
    assessment: Assessment | None


def as_json(assessment: Assessment) -> dict[str, Any]:
    """Return an assessment as it is kept; its reasons stand beside it already."""
    kept = asdict(replace(assessment, reasons=()))
    del kept["reasons"]
    return kept


def from_json(kept: dict[str, Any]) -> Assessment:
    """Return a kept assessment."""
    said = dict(kept["opinion"])
    pairs = {name: tuple((word, share) for word, share in said[name]) for name in ("ranked", "words", "further")}
    flags = tuple(Flag(flag["name"], tuple(flag["words"])) for flag in kept["flags"])
    opinion = Opinion(**{**said, **pairs})
    return Assessment(kept["language"], opinion, Urgency(kept["urgency"]), flags, kept["campaign"])


def letters(db: Connection, since: datetime) -> Generator[PastLetter, None, None]:
    """Iterate over the letters received since a moment, oldest first; a page at a time is in memory."""
    query = (
        select(MAILS.c.id, CASES.c.reference, MAILS.c.mailbox, MAILS.c.received_at, MAILS.c.raw, MESSAGES.c.assessment)
        .join(MESSAGES, MESSAGES.c.mail_id == MAILS.c.id)
        .join(CASES, CASES.c.id == MESSAGES.c.case_id)
        .where(MAILS.c.received_at >= since, MAILS.c.state == "done", MESSAGES.c.kind.in_(_LETTERS))
    )
    last = first_since(db, since) - 1
    while rows := db.execute(query.where(MAILS.c.id > last).order_by(MAILS.c.id).limit(_PAGE)).all():
        for row in rows:
            yield _letter(row)
        last = rows[-1].id


def of_mail(db: Connection, mail_id: int) -> Assessment | None:
    """Return what was understood of a mail; None where it was not kept, or is damaged."""
    return _understood(db.scalar(select(MESSAGES.c.assessment).where(MESSAGES.c.mail_id == mail_id)))


def _letter(row: Any) -> PastLetter:
    return PastLetter(row.id, row.reference, row.mailbox, row.received_at, unpacked(row.raw), _understood(row.assessment))


def _understood(kept: Any) -> Assessment | None:
    try:
        return from_json(kept) if kept else None
    except (KeyError, TypeError, ValueError):
        return None

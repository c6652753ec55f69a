"""Reading back what was recorded: for the queue, the digest, `show`, `cases` and `export`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, bindparam, case, cast, func, or_, select

from triaged.message import Address, Flag, Kind, Reason, Record, Status, Urgency
from triaged.store import outbox
from triaged.store.mails import first_since
from triaged.store.tables import CASES, MAILS, MESSAGES

_PAGE: Final = 500
WAITING: Final = (Status.REVIEW, Status.SET_ASIDE)
_RANK: Final = case({urgency.value: urgency.rank for urgency in Urgency}, value=MESSAGES.c.urgency, else_=0)


@dataclass(frozen=True, slots=True)
class Search:
    """Which messages; an empty field does not narrow."""

    mailbox: str = ""
    topic: str = ""
    department: str = ""
    status: str = ""
    urgency: str = ""
    kind: str = ""
    language: str = ""
    writer: str = ""  # part of name or address
    text: str = ""  # part of subject or excerpt
    since: datetime | None = None
    limit: int | None = None


def _query() -> Select[Any]:
    return (
        select(
            MESSAGES,
            MAILS.c.mailbox,
            MAILS.c.received_at,
            MAILS.c.fingerprint,
            CASES.c.reference,
            CASES.c.due,
        )
        .join(MAILS, MAILS.c.id == MESSAGES.c.mail_id)
        .join(CASES, CASES.c.id == MESSAGES.c.case_id)
    )


_OF_MAIL: Final = _query().where(MESSAGES.c.mail_id == bindparam("mail_id"))  # built once: it runs for every delivery


def of_mail(db: Connection, mail_id: int) -> Record | None:
    """Return the record of one mail; None while it is not processed."""
    found = _read(db, _OF_MAIL, {"mail_id": mail_id})
    return found[0] if found else None


def of_case(db: Connection, case_id: int) -> list[Record]:
    """Return the records of a case, oldest first."""
    return _read(db, _query().where(MESSAGES.c.case_id == case_id).order_by(MESSAGES.c.mail_id))


def waiting(db: Connection, limit: int | None = None) -> list[Record]:
    """Return what waits for a person: most urgent first, then oldest."""
    query = _query().where(MESSAGES.c.status.in_(WAITING)).order_by(_RANK.desc(), MAILS.c.received_at, MESSAGES.c.mail_id)
    return _read(db, query.limit(limit))


def count_statuses(db: Connection) -> dict[str, int]:
    """Return how many messages have each status."""
    return {status: count for status, count in db.execute(select(MESSAGES.c.status, func.count()).group_by(MESSAGES.c.status))}


def oldest_waiting(db: Connection) -> datetime | None:
    """Return when the oldest message that waits for a person came."""
    query = select(func.min(MAILS.c.received_at)).join(MESSAGES, MESSAGES.c.mail_id == MAILS.c.id)
    since: datetime | None = db.scalar(query.where(MESSAGES.c.status.in_(WAITING)))
    return since


def search(db: Connection, wanted: Search) -> Iterator[Record]:
    """Yield messages in the order they were taken in, a page at a time, so that years of mail fit in memory."""
    query = _narrow(_query(), wanted).order_by(MESSAGES.c.mail_id)
    after, left = (first_since(db, wanted.since) - 1 if wanted.since else 0), wanted.limit
    while left is None or left > 0:
        page = _read(db, query.where(MESSAGES.c.mail_id > after).limit(_PAGE if left is None else min(_PAGE, left)))
        if not page:
            return
        yield from page
        after = page[-1].mail_id
        left = None if left is None else left - len(page)


def _narrow(query: Select[Any], wanted: Search) -> Select[Any]:
    equal = {
        MAILS.c.mailbox: wanted.mailbox,
        MESSAGES.c.topic: wanted.topic,
        MESSAGES.c.status: wanted.status,
        MESSAGES.c.urgency: wanted.urgency,
        MESSAGES.c.kind: wanted.kind,
        MESSAGES.c.language: wanted.language,
    }
    for column, value in equal.items():
        if value:
            query = query.where(column == value)
    if wanted.department:  # ids hold no quotes, so the JSON text is unambiguous on both databases
        query = query.where(
            cast(MESSAGES.c.departments, MESSAGES.c.subject.type).contains(f'"{wanted.department}"', autoescape=True)
        )
    if wanted.writer:
        query = query.where(_has(MESSAGES.c.from_address, wanted.writer) | _has(MESSAGES.c.from_name, wanted.writer))
    if wanted.text:
        query = query.where(or_(_has(MESSAGES.c.subject, wanted.text), _has(MESSAGES.c.excerpt, wanted.text)))
    if wanted.since is not None:
        query = query.where(MAILS.c.received_at >= wanted.since)
    return query


def _has(column: Any, part: str) -> Any:
    return column.icontains(part, autoescape=True)


def _read(db: Connection, query: Select[Any], parameters: dict[str, Any] | None = None) -> list[Record]:
    rows = db.execute(query, parameters).mappings().all()
    deliveries = outbox.for_mails(db, [row["mail_id"] for row in rows])
    related = _related(db, rows)
    return [_record(row, tuple(deliveries[row["mail_id"]]), related.get(row["mail_id"], ())) for row in rows]


def _related(db: Connection, rows: Sequence[RowMapping]) -> dict[int, tuple[str, ...]]:
    """Return, a mail, the references under which other mailboxes hold the same mail."""
    prints = {row["fingerprint"] for row in rows}
    query = (
        select(MAILS.c.id, MAILS.c.fingerprint, CASES.c.reference)
        .join(MESSAGES, MESSAGES.c.mail_id == MAILS.c.id)
        .join(CASES, CASES.c.id == MESSAGES.c.case_id)
        .where(MAILS.c.fingerprint.in_(prints))
    )
    holders: dict[str, list[tuple[int, str]]] = {}
    for mail_id, fingerprint, reference in db.execute(query):
        holders.setdefault(fingerprint, []).append((mail_id, reference))
    return {
        row["mail_id"]: tuple(
            reference for mail_id, reference in holders.get(row["fingerprint"], ()) if mail_id != row["mail_id"]
        )
        for row in rows
    }


def _flag(kept: Any) -> Flag:
    return Flag(kept["name"], tuple(kept["words"]))


def _alternative(kept: Any) -> tuple[str, float]:
    topic, probability = kept
    return str(topic), float(probability)


def _lists(row: RowMapping) -> tuple[dict[str, tuple[Any, ...]], tuple[str, ...]]:
    """Return the columns that are lists, and the names of those that are damaged: they are read as empty."""
    lists: dict[str, tuple[Any, ...]] = {}
    damaged = []
    for name, read in _LISTS.items():
        kept = row[name]
        try:
            lists[name] = tuple(map(read, kept))
        except (KeyError, TypeError, ValueError):
            lists[name] = ()
        if not isinstance(kept, list) or len(lists[name]) < len(kept):
            damaged.append(name)
    return lists, tuple(damaged)


_LISTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "alternatives": _alternative,
    "flags": _flag,
    "departments": str,
    "reasons": lambda kept: Reason(**kept),
    "notes": str,
}


def _record(row: RowMapping, deliveries: tuple[Any, ...], related: tuple[str, ...]) -> Record:
    lists, damaged = _lists(row)
    lost = f"a part of its record in the database is damaged and left out: {', '.join(damaged)}"
    return Record(
        reference=row["reference"],
        mailbox=row["mailbox"],
        message_id=row["message_id"],
        received_at=row["received_at"],
        sender=Address(row["from_name"], row["from_address"]),
        subject=row["subject"],
        kind=Kind(row["kind"]),
        language=row["language"],
        topic=row["topic"],
        confidence=row["confidence"],
        alternatives=lists["alternatives"],
        urgency=Urgency(row["urgency"]),
        flags=lists["flags"],
        campaign=row["campaign"],
        departments=lists["departments"],
        status=Status(row["status"]),
        reasons=(*lists["reasons"], *((Reason("screen", "damaged", lost),) if damaged else ())),
        deliveries=deliveries,
        mail_id=row["mail_id"],
        case_id=row["case_id"],
        excerpt=row["excerpt"],
        due=row["due"],
        acknowledge_to=row["acknowledge_to"],
        notes=lists["notes"],
        related=related,
        follow_up=row["follow_up"],
    )

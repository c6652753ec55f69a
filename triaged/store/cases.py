"""Cases and their messages: opening, joining, recording a decision."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, or_, select, update

from triaged.message import (
    Assessment,
    Decision,
    Kind,
    Message,
    Opinion,
    Reason,
    Screening,
    Status,
    Urgency,
)
from triaged.store import past
from triaged.store.tables import CASES, COUNTERS, DELIVERIES, EVENTS, MAILS, MESSAGES

EXCERPT_CHARACTERS = 600
# Built once: these run for every mail, and building a statement costs more than running it.
_COUNT: Final = (
    update(COUNTERS)
    .where(COUNTERS.c.prefix == bindparam("of_prefix"), COUNTERS.c.year == bindparam("in_year"))
    .values(last=COUNTERS.c.last + 1)
    .returning(COUNTERS.c.last)
)
_INSERT_CASE: Final = insert(CASES).returning(CASES.c.id)
_INSERT_MESSAGE: Final = insert(MESSAGES)
_INSERT_EVENT: Final = insert(EVENTS)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A writer's matter."""

    id: int
    reference: str
    mailbox: str
    writer: str
    opened_at: datetime
    due: date | None


def next_reference(db: Connection, prefix: str, year: int) -> str:
    """Return the next public reference, such as MAY-2026-000123; numbers have no gaps."""
    last = db.scalar(_COUNT, {"of_prefix": prefix, "in_year": year})
    if last is None:
        db.execute(insert(COUNTERS).values(prefix=prefix, year=year, last=1))
        last = 1
    return f"{prefix}-{year}-{last:06d}"


def open_case(db: Connection, reference: str, mailbox: str, writer: str, due: date | None, at: datetime) -> CaseRow:
    """Open a case."""
    values = {"reference": reference, "mailbox": mailbox, "writer": writer.lower(), "opened_at": at, "due": due}
    case_id = db.execute(_INSERT_CASE, values).scalar_one()
    return CaseRow(case_id, reference, mailbox, writer.lower(), at, due)


def by_reference(db: Connection, reference: str) -> CaseRow | None:
    """Return the case of a reference, in any letter case."""
    row = db.execute(select(CASES).where(CASES.c.reference == reference.strip().upper())).mappings().one_or_none()
    return CaseRow(**row) if row else None


def reference_of(db: Connection, mail_id: int) -> str:
    """Return the public reference of the case that a mail belongs to."""
    query = select(CASES.c.reference).join(MESSAGES, MESSAGES.c.case_id == CASES.c.id).where(MESSAGES.c.mail_id == mail_id)
    return str(db.scalar(query) or "")


def find_thread(db: Connection, mailbox: str, message_ids: Sequence[str], references: Sequence[str]) -> list[CaseRow]:
    """Return the cases of a mailbox that a mail speaks of, the latest first.

    Args:
        db: The transaction.
        mailbox: Only its cases.
        message_ids: What In-Reply-To and References name: mail of the case, or mail that we sent about it.
        references: Public references found in the subject.
    """
    if not message_ids and not references:
        return []
    named = select(MESSAGES.c.case_id).where(MESSAGES.c.message_id.in_(message_ids))
    ours = (
        select(MESSAGES.c.case_id)
        .join(DELIVERIES, DELIVERIES.c.mail_id == MESSAGES.c.mail_id)
        .where(DELIVERIES.c.message_id.in_(message_ids), DELIVERIES.c.message_id != "")
    )
    found = select(CASES).where(
        CASES.c.mailbox == mailbox,
        or_(CASES.c.id.in_(named), CASES.c.id.in_(ours), CASES.c.reference.in_([text.upper() for text in references])),
    )
    return [CaseRow(**row) for row in db.execute(found.order_by(CASES.c.id.desc()).limit(20)).mappings()]


def last_letter(db: Connection, case_id: int) -> tuple[str | None, tuple[str, ...], Status] | None:
    """Return topic, departments and status of the latest letter of a case."""
    query = select(MESSAGES.c.topic, MESSAGES.c.departments, MESSAGES.c.status).where(
        MESSAGES.c.case_id == case_id, MESSAGES.c.kind.in_(["letter", "list", "unreadable"])
    )
    row = db.execute(query.order_by(MESSAGES.c.mail_id.desc()).limit(1)).one_or_none()
    return (row.topic, tuple(row.departments or ()), Status(row.status)) if row else None


def same_mail_cases(db: Connection, mail_id: int, fingerprint: str) -> list[CaseRow]:
    """Return the cases in which other offices hold the same mail."""
    query = (
        select(CASES)
        .join(MESSAGES, MESSAGES.c.case_id == CASES.c.id)
        .join(MAILS, MAILS.c.id == MESSAGES.c.mail_id)
        .where(MAILS.c.fingerprint == fingerprint, MAILS.c.id != mail_id)
    )
    return [CaseRow(**row) for row in db.execute(query).mappings()]


def record(
    db: Connection,
    mail_id: int,
    case: CaseRow,
    message: Message,
    screening: Screening,
    assessment: Assessment,
    decision: Decision,
    *,
    follow_up: bool,
    at: datetime,
) -> None:
    """Write down what was understood and decided of one mail."""
    opinion = assessment.opinion
    said = {flag.name: flag for flag in assessment.flags}
    flags = [asdict(said[name]) if name in said else {"name": name, "words": ()} for name in decision.flags]
    values = {
        "mail_id": mail_id,
        "case_id": case.id,
        "message_id": message.message_id,
        "from_name": message.sender.name,
        "from_address": message.sender.address,
        "subject": message.subject,
        "excerpt": message.text.replace("\0", "")[:EXCERPT_CHARACTERS],  # PostgreSQL's text takes no NUL
        "kind": screening.kind.value,
        "language": assessment.language,
        "topic": decision.topic,
        "confidence": decision.confidence,
        "alternatives": [list(pair) for pair in opinion.ranked if pair[0] != decision.topic][:3],
        "urgency": decision.urgency.value,
        "flags": flags,
        "campaign": assessment.campaign,
        "departments": list(decision.departments),
        "status": decision.status.value,
        "reasons": [asdict(reason) for reason in decision.reasons],
        "notes": list(message.notes),
        "acknowledge_to": screening.acknowledge_to,
        "follow_up": follow_up,
        "processed_at": at,
        "assessment": past.as_json(assessment) if opinion.ranked else None,
    }
    db.execute(_INSERT_MESSAGE, values)


def redecide(db: Connection, mail_id: int, decision: Decision, kind: Kind) -> None:
    """Write down what a person decided instead."""
    values = {
        "kind": kind.value,
        "topic": decision.topic,
        "confidence": decision.confidence,
        "urgency": decision.urgency.value,
        "departments": list(decision.departments),
        "status": decision.status.value,
        "reasons": [asdict(reason) for reason in decision.reasons],
    }
    db.execute(update(MESSAGES).where(MESSAGES.c.mail_id == mail_id).values(**values))


def set_due(db: Connection, case_id: int, due: date | None) -> None:
    """Note by when the office answers."""
    db.execute(update(CASES).where(CASES.c.id == case_id).values(due=due))


def note(db: Connection, case_id: int | None, by: str, what: str, at: datetime) -> None:
    """Add a line to a case's history; never message content."""
    db.execute(_INSERT_EVENT, {"case_id": case_id, "at": at, "by": by, "what": what})


def history(db: Connection, case_id: int) -> list[tuple[datetime, str, str]]:
    """Return a case's history, oldest first: when, who, what."""
    rows = db.execute(select(EVENTS.c.at, EVENTS.c.by, EVENTS.c.what).where(EVENTS.c.case_id == case_id).order_by(EVENTS.c.id))
    return [(row.at, row.by, row.what) for row in rows]


def record_set_aside(db: Connection, mail_id: int, case: CaseRow, why: str, at: datetime) -> None:
    """Write down a mail that could not be understood, so that people see it."""
    message = Message(subject="(could not be read)", unreadable=why)
    reason = Reason("screen", "set aside", why)
    decision = Decision(Status.SET_ASIDE, None, None, Urgency.NORMAL, acknowledge=False, held=True, reasons=(reason,))
    assessment = Assessment("und", Opinion((), accepted=False))
    record(db, mail_id, case, message, Screening(Kind.UNREADABLE, False), assessment, decision, follow_up=False, at=at)

"""What people said of letters that the model had judged: what the promise rests on, and what there is to learn from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from triaged.message import Kind, Status
from triaged.store.tables import LESSONS, MESSAGES

LATEST: Final = 20_000  # lessons looked at: years of them


@dataclass(frozen=True, slots=True)
class Judged:
    """One letter that a person decided, and what triaged had made of it before.

    Attributes:
        mail_id: The letter.
        lesson_id: The latest decision that stands.
        processed_at: When the model judged it.
        guess: The topic that the model proposed; None: a rule or nobody did.
        confidence: Its probability.
        topic: What the person said; None: another department than the guessed topic's, or no topic.
        status: routed, closed or ignored (spam), as the person said.
        spot_check: It had gone without a person, and was drawn to be checked.
    """

    mail_id: int
    lesson_id: int
    processed_at: datetime
    guess: str | None
    confidence: float | None
    topic: str | None
    status: Status
    spot_check: bool


def judged(db: Connection, limit: int = LATEST) -> list[Judged]:
    """Return the letters that people decided, in the order of the decisions that stand; undone ones are none."""
    query = (
        select(
            LESSONS.c.id,
            LESSONS.c.mail_id,
            LESSONS.c.topic,
            LESSONS.c.status,
            LESSONS.c.spot_check,
            LESSONS.c.before,
            MESSAGES.c.processed_at,
        )
        .join(MESSAGES, MESSAGES.c.mail_id == LESSONS.c.mail_id)
        .where(LESSONS.c.undone_at.is_(None))
        .order_by(LESSONS.c.id.desc())
        .limit(limit)
    )
    found: dict[int, Judged] = {}
    for row in reversed(db.execute(query).all()):
        before: dict[str, Any] = row.before
        first = found.pop(row.mail_id, None)  # the model's guess stands before the first decision
        found[row.mail_id] = Judged(
            row.mail_id,
            row.id,
            row.processed_at,
            first.guess if first else before["topic"],
            first.confidence if first else before["confidence"],
            row.topic,
            Status(row.status),
            row.spot_check or bool(first and first.spot_check),
        )
    return list(found.values())


def signature(db: Connection) -> tuple[int, int]:
    """Return what changes whenever a lesson comes in or is taken back."""
    undone = select(func.count()).where(LESSONS.c.undone_at.is_not(None))
    return int(db.scalar(select(func.max(LESSONS.c.id))) or 0), int(db.scalar(undone) or 0)


def alone_since(db: Connection, since: datetime) -> tuple[int, int]:
    """Return how many letters went without a person by the model's guess, and how many came, since then."""
    letters = (MESSAGES.c.kind == Kind.LETTER, MESSAGES.c.processed_at >= since)
    went = select(func.count()).where(*letters, MESSAGES.c.status == Status.ROUTED, MESSAGES.c.confidence.is_not(None))
    corrected = (
        select(func.count(LESSONS.c.mail_id.distinct()))
        .join(MESSAGES, MESSAGES.c.mail_id == LESSONS.c.mail_id)
        .where(*letters, LESSONS.c.spot_check, LESSONS.c.undone_at.is_(None), MESSAGES.c.confidence.is_(None))
    )
    came = select(func.count()).where(*letters)
    return int(db.scalar(went) or 0) + int(db.scalar(corrected) or 0), int(db.scalar(came) or 0)

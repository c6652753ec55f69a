"""Who was asked what, who answered, and what was learnt from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from triaged.message import State, Status
from triaged.store.tables import ANSWERS, DIGESTS, LESSONS, MAILS, MESSAGES


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A digest or an alert, as sent to one person."""

    id: int
    name: str
    reviewer: str
    made_at: datetime
    sent_at: datetime | None
    state: State
    items: tuple[dict[str, Any], ...]
    rounds: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a person decided of one letter."""

    id: int
    mail_id: int
    answer_id: int | None
    digest_id: int | None
    by: str
    at: datetime
    status: Status
    topic: str | None
    departments: tuple[str, ...]
    urgency: str
    proposed: str | None
    spot_check: bool
    model: str
    rules: str
    before: dict[str, Any]
    undone_at: datetime | None


def open_digest(db: Connection, name: str, reviewer: str, at: datetime) -> DigestRow:
    """Return the digest of a name, made now unless it is known."""
    known = by_name(db, name)
    if known:
        return known
    values = {"name": name, "reviewer": reviewer.lower(), "made_at": at, "state": State.PLANNED, "items": [], "rounds": 0}
    db.execute(insert(DIGESTS).values(**values))
    made = by_name(db, name)
    if made is None:
        raise LookupError(f"digest {name} was not kept")
    return made


def by_name(db: Connection, name: str) -> DigestRow | None:
    """Return a digest by its name."""
    row = db.execute(select(DIGESTS).where(DIGESTS.c.name == name)).mappings().one_or_none()
    return _digest(row) if row else None


def alerts(db: Connection, mail_id: int) -> list[DigestRow]:
    """Return the alerts of one letter, a row a person."""
    query = select(DIGESTS).where(DIGESTS.c.name.startswith(alert_name(mail_id, ""), autoescape=True))
    return [_digest(row) for row in db.execute(query).mappings()]


def alarmed_since(db: Connection, since: datetime) -> set[int]:
    """Return the mails of which alerts were first said since a moment."""
    query = select(DIGESTS.c["items"]).where(DIGESTS.c.name.startswith("alert "), DIGESTS.c.made_at >= since)
    return {item["mail_id"] for items in db.scalars(query) for item in items}


def alert_name(mail_id: int, person: str) -> str:
    """Return the name of one person's alerts of a letter: they are one digest, said several times."""
    return f"alert {mail_id} {person.lower()}"


def by_id(db: Connection, digest_id: int) -> DigestRow | None:
    """Return a digest by its number."""
    row = db.execute(select(DIGESTS).where(DIGESTS.c.id == digest_id)).mappings().one_or_none()
    return _digest(row) if row else None


def last_sent(db: Connection, reviewer: str) -> datetime | None:
    """Return when a person's last digest was sent (alerts are none); None if none was."""
    query = select(func.max(DIGESTS.c.sent_at)).where(DIGESTS.c.reviewer == reviewer.lower(), DIGESTS.c.rounds == 0)
    found: datetime | None = db.scalar(query)
    return found


def fill(db: Connection, digest_id: int, items: Sequence[dict[str, Any]], *, rounds: int = 0) -> None:
    """Note what a digest's codes mean, and mark it as being sent."""
    values = {"items": list(items), "state": State.SENDING, "rounds": rounds}
    db.execute(update(DIGESTS).where(DIGESTS.c.id == digest_id).values(**values))


def settle(db: Connection, digest_id: int, state: State, at: datetime) -> None:
    """Note how sending a digest ended."""
    values = {"state": state, "sent_at": at} if state is State.SENT else {"state": state}
    db.execute(update(DIGESTS).where(DIGESTS.c.id == digest_id).values(**values))


def note_answer(db: Connection, mail_id: int, digest_id: int | None, by: str, outcome: str, why: str, at: datetime) -> None:
    """Note that a mail tried to decide something."""
    values = {"mail_id": mail_id, "digest_id": digest_id, "by": by.lower()[:320], "at": at, "outcome": outcome, "why": why}
    db.execute(insert(ANSWERS).values(**values))


def answers_since(db: Connection, since: datetime, digest_id: int | None, outcome: str) -> int:
    """Return how many answers to a digest ended so; of all digests and none for None."""
    query = select(func.count()).select_from(ANSWERS).where(ANSWERS.c.at >= since, ANSWERS.c.outcome == outcome)
    return int(db.scalar(query if digest_id is None else query.where(ANSWERS.c.digest_id == digest_id)) or 0)


def learn(db: Connection, lesson: dict[str, Any]) -> None:
    """Keep a lesson; its keys are the columns of `lessons`."""
    db.execute(insert(LESSONS).values(**lesson))


def decided(db: Connection, mail_id: int) -> Lesson | None:
    """Return what a person last decided of a letter, unless it was undone."""
    query = select(LESSONS).where(LESSONS.c.mail_id == mail_id, LESSONS.c.undone_at.is_(None)).order_by(LESSONS.c.id.desc())
    row = db.execute(query.limit(1)).mappings().one_or_none()
    return _lesson(row) if row else None


def last_answer(db: Connection, digest_id: int, by: str) -> list[Lesson]:
    """Return the lessons of a person's latest answer to a digest that is not undone yet."""
    here = (LESSONS.c.digest_id == digest_id, LESSONS.c.by == by.lower(), LESSONS.c.undone_at.is_(None))
    latest = db.scalar(select(func.max(LESSONS.c.answer_id)).where(*here))
    if latest is None:
        return []
    query = select(LESSONS).where(*here, LESSONS.c.answer_id == latest).order_by(LESSONS.c.id)
    return [_lesson(row) for row in db.execute(query).mappings()]


def undo(db: Connection, lesson_id: int, at: datetime) -> bool:
    """Take a lesson back; False when it was taken back before."""
    taken = update(LESSONS).where(LESSONS.c.id == lesson_id, LESSONS.c.undone_at.is_(None)).values(undone_at=at)
    return db.execute(taken).rowcount == 1


def lessons(db: Connection, after: int = 0, limit: int = 1000) -> list[Lesson]:
    """Return lessons that stand, oldest first."""
    query = select(LESSONS).where(LESSONS.c.id > after, LESSONS.c.undone_at.is_(None)).order_by(LESSONS.c.id).limit(limit)
    return [_lesson(row) for row in db.execute(query).mappings()]


def automatic_since(db: Connection, since: datetime) -> list[int]:
    """Return the letters that the model sent on by itself, and of which no person has said anything yet."""
    judged = select(LESSONS.c.mail_id)
    query = (
        select(MESSAGES.c.mail_id)
        .join(MAILS, MAILS.c.id == MESSAGES.c.mail_id)
        .where(
            MESSAGES.c.status == Status.ROUTED,
            MESSAGES.c.kind == "letter",
            MESSAGES.c.confidence.is_not(None),
            MESSAGES.c.processed_at >= since,
            MESSAGES.c.mail_id.not_in(judged),
        )
    )
    return list(db.scalars(query.order_by(MESSAGES.c.mail_id)))


def _digest(row: RowMapping) -> DigestRow:
    return DigestRow(**{**row, "state": State(row["state"]), "items": tuple(row["items"])})


def _lesson(row: RowMapping) -> Lesson:
    return Lesson(**{**row, "status": Status(row["status"]), "departments": tuple(row["departments"])})

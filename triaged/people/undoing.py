"""Undo: a person takes an answer back, as long as nothing of it has left the house."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from triaged.message import Decision, Kind, Reason, State, Status, Urgency
from triaged.route.plan import labels
from triaged.store import cases, digests, mails, outbox, records

_LEFT = (State.SENDING, State.SENT, State.IN_DOUBT)
_MENDABLE = (State.PLANNED, State.HELD, State.CANCELLED, State.FAILED)


class TooLate(Exception):
    """Something has left; the text says what."""


def take_back(db: Connection, lesson: digests.Lesson, by: str, now: datetime) -> None:
    """Put a letter and its deliveries back to how they stood before a decision.

    Raises:
        TooLate: A hand-off that it planned has left, or may have; nothing was changed.
    """
    record = records.of_mail(db, lesson.mail_id)
    if record is None:
        raise TooLate("the letter is no longer kept")
    before: dict[str, list[str]] = lesson.before["deliveries"]
    ours = [one for one in record.deliveries if one.delivery.kind not in ("notice", "label")]
    for one in ours:
        was = before.get(str(one.id))
        if one.delivery.state in _LEFT and (was is None or State(was[0]) not in _LEFT):
            raise TooLate(f"too late: {one.delivery.kind} to {one.delivery.to} has left")
    if not digests.undo(db, lesson.id, now):
        raise TooLate("it was undone before")
    for one in ours:
        was = before.get(str(one.id))
        if was is None and one.delivery.state in (State.PLANNED, State.HELD, State.FAILED):
            outbox.put_back(db, one.id, one.delivery.state, State.CANCELLED, f"undone by {by}", one.due_at)
        elif was is not None and State(was[0]) != one.delivery.state and State(was[0]) in _MENDABLE:
            outbox.put_back(db, one.id, one.delivery.state, State(was[0]), was[1], datetime.fromisoformat(was[2]))
    decision = _decision(lesson.before)
    cases.redecide(db, record.mail_id, decision, Kind(lesson.before["kind"]))
    if any(one.delivery.kind == "label" for one in record.deliveries):
        kept = mails.load(db, record.mail_id)
        outbox.plan(db, record.mail_id, labels(f"{kept.mailbox}:{kept.fingerprint}", decision, now.isoformat()), now)
    cases.set_due(db, record.case_id, date.fromisoformat(lesson.before["due"]) if lesson.before["due"] else None)
    cases.note(db, record.case_id, by, "undone", now)


def _decision(before: dict[str, Any]) -> Decision:
    return Decision(
        status=Status(before["status"]),
        topic=before["topic"],
        confidence=before["confidence"],
        urgency=Urgency(before["urgency"]),
        departments=tuple(before["departments"]),
        reasons=tuple(Reason(**reason) for reason in before["reasons"]),
    )

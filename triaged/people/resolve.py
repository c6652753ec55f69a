"""A person decides: the console's and the mail answer's way to settle what waits. Each decision is a lesson."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Engine

from triaged.message import Decision, Kind, Reason, Record, Status, Urgency
from triaged.office import Office
from triaged.route.plan import forwards, labels, moves
from triaged.store import cases, digests, outbox, records
from triaged.store.mails import load


class CannotResolve(Exception):
    """The answer has no effect; the text says why and what is allowed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says of a case.

    Attributes:
        by: Who, for the history.
        topic: The topic, or None to keep it.
        departments: Who answers; empty: the topic's department.
        urgency: How urgent, or None to keep it.
        close: It needs nothing more.
        spam: It is no letter.
    """

    by: str
    topic: str | None = None
    departments: tuple[str, ...] = ()
    urgency: Urgency | None = None
    close: bool = False
    spam: bool = False


def resolve(reference: str, answer: Answer, office: Office, engine: Engine, now: datetime) -> Record:
    """Apply a person's answer to the latest letter of a case (and to all that wait in it); return its record.

    Raises:
        CannotResolve: No such case, topic or department, or nothing said.
    """
    with engine.begin() as db:
        case = cases.by_reference(db, reference)
        if case is None:
            raise CannotResolve(f"there is no case {reference}")
        found = records.of_case(db, case.id)
        open_now = [record for record in found if record.status in records.WAITING] or found[-1:]
        for record in open_now:
            settle(db, record, answer, office, now, now)
        return records.of_case(db, case.id)[-1]


@dataclass(frozen=True, slots=True)
class Asked:
    """Where an answer came from, for the lesson.

    Attributes:
        answer_id: The answer's mail; None: the console.
        digest_id: The digest that it answers.
        spot_check: The letter was decided already, and drawn to be checked.
    """

    answer_id: int | None = None
    digest_id: int | None = None
    spot_check: bool = False


def settle(
    db: Connection, record: Record, answer: Answer, office: Office, now: datetime, due_at: datetime, asked: Asked | None = None
) -> Decision:
    """Apply a person's answer to one letter in the caller's transaction, and learn from it.

    Args:
        db: The transaction.
        record: The letter.
        answer: What the person says.
        office: Whose it is.
        now: Now.
        due_at: When what follows may leave: later than now when it shall be possible to undo.
        asked: Where the answer came from; None: the console.

    Raises:
        CannotResolve: No such topic or department, or nothing said; nothing was changed.
    """
    decision = _decided(record, answer, office)
    decision = decision.because(Reason("staff", answer.by, _in_words(answer, decision)))
    before = standing(record)
    cancelled = () if decision.status is Status.ROUTED else ("acknowledge",)
    outbox.cancel_open(db, record.mail_id, ("forward", *cancelled), f"decided by {answer.by}", now)
    kind = Kind.SPAM if answer.spam else Kind.LETTER if record.kind is Kind.SPAM else record.kind
    cases.redecide(db, record.mail_id, decision, kind)
    kept = load(db, record.mail_id)
    identity = f"{kept.mailbox}:{kept.fingerprint}"
    deliveries = forwards(identity, decision, office.addresses, office.signer)
    moved = moves(identity, decision, office.mailbox(kept.mailbox).processed)
    outbox.plan(db, record.mail_id, (*deliveries, *moved), now, due_at=due_at)
    if office.mailbox(kept.mailbox).labels and not kept.backfill:
        outbox.plan(db, record.mail_id, labels(identity, decision, now.isoformat()), now)
    outbox.release(db, record.mail_id, [delivery.key for delivery in (*deliveries, *moved)], now, due_at=due_at)
    cases.set_due(db, record.case_id, office.respond_by(decision, record.received_at))
    cases.note(db, record.case_id, answer.by, _in_words(answer, decision), now)
    learn(db, record, decision, answer.by, office, now, before, asked or Asked())
    return decision


def learn(
    db: Connection, record: Record, decision: Decision, by: str, office: Office, now: datetime, before: Any, asked: Asked
) -> None:
    """Keep what a person decided of a letter as a lesson."""
    lesson = {
        "mail_id": record.mail_id,
        "answer_id": asked.answer_id,
        "digest_id": asked.digest_id,
        "by": by.lower(),
        "at": now,
        "status": decision.status.value,
        "topic": decision.topic,
        "departments": list(decision.departments),
        "urgency": decision.urgency.value,
        "proposed": record.topic,
        "spot_check": asked.spot_check,
        "model": office.model_version,
        "rules": office.rules_version,
        "before": before,
    }
    digests.learn(db, lesson)


def standing(record: Record) -> dict[str, Any]:
    """Return how a letter and its deliveries stand, as JSON, so that it can be put back."""
    return {
        "kind": record.kind.value,
        "status": record.status.value,
        "topic": record.topic,
        "confidence": record.confidence,
        "urgency": record.urgency.value,
        "departments": list(record.departments),
        "reasons": [asdict(reason) for reason in record.reasons],
        "due": record.due.isoformat() if record.due else None,
        "deliveries": {
            str(one.id): [one.delivery.state.value, one.delivery.detail, one.due_at.isoformat()] for one in record.deliveries
        },
    }


def _decided(record: Record, answer: Answer, office: Office) -> Decision:
    urgency = answer.urgency or record.urgency
    base = Decision(
        status=Status.CLOSED,
        topic=record.topic,
        confidence=None,
        urgency=urgency,
        departments=record.departments,
        flags=tuple(flag.name for flag in record.flags),
        acknowledge=False,
        reasons=record.reasons,
    )
    if answer.spam:
        return replace(base, status=Status.IGNORED, topic=None, departments=())
    if answer.close:
        return base
    if answer.topic is not None and answer.topic not in office.rules.topics:
        raise CannotResolve(f"there is no topic {answer.topic!r}; {_nearest(answer.topic, tuple(office.rules.topics))}")
    for department in answer.departments:
        if department not in office.rules.departments:
            raise CannotResolve(
                f"there is no department {department!r}; {_nearest(department, tuple(office.rules.departments))}"
            )
    topic = answer.topic or record.topic
    known = office.rules.topics.get(topic) if topic else None
    if answer.topic is None and known and answer.departments and not set(answer.departments) & set(known.departments):
        topic = None  # another department than the guessed topic's: the guess was wrong, and nobody has said a better one
    departments = answer.departments or (known.departments if known else ())
    if not departments:
        raise CannotResolve("say where it goes: a topic or a department (or close it, or call it spam)")
    return replace(base, status=Status.ROUTED, topic=topic, departments=departments)


def _in_words(answer: Answer, decision: Decision) -> str:
    if answer.spam:
        return "spam"
    if answer.close:
        return "closed"
    return f"{decision.topic or 'no topic'} → {', '.join(decision.departments)}, {decision.urgency}"


def _nearest(name: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(name, allowed, 1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(allowed)}"

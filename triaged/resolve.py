"""A person decides: the console's and (later) the mail answer's way to settle what waits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import Engine

from triaged.message import Decision, Kind, Reason, Record, Status, Urgency
from triaged.office import Office
from triaged.route.plan import forwards, moves
from triaged.store import cases, outbox, records
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
            decision = _decided(record, answer, office)
            decision = decision.because(Reason("staff", answer.by, _in_words(answer, decision)))
            cancelled = () if decision.status is Status.ROUTED else ("acknowledge",)
            outbox.cancel_open(db, record.mail_id, ("forward", *cancelled), f"decided by {answer.by}", now)
            kind = Kind.SPAM if answer.spam else Kind.LETTER if record.kind is Kind.SPAM else record.kind
            cases.redecide(db, record.mail_id, decision, kind)
            kept = load(db, record.mail_id)
            identity = f"{kept.mailbox}:{kept.fingerprint}"
            deliveries = forwards(identity, decision, office.addresses, office.signer)
            moved = moves(identity, decision, office.mailbox(kept.mailbox).processed)
            outbox.plan(db, record.mail_id, (*deliveries, *moved), now)
            outbox.release(db, record.mail_id, [delivery.key for delivery in deliveries], now)
        cases.set_due(db, case.id, office.respond_by(decision, record.received_at))
        cases.note(db, case.id, answer.by, _in_words(answer, decision), now)
        return records.of_case(db, case.id)[-1]


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
    topic = answer.topic or record.topic
    if answer.topic is not None and answer.topic not in office.rules.topics:
        raise CannotResolve(f"there is no topic {answer.topic!r}; {_nearest(answer.topic, tuple(office.rules.topics))}")
    for department in answer.departments:
        if department not in office.rules.departments:
            raise CannotResolve(
                f"there is no department {department!r}; {_nearest(department, tuple(office.rules.departments))}"
            )
    known = office.rules.topics.get(topic) if topic else None
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

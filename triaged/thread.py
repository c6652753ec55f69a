"""What the past says of a mail: the case it belongs to, earlier acknowledgements, the delivery a bounce speaks of."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from triaged.message import Decision, Kind, Message, Reason, Screening, State, Status
from triaged.route.plan import SAME_MATTER, Past
from triaged.store import cases, outbox
from triaged.store.cases import CaseRow

_REFERENCE: Final = re.compile(r"\b[A-Z]{1,12}-\d{4}-\d{6,9}\b", re.IGNORECASE)
_NAMED: Final = 50  # message ids looked up at most: References may be any length
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Thread:
    """The case that a mail continues, if any.

    Attributes:
        case: The case; None for a new matter.
        topic: What its last letter was about.
        departments: Who has it.
        status: Where its last letter stands.
        foreign: References of cases of *other* writers that the mail speaks of: it opens its own case, people see the link.
    """

    case: CaseRow | None = None
    topic: str | None = None
    departments: tuple[str, ...] = ()
    status: Status = Status.NEW
    foreign: tuple[str, ...] = ()


def find_thread(db: Connection, mailbox: str, message: Message, screening: Screening) -> Thread:
    """Find the case that a mail continues.

    A letter joins a case only when its writer is the case's writer: References and case numbers can be guessed. An automatic
    mail (auto-reply, bounce) joins by the Message-ID of ours that it names, which nobody can guess.
    """
    named = tuple(dict.fromkeys((*message.in_reply_to, *message.references, *screening.bounced)))[-_NAMED:]
    automatic = screening.kind in (Kind.AUTO_REPLY, Kind.BOUNCE)
    references = () if automatic else tuple(_REFERENCE.findall(message.subject))[:5]
    found = cases.find_thread(db, mailbox, named, references)
    writer = message.sender.address.lower()
    own = [case for case in found if automatic or (writer and case.writer == writer)]
    foreign = tuple(case.reference for case in found if case not in own)
    if not own:
        return Thread(foreign=foreign)
    last = cases.last_letter(db, own[0].id)
    if last is None:
        return Thread(own[0], foreign=foreign)
    return Thread(own[0], *last, foreign)


def continue_thread(decision: Decision, screening: Screening, thread: Thread) -> Decision:
    """Let a later letter go where its case went, unless rules or a sure model say more.

    "Here is the photo you asked for" tells no model anything; the case does.
    """
    if thread.foreign:
        names = ", ".join(thread.foreign)
        decision = decision.because(Reason("screen", "thread", f"speaks of {names}, which belongs to another writer"))
    if thread.case is None or screening.kind is not Kind.LETTER or screening.must_review:
        return decision
    because = Reason("screen", "thread", f"a later mail on {thread.case.reference}")
    if decision.status is Status.ROUTED:
        departments = tuple(dict.fromkeys((*decision.departments, *thread.departments)))
        return replace(decision, departments=departments).because(because)
    if decision.status is Status.REVIEW and thread.departments and thread.status is Status.ROUTED and not decision.held:
        joined = replace(decision, status=Status.ROUTED, topic=thread.topic, confidence=None, departments=thread.departments)
        return joined.because(because)
    return decision.because(because)


def past_acknowledgements(db: Connection, mailbox: str, address: str, topic: str | None, now: datetime) -> Past:
    """Look up what limits another acknowledgement to this address."""
    if not address:
        return Past()
    to_writer = outbox.acknowledged(db, now - SAME_MATTER, address)
    last_hour, domain_last_hour = outbox.count_acknowledged(db, now - _HOUR, address.rpartition("@")[2])
    return Past(
        same_matter=topic is not None and (mailbox, topic) in to_writer,
        to_writer=len(to_writer),
        last_hour=last_hour,
        domain_last_hour=domain_last_hour,
    )


def note_bounce(db: Connection, screening: Screening, now: datetime) -> None:
    """Mark the deliveries that a bounce speaks of as failed, so that people hear of a hand-off that never arrived."""
    for dispatch in outbox.by_message_ids(db, screening.bounced):
        if dispatch.delivery.state is State.SENT:
            outbox.settle(db, dispatch.id, State.SENT, State.FAILED, detail="came back (bounce)", at=now)

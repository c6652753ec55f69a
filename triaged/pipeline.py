"""The life of a message on one page: accept → read → screen → assess → decide → plan → deliver, or review.

It calls; it does not compute. Any process may die at any line: what is kept, planned or marked is committed before the world
outside is touched, so a restart loses nothing and shows nothing twice (docs/architecture.md, "Transactions").
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from triaged.classify.assess import assess, assess_all
from triaged.ingest.fingerprint import fingerprint
from triaged.ingest.mailbox import Mailbox
from triaged.ingest.mime import read
from triaged.ingest.screen import screen, written_by
from triaged.message import Assessment, Decision, Dispatch, Kind, Message, Outcome, Screening, State, Status
from triaged.office import Office
from triaged.people import alerting, answering, locks
from triaged.route.handoff import Case
from triaged.route.plan import Past, Planning, given_up, plan, retry_after
from triaged.rules.decide import decide
from triaged.store import cases, health, mails, notices, outbox, records, rule_uses
from triaged.store.engine import reading
from triaged.store.mails import KeptMail
from triaged.thread import continue_thread, find_thread, note_bounce, past_acknowledgements

Clock = Callable[[], datetime]
log = logging.getLogger("triaged")
REPEATABLE = ("forward", "move", "label")  # a second time does no harm: same Message-ID, or nothing left to do
DOUBT_WAIT = timedelta(minutes=10)  # RFC 5321 §4.5.3.2.6: how long the peer may still be at work


@dataclass(frozen=True, slots=True)
class Understanding:
    """What we make of one mail before the past is asked."""

    message: Message
    screening: Screening
    assessment: Assessment
    decision: Decision
    answer: locks.Attempt | None = None  # it answers a digest

    @property
    def parts(self) -> tuple[Message, Screening, Assessment, Decision]:
        """Return them in the order they were made."""
        return self.message, self.screening, self.assessment, self.decision


@dataclass(frozen=True, slots=True)
class _Screened:
    """What one mail is, before its meaning is asked."""

    message: Message
    screening: Screening
    answer: locks.Attempt | None


def accept(mailbox: Mailbox, engine: Engine, office: Office, clock: Clock) -> bool:
    """Keep a batch of new mail and move the cursor in one transaction; tell whether there is more.

    Raises:
        MailboxError: The mailbox could not be read; nothing changed.
    """
    settings = office.mailbox(mailbox.name)
    with reading(engine) as db:
        state = mails.mailbox_state(db, mailbox.name)
        starting = state is None or health.fact(db, f"backfill {mailbox.name}") is not None
    if state is None and settings.backfill == "none":
        cursor = mailbox.latest()
        with engine.begin() as db:
            mails.start_watching(db, mailbox.name, cursor, clock())
            health.polled(db, mailbox.name, clock())
        log.info("first look: mail that was there before is left alone", extra={"mailbox": mailbox.name})
        return False
    batch = mailbox.fetch(state.cursor if state else "")  # the network, outside any transaction
    at = clock()
    prints = [(mail, fingerprint(mail.octets)) for mail in batch.mails]
    with engine.begin() as db:
        if state is None:
            mails.start_watching(db, mailbox.name, "", at)
        if starting:
            health.remember(db, f"backfill {mailbox.name}", True if batch.more else None, at)
        known_to_be_old = starting or batch.rebuilt
        ids = mails.keep(db, mailbox.name, batch.cursor, prints, backfill=known_to_be_old, at=at)
        refused = [mails.keep_refused(db, mailbox.name, mail.uid, mail.why, at) for mail in batch.refused]
        health.polled(db, mailbox.name, at)
        if batch.gone:
            cases.note(db, None, "triaged", f"{mailbox.name}: {batch.gone} mails left the folder before they could be read", at)
    if ids or refused or batch.gone:
        log.info("kept", extra={"mailbox": mailbox.name, "mails": len(ids), "refused": len(refused), "gone": batch.gone})
    return batch.more


def understand(
    octets: bytes, mailbox: str, office: Office, now: datetime, received_at: datetime | None = None
) -> Understanding:
    """Read, screen, assess and decide one mail; touches nothing."""
    found = _read(octets, mailbox, office, now)
    return _judge(found, assess(found.message, office.topics, office.local(now)), mailbox, office, now, received_at)


def understand_all(together: Sequence[KeptMail], office: Office, now: datetime) -> list[Understanding]:
    """Understand some kept mails at once: quicker than one by one, and the same."""
    found = [_read(kept.octets, kept.mailbox, office, now) for kept in together]
    assessed = assess_all([one.message for one in found], office.topics, office.local(now))
    return [
        _judge(one, assessment, kept.mailbox, office, now, kept.received_at)
        for kept, one, assessment in zip(together, found, assessed, strict=True)
    ]


def _read(octets: bytes, mailbox: str, office: Office, now: datetime) -> _Screened:
    trust = office.trust(mailbox)
    message = read(octets)
    screening = screen(message, trust)
    message = replace(message, sender=written_by(message, trust))  # a web form's fields name the writer
    answer = locks.recognise(message, screening, locks.doors_of(office, mailbox), now)
    return _Screened(message, locks.as_screening(answer) if answer else screening, answer)


def _judge(
    found: _Screened, assessment: Assessment, mailbox: str, office: Office, now: datetime, received_at: datetime | None
) -> Understanding:
    received = office.local(received_at or now).date()
    message, screening = found.message, found.screening
    decision = decide(message, screening, assessment, office.rules, mailbox, office.local(now).date(), received)
    return Understanding(message, screening, assessment, decision, found.answer)


def process(mail_id: int, office: Office, engine: Engine, clock: Clock) -> None:
    """Understand one kept mail and plan what follows; all of it is committed, or nothing."""
    now = clock()
    with reading(engine) as db:
        kept = mails.load(db, mail_id)
    if kept.fault:
        set_aside(mail_id, kept.fault, office, engine, clock)
    else:
        commit([(kept, understand(kept.octets, kept.mailbox, office, now, kept.received_at))], office, engine, now)


def commit(understood: Sequence[tuple[KeptMail, Understanding]], office: Office, engine: Engine, now: datetime) -> None:
    """Write down what some mails are and plan what follows: all of it in one transaction, or nothing."""
    with engine.begin() as db:
        recorded = [_record(db, kept, one, office, now) for kept, one in understood if mails.finish(db, kept.id)]
    for what in recorded:  # a mail that another worker finished first is not among them
        log.info("processed", extra=what)


def _record(db: Connection, kept: KeptMail, understood: Understanding, office: Office, now: datetime) -> dict[str, str]:
    message, screening, decision = understood.message, understood.screening, understood.decision
    thread = find_thread(db, kept.mailbox, message, screening)
    if screening.kind is Kind.BOUNCE:
        note_bounce(db, screening, now)
    decision = continue_thread(decision, screening, thread)
    due = office.respond_by(decision, kept.received_at)
    if thread.case is None:
        reference = cases.next_reference(db, office.prefix(kept.mailbox), office.local(now).year)
        case = cases.open_case(db, reference, kept.mailbox, message.sender.address, due, now)
    else:
        case = thread.case
    mail = Planning(
        identity=f"{kept.mailbox}:{kept.fingerprint}",
        reference=case.reference,
        screening=screening,
        decision=decision,
        follow_up=thread.case is not None,
        backfill=kept.backfill,
        processed_folder=office.mailbox(kept.mailbox).processed,
        answered=kept.answered,
        labelled=office.mailbox(kept.mailbox).labels,
    )
    may_acknowledge = decision.acknowledge and not kept.backfill
    past = past_acknowledgements(db, kept.mailbox, screening.acknowledge_to, decision.topic, now) if may_acknowledge else Past()
    deliveries, reasons = plan(mail, office.addresses, past, office.limits, office.signer)
    decision = decision.because(*reasons)
    cases.record(
        db, kept.id, case, message, screening, understood.assessment, decision, follow_up=thread.case is not None, at=now
    )
    rule_uses.count(db, decision.reasons, now)
    outbox.plan(db, kept.id, deliveries, now)
    cases.note(db, case.id, "triaged", f"{screening.kind}: {decision.status}", now)
    if alerting.is_called_for(decision) and not kept.backfill:
        alerting.alert(db, kept.id, office, now)
    if understood.answer and not kept.backfill:
        answering.apply(db, kept.id, message, understood.answer, office, now)
    return {
        "reference": case.reference,
        "mailbox": kept.mailbox,
        "kind": screening.kind.value,
        "status": decision.status.value,
    }


def set_aside(mail_id: int, why: str, office: Office, engine: Engine, clock: Clock) -> None:
    """Keep a mail that broke us where people see it; it is never tried again by itself."""
    now = clock()
    with engine.begin() as db:
        if not mails.finish(db, mail_id, state="set_aside", why=why):
            return
        mailbox = mails.mailbox_of(db, mail_id)
        reference = cases.next_reference(db, office.prefix(mailbox), office.local(now).year)
        case = cases.open_case(db, reference, mailbox, "", None, now)
        cases.record_set_aside(db, mail_id, case, why, now)
        cases.note(db, case.id, "triaged", f"set aside: {why}", now)
    log.error("set aside", extra={"reference": reference, "mailbox": mailbox, "why": why})


def deliver_due(office: Office, engine: Engine, clock: Clock, stopped: Callable[[], bool], progress: Callable[[], None]) -> int:
    """Carry out deliveries until none is due; return how many were tried.

    The `sending` mark of each is committed before its side effect; the same transaction settles the one before it.
    """
    with engine.begin() as db:
        outbox.retry_doubtful(db, clock(), REPEATABLE)
        dispatch = None if stopped() else outbox.claim(db, clock())
    tried = 0
    while dispatch is not None:
        outcome = _attempt(dispatch, office, engine)
        tried += 1
        with engine.begin() as db:
            _settle(db, dispatch, outcome, clock())
            dispatch = None if stopped() else outbox.claim(db, clock())
        progress()
    return tried


def _attempt(dispatch: Dispatch, office: Office, engine: Engine) -> Outcome:
    with reading(engine) as db:
        record = records.of_mail(db, dispatch.mail_id)
        kept = mails.load(db, dispatch.mail_id)
        notice = notices.load(db, dispatch.delivery.key) if dispatch.delivery.kind == "notice" else None
    if record is None:
        return Outcome(State.FAILED, "its message was never recorded")
    try:
        legible = kept.octets and record.status is not Status.SET_ASIDE
        message = read(kept.octets) if legible else Message(message_id=record.message_id)
        case = Case(record, message, kept.octets, office.name(kept.mailbox), kept.uid, dispatch.attempts, notice, kept.fault)
        return office.handoffs[dispatch.delivery.kind].deliver(dispatch.delivery, case)
    except Exception:
        log.exception("a delivery broke", extra={"reference": record.reference, "delivery": dispatch.id})
        return Outcome(State.FAILED, "triaged itself failed at this delivery; its log has the details")


def _settle(db: Connection, dispatch: Dispatch, outcome: Outcome, now: datetime) -> None:
    state, due_at, detail = outcome.state, None, outcome.detail
    if state is State.PLANNED and given_up(dispatch.planned_at, now):
        state, detail = State.FAILED, f"tried for five days; last: {detail}"
    elif state is State.PLANNED:
        due_at = now + retry_after(dispatch.attempts)
    elif state is State.IN_DOUBT:
        due_at = now + DOUBT_WAIT
    outbox.settle(db, dispatch.id, State.SENDING, state, detail=detail, at=now, due_at=due_at)
    level = logging.INFO if state is State.SENT else logging.WARNING
    log.log(level, "delivery", extra={"delivery": dispatch.id, "kind": dispatch.delivery.kind, "state": state.value})

"""Bringing the digest to people: building it from the database, putting it into a mail, sending it once a time slot."""

import logging
from contextlib import closing
from datetime import datetime, timedelta
from email.utils import format_datetime

from sqlalchemy import Connection, Engine

from triaged.message import LOOP_HEADER, Address, State
from triaged.office import Office
from triaged.review.digest import Digest, compose, latest_slot
from triaged.route import header
from triaged.route.compose import assemble
from triaged.route.part import multipart, text_part
from triaged.route.sender import Envelope, Sender, post
from triaged.store import health, outbox, records

log = logging.getLogger("triaged")
_FACT = "digest"
_TRY_FOR = timedelta(hours=2)


def build(db: Connection, office: Office, now: datetime) -> Digest | None:
    """Make the digest of what waits now; None when nothing does."""
    waiting = records.waiting(db)
    troubles = [
        (reference, dispatch)
        for dispatch, reference in outbox.troubles(db)
        if dispatch.delivery.state is not State.IN_DOUBT or dispatch.delivery.kind == "acknowledge"
    ]
    names = {key: department.name for key, department in office.rules.departments.items()}
    return compose(waiting, troubles, names, office.settings.office.name, office.local(now))


def as_mail(digest: Digest, office: Office, name: str, now: datetime) -> bytes:
    """Put a digest into a mail.

    Args:
        digest: What it says.
        office: Whose it is.
        name: What is unique about this digest; the same name gives the same Message-ID.
        now: For Date.
    """
    review = office.settings.review
    sender = office.settings.sender.sender
    message_id = office.signer.message_id(f"digest:{name}")
    top = b"".join(
        (
            header.addresses("From", [Address(office.settings.office.name, sender)]),
            header.addresses("To", [Address("", address) for address in review.to] or [Address("", sender)]),
            header.addresses("Reply-To", [Address("", review.reply_to)]) if review.reply_to else b"",
            header.text("Subject", header.one_line(digest.subject, 200)),
            header.token("Date", format_datetime(now)),
            header.message_ids("Message-ID", [message_id]),
            header.token("Auto-Submitted", "auto-generated"),
            header.token(LOOP_HEADER, office.signer.loop_header("digest")),
        )
    )
    parts = [text_part(digest.text), text_part(digest.html, "html")]
    return assemble(top, multipart("alternative", parts, message_id))


def send(digest: Digest, office: Office, sender: Sender, name: str, now: datetime) -> State:
    """Send a digest; return how that ended."""
    envelope = Envelope(
        sender=office.settings.sender.envelope or office.settings.sender.sender,
        recipients=office.settings.review.to,
        octets=as_mail(digest, office, name, now),
    )
    outcome = post(sender, envelope)
    level = logging.INFO if outcome.state is State.SENT else logging.WARNING
    log.log(level, "digest", extra={"items": len(digest.references), "state": outcome.state.value, "said": outcome.detail})
    return outcome.state


def send_if_due(office: Office, engine: Engine, now: datetime) -> State | None:
    """Send the digest of the latest time slot unless it was sent; None when there is nothing to do.

    The slot is marked before the mail leaves: a digest that may have left is not sent again, one that surely did not is.
    """
    review = office.settings.review
    local = office.local(now)
    slot = latest_slot(local, review.at, office.calendar.is_business_day(local.date()))
    if slot is None or not review.to or local - slot > _TRY_FOR:
        return None
    name = slot.isoformat()
    with engine.begin() as db:
        known = health.fact(db, _FACT)
        if known and known["slot"] == name and known["state"] != State.PLANNED.value:
            return None
        digest = build(db, office, now)
        health.remember(db, _FACT, {"slot": name, "state": State.SENDING.value if digest else State.SENT.value}, now)
    if digest is None:
        return None
    with closing(office.new_sender()) as sender:
        state = send(digest, office, sender, name, now)
    with engine.begin() as db:
        health.remember(db, _FACT, {"slot": name, "state": state.value, "references": list(digest.references)}, now)
    return state

"""Bringing the digest to people: building it from the database, putting it into a mail, sending it once a time slot."""

import logging
import random
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

from sqlalchemy import Connection, Engine

from triaged.learning import promised
from triaged.message import LOOP_HEADER, Address, Dispatch, Record, State
from triaged.office import Office
from triaged.review import token
from triaged.review.digest import Asking, Digest, compose, latest_slot
from triaged.route import header
from triaged.route.compose import assemble
from triaged.route.part import multipart, text_part
from triaged.route.sender import Envelope, Sender, post
from triaged.store import digests, health, outbox, records
from triaged.store.engine import reading

log = logging.getLogger("triaged")
_FACT: Final = "digest"
_TRY_FOR: Final = timedelta(hours=2)
SPOT_CHECKS: Final = 3  # drawn for each digest
_CHECKED_BACK: Final = timedelta(days=7)
PREVIEW: Final = "0" * token.LENGTH  # looks like a token and can be none


def asking(row: digests.DigestRow, office: Office, now: datetime) -> Asking:
    """Return what makes a digest answerable."""
    text = token.make(token.Token(row.id, row.reviewer, token.expiry(now)), office.answer_keys)
    review = office.settings.review
    return Asking(row.id, row.reviewer, text, office.answers_to(text), int(review.undo_window.total_seconds() // 60))


def build(
    db: Connection, office: Office, now: datetime, asked: Asking | None = None, rng: random.Random | None = None
) -> Digest | None:
    """Make the digest of what waits now; None when nothing does.

    Args:
        db: The database.
        office: Whose it is.
        now: Now.
        asked: Whom it asks; None: a preview that nobody can answer.
        rng: Draws the spot checks; None: no predictable one.
    """
    waiting, troubles = _matters(db)
    names = {key: department.name for key, department in office.rules.departments.items()}
    preview = Asking(1, "", PREVIEW, office.settings.review.reply_to)
    checks = _spot_checks(db, now, rng or random.SystemRandom())
    notes = promised.said_in_digest(db, office.promise, asked.reviewer if asked else "", now)
    return compose(waiting, troubles, names, office.settings.office.name, office.local(now), asked or preview, checks, notes)


def _matters(db: Connection) -> tuple[list[Record], list[tuple[str, Dispatch]]]:
    """Return what waits for a person: letters, and deliveries in trouble with their references."""
    troubles = [
        (reference, dispatch)
        for dispatch, reference in outbox.troubles(db)
        if dispatch.delivery.state is not State.IN_DOUBT or dispatch.delivery.kind == "acknowledge"
    ]
    return records.waiting(db), troubles


def _spot_checks(db: Connection, now: datetime, rng: random.Random) -> list[Record]:
    drawn = digests.automatic_since(db, now - _CHECKED_BACK)
    found = [records.of_mail(db, mail_id) for mail_id in rng.sample(drawn, min(SPOT_CHECKS, len(drawn)))]
    return [record for record in found if record is not None]


def as_mail(digest: Digest, office: Office, asked: Asking | None, now: datetime) -> bytes:
    """Put a digest into a mail.

    Args:
        digest: What it says.
        office: Whose it is.
        asked: Whom it asks; None: a preview.
        now: For Date.
    """
    sender = office.settings.sender.sender
    message_id = token.message_id(asked.token if asked else PREVIEW, office.signer.domain)
    top = b"".join(
        (
            header.addresses("From", [Address(office.settings.office.name, sender)]),
            header.addresses("To", [Address("", asked.reviewer if asked else sender)]),
            header.addresses("Reply-To", [Address("", asked.reply_to)]) if asked and asked.reply_to else b"",
            header.text("Subject", header.one_line(digest.subject, 200)),
            header.token("Date", format_datetime(now)),
            header.message_ids("Message-ID", [message_id]),
            header.token("Auto-Submitted", "auto-generated"),
            header.token("X-Auto-Response-Suppress", "All"),
            header.token(LOOP_HEADER, office.signer.loop_header("digest")),
        )
    )
    parts = [text_part(digest.text), text_part(digest.html, "html")]
    return assemble(top, multipart("alternative", parts, message_id))


def ask(
    office: Office, engine: Engine, sender: Sender, name: str, now: datetime, rng: random.Random | None = None
) -> dict[str, State]:
    """Send every reviewer their digest, unless it was sent under this name; return how each ended, nobody if nothing waits.

    Each is marked before it leaves: a digest that may have left is not sent again, one that surely did not is.
    """
    ended: dict[str, State] = {}
    for reviewer in office.settings.review.to:
        with engine.begin() as db:
            waiting, troubles = _matters(db)
            known = digests.by_name(db, f"{name} {reviewer.lower()}")
            if known and known.state is not State.PLANNED:
                ended[reviewer] = known.state
                continue
            if not waiting and not troubles:
                continue
            row = known or digests.open_digest(db, f"{name} {reviewer.lower()}", reviewer, now)
            asked = asking(row, office, now)
            digest = build(db, office, now, asked, rng)
            if digest is None:
                continue
            digests.fill(db, row.id, digest.items)
        envelope = Envelope(
            sender=office.settings.sender.envelope or office.settings.sender.sender,
            recipients=(reviewer,),
            octets=as_mail(digest, office, asked, now),
        )
        outcome = post(sender, envelope)
        with engine.begin() as db:
            digests.settle(db, row.id, outcome.state, now)
        level = logging.INFO if outcome.state is State.SENT else logging.WARNING
        details = {"items": len(digest.items), "state": outcome.state.value, "said": outcome.detail}
        log.log(level, "digest", extra={"digest": row.id, **details})
        ended[reviewer] = outcome.state
    return ended


def send_if_due(office: Office, engine: Engine, now: datetime) -> dict[str, State]:
    """Send the digests of the latest time slot unless they were sent; return how each ended."""
    review = office.settings.review
    local = office.local(now)
    slot = latest_slot(local, review.at, office.calendar.is_business_day(local.date()))
    if slot is None or not review.to or local - slot > _TRY_FOR:
        return {}
    name = slot.isoformat()
    with reading(engine) as db:
        known = health.fact(db, _FACT)
    if known and known["slot"] == name and known["state"] != State.PLANNED.value:
        return {}
    with closing(office.new_sender()) as sender:
        ended = ask(office, engine, sender, name, now)
    with engine.begin() as db:
        health.remember(db, _FACT, {"slot": name, "state": _together(list(ended.values())).value}, now)
    return ended


def _together(states: Sequence[State]) -> State:
    """Return the state of a slot: done, unless some digest surely did not leave."""
    return State.PLANNED if State.PLANNED in states else State.SENT

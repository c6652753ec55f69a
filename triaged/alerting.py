"""Critical mail does not wait for the digest: it goes to whoever is on duty at once, again and again until somebody answers."""

import logging
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Engine

from triaged.answering import say
from triaged.asking import asking
from triaged.message import Notice, Record, Urgency
from triaged.office import Office
from triaged.review.digest import compose
from triaged.store import digests, records

log = logging.getLogger("triaged")
_AT_MOST: Final = 200  # letters looked at; the most urgent come first
ESCALATE_AFTER: Final = 2  # alerts without an answer; from the next one on `escalate_to` gets them too


def alert(db: Connection, mail_id: int, office: Office, now: datetime) -> None:
    """Tell whoever is on duty of a critical letter that waits for a person, in the transaction that decided so."""
    record = records.of_mail(db, mail_id)
    if record and _waits(record):
        _say_to(db, record, office.settings.review.on_duty or office.settings.review.to, 1, office, now)


def repeat_alerts(office: Office, engine: Engine, now: datetime) -> int:
    """Say again what nobody has answered for `repeat`; return how many letters that are."""
    said = 0
    review = office.settings.review
    people = review.on_duty or review.to
    with engine.begin() as db:
        for record in records.waiting(db, _AT_MOST):
            known = [row for person in people if (row := digests.by_name(db, _name(record, person)))]
            if not known or not _waits(record):
                continue  # old mail taken in at the first look is no alarm
            rounds = max(row.rounds for row in known)
            if now - min(row.made_at for row in known) < rounds * review.repeat:
                continue
            extra = review.escalate_to if rounds >= ESCALATE_AFTER else ()
            _say_to(db, record, tuple(dict.fromkeys((*people, *extra))), rounds + 1, office, now)
            said += 1
    return said


def _waits(record: Record) -> bool:
    return record.urgency is Urgency.CRITICAL and record.status in records.WAITING


def _name(record: Record, person: str) -> str:
    return f"alert {record.mail_id} {person.lower()}"


def _say_to(db: Connection, record: Record, people: tuple[str, ...], rounds: int, office: Office, now: datetime) -> None:
    names = {key: department.name for key, department in office.rules.departments.items()}
    for person in people:
        row = digests.open_digest(db, _name(record, person), person, now)
        asked = asking(row, office, now)
        made = compose([record], (), names, office.name(record.mailbox), office.local(now), asked)
        if made is None:
            continue
        digests.fill(db, row.id, made.items, rounds=rounds)
        again = f" (said {rounds} times, nobody has answered)" if rounds > 1 else ""
        subject = f"CRITICAL: a letter needs you now{again} — {record.reference}"
        letter = Notice(subject, made.text, made.html, asked.reply_to)
        say(db, record.mail_id, f"alert:{row.id}:{rounds}", person, letter, office, now)
    log.warning("critical", extra={"reference": record.reference, "rounds": rounds, "people": len(people)})

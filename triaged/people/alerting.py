"""Critical mail does not wait for the digest: it goes to whoever is on duty at once, again and again until somebody answers.

Also what was routed without a person: nobody may read the department's mailbox at night. Of a letter that only sounds like
danger they are told once.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine

from triaged.message import POSSIBLE_DANGER, Decision, Notice, Record, Status, Urgency
from triaged.office import Office
from triaged.people.answering import say
from triaged.people.asking import asking
from triaged.review.digest import compose
from triaged.store import digests, mails, records

log = logging.getLogger("triaged")
_AT_MOST: Final = 200  # letters looked at; the most urgent come first
_GIVEN_UP: Final = timedelta(days=7)  # after it an alert of a letter that its department has is not said any more
ESCALATE_AFTER: Final = 2  # alerts without an answer; from the next one on `escalate_to` gets them too


def is_called_for(decision: Decision) -> bool:
    """Tell whether somebody must hear of a letter at once."""
    return decision.urgency is Urgency.CRITICAL or POSSIBLE_DANGER in decision.flags


def alert(db: Connection, mail_id: int, office: Office, now: datetime) -> None:
    """Tell whoever is on duty of a letter, in the transaction that decided on it."""
    record = records.of_mail(db, mail_id)
    if record and _is_open(db, record):
        _say_to(db, record, _on_duty(office), 1, office, now)


def repeat_alerts(office: Office, engine: Engine, now: datetime) -> int:
    """Say again what nobody has answered for `repeat`; return how many letters that are.

    Whoever is on duty now is told, also of letters that came before their turn, or while nobody was named.
    """
    said = 0
    review = office.settings.review
    people = _on_duty(office)
    with engine.begin() as db:
        for record in _open_letters(db, now):
            known = digests.alerts(db, record.mail_id)
            rounds = max((row.rounds for row in known), default=0)
            if not people or (known and now - min(row.made_at for row in known) < rounds * review.repeat):
                continue
            extra = review.escalate_to if rounds >= ESCALATE_AFTER else ()
            _say_to(db, record, tuple(dict.fromkeys((*people, *extra))), rounds + 1, office, now)
            said += 1
    return said


def _on_duty(office: Office) -> tuple[str, ...]:
    review = office.settings.review
    return review.on_duty or review.to or review.escalate_to


def _open_letters(db: Connection, now: datetime) -> list[Record]:
    """Return the critical letters that nobody has answered: all that wait, and those routed of which somebody was told."""
    critical = [record for record in records.waiting(db, _AT_MOST) if record.urgency is Urgency.CRITICAL]
    waiting = [record for record in critical if not mails.was_there_before(db, record.mail_id)]
    told = digests.alarmed_since(db, now - _GIVEN_UP) - {record.mail_id for record in waiting}
    routed = [record for mail_id in sorted(told) if (record := records.of_mail(db, mail_id))]
    return [record for record in (*waiting, *routed) if record.urgency is Urgency.CRITICAL and _is_open(db, record)]


def _is_open(db: Connection, record: Record) -> bool:
    if record.status is Status.ROUTED:
        return digests.decided(db, record.mail_id) is None
    return record.status in records.WAITING


def _say_to(db: Connection, record: Record, people: tuple[str, ...], rounds: int, office: Office, now: datetime) -> None:
    names = {key: department.name for key, department in office.rules.departments.items()}
    for person in people:
        row = digests.open_digest(db, digests.alert_name(record.mail_id, person), person, now)
        asked = asking(row, office, now)
        made = compose([record], (), names, office.name(record.mailbox), office.local(now), asked)
        if made is None:
            continue
        digests.fill(db, row.id, made.items, rounds=rounds)
        letter = Notice(_subject(record, rounds), made.text, made.html, asked.reply_to)
        say(db, record.mail_id, f"alert:{row.id}:{rounds}", person, letter, office, now)
    if not people:
        log.error("to be told at once, and [review] names nobody", extra={"reference": record.reference})
        return
    log.warning(
        "told at once",
        extra={"reference": record.reference, "urgency": record.urgency.value, "rounds": rounds, "people": len(people)},
    )


def _subject(record: Record, rounds: int) -> str:
    if record.urgency is not Urgency.CRITICAL:
        return f"POSSIBLE DANGER: please read this letter now — {record.reference}"
    again = f" (said {rounds} times, nobody has answered)" if rounds > 1 else ""
    what = "a letter was sent on, somebody must know of it" if record.status is Status.ROUTED else "a letter needs you now"
    return f"CRITICAL: {what}{again} — {record.reference}"

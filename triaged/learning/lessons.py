"""What people decided, as rows that a model learns from; how many came in since the last try to learn.

Only what a person decided is a lesson: silence and what was undone never are. A letter sent to a topic teaches that topic; spam
teaches that it is none of them; a closed letter teaches nothing, since nobody said what it was about.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from triaged.classify.assess import text_of
from triaged.classify.rows import Row
from triaged.classify.topic import NONE
from triaged.classify.topics import Text
from triaged.ingest.mime import read
from triaged.message import Status
from triaged.store import cases, examples, health, labels, mails

ENOUGH: Final = 25  # new lessons since the last try
_FACT: Final = "learning"


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the office taught: rows with their keys (mail ids; examples from folders negative)."""

    rows: tuple[Row, ...]
    keys: tuple[int, ...]


def new_lessons(db: Connection) -> int:
    """Return how many lessons came in since the last try."""
    last = health.fact(db, _FACT)
    since = datetime.fromisoformat(last["at"]) if last else None
    lesson = last["lesson"] if last else 0
    return sum(one.lesson_id > lesson for one in labels.judged(db)) + examples.count(db, since)


def last_try(db: Connection) -> dict[str, Any] | None:
    """Return when the office last learnt and how it ended; None if it never did."""
    found: dict[str, Any] | None = health.fact(db, _FACT)
    return found


def remember_try(db: Connection, lesson: int, said: str, at: datetime) -> None:
    """Note that the office learnt, up to which lesson, and how it ended."""
    health.remember(db, _FACT, {"at": at.isoformat(), "lesson": lesson, "said": said}, at)


def taught(db: Connection, topics: frozenset[str]) -> Lessons:
    """Return what there is to learn, oldest first; lessons on topics that rules.yaml no longer knows are left out."""
    rows: list[Row] = []
    keys: list[int] = []
    for number, example in examples.every(db):
        if example.topic in topics or example.topic == NONE:
            rows.append(Row(Text(example.subject, example.body), example.topic, source=f"{example.source} {number}"))
            keys.append(-number)
    for one in labels.judged(db):
        topic = NONE if one.status is Status.IGNORED else one.topic if one.status is Status.ROUTED else None
        if topic is not None and (topic in topics or topic == NONE):
            kept = mails.load(db, one.mail_id)
            if kept.octets:  # else it was never whole, or is damaged: there is nothing to learn from
                rows.append(Row(text_of(read(kept.octets)), topic, source=cases.reference_of(db, one.mail_id)))
                keys.append(one.mail_id)
    return Lessons(tuple(rows), tuple(keys))

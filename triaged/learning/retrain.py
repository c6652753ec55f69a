"""Learning from what people decided: lessons → a candidate → a contest with the present model → the shelf.

Only what a person decided is a lesson: silence and what was undone never are. A letter sent to a topic teaches that topic; spam
teaches that it is none of them; a closed letter teaches nothing, since nobody said what it was about.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine

from triaged.classify import starter
from triaged.classify.assess import text_of
from triaged.classify.encoder import default
from triaged.classify.remembering import Remembering
from triaged.classify.rows import Row, RowsError
from triaged.classify.topic import NONE, Encoder, TopicModel, load
from triaged.classify.topics import Text
from triaged.classify.train import train_rows
from triaged.config import Settings
from triaged.ingest.mime import read
from triaged.learning import in_use, shelf
from triaged.learning.contest import Contest, contest
from triaged.message import Status
from triaged.store import cases, examples, health, labels, mails
from triaged.store.engine import reading

ENOUGH: Final = 25  # new lessons since the last try
MOST_ENCODED: Final = 6_000_000  # characters: about half an hour of a night on two cores
_FACT: Final = "learning"


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the office taught: rows with their keys (mail ids; examples from folders negative)."""

    rows: tuple[Row, ...]
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Learnt:
    """How a try to learn ended; `name` is empty when the present model stays."""

    name: str
    said: str


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


def shipped(settings: Settings, topics: frozenset[str]) -> list[Row]:
    """Return the shipped examples on the office's topics, at low weight; none where they are not installed."""
    folder = starter.folder(settings.office.model)
    with suppress(RowsError, OSError):
        found = starter.examples(folder)
        weight = starter.EXAMPLE_WEIGHT
        return [
            Row(row.text, row.topic, row.urgency, row.language, weight, row.source)
            for row in found
            if row.topic in topics or row.topic == NONE
        ]
    return []


def retrain(
    settings: Settings,
    topics: frozenset[str],
    engine: Engine,
    now: datetime,
    progress: Callable[[str], None] = lambda _: None,
) -> Learnt:
    """Learn from all lessons; take the new model into use if it is nowhere worse than the present one.

    Raises:
        RowsError: There are not two topics to tell apart.
        ModelError: No present model can be read.
        Busy: Another process is learning.
    """
    home = shelf.home(in_use.state_folder(settings))
    with shelf.only_one_maker(home):
        with reading(engine) as db:
            lessons = taught(db, topics)
            latest = labels.signature(db)[0]
        progress(f"{len(lessons.rows)} lessons of the office")
        encoder = _encoder(settings, home)
        with_shipped = [*shipped(settings, topics), *lessons.rows]
        keys = [*([0] * (len(with_shipped) - len(lessons.rows))), *lessons.keys]
        making = shelf.folder_for_making(home)
        train_rows(
            with_shipped,
            making,
            encoder=encoder,
            with_encoder=encoder is not None,
            columns=starter.COLUMNS,
            ceiling=settings.promise.misrouted,
            level=settings.promise.confidence,
            lessons=keys,
            most_encoded=MOST_ENCODED,
            progress=progress,
        )
        if encoder:
            encoder.keep()
        progress("comparing with the present model")
        outcome = _judge(settings, home, making, lessons, encoder, now)
        with engine.begin() as db:
            health.remember(db, _FACT, {"at": now.isoformat(), "lesson": latest, "said": outcome.said}, now)
    return outcome


def _encoder(settings: Settings, home: Path) -> Remembering | None:
    installed = default() if settings.office.encoder else None
    return Remembering(installed, shelf.vectors(home)) if installed else None


def _judge(settings: Settings, home: Path, making: Path, lessons: Lessons, encoder: Encoder | None, now: datetime) -> Learnt:
    present_folder = _present_folder(settings, home)
    present = load(present_folder, encoder=encoder, with_encoder=encoder is not None)
    candidate = load(making, encoder=encoder, with_encoder=encoder is not None)
    found = compare(lessons, present, candidate)
    if not found.passed:
        return Learnt("", f"The present model stays: {found.in_words()}.")
    said = f"A new model judges, taught by {len(lessons.rows)} letters of this office: {found.in_words()}."
    name = shelf.put(home, making, now)
    shelf.choose(home, name, said, now)
    shelf.prune(home)
    return Learnt(name, said)


def _present_folder(settings: Settings, home: Path) -> Path:
    name = shelf.chosen(home).name
    return starter.folder(settings.office.model) if name == shelf.FIRST else home / name


def compare(lessons: Lessons, present: TopicModel, candidate: TopicModel) -> Contest:
    """Compare two models on the office's letters, each judged by a model that had not learnt from it."""
    new = _held_out(candidate)
    at = [number for number, key in enumerate(lessons.keys) if key in new and lessons.rows[number].topic != NONE]
    old = _held_out(present)
    unseen = [number for number in at if lessons.keys[number] not in old]
    opinions = present.rank([lessons.rows[number].text for number in unseen])
    for number, opinion in zip(unseen, opinions, strict=True):
        old[lessons.keys[number]] = opinion.ranked[0][0] == lessons.rows[number].topic
    keys = [lessons.keys[number] for number in at]
    return contest([lessons.rows[n].topic for n in at], [old[key] for key in keys], [new[key] for key in keys])


def _held_out(model: TopicModel) -> dict[int, bool]:
    """Return, a lesson, whether a twin that had not seen it was right."""
    head = model.full if model.in_use and model.full else model.plain
    keys: Sequence[int] = model.manifest.get("lessons", ())
    return {key: bool(right) for key, right in zip(keys, head.evidence.correct, strict=False) if key}

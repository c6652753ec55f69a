"""Learning: lessons → a candidate → a contest with the present model → the shelf."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from triaged.classify import starter
from triaged.classify.encoder import default
from triaged.classify.remembering import Remembering
from triaged.classify.rows import Row, RowsError
from triaged.classify.topic import NONE, Encoder, TopicModel
from triaged.classify.topicfile import load
from triaged.classify.train import train_rows
from triaged.config import Settings
from triaged.learning import in_use, shelf
from triaged.learning.contest import Contest, contest
from triaged.learning.lessons import Lessons, remember_try, taught
from triaged.store import labels
from triaged.store.engine import reading

MOST_ENCODED: Final = 6_000_000  # characters: about half an hour of a night on two cores


@dataclass(frozen=True, slots=True)
class Learnt:
    """How a try to learn ended; `name` is empty when the present model stays."""

    name: str
    said: str


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
            remember_try(db, latest, outcome.said, now)
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

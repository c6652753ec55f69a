"""Texts of danger, near misses and ordinary letters → the score of danger.py, its thresholds set by languages held out."""

import json
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from triaged.classify import modelfile
from triaged.classify.danger import Danger, Levels, store
from triaged.classify.features import Floats
from triaged.classify.machine import dividing
from triaged.classify.matters import passages
from triaged.classify.nearest import remembered
from triaged.classify.rows import Row, RowsError
from triaged.classify.topic import Encoder
from triaged.classify.topics import Text
from triaged.classify.train import hashed
from triaged.classify.urgency import alarm
from triaged.message import Urgency

FALSE_ALARMS: Final = 0.03  # of ordinary letters
_BY_WHOLE: Final = 0.6  # of these, by the letter as a whole; the rest by one of its passages
_CERTAIN: Final = 0.01  # of ordinary letters that may call a person as if a phrase table had found them
_CERTAIN_NEAR: Final = 0.03  # of near misses
_DOUBTED: Final = 0.03  # of dangers, whose phrases are doubted
_ORDINARY_WEIGHT: Final = 0.1
# Letters on these are not ordinary: whether one tells of danger, their topic does not say.
GRAVE_TOPICS: Final = frozenset(
    {
        *("access.disability", "benefits.heating", "benefits.medicaid", "benefits.snap_cash", "city.health_environment"),
        *("city.heat_hotwater", "city.housing_repair", "city.public_safety", "dv.safety", "homeless.outreach"),
        *("housing.eviction", "leader.casework", "services.hasa", "services.homecare"),
        *("shelter.adult", "shelter.conditions", "shelter.family"),
    }
)
_SILENT: Final = Levels(1.0, 1.0, 1.0, 0.0)
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)  # dates in examples decide nothing here


@dataclass(frozen=True, slots=True)
class Told:
    """A text that tells of danger, or a near miss."""

    text: Text
    language: str
    danger: bool


@dataclass(frozen=True, slots=True)
class _Texts:
    """What is learnt from: vectors beside the language and what is right; `letter` counts letters, passages share theirs."""

    vectors: Floats
    language: NDArray[np.str_]
    danger: NDArray[np.bool_]
    weight: NDArray[np.float64]
    letter: NDArray[np.int64]
    is_passage: NDArray[np.bool_]
    ordinary: NDArray[np.bool_]


def read(paths: Sequence[Path]) -> list[Told]:
    """Read files of `{"language": …, "text": …, "danger": true}`.

    Raises:
        RowsError: A line is something else.
    """
    told, problems = [], []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                fields = json.loads(line)
                told.append(Told(Text("", str(fields["text"])), str(fields["language"]), fields["danger"] is True))
            except (ValueError, KeyError, TypeError) as error:
                problems.append(f"{path}:{number}: {error!r}")
    if problems:
        raise RowsError(problems)
    return told


def is_ordinary(row: Row) -> bool:
    """Tell whether a topic example is an ordinary letter: not on a grave topic, and its words say nothing of danger."""
    whole = f"{row.text.subject}\n{row.text.body}"
    return row.topic not in GRAVE_TOPICS and alarm(whole, row.language, _NOW).urgency.rank <= Urgency.NORMAL.rank


def build(folder: Path, rows: Sequence[Row], encoder: Encoder) -> dict[str, float]:
    """Learn from folder/examples and the ordinary ones of the topic examples; write the score; return its figures.

    Raises:
        RowsError: See `read`.
    """
    paths = sorted((folder / "examples").glob("*.jsonl"))
    texts = _encoded(read(paths), [row for row in rows if is_ordinary(row)], encoder)
    held_out = _held_out(texts)
    levels = _levels(texts, held_out)
    figures = _figures(texts, held_out, levels)
    danger = _learnt(texts, np.ones(len(texts.danger), dtype=np.bool_), Levels(*map(_score, astuple(levels))))
    modelfile.save(folder, store(danger, {"data": hashed(paths), "held_out": figures}))
    return figures


def _encoded(told: Sequence[Told], ordinary: Sequence[Row], encoder: Encoder) -> _Texts:
    texts = [one.text for one in told] + [row.text for row in ordinary]
    languages = [one.language for one in told] + [row.language for row in ordinary]
    letters = list(range(len(texts)))
    for number, row in enumerate(ordinary, start=len(told)):
        parts = passages(row.text)
        texts += parts
        letters += [number] * len(parts)
        languages += [row.language] * len(parts)
    found = encoder.vectors(texts)
    kept = [at for at, vector in enumerate(found) if vector is not None]
    at = np.array(kept)
    of_told = at < len(told)
    danger = np.array([index < len(told) and told[index].danger for index in kept])
    return _Texts(
        vectors=np.array([found[index] for index in kept], dtype=np.float32),
        language=np.array(languages)[at],
        danger=danger,
        weight=np.where(of_told, 1.0, _ORDINARY_WEIGHT),
        letter=np.array(letters)[at],
        is_passage=at >= len(told) + len(ordinary),
        ordinary=~of_told,
    )


def _learnt(texts: _Texts, known: NDArray[np.bool_], levels: Levels) -> Danger:
    """Return the score that learns from these texts."""
    vectors, told = texts.vectors[known], known & ~texts.ordinary
    weights, intercept = dividing(vectors, texts.danger[known], texts.weight[known])
    once = np.ones(int(told.sum()), dtype=np.float32)
    voters = remembered(texts.vectors[told], texts.danger[told], once, (), centre=vectors.mean(axis=0))
    return Danger(weights, intercept, voters, levels)


def _held_out(texts: _Texts) -> Floats:
    """Return every text's margin by a score that had learnt from the other languages only."""
    margins = np.zeros(len(texts.danger), dtype=np.float32)
    for language in np.unique(texts.language):
        held = texts.language == language
        margins[held] = _learnt(texts, ~held, _SILENT).margins(texts.vectors[held])
    return margins


def _levels(texts: _Texts, margins: Floats) -> Levels:
    """Return the margins that keep false alarms where they may be, and few dangers in doubt."""
    letters = texts.ordinary & ~texts.is_passage
    ordinary, told = margins[letters].tolist(), ~texts.ordinary
    allowed = int(FALSE_ALARMS * len(ordinary))
    whole = _above(ordinary, int(_BY_WHOLE * allowed))
    loud = set(texts.letter[letters & (margins >= whole)].tolist())
    loudest: dict[int, float] = {}
    for letter, margin in zip(texts.letter[texts.is_passage].tolist(), margins[texts.is_passage].tolist(), strict=True):
        if letter not in loud:
            loudest[letter] = max(margin, loudest.get(letter, margin))
    near, dangers = margins[told & ~texts.danger].tolist(), sorted(margins[texts.danger].tolist())
    certain = max(_above(ordinary, int(_CERTAIN * len(ordinary))), _above(near, int(_CERTAIN_NEAR * len(near))))
    return Levels(whole, _above(list(loudest.values()), allowed - len(loud)), certain, dangers[int(_DOUBTED * len(dangers))])


def _above(margins: Sequence[float], at_most: int) -> float:
    """Return a margin that at most so many of these reach."""
    ordered = sorted(margins, reverse=True)
    return math.nextafter(ordered[at_most], math.inf) if at_most < len(ordered) else math.inf


def _figures(texts: _Texts, margins: Floats, levels: Levels) -> dict[str, float]:
    loud = margins >= np.where(texts.is_passage, levels.passage, levels.whole)
    certain = margins >= levels.certain
    told = ~texts.ordinary
    ordinary = len(np.unique(texts.letter[texts.ordinary]))
    return {
        "dangers": int(texts.danger.sum()),
        "heard": round(float(loud[texts.danger].mean()), 4),
        "certain": round(float(certain[texts.danger].mean()), 4),
        "near_misses": int((told & ~texts.danger).sum()),
        "near_misses_loud": round(float(loud[told & ~texts.danger].mean()), 4),
        "near_misses_certain": round(float(certain[told & ~texts.danger].mean()), 4),
        "near_misses_doubted": round(float((margins < levels.doubted)[told & ~texts.danger].mean()), 4),
        "ordinary": ordinary,
        "ordinary_loud": round(len(np.unique(texts.letter[texts.ordinary & loud])) / ordinary, 4),
    }


def _score(margin: float) -> float:
    return 1 / (1 + math.exp(-margin))

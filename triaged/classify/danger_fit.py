"""Texts of danger, near misses and ordinary letters → the score of danger.py, its levels set by texts held out."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from triaged.classify import modelfile
from triaged.classify.danger import PHRASES, Danger, Levels, Meaning, Wording, store
from triaged.classify.features import Floats, occurrences, pooling
from triaged.classify.machine import dividing
from triaged.classify.matters import passages
from triaged.classify.rows import Row, RowsError
from triaged.classify.topic import Encoder
from triaged.classify.topics import Text
from triaged.classify.train import hashed
from triaged.classify.urgency import alarm
from triaged.message import Urgency

BUCKETS: Final = 1 << 18  # of n-grams: half a megabyte
FALSE_ALARMS: Final = 0.06  # of ordinary letters; of real ones far fewer are as loud as the invented
_BY_WHOLE: Final = 0.6  # of these, by the letter as a whole; the rest by one of its passages
_CERTAIN: Final = 0.02  # of ordinary letters that may call a person as if a phrase table had found them
_CERTAIN_NEAR: Final = 0.05  # of near misses, their phrases counted in
_ORDINARY_WEIGHT: Final = 0.3
_FOLDS: Final = 5
_BATCH: Final = 256
# Letters on these are not ordinary: whether one tells of danger, their topic does not say.
GRAVE_TOPICS: Final = frozenset(
    {
        *("access.disability", "benefits.heating", "benefits.medicaid", "benefits.snap_cash", "city.health_environment"),
        *("city.public_safety", "dv.safety", "homeless.outreach"),
        *("housing.eviction", "leader.casework", "services.hasa", "services.homecare"),
        *("shelter.adult", "shelter.conditions", "shelter.family"),
    }
)
_SILENT: Final = Levels(math.inf, math.inf, math.inf)
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)  # dates in examples decide nothing here


@dataclass(frozen=True, slots=True)
class Told:
    """A text that tells of danger, or a near miss."""

    text: Text
    language: str
    danger: bool


@dataclass(frozen=True, slots=True)
class _Texts:
    """What is learnt from: n-grams and vectors beside what is right; `letter` counts letters, passages share theirs."""

    grams: csr_array  # see `features.pooling`
    vectors: Floats
    danger: NDArray[np.bool_]
    phrases: NDArray[np.bool_]  # critical by its phrases alone
    weight: NDArray[np.float64]
    letter: NDArray[np.int64]
    fold: NDArray[np.int64]
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
    """Tell whether a topic example is an ordinary letter: not on a grave topic, and no phrase calls a person."""
    return row.topic not in GRAVE_TOPICS and _phrases(row.text, row.language) is not Urgency.CRITICAL


def _phrases(text: Text, language: str) -> Urgency:
    return alarm(f"{text.subject}\n{text.body}", language, _NOW).urgency


def build(folder: Path, rows: Sequence[Row], encoder: Encoder) -> dict[str, float]:
    """Learn from folder/examples and the ordinary ones of the topic examples; write the score; return its figures.

    Raises:
        RowsError: See `read`.
    """
    paths = sorted((folder / "examples").glob("*.jsonl"))
    texts = _encoded(read(paths), [row for row in rows if is_ordinary(row)], encoder)
    by_words, together = _held_out(texts)
    alone, both = _levels(texts, by_words), _levels(texts, together)
    learnt = _learnt(texts, np.ones(len(texts.danger), dtype=np.bool_))
    danger = Danger(replace(learnt.wording, levels=alone), replace(learnt.meaning, levels=both))
    by_words_alone = {f"{name}_by_words": figure for name, figure in _figures(texts, by_words, alone).items()}
    figures = _counts(texts) | _figures(texts, together, both) | by_words_alone
    modelfile.save(folder, store(danger, {"data": hashed(paths), "held_out": figures}))
    return figures


def _encoded(told: Sequence[Told], ordinary: Sequence[Row], encoder: Encoder) -> _Texts:
    texts = [one.text for one in told] + [row.text for row in ordinary]
    letters = list(range(len(texts)))
    for number, row in enumerate(ordinary, start=len(told)):
        parts = passages(row.text)
        texts += parts
        letters += [number] * len(parts)
    found = encoder.vectors(texts)
    kept = [at for at, vector in enumerate(found) if vector is not None]
    at = np.array(kept)
    is_told = at < len(told)
    folds = np.array([_fold(text) for text in texts[: len(told) + len(ordinary)]])
    batches = [occurrences([texts[index] for index in kept[start : start + _BATCH]]) for start in range(0, len(kept), _BATCH)]
    return _Texts(
        grams=vstack([pooling(batch, BUCKETS) for batch in batches], format="csr"),
        vectors=np.array([found[index] for index in kept], dtype=np.float32),
        danger=np.array([index < len(told) and told[index].danger for index in kept]),
        phrases=np.array(
            [index < len(told) and _phrases(told[index].text, told[index].language) is Urgency.CRITICAL for index in kept]
        ),
        weight=np.where(is_told, 1.0, _ORDINARY_WEIGHT),
        letter=np.array(letters)[at],
        fold=folds[np.array(letters)[at]],
        is_passage=at >= len(told) + len(ordinary),
        ordinary=~is_told,
    )


def _fold(text: Text) -> int:
    return hashlib.sha256(text.body.encode("utf-8", "replace")).digest()[0] % _FOLDS


def _learnt(texts: _Texts, known: NDArray[np.bool_]) -> Danger:
    """Return the score that learns from these texts, its levels still to be set."""
    labels, weight = texts.danger[known], texts.weight[known]
    grams = texts.grams[known]
    letters = np.bincount(grams.indices, minlength=BUCKETS)
    rarity = np.where(letters > 1, np.log((1 + grams.shape[0]) / (1 + letters)) + 1, 0.0).astype(np.float32)
    words, offset = dividing(_scaled(grams, rarity), labels, weight)
    line, intercept = dividing(texts.vectors[known], labels, weight)
    return Danger(Wording(words * rarity, offset, _SILENT), Meaning(line, intercept, _SILENT))


def _scaled(grams: csr_array, by: Floats) -> csr_array:
    return csr_array((grams.data * by[grams.indices], grams.indices, grams.indptr), shape=grams.shape)


def _held_out(texts: _Texts) -> tuple[Floats, Floats]:
    """Return every text's margin by words alone and by all, from a score that had not learnt from its fold."""
    by_words = np.zeros(len(texts.danger), dtype=np.float32)
    together = by_words.copy()
    for number in np.unique(texts.fold):
        held = texts.fold == number
        learnt = _learnt(texts, ~held)
        by_words[held] = texts.grams[held] @ learnt.wording.weights + np.float32(learnt.wording.intercept)
        together[held] = by_words[held] + learnt.meaning.margins(texts.vectors[held])
    return by_words, together


def _levels(texts: _Texts, margins: Floats) -> Levels:
    """Return the levels that keep false alarms where they may be."""
    letters = texts.ordinary & ~texts.is_passage
    ordinary = margins[letters].tolist()
    allowed = int(FALSE_ALARMS * len(ordinary))
    whole = _above(ordinary, int(_BY_WHOLE * allowed))
    loud = set(texts.letter[letters & (margins >= whole)].tolist())
    loudest: dict[int, float] = {}
    for letter, margin in zip(texts.letter[texts.is_passage].tolist(), margins[texts.is_passage].tolist(), strict=True):
        if letter not in loud:
            loudest[letter] = max(margin, loudest.get(letter, margin))
    near = _with_phrases(texts, margins)[~texts.ordinary & ~texts.danger].tolist()
    certain = max(_above(ordinary, int(_CERTAIN * len(ordinary))), _above(near, int(_CERTAIN_NEAR * len(near))))
    return Levels(whole, _above(list(loudest.values()), allowed - len(loud)), certain)


def _with_phrases(texts: _Texts, margins: Floats) -> Floats:
    return np.asarray(margins + PHRASES * texts.phrases, dtype=np.float32)


def _above(margins: Sequence[float], at_most: int) -> float:
    """Return a margin that at most so many of these reach."""
    ordered = sorted(margins, reverse=True)
    return math.nextafter(ordered[at_most], math.inf) if at_most < len(ordered) else math.inf


def _counts(texts: _Texts) -> dict[str, float]:
    ordinary = len(np.unique(texts.letter[texts.ordinary]))
    near_misses = int((~texts.ordinary & ~texts.danger).sum())
    return {"dangers": int(texts.danger.sum()), "near_misses": near_misses, "ordinary": ordinary}


def _figures(texts: _Texts, margins: Floats, levels: Levels) -> dict[str, float]:
    loud = margins >= np.where(texts.is_passage, levels.passage, levels.whole)
    called = _with_phrases(texts, margins) >= levels.certain
    near, letters = ~texts.ordinary & ~texts.danger, texts.ordinary & ~texts.is_passage
    loud_letters = len(np.unique(texts.letter[texts.ordinary & loud]))
    return {
        "called": round(float(called[texts.danger].mean()), 4),
        "marked": round(float((called | loud)[texts.danger].mean()), 4),
        "near_misses_called": round(float(called[near].mean()), 4),
        "near_misses_marked": round(float((called | loud)[near].mean()), 4),
        "ordinary_called": round(float(called[letters].mean()), 4),
        "ordinary_marked": round(loud_letters / int(letters.sum()), 4),
    }

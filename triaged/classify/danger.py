"""Danger told in words that no phrase table knows: a score over the sentence vectors that the topic model needs anyway.

A line between danger and all else, and the votes of the nearest texts that were learnt, dangers or near misses. It raises,
and shows the passage that caused it. It doubts phrases in a letter that does not sound like danger at all: a person is still
told of such a letter at once. `danger_fit.py` learns it; without the encoder it is absent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from triaged.classify import modelfile
from triaged.classify.encoder import reads_whole
from triaged.classify.features import Floats
from triaged.classify.matters import MOST_PASSAGES, READ_CHARACTERS
from triaged.classify.modelfile import ModelError, Stored
from triaged.classify.nearest import Lessons, votes
from triaged.classify.topics import Text
from triaged.classify.urgency import Alarm
from triaged.message import POSSIBLE_DANGER, Flag, Heard, Urgency

VOICE: Final = 4.0  # what the votes, 1 in all, add to the logit
_SHOWN_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Levels:
    """Scores, 0 to 1, from which something follows. A passage out of its letter sounds worse than it is."""

    whole: float  # the letter counts
    passage: float  # one passage of a longer letter counts
    certain: float  # the letter calls a person
    doubted: float  # below it phrases are doubted, unless a passage counts as a letter would


@dataclass(frozen=True, slots=True)
class Danger:
    """A logistic regression, and the texts that vote beside it, with its levels."""

    weights: Floats  # (dimensions,)
    intercept: float
    told: Lessons  # topic 1: danger, 0: near miss
    levels: Levels

    def margins(self, vectors: Floats) -> Floats:
        """Return how much texts sound like danger, as logits, one a row of vectors of length 1."""
        voices = votes(self.told.likeness(self.told.centred(vectors)), self.told, 2)[:, 1]
        return np.asarray(vectors @ self.weights + self.intercept + VOICE * (voices - 0.5), dtype=np.float32)

    def scores(self, vectors: Sequence[Floats | None]) -> list[float]:
        """Return how much each text sounds like danger, 0 to 1; 0 where there is no vector."""
        known = [vector for vector in vectors if vector is not None]
        found = iter(1 / (1 + np.exp(-self.margins(np.array(known)).astype(np.float64))) if known else ())
        return [0.0 if vector is None else float(next(found)) for vector in vectors]

    def hears(self, text: Text, score: float, passages: Sequence[tuple[Text, float]]) -> Heard | None:
        """Return what a letter sounds like; None if it has no vector.

        Args:
            text: The letter.
            score: Of the letter as a whole.
            passages: Its passages, each with its score; none if it has only one.
        """
        if not score:
            return None
        loudest, most = max(passages, key=lambda passage: passage[1], default=(text, 0.0))
        counts = score >= self.levels.whole or most >= self.levels.passage
        said = " ".join(f"{loudest.subject} {loudest.body}".split())
        words = said if len(said) <= _SHOWN_CHARACTERS else f"{said[: _SHOWN_CHARACTERS - 1].rstrip()}…"
        quiet = score < self.levels.doubted and most < self.levels.whole
        return Heard(
            words if counts else "",
            certain=score >= self.levels.certain,
            harmless=quiet and _is_read(text, passages),
        )


def _is_read(text: Text, passages: Sequence[tuple[Text, float]]) -> bool:
    """Tell whether all of a letter was heard: what nobody has read is never doubted."""
    if not passages:
        return reads_whole(text)
    told = all(score and reads_whole(passage) for passage, score in passages)
    return told and len(passages) < MOST_PASSAGES and len(text.body) <= READ_CHARACTERS


def weighed(found: Alarm, heard: Heard | None) -> Alarm:
    """Return what phrases and score together call for.

    What only the score hears is high, or critical if it is certain. Phrases that it doubts no longer say what they are, but
    that somebody must look: the letter is high and told at once.
    """
    if heard is None:
        return found
    if found.urgency is Urgency.CRITICAL:
        words = tuple(dict.fromkeys(words for flag in found.flags for words in flag.words))
        return Alarm(Urgency.HIGH, (Flag(POSSIBLE_DANGER, words),)) if heard.harmless else found
    if not heard.words:
        return found
    level = Urgency.CRITICAL if heard.certain else Urgency.HIGH
    return Alarm(found.urgency.at_least(level), (*found.flags, Flag(POSSIBLE_DANGER, (heard.words,))))


def load(folder: Path) -> Danger | None:
    """Read what was learnt; None if nothing was.

    Raises:
        ModelError: See `modelfile.load`; or the arrays do not fit together.
    """
    if not (folder / modelfile.MANIFEST).is_file():
        return None
    arrays = modelfile.load(folder).arrays
    try:
        intercept, *levels = (float(value) for value in arrays["levels"])
        return Danger(arrays["weights"].astype(np.float32), intercept, _told(arrays), Levels(*levels))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(folder, f"arrays do not fit together ({error})", "what `make model` wrote") from None


def _told(arrays: Mapping[str, NDArray[Any]]) -> Lessons:
    centre, vectors, danger = arrays["centre"], arrays["told"], arrays["danger"]
    if vectors.shape != (len(danger), len(centre)):
        raise ValueError(f"told {vectors.shape}, expected {(len(danger), len(centre))}")
    return Lessons(centre, vectors, danger.astype(np.int16), np.ones(len(danger), dtype=np.float32), ())


def store(danger: Danger, manifest: dict[str, object]) -> Stored:
    """Return what `load` reads."""
    arrays = {
        "weights": danger.weights.astype(np.float16),
        "levels": np.array([danger.intercept, *astuple(danger.levels)]).round(4),
        "centre": danger.told.centre,
        "told": danger.told.vectors,
        "danger": danger.told.topic.astype(np.bool_),
    }
    return Stored(arrays, manifest)

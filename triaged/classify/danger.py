"""Danger told in words that no phrase table knows: a score over the sentence vectors that the topic model needs anyway.

It may only raise, to high, and shows the passage that caused it. `danger_fit.py` learns it; without the encoder it is absent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from triaged.classify import modelfile
from triaged.classify.features import Floats
from triaged.classify.modelfile import ModelError, Stored
from triaged.classify.topics import Text
from triaged.classify.urgency import Alarm
from triaged.message import POSSIBLE_DANGER, Flag, Urgency

_SHOWN_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Danger:
    """A logistic regression with two thresholds: a passage out of its letter sounds worse than it is."""

    weights: Floats  # (dimensions,)
    intercept: float
    whole: float  # from this score on a letter as a whole counts, 0 to 1
    passage: float  # from this on one passage of a longer letter does

    def scores(self, vectors: Sequence[Floats | None]) -> list[float]:
        """Return how much each text sounds like danger, 0 to 1; 0 where there is no vector."""
        return [
            0.0 if vector is None else float(1 / (1 + np.exp(-(vector @ self.weights + self.intercept)))) for vector in vectors
        ]

    def words(self, text: Text, score: float, passages: Sequence[tuple[Text, float]]) -> str:
        """Return the words of a letter that sound like danger; empty if it does not.

        Args:
            text: The letter.
            score: Of the letter as a whole.
            passages: Its passages, each with its score; none if it has only one.
        """
        loudest, most = max(passages, key=lambda passage: passage[1], default=(text, 0.0))
        if score < self.whole and most < self.passage:
            return ""
        said = " ".join(f"{loudest.subject} {loudest.body}".split())
        return said if len(said) <= _SHOWN_CHARACTERS else f"{said[: _SHOWN_CHARACTERS - 1].rstrip()}…"


def raised(found: Alarm, words: str) -> Alarm:
    """Return an alarm that is at least high and shows these words; as it was if there are none, or it is critical already."""
    if not words or found.urgency is Urgency.CRITICAL:
        return found
    return Alarm(found.urgency.at_least(Urgency.HIGH), (*found.flags, Flag(POSSIBLE_DANGER, (words,))))


def load(folder: Path) -> Danger | None:
    """Read what was learnt; None if nothing was.

    Raises:
        ModelError: See `modelfile.load`; or the arrays do not fit together.
    """
    if not (folder / modelfile.MANIFEST).is_file():
        return None
    arrays = modelfile.load(folder).arrays
    try:
        intercept, whole, passage = (float(value) for value in arrays["levels"])
        weights = arrays["weights"].astype(np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(folder, f"arrays do not fit together ({error})", "what `make model` wrote") from None
    return Danger(weights, intercept, whole, passage)


def store(danger: Danger, manifest: dict[str, object]) -> Stored:
    """Return what `load` reads."""
    levels = np.array([danger.intercept, danger.whole, danger.passage]).round(4)
    return Stored({"weights": danger.weights.astype(np.float16), "levels": levels}, manifest)

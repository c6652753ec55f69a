"""Danger told in words that no phrase table knows: a score over a letter's words and its sentence vector.

Words and characters speak for every letter; where there is a vector, it speaks beside them. The score raises, and shows the
passage that caused it; phrases add to it, and are doubted in a letter that does not sound like danger at all: a person is
still told of such a letter at once. `danger_fit.py` learns it.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from triaged.classify import modelfile
from triaged.classify.features import BUCKETS, SUBJECT_CHARACTERS, Floats, Occurrences, pooled
from triaged.classify.modelfile import ModelError, Stored
from triaged.classify.topics import Text
from triaged.classify.urgency import Alarm
from triaged.message import POSSIBLE_DANGER, Flag, Heard, Urgency

PHRASES: Final = 2.0  # what critical phrases add to the logit
_DOUBTED_CHARACTERS: Final = 1_500  # more is not listened to closely enough
_SHOWN_CHARACTERS: Final = 160


@dataclass(frozen=True, slots=True)
class Levels:
    """Logits from which something follows. A passage out of its letter sounds worse than it is."""

    whole: float  # the letter counts
    passage: float  # one passage of a longer letter counts
    certain: float  # the letter calls a person

    @property
    def doubted(self) -> float:
        """Below it critical phrases are doubted."""
        return self.certain - PHRASES


@dataclass(frozen=True, slots=True)
class Sound:
    """How much one text sounds like danger."""

    margin: float  # a logit
    levels: Levels  # of words alone, or of words and vector together


@dataclass(frozen=True, slots=True)
class Wording:
    """A logistic regression over words and characters."""

    weights: Floats  # (buckets,), see `features.pooled`
    intercept: float
    levels: Levels  # where words speak alone

    def margins(self, found: Occurrences) -> Floats:
        """Return how much texts sound like danger by their words, as logits."""
        return pooled(found, self.weights) + np.float32(self.intercept)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A logistic regression over sentence vectors."""

    weights: Floats  # (dimensions,)
    intercept: float
    levels: Levels  # where words and vectors speak together

    def margins(self, vectors: Floats) -> Floats:
        """Return what sentence vectors add, as logits, one a row of vectors of length 1."""
        return np.asarray(vectors @ self.weights + self.intercept, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Danger:
    """What was learnt."""

    wording: Wording
    meaning: Meaning

    def sounds(self, found: Occurrences, vectors: Sequence[Floats | None] | None) -> list[Sound]:
        """Return how much each text sounds like danger.

        Args:
            found: The n-grams of the texts.
            vectors: Their sentence vectors, None for a text that has none, or for all.
        """
        margins = self.wording.margins(found)
        levels = [self.wording.levels] * found.letters
        known = {at: vector for at, vector in enumerate(vectors or ()) if vector is not None}
        if known:
            margins[list(known)] += self.meaning.margins(np.array(list(known.values())))
        for at in known:
            levels[at] = self.meaning.levels
        return [Sound(margin, level) for margin, level in zip(margins.tolist(), levels, strict=True)]


def hears(text: Text, sound: Sound, passages: Sequence[tuple[Text, Sound]]) -> Heard:
    """Return what a letter sounds like.

    Args:
        text: The letter.
        sound: Of the letter as a whole.
        passages: Its passages, each with its own; none if it has only one.
    """
    loudest, most = max(passages, key=lambda passage: passage[1].margin, default=(text, None))
    counts = sound.margin >= sound.levels.whole or (most is not None and most.margin >= most.levels.passage)
    return Heard(
        _shown(loudest) if counts else "",
        certain=sound.margin >= sound.levels.certain,
        quiet=_is_quiet(sound) and len(text.subject) <= SUBJECT_CHARACTERS and len(text.body) <= _DOUBTED_CHARACTERS,
        parts=tuple((passage.body, _is_quiet(part)) for passage, part in passages),
    )


def _is_quiet(sound: Sound) -> bool:
    return sound.margin < sound.levels.doubted


def _shown(text: Text) -> str:
    said = " ".join(f"{text.subject} {text.body}".split())
    return said if len(said) <= _SHOWN_CHARACTERS else f"{said[: _SHOWN_CHARACTERS - 1].rstrip()}…"


def weighed(found: Alarm, heard: Heard | None, calls: Callable[[str], bool]) -> Alarm:
    """Return what phrases and score together call for.

    What only the score hears is high, or critical if it is certain. Phrases that it doubts no longer say what they are, but
    that somebody must look: the letter is high and told at once.

    Args:
        found: What the phrases of the letter say.
        heard: What it sounds like; None if nothing listened.
        calls: Tells whether the phrases of a passage call a person.
    """
    if heard is None:
        return found
    if found.urgency is Urgency.CRITICAL:
        words = tuple(dict.fromkeys(words for flag in found.flags for words in flag.words))
        return Alarm(Urgency.HIGH, (Flag(POSSIBLE_DANGER, words),)) if _is_doubted(heard, calls) else found
    if not heard.words:
        return found
    level = Urgency.CRITICAL if heard.certain else Urgency.HIGH
    return Alarm(found.urgency.at_least(level), (*found.flags, Flag(POSSIBLE_DANGER, (heard.words,))))


def _is_doubted(heard: Heard, calls: Callable[[str], bool]) -> bool:
    """Tell whether a letter is quiet, and each passage that holds its phrases: one sentence is drowned in a whole letter.

    Phrases that stand in no passage that was listened to are not doubted.
    """
    if not heard.quiet or not heard.parts:
        return heard.quiet
    holding = [quiet for part, quiet in heard.parts if calls(part)]
    return bool(holding) and all(holding)


def load(folder: Path) -> Danger | None:
    """Read what was learnt; None if nothing was.

    Raises:
        ModelError: See `modelfile.load`; or the arrays do not fit together.
    """
    if not (folder / modelfile.MANIFEST).is_file():
        return None
    arrays = modelfile.load(folder).arrays
    try:
        wording, meaning = (_part(arrays[name], arrays[f"{name}_levels"]) for name in ("wording", "meaning"))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(folder, f"arrays do not fit together ({error})", "what `make model` wrote") from None
    buckets = len(wording[0])
    if buckets > BUCKETS or buckets.bit_count() != 1:
        raise ModelError(folder, f"{buckets:,} weights of words", f"a power of two, at most {BUCKETS:,}")
    return Danger(Wording(*wording), Meaning(*meaning))


def _part(weights: NDArray[Any], numbers: NDArray[Any]) -> tuple[Floats, float, Levels]:
    intercept, *levels = (float(number) for number in numbers)
    return weights.astype(np.float32), intercept, Levels(*levels)


def store(danger: Danger, manifest: dict[str, object]) -> Stored:
    """Return what `load` reads."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in (("wording", danger.wording), ("meaning", danger.meaning)):
        arrays[name] = part.weights.astype(np.float16)
        arrays[f"{name}_levels"] = np.array([part.intercept, *astuple(part.levels)]).round(4)
    return Stored(arrays, manifest)

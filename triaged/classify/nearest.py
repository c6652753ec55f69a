"""The lessons that a letter is most like: what they vote for, and how far away they are. Pure."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from triaged.classify.features import Floats

VOTERS: Final = 15
SHARPNESS: Final = 16.0  # a lesson 0.1 less alike has a fifth of the voice


@dataclass(frozen=True, slots=True)
class Lessons:
    """The sentence vectors of what was learnt, for the nearest lessons and for novelty."""

    centre: Floats
    vectors: NDArray[np.int8]  # (lessons, length), 127 = 1.0
    topic: NDArray[np.int16]
    weight: Floats
    sources: tuple[str, ...]

    def centred(self, vectors: Floats) -> Floats:
        """Return vectors minus the learnt mean, scaled to length 1."""
        moved = vectors - self.centre
        length = np.linalg.norm(moved, axis=1, keepdims=True)
        return np.asarray(moved / np.maximum(length, 1e-9), dtype=np.float32)

    def likeness(self, vectors: Floats) -> Floats:
        """Return the cosine of each centred vector and each lesson, shape (vectors, lessons)."""
        return np.asarray(vectors @ (self.vectors.astype(np.float32).T / 127), dtype=np.float32)


def remembered(vectors: Floats, topic: NDArray[Any], weight: Floats, sources: tuple[str, ...], *, centre: Floats) -> Lessons:
    """Return lessons from their sentence vectors, a topic's number and a weight each."""
    empty = np.zeros((0, vectors.shape[1]), dtype=np.int8)
    lessons = Lessons(centre.astype(np.float32), empty, topic.astype(np.int16), weight.astype(np.float32), sources)
    return replace(lessons, vectors=np.round(lessons.centred(vectors) * 127).astype(np.int8))


def votes(alike: Floats, lessons: Lessons, classes: int) -> Floats:
    """Return the shares of the nearest lessons' voices, shape (letters, classes); a row's sum is 1, or 0 without lessons.

    Args:
        alike: As `Lessons.likeness` returns it; -inf for a lesson that may not vote.
        lessons: Their topics and weights.
        classes: How many there are.
    """
    voters = min(VOTERS, alike.shape[1])
    shares = np.zeros((len(alike), classes), dtype=np.float32)
    if voters:
        nearest = np.argpartition(-alike, voters - 1, axis=1)[:, :voters]
        voice = np.exp(SHARPNESS * (np.take_along_axis(alike, nearest, axis=1) - 1)) * lessons.weight[nearest]
        np.add.at(shares, (np.arange(len(alike))[:, None], lessons.topic[nearest]), voice)
        shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-20)
    return shares


def distance(alike: Floats, *, skip_best: int = 0) -> Floats:
    """Return the mean cosine distance to the three nearest lessons; `skip_best` leaves out the text itself."""
    nearest = 3 + skip_best
    if alike.shape[1] < nearest:
        return np.zeros(len(alike), dtype=np.float32)
    top = -np.sort(-np.partition(alike, alike.shape[1] - nearest, axis=1)[:, -nearest:], axis=1)
    return np.asarray(1 - top[:, skip_best:].mean(axis=1), dtype=np.float32)

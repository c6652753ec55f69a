"""Why a letter got its topic: exact shares of words and of the sentence vector, and the lessons it is most like."""

from dataclasses import dataclass

import numpy as np

from triaged.classify.features import matrix, occurrences
from triaged.classify.topic import TopicModel
from triaged.classify.topics import Text


@dataclass(frozen=True, slots=True)
class Nearest:
    """A lesson like the letter: where it stands, its topic, and how like, 0 to 1."""

    source: str
    topic: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Why:
    """The margin of the best topic, taken apart: words + meaning + base = margin, exactly."""

    topic: str
    margin: float
    words: float  # what words and characters gave
    meaning: float  # what the sentence vector gave; 0 without an encoder
    base: float  # what the topic has before a word is read
    strongest: tuple[tuple[str, float], ...]
    nearest: tuple[Nearest, ...]  # three, with an encoder


def why(model: TopicModel, text: Text) -> Why:
    """Take the model's opinion of one letter apart."""
    (opinion,) = model.predict([text])
    topic = opinion.ranked[0][0]
    at = model.classes.index(topic)
    vectors = model.vectors([text])
    vector = vectors[0] if vectors is not None and vectors[0].any() else None
    head = model.full if vector is not None and model.full else model.plain
    sparse = matrix(occurrences([text]), model.vocabulary)
    columns = sparse.shape[1]
    words = float((sparse @ head.weights[:columns, at])[0])
    meaning = float(vector @ head.weights[columns:, at]) if vector is not None else 0.0
    base = float(head.intercept[at])
    near = _nearest(model, vector) if vector is not None else ()
    return Why(topic, words + meaning + base, words, meaning, base, opinion.words, near)


def _nearest(model: TopicModel, vector: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> tuple[Nearest, ...]:
    lessons = model.lessons
    if lessons is None:
        return ()
    likeness = lessons.vectors.astype(np.float32) @ vector / 127
    best = np.argsort(-likeness, kind="stable")[:3]
    return tuple(
        Nearest(lessons.sources[at], model.classes[int(lessons.topic[at])], round(float(likeness[at]), 4))
        for at in map(int, best)
    )

"""Why a letter got its topic: exact shares of words and of the sentence vector, and the lessons it is most like."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from triaged.classify.features import matrix, occurrences
from triaged.classify.nearest import votes
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
    meaning: float  # what the sentence vector and the nearest lessons gave; 0 without an encoder
    base: float  # what the topic has before a word is read
    strongest: tuple[tuple[str, float], ...]
    nearest: tuple[Nearest, ...]  # three, with an encoder


_WORDS_SHOWN: Final = 5


def in_words(found: Why) -> list[str]:
    """Say it to a clerk: what the topic rests on, the words, the letters learnt before that are most like it."""
    support = max(found.words, 0.0) + max(found.meaning, 0.0)
    lines = [_rests_on(found, support)]
    for_it = max(support, sum(part for _, part in found.strongest) + max(found.meaning, 0.0))  # other words spoke against it
    spoken = [f"“{word}” ({part / for_it:.0%})" for word, part in found.strongest[:_WORDS_SHOWN] if part > 0]
    if spoken:
        lines.append(f"Words that spoke for it most: {', '.join(spoken)}.")
    if found.nearest:
        alike = "; ".join(f"{one.source or 'a lesson'}, on {one.topic} ({one.likeness:.0%} alike)" for one in found.nearest)
        lines.append(f"Most like it among what was learnt: {alike}.")
    return lines


def _rests_on(found: Why, support: float) -> str:
    if support <= 0:
        return f"Nothing in the letter speaks for {found.topic}: it is only the least unlikely topic."
    if found.meaning == 0:
        return f"{found.topic} rests on the letter's words alone; its meaning as a whole was not compared."
    if found.meaning < 0:
        return f"{found.topic} rests on the letter's words; its meaning as a whole speaks against it."
    if found.words <= 0:
        return f"{found.topic} rests on the letter's meaning as a whole; its words by themselves speak against it."
    return (
        f"{found.topic} rests for {found.words / support:.0%} on the letter's words "
        f"and for {found.meaning / support:.0%} on its meaning as a whole."
    )


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
    if vector is not None and model.lessons is not None:
        alike = model.lessons.likeness(vector[None, :])
        meaning += head.votes * float(votes(alike, model.lessons, len(model.classes))[0, at])
    base = float(head.intercept[at])
    near = _nearest(model, vector) if vector is not None else ()
    return Why(topic, words + meaning + base, words, meaning, base, opinion.words, near)


def _nearest(model: TopicModel, vector: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> tuple[Nearest, ...]:
    lessons = model.lessons
    if lessons is None:
        return ()
    likeness = lessons.likeness(vector[None, :])[0]
    best = np.argsort(-likeness, kind="stable")[:3]
    return tuple(
        Nearest(lessons.sources[at], model.classes[int(lessons.topic[at])], round(float(likeness[at]), 4))
        for at in map(int, best)
    )

"""The topic model: linear over TF-IDF, beside sentence vectors where an encoder is at hand. Pure given its arrays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from triaged.classify.contributions import contributions
from triaged.classify.danger import Danger, Sound, hears
from triaged.classify.features import Floats, Vocabulary, matrix, occurrences
from triaged.classify.matters import further, passages
from triaged.classify.nearest import Lessons, distance, votes
from triaged.classify.promise import Promise, Standing, judge
from triaged.classify.topics import Text
from triaged.message import Heard, Opinion

NONE: Final = "none"  # learnt from background: mail that is none of the office's matters. Never a topic to route to
KNOWN_SHARE: Final = 0.95  # letters stranger than this share of known ones go to people
DISTANCE_WEIGHT: Final = 18.0  # chosen on CLINC150's out-of-scope validation texts
_BATCH: Final = 32
_ALTERNATIVES: Final = 5


class Encoder(Protocol):
    """Sentence vectors of a fixed length; None for a text that could not be encoded."""

    def vectors(self, texts: Sequence[Text]) -> list[Floats | None]:
        """Return one vector of length 1 a text, in order."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a head did on letters it was not trained on: what promise and novelty rest on. One entry a letter."""

    confidence: Floats
    correct: NDArray[np.bool_]
    topic: NDArray[np.int16]  # the best guess
    oddness: Floats  # sorted; of letters on known topics


@dataclass(frozen=True, slots=True)
class Head:
    """One linear classifier with its calibration."""

    weights: Floats  # (columns, classes)
    intercept: Floats  # (classes,)
    temperature: float  # margins times this are logits
    evidence: Evidence
    votes: float = 0.0  # what the nearest lessons' voices, 1 in all, add to the margins


@dataclass(frozen=True, slots=True)
class TopicModel:
    """A fitted topic model (the `Topics` protocol)."""

    classes: tuple[str, ...]  # topics, and NONE if background was learnt
    vocabulary: Vocabulary
    plain: Head  # TF-IDF alone
    full: Head | None = None  # TF-IDF beside sentence vectors
    lessons: Lessons | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    encoder: Encoder | None = None
    promises: tuple[Promise, ...] = ()  # of the plain head, then of the full one
    danger: Danger | None = None  # listens to the same sentence vectors

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics it knows, in the order of its probabilities."""
        return tuple(name for name in self.classes if name != NONE)

    def promising(self, ceiling: float, level: float) -> "TopicModel":
        """Return the model that acts alone only where its held-out letters keep this promise."""
        heads = [head for head in (self.plain, self.full) if head]
        return replace(
            self, promises=tuple(judge(head.evidence.confidence, head.evidence.correct, ceiling, level) for head in heads)
        )

    @property
    def in_use(self) -> int:
        """Which of its heads, and so of its promises, judges a letter as a rule: 0 words alone, 1 with sentence vectors."""
        return 1 if self.full and self.encoder else 0

    @property
    def promise(self) -> Promise | None:
        """The promise under which it judges as a rule."""
        return self.promises[self.in_use] if self.in_use < len(self.promises) else None

    def hearing(self, danger: Danger | None) -> "TopicModel":
        """Return the model that also tells which letters sound like danger."""
        return replace(self, danger=danger)

    def promised(self, promises: Sequence[Promise]) -> "TopicModel":
        """Return the model that acts alone only where these promises allow: of the plain head, then of the full one."""
        return replace(self, promises=tuple(promises))

    def predict(self, texts: Sequence[Text]) -> list[Opinion]:
        """Return one opinion a text, in order, with the words that spoke for it and further matters. Never raises."""
        whole = self._judged(texts, explain=True)
        split = [passages(text) for text in texts]
        said = iter(self._judged([passage for parts in split for passage in parts], explain=False))
        opinions = []
        for text, (opinion, sound), parts in zip(texts, whole, split, strict=True):
            of_parts = [next(said) for _ in parts]
            more = further(opinion.ranked[0][0], [_evidence_of(one) for one, _ in of_parts])
            heard = [(part, one) for part, (_, one) in zip(parts, of_parts, strict=True) if one]
            opinions.append(replace(opinion, further=more, heard=hears(text, sound, heard) if sound else None))
        return opinions

    def rank(self, texts: Sequence[Text]) -> list[Opinion]:
        """Return what `predict` returns without the words, and without listening to passages: quicker, for many texts."""
        return [
            replace(opinion, heard=hears(text, sound, ())) if sound else opinion
            for text, (opinion, sound) in zip(texts, self._judged(texts, explain=False), strict=True)
        ]

    def listens(self, text: Text) -> Heard | None:
        """Return what a letter and its passages sound like; each costs a sentence vector."""
        if not self.danger:
            return None
        parts = passages(text)
        sound, *others = self.danger.sounds(occurrences([text, *parts]), self._encoded([text, *parts]))
        return hears(text, sound, list(zip(parts, others, strict=True)))

    def _judged(self, texts: Sequence[Text], *, explain: bool) -> list[tuple[Opinion, Sound | None]]:
        return [judged for batch in self._batches(texts) for judged in self._opinions(batch, explain=explain)]

    def _batches(self, texts: Sequence[Text]) -> Iterator[Sequence[Text]]:
        return (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))

    def _opinions(self, texts: Sequence[Text], *, explain: bool) -> Iterator[tuple[Opinion, Sound | None]]:
        found = occurrences(texts)
        sparse = matrix(found, self.vocabulary)
        encoded = self._encoded(texts)
        vectors = self._centred(encoded)
        sounds = self.danger.sounds(found, encoded) if self.danger else [None] * len(texts)
        judged = [self._judge(self.plain, 0, sparse @ self.plain.weights + self.plain.intercept, None)]
        if self.full and self.lessons and vectors is not None:
            columns = sparse.shape[1]
            margins = sparse @ self.full.weights[:columns] + vectors @ self.full.weights[columns:] + self.full.intercept
            alike = self.lessons.likeness(vectors)
            margins += self.full.votes * votes(alike, self.lessons, len(self.classes))
            judged.append(self._judge(self.full, 1, margins, distance(alike)))
        for index, sound in enumerate(sounds):
            with_vector = vectors is not None and len(judged) > 1 and bool(vectors[index].any())
            opinion, best = judged[1 if with_vector else 0][index]
            if explain:
                head = self.full if with_vector and self.full else self.plain
                opinion = replace(opinion, words=contributions(found, sparse, self.vocabulary, head.weights, index, best))
            yield opinion, sound

    def vectors(self, texts: Sequence[Text]) -> Floats | None:
        """Return centred vectors, a row of zeros where there is none."""
        return self._centred(self._encoded(texts))

    def _encoded(self, texts: Sequence[Text]) -> list[Floats | None] | None:
        return self.encoder.vectors(texts) if self.encoder and (self.full or self.danger) else None

    def _centred(self, found: Sequence[Floats | None] | None) -> Floats | None:
        if found is None or self.full is None or self.lessons is None:
            return None
        centred = np.zeros((len(found), len(self.lessons.centre)), dtype=np.float32)
        for index, vector in enumerate(found):
            if vector is not None:
                centred[index] = self.lessons.centred(vector[None, :])[0]
        return centred

    def _judge(self, head: Head, which: int, margins: Floats, near: Floats | None) -> list[tuple[Opinion, int]]:
        probabilities = softmax(margins * head.temperature)
        odd = oddness(margins * head.temperature, near)
        novelty = np.searchsorted(head.evidence.oddness, odd) / max(1, len(head.evidence.oddness))
        promise = self.promises[which] if which < len(self.promises) else None
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, : _ALTERNATIVES + 1]  # one more: NONE may be among them
        shares = np.take_along_axis(probabilities, best, axis=1)
        return [
            self._opinion(order, share, new, promise)
            for order, share, new in zip(best.tolist(), shares.tolist(), novelty.tolist(), strict=True)
        ]

    def _opinion(
        self, order: Sequence[int], shares: Sequence[float], novelty: float, promise: Promise | None
    ) -> tuple[Opinion, int]:
        ranked = [(index, share) for index, share in zip(order, shares, strict=True) if self.classes[index] != NONE]
        best, confidence = ranked[0]
        why = _why_not(self.classes[order[0]], confidence, novelty, promise)
        names = tuple((self.classes[index], round(share, 6)) for index, share in ranked[:_ALTERNATIVES])
        return Opinion(ranked=names, accepted=not why, novelty=round(novelty, 4), why=why), best


def _evidence_of(opinion: Opinion) -> tuple[tuple[tuple[str, float], ...], bool]:
    return opinion.ranked, opinion.novelty <= KNOWN_SHARE


def _why_not(winner: str, confidence: float, novelty: float, promise: Promise | None) -> str:
    if winner == NONE:
        return "looks like mail that is none of the topics"
    if promise is not None and promise.standing is Standing.BROKEN:
        return "only proposes: spot checks have broken the promise"
    if promise is None or promise.threshold is None:
        if promise is not None and promise.missing:
            return f"only proposes: {promise.missing} checked letters are still missing for the promise"
        return "only proposes: too many of its checked guesses were wrong for the promise"
    needs = promise.needs(winner)
    if needs is None:
        return "only proposes on this topic: too many of its checked guesses were wrong for the promise"
    if confidence < needs:
        return f"{confidence:.0%} sure; the promise needs {needs:.1%}"
    if novelty > KNOWN_SHARE:
        return "unlike anything learnt so far"
    return ""


def softmax(logits: Floats) -> Floats:
    """Return probabilities row by row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def oddness(logits: Floats, near: Floats | None) -> Floats:
    """Return how strange letters look: a weak best topic, and lessons far away (`near`: see `distance`)."""
    weak = -logits.max(axis=1)
    return np.asarray(weak if near is None else weak + DISTANCE_WEIGHT * near, dtype=np.float32)


def stacked(sparse: csr_array, vectors: Floats) -> csr_array:
    """Return TF-IDF rows beside sentence vectors, as the full head reads them."""
    from scipy.sparse import hstack

    return hstack([sparse, csr_array(vectors)], format="csr", dtype=np.float32)

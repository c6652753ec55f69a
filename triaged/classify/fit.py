"""Labelled rows → a topic model."""

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from triaged.classify.features import BUCKETS, HASH_BITS, Floats, Vocabulary, fold, learn_vocabulary, matrix, occurrences
from triaged.classify.machine import Machine, candidates
from triaged.classify.nearest import Lessons, distance, remembered, votes
from triaged.classify.rows import Row, RowsError
from triaged.classify.topic import NONE, Evidence, Head, TopicModel, oddness, softmax
from triaged.classify.topics import Text

MAX_COLUMNS: Final = 200_000
MAX_WEIGHTS: Final = 15_000_000  # columns times classes: 60 MB in memory
MAX_ENTRIES: Final = 30_000_000  # n-grams of all rows: keeps training under 2 GB; beyond, rows are taken evenly by topic
LEARNT: Final = -1  # the fold of what is never held out
_BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model and what was noticed on the way."""

    model: TopicModel
    notes: tuple[str, ...]
    used: int  # letters, topics' names aside
    kept: tuple[int, ...]  # which rows these were; one an entry of the heads' evidence


def fit(
    rows: Sequence[Row],
    vectors: Floats | None = None,
    *,
    columns: int = MAX_COLUMNS,
    progress: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Fit topics, calibrated on held-out folds.

    Args:
        rows: Labelled texts. Empty texts and repeated ones are left out and counted in the notes. Topics' names are learnt
            from, and never held out.
        vectors: Sentence vectors, one a row, a row of zeros where there is none; None: TF-IDF alone.
        columns: Most n-grams kept.
        progress: Told in words what happens.

    Raises:
        RowsError: Fewer than two topics with a text.
    """
    kept, notes = _usable(rows)
    classes = tuple(sorted({rows[index].topic for index in kept}))
    if len(classes) < 2 or len(set(classes) - {NONE}) < 1:
        named = f"only “{classes[0]}”" if classes else "none"
        raise RowsError(
            [f"{len(kept)} usable rows with {len(classes)} topics ({named}). Expected: at least two topics with a text each."]
        )
    number = {name: index for index, name in enumerate(classes)}
    labels = np.array([number[rows[index].topic] for index in kept], dtype=np.int64)
    kept, labels, shortened = _bounded(rows, kept, labels)
    notes += shortened
    chosen = [rows[index] for index in kept]
    weights = np.array([row.weight for row in chosen], dtype=np.float64)
    progress(f"reading {len(chosen)} rows on {len(classes)} topics")
    known, sparse = _features([row.text for row in chosen], min(columns, MAX_WEIGHTS // len(classes)))
    folds = _folds(chosen, labels)
    progress("fitting words and characters")
    plain = _head(sparse, known, None, labels, weights, folds, classes)
    letters = [index for index in kept if not rows[index].is_name]
    full, lessons = None, None
    if vectors is not None:
        progress("fitting sentence vectors beside them")
        judged = folds != LEARNT
        sources = tuple(rows[index].source.rpartition("/")[2] for index in letters)
        known_vectors = vectors[letters]
        lessons = remembered(known_vectors, labels[judged], weights[judged], sources, centre=known_vectors.mean(axis=0))
        full = _head(sparse, known, lessons, labels, weights, folds, classes, lessons.centred(vectors[kept]))
    return Fitted(TopicModel(classes, known, plain, full, lessons), tuple(notes), len(letters), tuple(letters))


def _usable(rows: Sequence[Row]) -> tuple[list[int], list[str]]:
    """Return the rows to learn from, each text once, and the names of their topics."""
    seen: dict[tuple[str, str], int] = {}
    letters = [index for index, row in enumerate(rows) if not row.is_name]
    empty = 0
    for index in letters:
        row = rows[index]
        key = fold(f"{row.text.subject} \n {row.text.body}")
        if not key:
            empty += 1
        else:
            seen.setdefault((key, row.topic), index)
    topics = {topic for _, topic in seen}
    names = [index for index, row in enumerate(rows) if row.is_name and row.topic in topics]
    kept = sorted([*seen.values(), *names])
    repeated = len(letters) - empty - len(seen)
    notes = [f"{empty} rows without text left out"] if empty else []
    if repeated:
        notes.append(f"{repeated} repeated rows left out")
    contradictory = len(seen) - len({key for key, _ in seen})
    if contradictory:
        notes.append(f"{contradictory} texts carry more than one topic")
    spelled: dict[str, set[str]] = {}
    for _, topic in seen:
        spelled.setdefault(" ".join(topic.casefold().split()), set()).add(topic)
    notes += [
        f"topics that differ only in spelling: {', '.join(sorted(names))}" for names in spelled.values() if len(names) > 1
    ]
    return kept, notes


def _bounded(rows: Sequence[Row], kept: list[int], labels: NDArray[np.int64]) -> tuple[list[int], NDArray[np.int64], list[str]]:
    """Leave out rows of the largest topics if all of them would not fit into memory."""
    sizes = np.array([min(4_300, len(rows[index].text.subject) + len(rows[index].text.body)) * 2.2 for index in kept])
    total = float(sizes.sum())
    if total <= MAX_ENTRIES:
        return kept, labels, []
    quota = Counter[int]()
    room, taken = MAX_ENTRIES, []
    order = sorted(
        range(len(kept)), key=lambda at: hashlib.sha256(rows[kept[at]].text.body.encode("utf-8", "replace")).digest()
    )
    turn: list[tuple[int, int]] = []
    for at in order:  # the n-th row of every topic before the n+1st of any
        label = int(labels[at])
        turn.append((quota[label], at))
        quota[label] += 1
    for _, at in sorted(turn):
        room -= int(sizes[at])
        if room < 0:
            break
        taken.append(at)
    taken.sort()
    note = f"{len(taken)} of {len(kept)} rows used, evenly by topic: more would not fit into memory"
    return [kept[at] for at in taken], labels[taken], [note]


def _features(texts: Sequence[Text], columns: int) -> tuple[Vocabulary, csr_array]:
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for batch in _batches(texts):
        found = occurrences(batch)
        counts += np.bincount(np.unique(found.row * BUCKETS + found.bucket) % BUCKETS, minlength=BUCKETS)
    known = learn_vocabulary(counts, len(texts), columns)
    return known, vstack([matrix(occurrences(batch), known) for batch in _batches(texts)], format="csr")


def _batches(texts: Sequence[Text]) -> Iterator[Sequence[Text]]:
    return (texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH))


def _folds(rows: Sequence[Row], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Deal every topic's rows over the folds; texts that begin alike (copies, form letters) share one."""
    count = 3 if len(rows) > 4_000 else 5
    fold_of = np.full(len(rows), LEARNT, dtype=np.int64)
    dealt: dict[tuple[int, str], int] = {}
    turns = Counter[int]()
    letters = [at for at, row in enumerate(rows) if not row.is_name]
    for at in sorted(letters, key=lambda at: hashlib.sha256(repr(rows[at].text).encode("utf-8", "replace")).digest()):
        key = (int(labels[at]), fold(f"{rows[at].text.subject} {rows[at].text.body}")[:60])
        if key not in dealt:
            dealt[key] = turns[key[0]] % count
            turns[key[0]] += 1
        fold_of[at] = dealt[key]
    return fold_of


def _head(
    sparse: csr_array,
    known: Vocabulary,
    lessons: Lessons | None,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    folds: NDArray[np.int64],
    classes: tuple[str, ...],
    vectors: Floats | None = None,
) -> Head:
    """Fit the machine that is right on the most held-out rows; what it said of them calibrates it."""

    judged = folds != LEARNT

    def right(tried: tuple[Machine, Floats]) -> float:
        return float(weights[judged][tried[1].argmax(axis=1) == labels[judged]].sum())

    machines = candidates(sparse.shape[1], len(classes), with_vectors=vectors is not None)
    tried = [(one, _held_out(one, sparse, known, vectors, labels, weights, folds, len(classes))[judged]) for one in machines]
    near = None if vectors is None else vectors[judged]
    if lessons is not None and near is not None:
        voices = _voices(near, lessons, folds[judged], len(classes))
        tried = [(one, margins + one.votes * voices) for one, margins in tried]
    machine, margins = max(tried, key=right)
    coefficients, intercept = machine.fit(sparse, vectors, labels, weights, len(classes))
    temperature = _temperature(margins, labels[judged], weights[judged])
    evidence = _evidence(margins, temperature, labels[judged], classes, lessons, near)
    return Head(coefficients, intercept, temperature, evidence, 0.0 if lessons is None else machine.votes)


def _held_out(
    machine: Machine,
    sparse: csr_array,
    known: Vocabulary,
    vectors: Floats | None,
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    folds: NDArray[np.int64],
    classes: int,
) -> Floats:
    """Return the margins of every row by a classifier that had not learnt from its fold; zeros for what is never held out."""
    margins = np.zeros((len(labels), classes), dtype=np.float32)
    for number in np.unique(folds[folds != LEARNT]):
        held = folds == number
        seen = np.zeros(sparse.shape[1], dtype=np.bool_)
        seen[sparse[~held].indices] = True
        asked = _restricted(sparse[held], seen, known)  # a new letter's unknown n-grams do not count either
        learnt = None if vectors is None else vectors[~held]
        coefficients, intercept = machine.fit(sparse[~held], learnt, labels[~held], weights[~held], classes)
        margins[held] = asked @ coefficients[: asked.shape[1]] + intercept
        if vectors is not None:
            margins[held] += vectors[held] @ coefficients[asked.shape[1] :]
    return margins


def _voices(vectors: Floats, lessons: Lessons, folds: NDArray[np.int64], classes: int) -> Floats:
    """Return what the nearest lessons of the other folds vote for."""
    parts = []
    for at in range(0, len(vectors), _BATCH):
        same = folds[at : at + _BATCH, None] == folds[None, :]
        alike = np.where(same, -np.inf, lessons.likeness(vectors[at : at + _BATCH])).astype(np.float32)
        parts.append(votes(alike, lessons, classes))
    return np.concatenate(parts)


def _restricted(sparse: csr_array, seen: NDArray[np.bool_], known: Vocabulary) -> csr_array:
    values = sparse.data * seen[sparse.indices]
    row = np.repeat(np.arange(sparse.shape[0]), np.diff(sparse.indptr))
    block = row * 2 + (known.buckets[sparse.indices] >> HASH_BITS)
    length = np.sqrt(np.bincount(block, weights=values**2, minlength=2 * sparse.shape[0]))
    values = (values / np.maximum(length[block], 1e-9)).astype(np.float32)
    return csr_array((values, sparse.indices, sparse.indptr), shape=sparse.shape)


def _temperature(margins: Floats, labels: NDArray[np.int64], weights: NDArray[np.float64]) -> float:
    """Return the factor that makes softmax(margins) the likeliest on held-out letters (Guo et al. 2017), by golden section."""

    def loss(log_factor: float) -> float:
        right = softmax(margins * math.exp(log_factor))[np.arange(len(labels)), labels]
        return float(-(np.log(np.maximum(right, 1e-12)) * weights).sum())

    low, high, ratio = math.log(0.1), math.log(50.0), (math.sqrt(5) - 1) / 2
    for _ in range(30):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return math.exp((low + high) / 2)


def _evidence(
    margins: Floats,
    temperature: float,
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    lessons: Lessons | None,
    vectors: Floats | None,
) -> Evidence:
    probabilities = softmax(margins * temperature)
    topics = np.array([name != NONE for name in classes])
    probabilities = np.where(topics, probabilities, -1)
    best = probabilities.argmax(axis=1)
    near = None
    if lessons is not None and vectors is not None:
        alike = (lessons.likeness(vectors[at : at + _BATCH]) for at in range(0, len(vectors), _BATCH))
        parts = [distance(one, skip_best=1) for one in alike]
        near = np.concatenate(parts)
    odd = oddness(margins * temperature, near)
    known = topics[labels]
    return Evidence(
        probabilities[np.arange(len(labels)), best].astype(np.float32),
        best == labels,
        best.astype(np.int16),
        np.sort(odd[known]).astype(np.float32),
    )

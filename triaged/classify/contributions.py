"""Which words of a letter spoke for a topic: exact shares of a linear margin. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from triaged.classify.features import Floats, Occurrences, Vocabulary

_WORDS: Final = 8


def contributions(
    found: Occurrences, sparse: csr_array, known: Vocabulary, weights: Floats, index: int, topic: int
) -> tuple[tuple[str, float], ...]:
    """Return the words of one letter that spoke for a topic, strongest first: exact shares of the linear margin.

    Each n-gram's share goes to the word that it begins in, so that the words' sum is the margin without the intercept.

    Args:
        found: The n-grams of a batch of letters.
        sparse: Their features, see `matrix`.
        known: The columns of these.
        weights: A head's, shape (columns, classes).
        index: Which letter.
        topic: Which class.
    """
    mine = np.flatnonzero(found.row == index)
    column = known.column_of[found.bucket[mine]]
    learnt = column >= 0
    word, column = found.word[mine][learnt], column[learnt]
    letter = slice(sparse.indptr[index], sparse.indptr[index + 1])
    columns = sparse.indices[letter]  # sorted
    place = np.searchsorted(columns, column)
    times = np.bincount(place, minlength=len(columns))
    parts = (sparse.data[letter] * weights[columns, topic] / times)[place]
    by_word: dict[str, float] = {}
    for position, part in zip(*_summed(word, parts), strict=True):
        name = found.words[position]
        by_word[name] = by_word.get(name, 0.0) + part
    ordered = sorted(by_word.items(), key=lambda item: (-item[1], item[0]))
    return tuple((name, round(part, 4)) for name, part in ordered[:_WORDS] if part > 0)


def _summed(word: NDArray[np.int64], parts: NDArray[np.float64]) -> tuple[list[int], list[float]]:
    if not len(word):
        return [], []
    first = int(word.min())
    sums = np.bincount(word - first, weights=parts)
    at = np.flatnonzero(sums)
    return [int(position) + first for position in at], [float(value) for value in sums[at]]

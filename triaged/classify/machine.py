"""Linear classifiers over TF-IDF rows beside sentence vectors. scikit-learn is imported here and nowhere else in the room."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from triaged.classify.features import Floats
from triaged.classify.topic import stacked

QUICK: Final = 3_000_000  # columns times classes: logistic regression is tried up to here


@dataclass(frozen=True, slots=True)
class Machine:
    """A way to fit a linear classifier."""

    vectors: float  # length of a sentence vector beside TF-IDF rows of length 1.4
    votes: float  # what the nearest lessons' voices add to its margins
    unfitted: Callable[[], Any]

    def fit(
        self,
        sparse: csr_array,
        vectors: Floats | None,
        labels: NDArray[np.int64],
        weights: NDArray[np.float64],
        classes: int,
    ) -> tuple[Floats, Floats]:
        """Return weights (columns, classes) and intercepts, for TF-IDF rows beside unit vectors."""
        dimensions = 0 if vectors is None else vectors.shape[1]
        columns = sparse.shape[1]
        present = np.unique(labels)
        coefficients = np.zeros((columns + dimensions, classes), dtype=np.float32)
        intercept = np.full(classes, -1.0, dtype=np.float32)
        if len(present) < 2:
            intercept[present] = 1.0
            return coefficients, intercept
        features = sparse if vectors is None else stacked(sparse, self.vectors * vectors)
        fitted = self.unfitted().fit(features, labels, sample_weight=weights)
        found, offset = fitted.coef_, fitted.intercept_
        if len(present) == 2:  # scikit-learn gives the second class's side only
            found, offset = np.vstack((-found, found)), np.concatenate((-offset, offset))
        coefficients[:, present] = found.T
        coefficients[columns:] *= self.vectors
        intercept[present] = offset
        return coefficients, intercept


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=5.0, tol=1e-3, max_iter=200)


def _support() -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=0.5, tol=0.01, random_state=0, max_iter=2_000)


LOGISTIC: Final = Machine(2.0, 2.0, _logistic)  # multinomial: better with few examples a topic
SUPPORT: Final = Machine(1.5, 0.5, _support)  # support vectors, one class against the rest: better with many, and quick
BY_WORDS: Final = Machine(1.0, 0.5, _support)  # its vectors say less, for letters so long that their words say more


def candidates(columns: int, classes: int, *, with_vectors: bool) -> tuple[Machine, ...]:
    """Return what is worth trying on so many columns and classes; held-out rows decide (docs/decisions/0010 and 0015)."""
    quick = (LOGISTIC,) if columns * classes <= QUICK else ()
    return (*quick, SUPPORT, BY_WORDS) if with_vectors else (*quick, SUPPORT)


def dividing(features: Floats | csr_array, labels: NDArray[np.bool_], weights: NDArray[np.float64]) -> tuple[Floats, float]:
    """Return weights (columns,) and intercept of a logistic regression that tells two kinds of texts apart.

    Solved to the last digits, and on one thread where there are many columns, so that they do not depend on how many threads
    share the sums.

    Args:
        features: Sentence vectors, or sparse rows of n-grams.
        labels: Which kind.
        weights: How much each text counts.
    """
    from sklearn.linear_model import LogisticRegression

    if isinstance(features, csr_array):
        fitted = LogisticRegression(C=1.0, solver="liblinear", tol=1e-5, max_iter=200, random_state=0)
        fitted.fit(features, labels, sample_weight=weights)
    else:
        fitted = LogisticRegression(C=20.0, solver="newton-cholesky", tol=1e-10, max_iter=200)
        fitted.fit(features.astype(np.float64), labels, sample_weight=weights)
    return fitted.coef_[0].astype(np.float32), float(fitted.intercept_[0])

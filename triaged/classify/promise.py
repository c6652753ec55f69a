"""The promise: at most this share of the automatic decisions misrouted, with this certainty.

Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021): candidate thresholds are tested in a fixed sequence, from
the strictest on, each by an exact binomial test; the last one that passes before the first failure keeps the promise.
What is not promised: texts unlike the checked ones (drift between checks, topics nobody taught). Novelty and spot checks guard
those.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

GROWTH: Final = 1.05  # each candidate accepts 5 % more than the one before
STARTS: Final = (2.0, 6.0)  # where sequences begin, in multiples of the labels needed; the level is shared among them


class Standing(StrEnum):
    """How a promise stands."""

    KEPT = "kept"  # a threshold passes the tests
    PROPOSING = "proposing"  # too few labels, or too many errors among them: people decide
    BROKEN = "broken"  # spot checks speak against it


@dataclass(frozen=True, slots=True)
class Promise:
    """What was computed from held-out labels."""

    ceiling: float  # largest misrouted share allowed
    level: float  # how sure
    standing: Standing
    threshold: float | None  # act alone at this confidence or above; None: never
    labels: int  # held-out labels it rests on
    missing: int  # labels still missing at the least, if all are right
    automatic: float = 0.0  # share of the held-out letters decided alone
    misrouted: float | None = None  # estimated share among those
    interval: tuple[float, float] = (0.0, 1.0)  # two-sided 95 % of it, Clopper and Pearson
    own: Mapping[str, float | None] = field(default_factory=dict)  # topics that need more than `threshold`; None: never
    checks: int = 0  # spot checks since it stands so; if they broke it, those that did
    wrong_checks: int = 0

    def needs(self, topic: str) -> float | None:
        """Return the confidence from which the model may act alone on a topic; None: never."""
        return None if self.threshold is None else self.own.get(topic, self.threshold)

    def acts(self, topic: str, confidence: float) -> bool:
        """Tell whether the model may act alone on this guess."""
        least = self.needs(topic)
        return least is not None and confidence >= least


def labels_needed(ceiling: float, level: float) -> int:
    """Return how many labels without an error prove the ceiling: 59 for 5 %, 149 for 2 %, at 95 %."""
    return math.ceil(math.log(1 - level) / math.log(1 - ceiling))


def tail(errors: int, n: int, share: float) -> float:
    """Return P(at most `errors` of `n`) if each goes wrong with probability `share`; exact."""
    if errors >= n:
        return 1.0
    log_share, log_rest = math.log(share), math.log1p(-share)
    base = math.lgamma(n + 1)
    return min(
        1.0,
        math.fsum(
            math.exp(base - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_share + (n - k) * log_rest)
            for k in range(errors + 1)
        ),
    )


def interval(errors: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the two-sided Clopper–Pearson (1934) interval of a share."""
    if n == 0:
        return 0.0, 1.0
    half = (1 - level) / 2
    low = 0.0 if errors == 0 else _solve(lambda share: 1 - tail(errors - 1, n, share) - half)
    high = 1.0 if errors == n else _solve(lambda share: half - tail(errors, n, share))
    return low, high


def _solve(rising: Callable[[float], float]) -> float:
    low, high = 1e-12, 1 - 1e-12
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def threshold(confidence: NDArray[np.floating], correct: NDArray[np.bool_], ceiling: float, level: float) -> float | None:
    """Find the lowest confidence at which acting alone keeps the promise; None if none does.

    Args:
        confidence: Probability of each held-out best guess, shape (n,), 0 to 1.
        correct: Whether that guess was right, shape (n,).
        ceiling: Largest misrouted share allowed; 0.02 is 2 %.
        level: How sure the bound must be, 0 to 1.

    Raises:
        ValueError: Lengths differ.

    Source: Learn then Test, fixed-sequence testing with several starts (§3.2 there).
    """
    if len(confidence) != len(correct):
        raise ValueError(f"{len(confidence)} confidences, {len(correct)} outcomes")
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    errors = np.concatenate(([0], np.cumsum(~correct[order])))
    shared = (1 - level) / len(STARTS)
    reached = 0
    for start in STARTS:
        size = math.ceil(labels_needed(ceiling, 1 - shared) * (1 if start == STARTS[0] else start))
        while size <= len(ranked):
            # equal confidences stand or fall together
            taken = int(np.searchsorted(-ranked, -ranked[size - 1], side="right"))
            if tail(int(errors[taken]), taken, ceiling) > shared:
                break
            reached = max(reached, taken)
            if taken == len(ranked):
                break
            size = min(len(ranked), max(taken + 1, math.ceil(taken * GROWTH)))
    return float(ranked[reached - 1]) if reached else None


def judge(confidence: NDArray[np.floating], correct: NDArray[np.bool_], ceiling: float, level: float) -> Promise:
    """Return how a promise stands on held-out labels."""
    labels = len(confidence)
    missing = max(0, labels_needed(ceiling, level) - labels)
    least = threshold(confidence, correct, ceiling, level)
    if least is None:
        return Promise(ceiling, level, Standing.PROPOSING, None, labels, missing)
    alone = confidence >= least
    n, errors = int(alone.sum()), int((alone & ~correct).sum())
    return Promise(ceiling, level, Standing.KEPT, least, labels, missing, n / labels, errors / n, interval(errors, n))

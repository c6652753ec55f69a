"""The promise: exact bounds, and how seldom a computed threshold breaks it."""

import numpy as np
import pytest

from triaged.classify.promise import Standing, interval, judge, labels_needed, tail, threshold


@pytest.mark.parametrize(("ceiling", "labels"), [(0.05, 59), (0.02, 149)])
def test_labels_needed_are_the_textbooks(ceiling: float, labels: int) -> None:
    assert labels_needed(ceiling, 0.95) == labels


def test_the_tail_is_exact() -> None:
    assert tail(0, 59, 0.05) == pytest.approx(0.95**59)
    assert tail(2, 3, 0.5) == pytest.approx(7 / 8)
    assert tail(3, 3, 0.5) == 1.0


def test_the_interval_is_clopper_and_pearsons() -> None:
    low, high = interval(1, 20)
    assert low == pytest.approx(0.00127, abs=1e-4)
    assert high == pytest.approx(0.2487, abs=1e-3)


def test_too_few_labels_only_propose_and_say_how_many_are_missing() -> None:
    found = judge(np.ones(100), np.ones(100, dtype=bool), 0.02, 0.95)
    assert found.standing is Standing.PROPOSING
    assert found.threshold is None
    assert found.missing == 49


def test_a_threshold_breaks_its_promise_in_at_most_five_percent_of_draws() -> None:
    rng = np.random.default_rng(7)
    broken = 0
    for _ in range(300):
        confidence = rng.uniform(0, 1, 1_000)
        correct = rng.uniform(0, 1, 1_000) < 0.8 + 0.2 * confidence**0.25
        least = threshold(confidence, correct, 0.02, 0.95)
        if least is None:
            continue
        sure = np.linspace(least, 1, 1_000)
        broken += float(1 - (0.8 + 0.2 * sure**0.25).mean()) > 0.02
    assert broken / 300 <= 0.05


def test_equal_confidences_stand_or_fall_together() -> None:
    confidence = np.full(400, 0.9)
    correct = np.arange(400) < 340
    assert threshold(confidence, correct, 0.02, 0.95) is None


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="1 confidences, 2 outcomes"):
        threshold(np.ones(1), np.ones(2, dtype=bool), 0.02, 0.95)

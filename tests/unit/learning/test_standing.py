"""How the promise stands: what labels prove, what breaks it, what is said."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.classify.promise import Promise, Standing
from triaged.learning.standing import Label, as_json, broken_at, from_json, in_words, stand

RIGHT = Label("heat", 0.9, right=True)
WRONG = Label("heat", 0.9, right=False)
CHECKED = Label("heat", 0.95, right=True, spot_check=True)
CHECKED_WRONG = Label("heat", 0.95, right=False, spot_check=True)


@pytest.mark.parametrize(("ceiling", "needed"), [(0.05, 59), (0.02, 149)])
def test_until_labels_suffice_the_model_only_proposes(ceiling: float, needed: int) -> None:
    found = stand([RIGHT] * (needed - 1), ceiling, 0.95)
    assert (found.standing, found.threshold, found.missing) == (Standing.PROPOSING, None, 1)


def test_enough_right_labels_let_it_act_alone() -> None:
    found = stand([RIGHT] * 400, 0.02, 0.95)
    assert (found.standing, found.threshold, found.automatic) == (Standing.KEPT, 0.9, 1.0)


def test_two_wrong_spot_checks_in_a_row_break_it_at_once_and_nothing_before_counts() -> None:
    found = stand([RIGHT] * 400 + [CHECKED] * 5 + [CHECKED_WRONG] * 2, 0.02, 0.95)
    assert (found.standing, found.threshold, found.missing) == (Standing.BROKEN, None, 149)
    assert (found.wrong_checks, found.checks) == (2, 7)
    assert "Spot checks have broken it" in in_words(found)[0]


def test_one_wrong_spot_check_breaks_nothing() -> None:
    assert stand([RIGHT] * 400 + [CHECKED_WRONG], 0.02, 0.95).standing is Standing.KEPT


def test_a_broken_promise_is_mended_by_new_labels_only() -> None:
    labels = [RIGHT] * 400 + [CHECKED_WRONG] * 2
    assert stand(labels + [RIGHT] * 400, 0.02, 0.95).standing is Standing.KEPT


def test_a_rare_topic_cannot_hide_behind_a_common_one() -> None:
    rare = [Label("gift", 0.95, right=index > 1) for index in range(6)]
    found = stand([Label("heat", 0.95, right=True)] * 1_000 + rare, 0.02, 0.95)
    assert found.acts("heat", 0.95)
    assert not found.acts("gift", 0.99)
    assert "gift" in " ".join(in_words(found))


def test_a_topic_with_labels_of_its_own_has_its_own_threshold() -> None:
    rng = np.random.default_rng(5)
    sure = [Label("noise", float(c), right=bool(c > 0.8)) for c in rng.uniform(0.5, 1.0, 1_000)]
    easy = [Label("heat", float(c), right=True) for c in rng.uniform(0.5, 1.0, 20_000)]
    found = stand(easy + sure, 0.02, 0.95)
    assert found.acts("heat", 0.75)
    assert not found.acts("noise", 0.75)
    assert found.acts("noise", 0.95)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1), st.booleans(), st.booleans()), max_size=300))
def test_no_labels_raise_and_what_acts_is_proven(rows: list[tuple[str, float, bool, bool]]) -> None:
    labels = [Label(*row) for row in rows]
    found = stand(labels, 0.05, 0.95)
    assert from_json(json.loads(json.dumps(as_json(found)))) == found
    if found.threshold is not None:
        since = labels[broken_at(labels, 0.05, 0.95) :]
        alone = [label.right for label in since if found.acts(label.topic, label.confidence)]
        assert len(alone) >= 59
        assert alone.count(False) / len(alone) <= 0.05


@pytest.mark.parametrize("ceiling", [0.02, 0.05])
def test_the_promise_is_broken_in_at_most_five_percent_of_offices(ceiling: float) -> None:
    """300 offices with topics of different difficulty: what goes without a person must be wrong no more often than promised."""
    rng = np.random.default_rng(11)
    names = np.array(["heat", "noise", "gift"])
    hard = np.array([0.08, 0.25, 0.6])  # how fast errors grow as confidence falls

    def letters(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        topic = rng.choice(3, n, p=[0.7, 0.25, 0.05])
        confidence = rng.beta(6, 1.2, n)
        return topic, confidence, rng.uniform(0, 1, n) > hard[topic] * (1 - confidence)

    topic, confidence, right = letters(200_000)
    broken = 0
    for _ in range(300):
        labels = [Label(str(names[t]), float(c), bool(r)) for t, c, r in zip(*letters(800), strict=True)]
        found = stand(labels, ceiling, 0.95)
        needs = [found.needs(str(name)) for name in names]
        least = np.array([2.0 if need is None else need for need in needs])
        alone = confidence >= least[topic]
        broken += bool(alone.any() and (~right[alone]).mean() > ceiling)
    assert broken / 300 <= 0.05


def test_spot_checks_of_a_kept_promise_hardly_ever_break_it_however_many_there_are() -> None:
    rng = np.random.default_rng(3)
    broken = sum(
        broken_at([CHECKED if right else CHECKED_WRONG for right in rng.uniform(0, 1, 1_000) > 0.02], 0.02, 0.95) > 0
        for _ in range(400)
    )
    assert broken / 400 <= 0.05


def test_spot_checks_find_a_model_that_is_four_times_as_often_wrong_within_weeks() -> None:
    rng = np.random.default_rng(4)
    found = [
        broken_at([CHECKED if right else CHECKED_WRONG for right in rng.uniform(0, 1, 250) > 0.08], 0.02, 0.95) > 0
        for _ in range(200)
    ]
    assert sum(found) / 200 >= 0.95


def test_words_say_promise_estimate_share_and_what_is_missing() -> None:
    kept = in_words(stand([RIGHT] * 400 + [CHECKED] * 9 + [CHECKED_WRONG], 0.02, 0.95), (30, 120))
    assert kept[0] == "Promised: of the letters that go without a person at most 2 % go the wrong way, 95 % sure. It is kept."
    assert kept[1].startswith("Estimated: 0.2 % wrong (0 % to 1.4 %), from 410 letters")
    assert kept[2].startswith("Spot checks: 1 of 10 wrong (10 %; 0.3 % to 44.5 %)")
    assert kept[-1] == "In the last 30 days 30 of 120 letters (25 %) went without a person."
    assert "at least 149 more letters" in in_words(Promise(0.02, 0.95, Standing.PROPOSING, None, 0, 149))[0]

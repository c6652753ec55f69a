"""Two models on the same letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.learning.contest import contest


def test_a_candidate_that_is_nowhere_worse_passes() -> None:
    found = contest(["heat", "heat", "noise"], [True, False, True], [True, True, True])
    assert found.passed
    assert found.in_words() == "on the same 3 letters the new model is right on 3, the present one on 2"


def test_a_candidate_that_gives_up_a_rare_topic_for_a_common_one_does_not_pass() -> None:
    topics = ["heat"] * 100 + ["gift"] * 4
    found = contest(topics, [False] * 50 + [True] * 54, [True] * 100 + [False] * 4)
    assert (found.present, found.candidate) == (54, 100)
    assert found.worse == ("gift",)
    assert not found.passed


def test_without_letters_nobody_is_promoted() -> None:
    assert not contest([], [], []).passed


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.booleans()), max_size=80))
def test_a_candidate_with_fewer_right_never_passes(rows: list[tuple[str, bool, bool]]) -> None:
    found = contest([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    if found.candidate < found.present:
        assert not found.passed


def test_each_letter_needs_both_judgements() -> None:
    with pytest.raises(ValueError):
        contest(["a"], [True], [])

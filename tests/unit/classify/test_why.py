"""Why a letter got its topic, in words."""

from dataclasses import replace

import pytest

from triaged.classify.why import Nearest, Why, in_words

FOUND = Why(
    "heat",
    margin=2.5,
    words=1.5,
    meaning=0.5,
    base=0.5,
    strongest=(("cold", 1.0), ("boiler", 0.5)),
    nearest=(Nearest("MAY-2026-000007", "heat", 0.91), Nearest("en.jsonl:12", "noise", 0.6)),
)


def test_shares_words_and_nearest_letters_are_said() -> None:
    assert in_words(FOUND) == [
        "heat rests for 75% on the letter's words and for 25% on its meaning as a whole.",
        "Words that spoke for it most: “cold” (50%), “boiler” (25%).",
        "Most like it among what was learnt: MAY-2026-000007, on heat (91% alike); en.jsonl:12, on noise (60% alike).",
    ]


@pytest.mark.parametrize(
    ("words", "meaning", "said"),
    [
        (1.0, 0.0, "the letter's words alone"),
        (1.0, -0.5, "meaning as a whole speaks against it"),
        (-0.5, 1.0, "its words by themselves speak against it"),
        (-1.0, -1.0, "only the least unlikely"),
    ],
)
def test_what_speaks_against_a_topic_is_said_too(words: float, meaning: float, said: str) -> None:
    assert said in in_words(replace(FOUND, words=words, meaning=meaning))[0]

"""Life and safety: the texts of tests/urgency, half of them near misses, and what takes a flag back."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from triaged.classify import phrases, urgency
from triaged.classify.language import identify
from triaged.classify.phrases import BREAK, fold_all, words
from triaged.classify.urgency import alarm
from triaged.message import Urgency

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SUITE = [
    json.loads(line)
    for file in sorted((Path(__file__).parents[2] / "urgency").glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]


def test_the_suite_is_large_and_half_near_misses() -> None:
    assert len(SUITE) >= 300
    assert 0.4 < sum(row["critical"] for row in SUITE) / len(SUITE) < 0.6
    assert len({row["language"] for row in SUITE}) == 12


def test_hardly_any_danger_is_missed_and_hardly_any_alarm_is_false() -> None:
    found = [alarm(row["text"], identify(row["text"])[0], NOW).urgency is Urgency.CRITICAL for row in SUITE]
    critical = [hit for hit, row in zip(found, SUITE, strict=True) if row["critical"]]
    near_misses = [hit for hit, row in zip(found, SUITE, strict=True) if not row["critical"]]
    assert sum(critical) / len(critical) >= 0.99
    assert sum(near_misses) / len(near_misses) < 0.05


def test_a_flag_shows_the_words_that_caused_it() -> None:
    found = alarm("My husband beats me.", "en", NOW)
    assert [flag.name for flag in found.flags] == ["violence"]
    assert "husband beats me" in found.flags[0].words


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("The eviction hearing is on November 27.", Urgency.CRITICAL),
        ("The eviction hearing is on 2026-11-30.", Urgency.CRITICAL),
        ("We were told to leave in 3 days, I have the eviction notice.", Urgency.CRITICAL),
        ("The eviction hearing is on March 3, 2027.", Urgency.HIGH),
        ("The eviction hearing was cancelled.", Urgency.NORMAL),
    ],
)
def test_an_eviction_is_critical_when_its_date_is_near_by_the_offices_clock(text: str, urgency: Urgency) -> None:
    assert alarm(text, "en", NOW).urgency is urgency


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("My benefits were stopped and we have nothing to eat.", "en"),
        ("My coverage is cancelled and I ran out of insulin.", "en"),
        ("We are starving. Thank you for helping.", "en"),
        ("Me cancelaron los cupones y no tenemos nada que comer.", "es"),
        ("دو دن سے ہم نے کچھ نہیں کھایا۔ شکریہ", "ur"),
    ],
)
def test_what_was_cancelled_elsewhere_and_thanks_end_no_hunger(text: str, language: str) -> None:
    assert alarm(text, language, NOW).urgency is Urgency.CRITICAL


def test_many_sentences_at_once_fold_as_each_by_itself() -> None:
    parts = ["No HEAT!", "\0 odd", "没有暖气", ""]
    assert [part.split() for part in fold_all(parts).split(BREAK)] == [words(part) for part in parts]
    assert fold_all([]) == ""


@pytest.mark.parametrize("language", phrases.tables())
def test_the_words_of_a_phrase_lead_to_it_wherever_re2_finds_it(language: str) -> None:
    """The index by words only saves searches: it must lose no phrase."""
    listed = phrases._listed(language)
    told = [pattern.replace(phrases.GAP, " ").replace("*", "") for _, pattern in listed]
    texts = [" ".join(word.split("|")[-1] for word in one.split()) for one in told]
    texts += [row["text"] for row in SUITE if row["language"].partition("-")[0] == language]
    for text in texts:
        folded = f" {fold_all(list(phrases.sentences(text)))} "
        every = tuple(at for at in range(len(listed)) if phrases._search(language, at)(folded))
        assert phrases.found(language, folded) == every, text
    assert all(phrases.found(language, f" {fold_all([text])} ") for text in texts[: len(listed)] if text.strip())


def test_a_long_hostile_text_is_read_in_bounded_time() -> None:
    assert alarm("we are starving " * 50_000, "en", NOW).urgency is Urgency.CRITICAL


def test_a_vocabulary_that_has_seen_many_words_is_replaced_and_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon reads for years; spaCy keeps a trace of each word for ever."""
    before = urgency._language()
    found = alarm("We are being evicted tomorrow.", "en", NOW)
    monkeypatch.setattr(urgency, "_MOST_WORDS", 1)
    assert alarm("We are being evicted tomorrow.", "en", NOW) == found
    assert urgency._language() is not before


@pytest.mark.parametrize("pattern", ["no * here", "a|* b", "no|… food", "…|no food"])
def test_a_pattern_that_no_letter_could_ever_match_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"phrases/xx\.toml: \[no_food\.critical\]"):
        phrases.parse("xx", {"no_food": {"critical": [pattern]}})


def test_a_section_of_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[hunger\]: expected one of negation"):
        phrases.parse("xx", {"hunger": {"sometimes": ["no food"]}})

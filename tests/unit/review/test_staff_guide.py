"""docs/staff.md, "The digest": each answer it shows is understood as it says, each mail in it is the one you get."""

import re
from pathlib import Path

import pytest

from triaged.review.code import code
from triaged.review.line import Asked, Reader, Said, Unclear
from triaged.review.names import Names
from triaged.review.receipt import Effect, Result, receipt
from triaged.review.words import Verb
from triaged.rules.load import load_book

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/staff.md").read_text(encoding="utf-8").partition("\n# rules.yaml")[0]
DIGEST = 1  # the pictures' number
RULES = load_book(ROOT / "rules.yaml").rules
assert RULES is not None
NAMES = Names(
    {key: topic.departments for key, topic in RULES.topics.items()},
    {key: department.name for key, department in RULES.departments.items()},
)
READER = Reader(tuple(Asked(number) for number in range(1, 26)), DIGEST, NAMES)
BLOCKS = re.findall(r"^```\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| (?!You|On|What|English)([^|`*]+ \|[^|`*]+ \|[^|`*]+) \|$", GUIDE, re.MULTILINE)
WORDS = dict(zip(("ok", "close", "spam", "show", "undo", "all", "urgency"), ROWS, strict=False))
WRITTEN = re.findall(r"^\| `([^`]+)` \|", GUIDE.partition("| You write |")[2].partition("\n\n")[0], re.MULTILINE)
VAIN = re.findall(r"`(1J [^`]+)`", GUIDE.partition("seldom understood")[2].partition("do nothing")[0])


def test_the_codes_of_the_guide_are_codes() -> None:
    for number, letter in re.findall(r"`(\d+)([A-Z])[ `]", GUIDE):
        assert code(int(number), DIGEST) == f"{number}{letter}"


@pytest.mark.parametrize("line", [*BLOCKS[0].splitlines(), *WRITTEN])
def test_each_answer_that_the_guide_shows_is_understood(line: str) -> None:
    assert isinstance(READER.line(line), Said)


@pytest.mark.parametrize("name", ["noise", "homebase", "Scheduling"])
def test_each_part_of_a_name_that_will_do_does(name: str) -> None:
    assert isinstance(READER.line(f"1J {name}"), Said)


@pytest.mark.parametrize("line", ["1J housing", *VAIN])
def test_what_the_guide_says_does_nothing_does_nothing(line: str) -> None:
    assert isinstance(READER.line(line), Unclear)


@pytest.mark.parametrize("verb", [Verb.OK, Verb.CLOSE, Verb.SPAM, Verb.SHOW])
def test_each_word_of_the_table_in_each_language_means_what_its_row_says(verb: Verb) -> None:
    words = [word.strip() for column in WORDS[verb].split("|") for word in column.split(",")]
    assert len(words) >= 6
    for word in words:
        said = READER.line(f"1J {word}")
        assert isinstance(said, Said), word
        assert said.instructions[0].verb is verb


def test_undo_all_and_urgencies_are_words_in_each_language() -> None:
    for column in WORDS["undo"].split("|"):
        for word in column.split(","):
            said = READER.line(word.strip())
            assert isinstance(said, Said)
            assert said.undo
    for column in WORDS["all"].split("|"):
        for word in column.split(","):
            said = READER.line(word.strip().replace("…", "2K"))
            assert isinstance(said, Said)
            assert said.all_ok_but == (frozenset({2}) if "…" in word else frozenset())
    for column in WORDS["urgency"].split("|"):
        for several, level in zip(column.split(";"), ("high", "low"), strict=True):
            for word in several.split(","):
                said = READER.line(f"1J ok {word.strip()}")
                assert isinstance(said, Said)
                assert said.instructions[0].urgency == level


def test_the_receipt_looks_as_the_guide_shows_it() -> None:
    shown = BLOCKS[1]
    results = [
        Result({"Done": Effect.DONE, "Decided before": Effect.BEFORE}[effect], what)
        for effect, what in re.findall(r"^  (Done|Decided before): (.*)$", shown, re.MULTILINE)
    ]
    line = re.search("Not understood: “([^”]+)”", shown)
    assert line is not None
    unclear = READER.line(line[1])
    assert isinstance(unclear, Unclear)
    text = receipt(results, [unclear], "09:22", "words", "token").text
    assert all(part in text for part in shown.split("\n") if part)


def test_its_pictures_are_there_and_small() -> None:
    pictures = re.findall(r"pictures/[\w-]+\.png", GUIDE)
    assert len(pictures) == 2
    assert all((ROOT / "docs" / picture).stat().st_size < 200_000 for picture in pictures)

"""Surges: files in rules.d that add to rules.yaml for some weeks, and never change what it says."""

# ruff: noqa: E501
from datetime import date
from pathlib import Path

import pytest

from tests.unit.rules.office import HEAD, decided, letter, rule
from triaged.files.problem import WrongFile, say
from triaged.rules.changes import changes
from triaged.rules.check import check, try_tests
from triaged.rules.load import again, glance, load_book, load_rules

STORM = """\
version: 1
name: The storm of November
starts: 2026-11-20
ends: 2026-12-05
acknowledge:
  en: Because of the storm, answers may take longer. If water enters your home, call 311.
departments:
  storm: {name: Storm desk, to: storm@example.gov}
topics:
  storm.flood: {department: storm, urgency: high, description: Water in homes}
rules:
  - name: Water in a home
    when: {any_text: {words: [flood, flooded]}}
    then: {topic: storm.flood}
    examples: {match: [My cellar is flooded], no match: [A parade]}
tests:
  - name: A flood goes to the storm desk
    message: {body: We have a flood, topic: noise}
    expect: {departments: storm, urgency: high}
"""
DURING, BEFORE, AFTER = date(2026, 11, 24), date(2026, 11, 19), date(2026, 12, 6)
MAIN = HEAD + "rules:\n" + rule("{from: {in: council}}", "{department: press}", "Council")


@pytest.fixture
def main(tmp_path: Path) -> Path:
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "rules.d/storm.yaml").write_text(STORM)
    (tmp_path / "rules.yaml").write_text(MAIN)
    return tmp_path / "rules.yaml"


def spoilt(main: Path, old: str, new: str) -> str:
    assert old in STORM
    (main.parent / "rules.d/storm.yaml").write_text(STORM.replace(old, new, 1))
    with pytest.raises(WrongFile) as wrong:
        load_rules(main)
    return str(wrong.value)


@pytest.mark.parametrize(("day", "departments"), [(BEFORE, "streets"), (DURING, "storm"), (AFTER, "streets")])
def test_its_rules_act_from_the_first_day_to_the_last(main: Path, day: date, departments: str) -> None:
    came = decided(load_rules(main), message=letter(text="A flood in the cellar"), today=day)
    assert came.departments == (departments,)


def test_its_rules_have_the_last_word_and_their_reasons_name_its_file(main: Path) -> None:
    rules = load_rules(main)
    came = decided(rules, message=letter(text="A flood", sender="a@council.example.gov"), today=DURING)
    assert [reason.at for reason in came.reasons if reason.by == "rule"] == ["rules.yaml:18", "rules.d/storm.yaml:12"]


def test_it_passes_the_same_check(main: Path) -> None:
    assert [say(problem) for problem in check(load_rules(main), DURING)] == []


@pytest.mark.parametrize("day", [BEFORE, DURING, AFTER])
def test_its_tests_are_judged_by_one_of_its_days(main: Path, day: date) -> None:
    assert [trial.passed for trial in try_tests(load_rules(main), day, None)] == [True]


def test_a_red_test_of_it_keeps_it_out_of_use(main: Path) -> None:
    (main.parent / "rules.d/storm.yaml").write_text(STORM.replace("urgency: high}\n", "urgency: low}\n"))
    found = [problem for problem in check(load_rules(main), DURING) if not problem.warning]
    assert [(problem.file, problem.line) for problem in found] == [("rules.d/storm.yaml", 17)]


def test_tests_of_the_main_file_do_not_turn_red_when_a_surge_begins(main: Path) -> None:
    main.write_text(
        MAIN + "tests:\n  - name: T\n    message: {body: A flood, topic: noise}\n    expect: {departments: streets}\n"
    )
    for day in (BEFORE, DURING, AFTER):
        assert all(trial.passed for trial in try_tests(load_rules(main), day, None))


def test_one_that_is_over_is_told(main: Path) -> None:
    assert [say(problem) for problem in check(load_rules(main), AFTER)] == [
        'rules.d/storm.yaml:1:1: warning: surge "The storm of November" is over since 2026-12-05.\n  Allowed: a later date, or delete the file.'
    ]


SPOILT = {
    "no name": ("name: The storm of November\n", "", "1:1: name is missing.\n  Allowed: name: text on one line."),
    "no end": ("ends: 2026-12-05\n", "", "1:1: ends is missing.\n  Allowed: ends: "),
    "ends before it starts": (
        "2026-12-05",
        "2026-11-01",
        "4:7: the file ends on 2026-11-01, before it starts.\n  Allowed: a day from 2026-11-20 on.",
    ),
    "a topic of rules.yaml": (
        "  storm.flood: {",
        "  heat: {",
        'topic "heat" stands already in rules.yaml:8.\n  Allowed: another name; a surge only adds.',
    ),
    "a department of rules.yaml": (
        "  storm: {name",
        "  press: {name",
        'department "press" stands already in rules.yaml:5.\n  Allowed: another name; a surge only adds.',
    ),
    "a rule of rules.yaml": (
        "  - name: Water in a home",
        "  - name: Council",
        '12:5: rule "Council" stands already in rules.yaml:18.\n  Allowed: another name; a surge only adds.',
    ),
    "a topic of nobody": ("topic: storm.flood}", "topic: storm.floood}", "Did you mean storm.flood?"),
    "editors": ("version: 1", "version: 1\neditors: [a@example.gov]", '2:1: unknown key "editors".'),
    "a language": ("  en: Because", "  English: Because", '"English" cannot name a language'),
    "half a file": ("    then: {topic: storm.flood}", "    then: {topic:", "rules.d/storm.yaml:"),
}


@pytest.mark.parametrize("mistake", SPOILT)
def test_a_mistake_in_it_is_told_with_its_file_and_place(main: Path, mistake: str) -> None:
    old, new, said = SPOILT[mistake]
    told = spoilt(main, old, new)
    assert told.startswith("rules.d/storm.yaml:")
    assert said in told


def test_two_surges_with_the_same_topic_are_told(main: Path) -> None:
    (main.parent / "rules.d/wind.yaml").write_text(
        "version: 1\nname: W\nstarts: 2026-11-20\nends: 2026-11-30\ntopics:\n  storm.flood: {department: storm}\n"
    )
    with pytest.raises(WrongFile, match=r'rules.d/wind.yaml:6:3: topic "storm.flood" stands already in rules.d/storm.yaml:10'):
        load_rules(main)


def test_a_surge_may_use_the_departments_and_lists_of_the_main_file(main: Path) -> None:
    text = STORM.replace("when: {any_text", "when: {from: {in: council}, any_text").replace(
        "{department: storm, urg", "{departments: [housing, storm], urg"
    )
    (main.parent / "rules.d/storm.yaml").write_text(text.partition("    examples:")[0])
    assert load_rules(main).topics["storm.flood"].departments == ("housing", "storm")


def test_what_an_editor_leaves_beside_it_is_none(main: Path) -> None:
    for name in (".storm.yaml.swp", "storm.yaml~", ".#storm.yaml", "notes.txt"):
        (main.parent / "rules.d" / name).write_text("nonsense: [")
    assert [surge.file for surge in load_rules(main).surges] == ["rules.d/storm.yaml"]


def test_it_is_kept_and_watched_with_the_rules(main: Path) -> None:
    book = load_book(main)
    assert set(glance(main, book.names)) == {"rules.yaml", "rules.d/storm.yaml"}
    assert again(book.file, book.texts).rules == book.rules
    (main.parent / "rules.d/storm.yaml").unlink()
    without = load_book(main)
    assert without.version != book.version
    assert book.rules is not None
    assert without.rules is not None
    assert changes(without.rules, book.rules) == [
        "department “storm” added",
        "topic “storm.flood” added",
        "rule “Water in a home” added",
        "surge “The storm of November” added",
        "test “A flood goes to the storm desk” added",
    ]

"""docs/staff.md: every example in it is read and tried, every message is the one you get, nothing is left out."""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pytest

from triaged.files.octets import read_octets
from triaged.files.problem import WrongFile, say
from triaged.rules.applying import FLAG_FLOORS
from triaged.rules.check import check, try_examples
from triaged.rules.comparisons import FIELDS, TEXT
from triaged.rules.decide import SILENT_FLAGS
from triaged.rules.grammar import ACTION, DEPARTMENT
from triaged.rules.load import MOST_OCTETS, read
from triaged.rules.samples import EXPECTED, SAMPLE
from triaged.rules.schema import Rules
from triaged.rules.surge import FOLDER, KEYS

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs/staff.md").read_text(encoding="utf-8")
SHIPPED = (ROOT / "rules.yaml").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
TODAY = date(2026, 11, 24)


def section(heading: str) -> str:
    """Return the text below a heading."""
    return GUIDE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def added(example: str) -> str:
    """Return the shipped file with an example put where it belongs."""
    first = next(line for line in example.splitlines() if not line.lstrip().startswith("#"))
    if not first.startswith(" ") and not first.endswith(":"):  # a line of its own at the top, such as editors: […]
        return SHIPPED.replace("\ndepartments:\n", f"\n{example}\ndepartments:\n", 1)
    key = first.strip() if first.endswith(":") and not first.startswith(" ") else "rules:"
    lines = example.removeprefix(f"{key}\n") if key != "rules:" else example
    lines = "\n".join(line for line in lines.splitlines() if line != key)
    if key == "lists:":  # the guide's own, and the shipped one it repeats
        lines = lines.partition("  council:")[0]
    if key == "rules:":  # as the guide says: below the rule on newsletters
        return SHIPPED.replace("\n  # ---- danger", f"\n{lines}\n  # ---- danger", 1)
    return SHIPPED.replace(f"\n{key}\n", f"\n{key}\n{lines}\n", 1)


def loaded(text: str, surges: Mapping[str, str] = MappingProxyType({})) -> Rules:
    """Return rules with the shipped lists beside them."""

    def open_file(name: str) -> bytes:
        return surges[name].encode() if name in surges else read_octets(ROOT / "triaged/starter" / name, MOST_OCTETS)

    return read(text.encode(), "rules.yaml", open_file, surges)


@pytest.mark.parametrize("example", EXAMPLES, ids=[re.sub(r"\s+", " ", example)[:50] for example in EXAMPLES])
def test_every_example_of_the_guide_can_be_put_into_the_file_as_it_stands(example: str) -> None:
    if example.startswith(f"# {FOLDER}/"):
        rules = loaded(SHIPPED, {example.partition("\n")[0].removeprefix("# "): example})
        assert [say(problem) for problem in check(rules, TODAY)] == []
        return
    text = added(example)
    if "department: parks" in example:
        text = added(EXAMPLES[[("parks:\n" in each) for each in EXAMPLES].index(True)]).replace(
            "\ntopics:\n", f"\n{example}", 1
        )
    rules = loaded(text)
    assert [say(problem) for problem in check(rules, TODAY) if not problem.warning] == []
    assert all(trial.passed for trial in try_examples(rules, TODAY))
    assert len(text) > len(SHIPPED)


def test_the_guide_has_examples_of_each_part_of_the_file() -> None:
    assert len(EXAMPLES) > 12
    assert {"departments:", "topics:", "lists:", "tests:"} <= {line for example in EXAMPLES for line in example.splitlines()}


def keys_of_table(heading: str, first: str) -> Iterator[str]:
    """Yield the first column's keys of the table under a heading that begins so."""
    table = section(heading).partition(f"\n| {first} |")[2].partition("\n\n")[0]
    yield from re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_every_condition_comparison_and_action_stands_in_the_guide_and_no_other() -> None:
    assert sorted(keys_of_table("Conditions: when", "Line")) == sorted([*FIELDS, "header"])
    assert sorted(keys_of_table("Conditions: when", "Comparison")) == sorted([*TEXT, "above", "below"])
    assert list(keys_of_table("Actions: then", "Line")) == [key.name for key in ACTION.keys]


def test_what_a_value_alone_means_stands_in_the_guide() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `(\w+)` \|$", section("Conditions: when"), re.MULTILINE))
    assert rows == {key: syntax.bare for key, syntax in FIELDS.items() if syntax.bare}


def test_all_that_a_department_a_letter_and_an_outcome_may_have_is_named() -> None:
    named = set(re.findall(r"`(\w+)", GUIDE))
    for record in (DEPARTMENT, SAMPLE.shape, EXPECTED):
        assert {key.name for key in record.keys} <= named | {"name", "to"}
    storm = next(example for example in EXAMPLES if example.startswith(f"# {FOLDER}/"))
    assert {key.name for key in KEYS} - set(re.findall(r"^(\w+):", storm, re.MULTILINE)) == {"lists"}


def test_the_flags_that_outrank_rules_are_the_ones_of_the_guide() -> None:
    named = set(re.findall(r"`(\w+)`", section("What no rule can do").partition("**What is critical")[0])) - {"acknowledge"}
    assert named == set(FLAG_FLOORS) | SILENT_FLAGS


def test_the_mistakes_that_the_guide_shows_look_as_it_says() -> None:
    wrong = "  - {name: Heat, when: always, then: {\ntopic:\n  city.heat_hotwatr, urgency:\n  urgent}}\n"
    shown = section("When something is wrong").partition("```\n")[2].partition("```")[0]
    with pytest.raises(WrongFile) as found:
        loaded(SHIPPED.replace("\nrules:\n", f"\nrules:\n{wrong}", 1))
    assert _without_places(str(found.value)) == _without_places(shown.strip())


def _without_places(text: str) -> str:
    return re.sub(r":\d+:\d+:", ":", text)


def test_the_words_of_the_table_of_mistakes_are_ours() -> None:
    told = re.findall(r"^\| ([^|`]+?) \|", section("When something is wrong").partition("|---|---|")[2], re.MULTILINE)
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "triaged").glob("**/*.py"))
    source = source.replace("{0}", '"@"')
    assert len(told) == 9
    assert [words for words in told if words not in source] == []

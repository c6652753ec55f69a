"""The rules that ship: right, tested, and speaking of the topics and departments that the office knows."""

from datetime import date
from pathlib import Path

import pytest

from triaged.files.node import MapNode, Node, Scalar
from triaged.files.problem import say
from triaged.files.reading import Reading
from triaged.rules.check import check, try_examples, try_tests
from triaged.rules.load import load_rules
from triaged.rules.yaml_tree import parse

ROOT = Path(__file__).parents[3]
RULES = load_rules(ROOT / "rules.yaml")
TODAY = date(2026, 11, 24)
TAXONOMY = ROOT / "../shared/handoff/taxonomy.yaml"


def test_the_shipped_rules_have_neither_problem_nor_warning() -> None:
    assert [say(problem) for problem in check(RULES, TODAY)] == []


def test_every_shipped_rule_has_letters_that_it_applies_to() -> None:
    assert [rule.name for rule in RULES.rules[2:] if not any(example.matches for example in rule.examples)] == []


def test_every_example_and_test_that_ships_comes_out_as_it_must() -> None:
    trials = [*try_examples(RULES, TODAY), *try_tests(RULES, TODAY, None)]
    assert len(trials) > 90
    assert [trial.name for trial in trials if trial.passed is not True] == []


def test_the_file_at_the_top_is_the_one_that_init_copies() -> None:
    for name in ("rules.yaml", "rules.schema.json", "surge.schema.json"):
        assert (ROOT / name).resolve() == (ROOT / "triaged/starter" / name).resolve()


def test_the_file_tells_editors_where_its_schema_is() -> None:
    first = (ROOT / "rules.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=rules.schema.json"


def test_every_rule_has_a_comment_for_people_above_it() -> None:
    lines = (ROOT / "rules.yaml").read_text(encoding="utf-8").splitlines()
    assert [rule.name for rule in RULES.rules if not lines[rule.at.line - 2].startswith("  # ")] == []
    assert max(map(len, lines)) <= 128


@pytest.mark.shared
def test_topics_and_departments_are_those_of_the_taxonomy() -> None:
    if not TAXONOMY.exists():
        pytest.skip("the taxonomy kept beside the project is not there (../shared/handoff/taxonomy.yaml)")
    tree = parse(TAXONOMY.read_text(encoding="utf-8"), Reading("taxonomy.yaml"))
    assert isinstance(tree, MapNode)
    departments = tree.find("departments")
    assert isinstance(departments, MapNode)
    assert set(RULES.departments) == {key.text for key, _ in departments}
    topics = tree.find("topics")
    known = {
        _text(topic, "id"): (_text(topic, "department"), _text(topic, "urgency")) for topic in getattr(topics, "items", ())
    }
    assert len(known) == 38
    assert {topic.id: (topic.departments[0], topic.urgency.value) for topic in RULES.topics.values()} == known


def _text(node: Node, key: str) -> str:
    assert isinstance(node, MapNode)
    value = node.find(key)
    assert isinstance(value, Scalar)
    return value.text

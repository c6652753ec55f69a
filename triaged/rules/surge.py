"""Surge mode: a file in rules.d that adds topics, departments, rules and a word to writers for some weeks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Final

from triaged.files.block import Fields, Key, Record, Table
from triaged.files.node import MapNode, Node, Scalar
from triaged.files.problem import Place, shown
from triaged.files.reading import Reading, Spot
from triaged.files.shape import TEXT, Json
from triaged.files.texts import DAY, LINE
from triaged.rules.comparisons import CODE
from triaged.rules.grammar import DEPARTMENTS, LETTER_TESTS, LISTS, RULES, TOPICS, VERSION, definitions, only_once
from triaged.rules.schema import LetterTest, Rule, Rules, Surge

FOLDER: Final = "rules.d"

SURGE_NAME: Final = Key("name", LINE, "What is going on, as people call it", required=True)
STARTS: Final = Key("starts", DAY, "The first day on which its rules and its word to writers are in use", required=True)
ENDS: Final = Key("ends", DAY, "The last day", required=True)
NOTICE: Final = Key(
    "acknowledge",
    Table(TEXT, "language", defines=False, pattern=CODE, name_words="a language code such as en, es or zh-Hans"),
    "A paragraph for the first reply to letters that its rules or topics concern, by language",
)
KEYS: Final = (
    VERSION,
    SURGE_NAME,
    STARTS,
    ENDS,
    NOTICE,
    replace(DEPARTMENTS, required=False),
    replace(TOPICS, required=False),
    LISTS,
    RULES,
    LETTER_TESTS,
)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one file adds."""

    surge: Surge
    rules: Rules


def _part(fields: Fields, reading: Reading) -> _Part | None:
    first, last = fields.need(STARTS), fields.need(ENDS)
    if last < first:
        reading.wrong(fields.at(ENDS), fields.spot.says(f"ends on {last}, before it starts"), f"a day from {first} on")
        return None
    rules = tuple(_within(rule, first, last) for rule in fields.get(RULES, ()))
    tests = fields.get(LETTER_TESTS, ())
    only_once(rules, "rule", reading)
    only_once(tests, "test", reading)
    topics = fields.find(TOPICS) or {}
    notices = fields.find(NOTICE) or {}
    surge = Surge(fields.need(SURGE_NAME), reading.file, first, last, reading.place(fields.node), tuple(topics), notices)
    lists, departments = fields.find(LISTS) or {}, fields.find(DEPARTMENTS) or {}
    places = definitions(LISTS, fields, reading)
    return _Part(surge, Rules(reading.file, departments, topics, rules, lists, tests, list_places=places))


def _within(rule: Rule, first: date, last: date) -> Rule:
    return replace(rule, starts=first, expires=min(rule.expires or last, last))


FILE: Final = Record(KEYS, _part, words="version, name, starts, ends, then departments, topics, rules, …")


def is_surge(name: str) -> bool:
    """Tell whether a file's name, from the folder of rules.yaml on, is that of a surge's file."""
    path = PurePosixPath(name)
    return str(path.parent) == FOLDER and path.suffix == ".yaml" and not path.name.startswith(".")


def surge_names(folder: Path) -> list[str]:
    """Return the names of the surges' files in the folder of rules.yaml, in their order."""
    try:
        names = [f"{FOLDER}/{path.name}" for path in (folder / FOLDER).iterdir()]
    except OSError:  # there is none
        return []
    return sorted(filter(is_surge, names))


def with_surge(rules: Rules, tree: Node, reading: Reading) -> Rules | None:
    """Return the rules with those of a surge below them; None with problems noted.

    Args:
        rules: rules.yaml, with the surges read before.
        tree: The surge's file.
        reading: Knows what `rules` defines.
    """
    _new("department", {name: each.at for name, each in rules.departments.items()}, _keys(tree, "departments"), reading)
    _new("topic", {name: each.at for name, each in rules.topics.items()}, _keys(tree, "topics"), reading)
    _new("list", rules.list_places, _keys(tree, "lists"), reading)
    part = FILE.read(tree, Spot(), reading)
    if part is None:
        return None
    added = part.rules
    _new("rule", {each.name: each.at for each in rules.rules}, _named(added.rules), reading)
    _new("test", {each.name: each.at for each in rules.tests}, _named(added.tests), reading)
    if reading.problems:
        return None
    return replace(
        rules,
        departments={**rules.departments, **added.departments},
        topics={**rules.topics, **added.topics},
        rules=(*rules.rules, *added.rules),
        lists={**rules.lists, **added.lists},
        tests=(*rules.tests, *added.tests),
        list_places={**rules.list_places, **added.list_places},
        surges=(*rules.surges, part.surge),
    )


def _keys(tree: Node, key: str) -> list[tuple[str, Node]]:
    table = tree.find(key) if isinstance(tree, MapNode) else None
    return [(name.text, name) for name, _ in table] if isinstance(table, MapNode) else []


def _named(each: Iterable[Rule | LetterTest]) -> list[tuple[str, Node]]:
    return [(one.name, Scalar(None, "", one.at.line, one.at.column)) for one in each]


def _new(what: str, known: Mapping[str, Place], names: Iterable[tuple[str, Node]], reading: Reading) -> None:
    for name, at in names:
        if name in known:
            reading.wrong(at, f"{what} {shown(name)} stands already in {known[name]}", "another name; a surge only adds")


def surge_schema(definitions: object) -> Json:
    """Return the JSON Schema of a surge's file, with the definitions that rules.yaml's has."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "triaged: a surge in rules.d",
        **FILE.schema(),
        "$defs": definitions,
    }

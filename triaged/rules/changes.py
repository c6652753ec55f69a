"""What changed between two states of rules.yaml, in words for the people who wrote it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import unified_diff
from typing import Any, Final

from triaged.files.problem import Place
from triaged.rules.load import Texts
from triaged.rules.schema import Rule, Rules, Surge

_NOWHERE: Final = Place("", 0)


def changes(old: Rules, new: Rules) -> list[str]:
    """Return what was added, removed and changed, a line each; where things stand in the file does not count."""
    return [
        *_named("department", _placeless(old.departments), _placeless(new.departments)),
        *_named("topic", _placeless(old.topics), _placeless(new.topics)),
        *_lists(old.lists, new.lists),
        *_named("rule", _rules(old), _rules(new)),
        *_order(old, new),
        *_named("surge", _surges(old), _surges(new)),
        *_named("test", _tests(old), _tests(new)),
        *([f"editors: {', '.join(new.editors) or 'none'}"] if old.editors != new.editors else []),
    ]


def _placeless(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: replace(each, at=_NOWHERE) for name, each in table.items()}


def _rules(rules: Rules) -> dict[str, Rule]:
    return {
        rule.name: replace(rule, at=_NOWHERE, examples=tuple(replace(each, at=_NOWHERE) for each in rule.examples))
        for rule in rules.rules
    }


def _surges(rules: Rules) -> dict[str, Surge]:
    return {surge.name: replace(surge, at=_NOWHERE) for surge in rules.surges}


def _tests(rules: Rules) -> dict[str, Any]:
    return {test.name: replace(test, at=_NOWHERE) for test in rules.tests}


def _named(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in old:
        if name not in new:
            yield f"{what} “{name}” removed"
        elif old[name] != new[name]:
            yield f"{what} “{name}” changed"
    for name in new:
        if name not in old:
            yield f"{what} “{name}” added"


def _lists(old: Mapping[str, frozenset[str]], new: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            yield f"list “{name}” {'added' if before is None else 'removed'}"
        elif before != after:
            yield f"list “{name}”: {len(after - before)} added, {len(before - after)} removed"


def _order(old: Rules, new: Rules) -> Iterator[str]:
    before = [rule.name for rule in old.rules if rule.name in {each.name for each in new.rules}]
    after = [rule.name for rule in new.rules if rule.name in {each.name for each in old.rules}]
    if before != after:
        yield "the order of the rules changed"


def line_diff(old: Texts, new: Texts) -> str:
    """Return the changed lines of all files, as `diff -u` shows them."""
    lines: list[str] = []
    for name in sorted({*old, *new}):
        before, after = (_lines(texts.get(name, b"")) for texts in (old, new))
        lines += unified_diff(before, after, name if name in old else "(new)", name if name in new else "(gone)", "", "", 2, "")
    return "\n".join(lines)


def _lines(octets: bytes) -> list[str]:
    return octets.decode("utf-8", "replace").splitlines()

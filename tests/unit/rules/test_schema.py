"""The JSON Schema for editors says what the reader says: both come from one definition."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.rules.test_load import FULL
from tests.unit.rules.test_mistakes import GOOD, MISTAKES
from triaged.files.node import ListNode, MapNode, Node, Scalar
from triaged.files.reading import Reading
from triaged.rules.grammar import json_schema
from triaged.rules.surge import surge_schema
from triaged.rules.yaml_tree import parse

ROOT = Path(__file__).parents[3]
SCHEMA: dict[str, Any] = json.loads(json.dumps(json_schema()))
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "array": list,
    "integer": int,
    "number": (int, float),
}
# What no schema can say: that a name is defined elsewhere, that a pattern or date is right, how two keys go together.
BEYOND_A_SCHEMA = {
    "rule twice",
    "misspelt topic",
    "misspelt department",
    "misspelt department of topic",
    "misspelt list",
    "missing department",
    "department and departments",
    "empty then",
    "bad date",
    "address without dot",
    "address with non-ASCII",
    "look-ahead",
    "back reference",
    "broken pattern",
    "huge pattern",
    "word without letters",
    "confidence as percent above 1",
    "list file outside",
    "list file not given",
    "test unknown topic",
    "test expects nothing",
    "line break in name",
}


def plain(node: Node) -> Any:
    """Return what an editor sees."""
    match node:
        case MapNode():
            return {key.text: plain(value) for key, value in node}
        case ListNode():
            return [plain(item) for item in node.items]
        case Scalar():
            return node.value


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Judge by the part of JSON Schema that ours uses; fail on any other keyword."""
    checks = {
        "$ref": lambda ref: fits(value, SCHEMA["$defs"][ref.rpartition("/")[2]]),
        "type": lambda kinds: any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)),
        "enum": lambda names: value in names,
        "const": lambda only: value == only and type(value) is type(only),
        "anyOf": lambda options: any(fits(value, option) for option in options),
        "pattern": lambda pattern: not isinstance(value, str) or re.search(pattern, value) is not None,
        "minLength": lambda least: not isinstance(value, str) or len(value) >= least,
        "minimum": lambda least: not _is(value, "number") or value >= least,
        "maximum": lambda most: not _is(value, "number") or value <= most,
        "items": lambda item: not isinstance(value, list) or all(fits(each, item) for each in value),
        "minItems": lambda least: not isinstance(value, list) or len(value) >= least,
        "minProperties": lambda least: not isinstance(value, dict) or len(value) >= least,
        "required": lambda keys: not isinstance(value, dict) or all(key in value for key in keys),
        "properties": lambda keys: (
            not isinstance(value, dict) or all(fits(value[key], keys[key]) for key in keys if key in value)
        ),
        "additionalProperties": lambda rest: _rest_fits(value, schema, rest),
        "propertyNames": lambda names: not isinstance(value, dict) or all(fits(key, names) for key in value),
    }
    silent = ("description", "title", "$schema", "$defs")
    return all(checks[keyword](rule) for keyword, rule in schema.items() if keyword not in silent)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _rest_fits(value: Any, schema: dict[str, Any], rest: Any) -> bool:
    if not isinstance(value, dict):
        return True
    others = [key for key in value if key not in schema.get("properties", {})]
    return not others if rest is False else all(fits(value[key], rest) for key in others)


def judged(text: str) -> bool | None:
    """Return whether an editor would find the text right; None if it is no YAML."""
    reading = Reading("rules.yaml")
    tree = parse(text, reading)
    return None if tree is None or reading.problems else fits(plain(tree), SCHEMA)


@pytest.mark.parametrize(
    "text", [GOOD, FULL, (ROOT / "rules.yaml").read_text(encoding="utf-8")], ids=["good", "full", "shipped"]
)
def test_an_editor_finds_right_what_the_reader_takes(text: str) -> None:
    assert judged(text) is True


@pytest.mark.parametrize("mistake", sorted(set(MISTAKES) - BEYOND_A_SCHEMA))
def test_an_editor_finds_the_readers_mistakes_as_far_as_a_schema_can(mistake: str) -> None:
    text, _ = MISTAKES[mistake]
    if isinstance(text, bytes) or judged(text) is None:
        return  # an editor shows that it is no text, or no YAML
    assert judged(text) is False


@pytest.mark.parametrize("mistake", sorted(BEYOND_A_SCHEMA))
def test_the_list_of_what_a_schema_cannot_say_is_as_short_as_can_be(mistake: str) -> None:
    text, _ = MISTAKES[mistake]
    assert judged(str(text)) is True


def test_the_schema_that_ships_is_the_one_that_the_definition_gives() -> None:
    """Anew with: triaged rules schema > triaged/starter/rules.schema.json."""
    shipped = (ROOT / "triaged/starter/rules.schema.json").read_text(encoding="utf-8")
    assert shipped == json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"


def test_every_key_tells_what_it_is_for() -> None:
    def missing(schema: Any, path: str) -> list[str]:
        if isinstance(schema, list):
            return [name for item in schema for name in missing(item, path)]
        if not isinstance(schema, dict):
            return []
        keys = schema.get("properties", {}) if "required" in schema else {}
        lacks = [f"{path}.{key}" for key, each in keys.items() if not each.get("description")]
        return lacks + [name for key, each in schema.items() for name in missing(each, f"{path}.{key}")]

    assert missing(SCHEMA, "") == []


def test_the_schema_of_surges_that_ships_is_the_one_that_the_definition_gives() -> None:
    """Anew with: triaged rules schema --surge > triaged/starter/surge.schema.json."""
    shipped = (ROOT / "triaged/starter/surge.schema.json").read_text(encoding="utf-8")
    assert shipped == json.dumps(surge_schema(SCHEMA["$defs"]), ensure_ascii=False, indent=2) + "\n"

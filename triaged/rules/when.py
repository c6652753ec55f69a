"""How conditions are written under `when:`: a block, a field a line, combined with all, any and not."""

from dataclasses import dataclass
from typing import Final

from triaged.files.node import ListNode, MapNode, Node, Scalar, seen
from triaged.files.problem import nearest, shown
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Json, Parsed
from triaged.rules.combined import All, Always, AnyOf, Not, together
from triaged.rules.comparisons import FIELDS, HEADER
from triaged.rules.conditions import Condition, IsThere
from triaged.rules.facts import Field

_KEYS: Final = (*FIELDS, "header", "all", "any", "not")
_LIST: Final = "a list: each condition after a dash"


def _header_name(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or ":" in text:  # RFC 5322 §2.2
        raise ValueError
    return text


HEADER_NAME: Final = Parsed(_header_name, "the name of a header such as List-Id", r"^[!-9;-~]+$")


@dataclass(frozen=True, slots=True)
class When:
    """A condition: `always`, or a block whose lines must all hold."""

    words: str = "always, or conditions: a block with from, subject, any_text, topic, all, any, not, …"

    def read(self, node: Node, spot: Spot, reading: Reading) -> Condition | None:
        """Return the condition."""
        if isinstance(node, Scalar) and node.text == "always":
            return Always(reading.place(node))
        if isinstance(node, ListNode):
            reading.wrong(node, spot.says("is a list"), "all: or any: above the list")
            return None
        if isinstance(node, Scalar) or not node.entries:
            reading.wrong(node, spot.says(f"is {seen(node) if isinstance(node, Scalar) else 'empty'}"), self.words)
            return None
        return together([self._part(key, value, spot, reading) for key, value in node], reading.place(node))

    def _part(self, key: Scalar, node: Node, spot: Spot, reading: Reading) -> Condition | None:
        at = Spot(spot.trail, key.text)
        if key.text in ("all", "any"):
            return self._several(key, node, at, reading)
        if key.text == "not":
            condition = self.read(node, at, reading)
            return Not(condition, reading.place(key)) if condition else None
        if key.text == "header":
            return _header(node, at, reading)
        if key.text in FIELDS:
            return FIELDS[key.text].read(Field(key.text), node, at, reading)
        reading.wrong(key, spot.about(f"unknown condition {shown(key.text)}"), ", ".join(_KEYS), nearest(key.text, _KEYS))
        return None

    def _several(self, key: Scalar, node: Node, spot: Spot, reading: Reading) -> Condition | None:
        if not isinstance(node, ListNode) or not node.items:
            reading.wrong(node, spot.says(f"is {'an empty list' if isinstance(node, ListNode) else seen(node)}"), _LIST)
            return None
        parts = enumerate(node.items, 1)
        conditions = [self.read(item, Spot(spot.trail, f"{key.text}, part {part}"), reading) for part, item in parts]
        whole = tuple(condition for condition in conditions if condition)
        if len(whole) < len(conditions):
            return None
        return (All if key.text == "all" else AnyOf)(whole, reading.place(key))

    def schema(self) -> Json:
        """Return a reference: conditions stand inside conditions."""
        return {"$ref": "#/$defs/condition"}


def _header(node: Node, spot: Spot, reading: Reading) -> Condition | None:
    """Read `header: List-Id` (it is there) or `header: {X-Campaign: {contains: …}}`."""
    if not isinstance(node, MapNode):
        name = HEADER_NAME.read(node, spot, reading)
        return IsThere(Field("header", name), True, reading.place(node)) if name else None
    parts = []
    for key, value in node:
        name = HEADER_NAME.read(key, spot, reading)
        at = Spot(spot.trail, f"header {name}")
        parts.append(HEADER.read(Field("header", name), value, at, reading) if name else None)
    if not parts:
        reading.wrong(node, spot.says("is empty"), HEADER_NAME.words)
        return None
    return together(parts, reading.place(node))


def condition_schema() -> Json:
    """Return the JSON Schema of a condition."""
    here: Json = {"$ref": "#/$defs/condition"}
    several: Json = {"type": "array", "items": here, "minItems": 1}
    header: Json = {
        "anyOf": [HEADER_NAME.schema(), {"type": "object", "additionalProperties": HEADER.schema(), "minProperties": 1}]
    }
    properties = {key: syntax.schema() for key, syntax in FIELDS.items()}
    block: Json = {
        "type": "object",
        "properties": {**properties, "header": header, "all": several, "any": several, "not": here},
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [{"const": "always"}, block], "description": "All lines of a block must hold"}

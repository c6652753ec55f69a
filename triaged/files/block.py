"""Shapes made of shapes: lists, tables of names, blocks of known keys. See shape.py."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from triaged.files.node import ListNode, MapNode, Node, Scalar, seen
from triaged.files.problem import listed, nearest, shown
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Json, Shape

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Several(Generic[T]):
    """One value, or a list of such values."""

    item: Shape[T]

    @property
    def words(self) -> str:
        """What one is."""
        return f"{self.item.words}, or a list of such"

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[T, ...] | None:
        """Return the values."""
        if isinstance(node, ListNode) and not node.items:
            reading.wrong(node, spot.says("is an empty list"), self.words)
            return None
        nodes = node.items if isinstance(node, ListNode) else (node,)
        values = [self.item.read(each, spot, reading) for each in nodes]
        return None if None in values else tuple(cast(list[T], values))

    def schema(self) -> Json:
        """Return one or a list."""
        one = self.item.schema()
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """A list whose items a message calls by their `name` key, else by their number."""

    item: Shape[T]
    label: str
    said: str = ""

    @property
    def words(self) -> str:
        """What the items are."""
        return self.said or f"a list: each {self.label} after a dash"

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[T, ...] | None:
        """Return the items."""
        if not isinstance(node, ListNode):
            reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
            return None
        values = [self.item.read(each, self._spot(each, number), reading) for number, each in enumerate(node.items, 1)]
        return None if None in values else tuple(cast(list[T], values))

    def _spot(self, node: Node, number: int) -> Spot:
        name = node.find("name") if isinstance(node, MapNode) else None
        return Spot(f"{self.label} {shown(name.text) if isinstance(name, Scalar) and name.text else number}")

    def schema(self) -> Json:
        """Return an array's schema."""
        return {"type": "array", "items": self.item.schema()}


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """Names, each with what it stands for.

    Attributes:
        item: What it stands for.
        label: What a message calls it.
        defines: Whether `Name(label)` may refer to them from further below.
        pattern: What a name may look like.
        name_words: The same in words.
    """

    item: Shape[T]
    label: str
    defines: bool = True
    pattern: str = r"[a-z0-9][a-z0-9_.-]{0,79}"
    name_words: str = "small letters a to z, digits and . _ -, at most 80"

    @property
    def words(self) -> str:
        """What the entries are."""
        return f"{self.label} names, each with its {self.item.words}"

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, T] | None:
        """Return the entries; names are known even where their entry is wrong, so that one mistake is told once."""
        if not isinstance(node, MapNode):
            reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
            return None
        table: dict[str, object] = {}
        known = reading.known.setdefault(self.label, {}) if self.defines else {}
        whole = True
        for name, each in node:
            if not re.fullmatch(self.pattern, name.text):
                small = re.sub(r"\s+", "-", name.text.strip().lower())
                meant = small if re.fullmatch(self.pattern, small) else ""
                reading.wrong(name, spot.about(f"{shown(name.text)} cannot name a {self.label}"), self.name_words, meant)
                whole = False
                continue
            value = self.item.read(each, Spot(f"{self.label} {shown(name.text)}", name=name.text), reading)
            known[name.text] = table[name.text] = value
            whole = whole and value is not None
        return cast(dict[str, T], table) if whole else None

    def schema(self) -> Json:
        """Return an object's schema with free names."""
        names: Json = {"pattern": f"^{self.pattern}$"}
        return {"type": "object", "propertyNames": names, "additionalProperties": self.item.schema()}


@dataclass(frozen=True, slots=True)
class Defined(Generic[T]):
    """A shape that the JSON Schema holds once, under `$defs`, and refers to where it stands."""

    name: str
    shape: Shape[T]

    @property
    def words(self) -> str:
        """What the shape says."""
        return self.shape.words

    def read(self, node: Node, spot: Spot, reading: Reading) -> T | None:
        """Return what the shape reads."""
        return self.shape.read(node, spot, reading)

    def schema(self) -> Json:
        """Return a reference."""
        return {"$ref": f"#/$defs/{self.name}"}


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One key of a record."""

    name: str
    shape: Shape[T]
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Fields:
    """What a record's keys hold, all of it right."""

    node: MapNode
    spot: Spot
    values: Mapping[str, object] = field(default_factory=dict)

    def need(self, key: Key[T]) -> T:
        """Return a required key's value."""
        return cast(T, self.values[key.name])

    def get(self, key: Key[T], default: T) -> T:
        """Return a key's value, or the default where it is not given."""
        return cast(T, self.values.get(key.name, default))

    def find(self, key: Key[T]) -> T | None:
        """Return a key's value, None where it is not given."""
        return cast("T | None", self.values.get(key.name))

    def at(self, key: Key[T]) -> Node:
        """Return where a key's value stands, else where the record begins."""
        return self.node.find(key.name) or self.node


@dataclass(frozen=True, slots=True)
class Record(Generic[T]):
    """A block of known keys. Keys are read in the order given here, so that names are defined before they are used.

    Attributes:
        keys: What may stand in it.
        build: Makes the value once all keys are right; returns None with a problem noted if they don't fit each other.
        words: What it is, for a message.
        about: What it is for, for editors.
        label: What a message calls it, where the keys above it say too little.
    """

    keys: tuple[Key[Any], ...]
    build: Callable[[Fields, Reading], T | None]
    words: str = "a block of keys and values"
    about: str = ""
    label: str = ""

    def read(self, node: Node, spot: Spot, reading: Reading) -> T | None:
        """Return what `build` makes of the keys."""
        if not isinstance(node, MapNode):
            reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
            return None
        spot = Spot(self.label) if self.label else spot
        before = len(reading.problems)
        known = {key.name: key for key in self.keys}
        for name, _ in node:
            if name.text not in known:
                found = spot.about(f"unknown key {shown(name.text)}")
                reading.wrong(name, found, listed(known), nearest(name.text, known))
        values = {}
        for key in self.keys:
            each = node.find(key.name)
            if each is not None:
                values[key.name] = key.shape.read(each, Spot(spot.trail, key.name), reading)
            elif key.required:
                reading.wrong(node, spot.about(f"{key.name} is missing"), f"{key.name}: {key.shape.words}")
        return self.build(Fields(node, spot, values), reading) if len(reading.problems) == before else None

    def schema(self) -> Json:
        """Return an object's schema."""
        properties = {key.name: {**key.shape.schema(), "description": key.about} for key in self.keys}
        required = [key.name for key in self.keys if key.required]
        about: Json = {"description": self.about} if self.about else {}
        return {**about, "type": "object", "properties": properties, "required": required, "additionalProperties": False}

"""The tree of a configuration file with its positions: rules/yaml_tree.py and settings/toml_tree.py make it; see shape.py."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

from triaged.files.problem import shown

Plain = str | bool | int | float | date | time | datetime | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value.

    Attributes:
        value: What it is in its file's own language (YAML 1.2 core schema, TOML 1.0).
        text: How it was written, quotes and escapes undone.
        line: From 1.
        column: From 1.
    """

    value: Plain
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ListNode:
    """Values in order."""

    items: "tuple[Node, ...]"
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class MapNode:
    """Keys with values, in the file's order; no key stands twice."""

    entries: "tuple[tuple[Scalar, Node], ...]"
    line: int
    column: int

    def find(self, key: str) -> "Node | None":
        """Return what stands under a key."""
        return next((value for name, value in self.entries if name.text == key), None)

    def __iter__(self) -> "Iterator[tuple[Scalar, Node]]":
        """Iterate over the keys and their values."""
        return iter(self.entries)


Node = Scalar | ListNode | MapNode


def seen(node: Node) -> str:
    """Return what a node is, as a message says it after "is"."""
    match node:
        case Scalar(value=None):
            return "empty"
        case Scalar(value=str()):
            return shown(node.text)
        case Scalar():
            return node.text
        case ListNode():
            return "a list"
        case MapNode():
            return "a block of keys and values"

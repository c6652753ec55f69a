"""What a configuration file may hold, said once: a shape reads a node, reports what is wrong, and gives its JSON Schema.

A shape's `read` returns None when it has reported a problem, so that one run finds all problems of a file.
rules/schema.py describes rules.yaml with it, settings/file.py triaged.toml.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar, cast

from triaged.files.node import Node, Scalar, seen
from triaged.files.problem import listed, nearest, shown
from triaged.files.reading import Reading, Spot

Json = dict[str, object]
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_YES_NO: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}


class Shape(Protocol[T_co]):
    """What one place of a file may hold."""

    @property
    def words(self) -> str:
        """What is allowed, for a message."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> T_co | None:
        """Return what the node says, or None with a problem noted."""

    def schema(self) -> Json:
        """Return the JSON Schema (2020-12)."""


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """A text that a function reads; its ValueError says what is wrong, its words follow the text in the message.

    Attributes:
        parse: Raises ValueError; the message may be empty.
        words: What is allowed.
        pattern: The same for editors, as far as a regular expression can say it.
        numbers: Whether `911` without quotes is the text 911.
    """

    parse: Callable[[str], T]
    words: str
    pattern: str = ""
    numbers: bool = False

    def read(self, node: Node, spot: Spot, reading: Reading) -> T | None:
        """Return what the function makes of the text."""
        number = self.numbers and isinstance(node, Scalar) and type(node.value) in (int, float)
        if not isinstance(node, Scalar) or not (isinstance(node.value, str) or number):
            reading.wrong(node, spot.says(f"is {seen(node)}"), self.words + self._in_quotes(node))
            return None
        if not node.text.strip():
            reading.wrong(node, spot.says("is empty"), self.words)
            return None
        try:
            return self.parse(node.text)
        except ValueError as error:
            reading.wrong(node, spot.says(f"is {seen(node)}{f': {error}' if str(error) else ''}"), self.words)
            return None

    def _in_quotes(self, node: Node) -> str:
        """Return a hint where quotes are all that is missing."""
        if not isinstance(node, Scalar) or node.value is None:
            return ""
        try:
            self.parse(node.text)
        except ValueError:
            return ""
        return f"; {shown(node.text)} in quotes is text"

    def schema(self) -> Json:
        """Return a string's schema."""
        kind: Json = {"type": ["string", "number"] if self.numbers else "string"}
        return {**kind, "pattern": self.pattern} if self.pattern else {**kind, "minLength": 1}


TEXT: Final = Parsed(str, "text")


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One of some names."""

    names: Mapping[str, T]
    said: str = ""  # the names in words, where they are many

    @property
    def words(self) -> str:
        """The names."""
        return self.said or listed(self.names)

    def read(self, node: Node, spot: Spot, reading: Reading) -> T | None:
        """Return what the name stands for."""
        if isinstance(node, Scalar) and node.text in self.names:
            return self.names[node.text]
        meant = nearest(node.text, self.names) if isinstance(node, Scalar) else ""
        reading.wrong(node, spot.says(f"is {seen(node)}"), self.words, meant)
        return None

    def schema(self) -> Json:
        """Return an enumeration."""
        return {"enum": list(self.names)}


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    only: bool | None = None  # the one value that makes sense
    words: str = "true, false"

    def read(self, node: Node, spot: Spot, reading: Reading) -> bool | None:
        """Return the truth value; yes and no are texts in YAML 1.2."""
        if isinstance(node, Scalar) and isinstance(node.value, bool) and self.only in (None, node.value):
            return node.value
        meant = _YES_NO.get(node.text.lower(), "") if isinstance(node, Scalar) else ""
        reading.wrong(node, spot.says(f"is {seen(node)}"), self.words, meant)
        return None

    def schema(self) -> Json:
        """Return a boolean's schema."""
        return {"type": "boolean"} if self.only is None else {"const": self.only}


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds."""

    low: float
    high: float
    whole: bool = False

    @property
    def words(self) -> str:
        """The bounds."""
        kind = "whole number" if self.whole else "number"
        return f"{self.low:g}" if self.low == self.high else f"a {kind} from {self.low:g} to {self.high:g}"

    def read(self, node: Node, spot: Spot, reading: Reading) -> float | None:
        """Return the number."""
        value = node.value if isinstance(node, Scalar) else None
        fits = isinstance(value, int) or (isinstance(value, float) and not self.whole)
        if fits and not isinstance(value, bool) and self.low <= cast(float, value) <= self.high:
            return cast(float, value)
        reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
        return None

    def schema(self) -> Json:
        """Return a number's schema."""
        return {"type": "integer" if self.whole else "number", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Name:
    """The name of something that the same file defines."""

    kind: str  # topic, department, list

    @property
    def words(self) -> str:
        """What it names."""
        return f"a {self.kind} of this file"

    def read(self, node: Node, spot: Spot, reading: Reading) -> str | None:
        """Return the name, if it is known."""
        text = TEXT.read(node, spot, reading)
        known = reading.known.get(self.kind, {})
        if text is None or text in known:
            return text
        reading.wrong(node, spot.about(f"unknown {self.kind} {shown(text)}"), listed(known), nearest(text, known))
        return None

    def schema(self) -> Json:
        """Return a string's schema."""
        return {"type": "string", "minLength": 1, "description": f"A {self.kind} of this file"}

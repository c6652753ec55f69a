"""How one comparison is written in rules.yaml (`words: [eviction, marshal]`), and the condition it makes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from triaged.files.block import Several
from triaged.files.node import MapNode, Node, Scalar, seen
from triaged.files.problem import nearest, shown
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Choice, Json, Name, Parsed, Shape, Switch
from triaged.files.texts import DAY, DOMAIN, ENTRY, one_line
from triaged.message import Urgency
from triaged.rules.combined import together
from triaged.rules.conditions import Beyond, Condition, Contains, InList, Is, IsThere, Matches, Value, Words
from triaged.rules.facts import Field
from triaged.rules.words import fold, spell

_MOST_PATTERN_OCTETS: Final = 8 << 20  # RE2's memory for one pattern

Make = Callable[[Field, Any, Node, Reading], Condition]


def _matching(pattern: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return parse


def _value(form: Callable[[str], str], lacks: str) -> Callable[[str], Value]:
    def parse(text: str) -> Value:
        line = one_line(text)
        if not form(line).strip():
            raise ValueError(lacks)
        return Value(line, form(line))

    return parse


def share(text: str) -> float:
    """Read "0.8" or "80%".

    Raises:
        ValueError: It is neither, or not from 0 to 1.
    """
    number = float(text.rstrip("% ")) / (100 if text.endswith("%") else 1)
    if not 0 <= number <= 1:
        raise ValueError(f"perhaps {text}%" if 1 < number <= 100 else "")
    return number


def pattern(text: str) -> tuple[str, Any]:
    """Compile an RE2 pattern, any case; return it with its text.

    Raises:
        ValueError: RE2 does not take it; says why.
    """
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MOST_PATTERN_OCTETS
    try:
        return text, re2.compile(text, options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    if re.search(r"perl operator|escape sequence: \\[1-9k]", why):
        why += "; look-aheads and back-references don't exist here: with them one letter could keep us busy for hours"
    raise ValueError(why)


_ID: Final = r"[a-z0-9][a-z0-9_.-]{0,79}"
CODE: Final = r"[a-z]{2,3}(-[A-Za-z]{2,8}){0,3}"
LANGUAGE: Final = Parsed(_matching(CODE), "a language code such as en, es or zh-Hans", f"^{CODE}$")
FLAG: Final = Parsed(_matching(_ID), "a flag: small letters, digits and . _ -", f"^{_ID}$")
SHARE: Final = Parsed(share, "a number from 0 to 1, or 0% to 100%", r"^\d+(\.\d+)? ?%?$", numbers=True)
URGENCY: Final = Choice({urgency.value: urgency for urgency in reversed(Urgency)})
_PHRASE: Final = Parsed(_value(fold, "nothing is left of it"), "text", numbers=True)
_WORD: Final = Parsed(_value(spell, "it has neither letter nor digit"), "a word, or words that follow each other", numbers=True)
_PATTERN: Final = Parsed(pattern, "an RE2 pattern, as in github.com/google/re2/wiki/Syntax")


@dataclass(frozen=True, slots=True)
class Entries:
    """Addresses, "@domain" entries and names of lists."""

    words: str = 'the name of a list of this file, an e-mail address, or "@example.gov" for a whole domain'

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[str, frozenset[str]] | None:
        """Return what it is called, and its entries."""
        if isinstance(node, Scalar) and "@" in node.text:
            one = ENTRY.read(node, spot, reading)
            return None if one is None else ("", frozenset({one}))
        name = Name("list").read(node, spot, reading)
        if name is None:
            return None
        entries = reading.known["list"][name]
        return name, entries if isinstance(entries, frozenset) else frozenset()

    def schema(self) -> Json:
        """Return a string's schema."""
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A way to compare: the shape of what stands behind its name, and the condition that this makes."""

    shape: Shape[Any]
    make: Make

    def read(self, about: Field, node: Node, spot: Spot, reading: Reading) -> Condition | None:
        """Return the condition."""
        value = self.shape.read(node, spot, reading)
        return None if value is None else self.make(about, value, node, reading)


def _is(shape: Shape[Any]) -> Comparison:
    def make(about: Field, values: tuple[str, ...], node: Node, reading: Reading) -> Condition:
        return Is(about, tuple(Value(value, fold(value)) for value in values), reading.place(node))

    return Comparison(Several(shape), make)


def _is_phrase(about: Field, values: tuple[Value, ...], node: Node, reading: Reading) -> Condition:
    return Is(about, values, reading.place(node))


def _contains(about: Field, values: tuple[Value, ...], node: Node, reading: Reading) -> Condition:
    return Contains(about, values, reading.place(node))


def _words(about: Field, values: tuple[Value, ...], node: Node, reading: Reading) -> Condition:
    return Words(about, values, reading.place(node))


def _matches(about: Field, value: tuple[str, Any], node: Node, reading: Reading) -> Condition:
    return Matches(about, *value, reading.place(node))


def _in_list(about: Field, values: tuple[tuple[str, frozenset[str]], ...], node: Node, reading: Reading) -> Condition:
    called = ", ".join(name for name, _ in values if name)
    return InList(about, frozenset().union(*(entries for _, entries in values)), called, reading.place(node))


def _addresses(about: Field, values: tuple[str, ...], node: Node, reading: Reading) -> Condition:
    return InList(about, frozenset(values), "", reading.place(node))


def _domains(about: Field, values: tuple[str, ...], node: Node, reading: Reading) -> Condition:
    return InList(about, frozenset(f"@{value}" for value in values), "", reading.place(node))


def _beyond(shape: Shape[Any], measure: Callable[[Any], float], *, above: bool) -> Comparison:
    def make(about: Field, value: object, node: Node, reading: Reading) -> Condition:
        written = node.text if isinstance(node, Scalar) else ""
        return Beyond(about, above, measure(value), written, reading.place(node))

    return Comparison(shape, make)


def _bounds(shape: Shape[Any], measure: Callable[[Any], float]) -> dict[str, Comparison]:
    return {"above": _beyond(shape, measure, above=True), "below": _beyond(shape, measure, above=False)}


def _ids(shape: Shape[Any]) -> dict[str, Comparison]:
    return {"is": _is(shape), "in": _is(shape), **_IN_TEXT}


_IN_TEXT: Final = {
    "contains": Comparison(Several(_PHRASE), _contains),
    "words": Comparison(Several(_WORD), _words),
    "matches": Comparison(_PATTERN, _matches),
}
_EQUAL_TEXT: Final = Comparison(Several(_PHRASE), _is_phrase)
TEXT: Final = {"is": _EQUAL_TEXT, "in": _EQUAL_TEXT, **_IN_TEXT}
PEOPLE: Final = {"is": Comparison(Several(ENTRY), _addresses), "in": Comparison(Several(Entries()), _in_list), **_IN_TEXT}
SENDER: Final = {
    "address": PEOPLE["is"],
    "domain": Comparison(Several(DOMAIN), _domains),
    "in": PEOPLE["in"],
}


@dataclass(frozen=True, slots=True)
class Syntax:
    """What may stand behind a field.

    Attributes:
        comparisons: By name.
        bare: The comparison that a value without one means; empty: there is none.
        switch: Whether true (it is there) and false may stand there.
    """

    comparisons: Mapping[str, Comparison]
    bare: str = ""
    switch: bool = False

    @property
    def words(self) -> str:
        """What is allowed, for a message."""
        switch = ["true", "false"] if self.switch else []
        bare = [f"{self.comparisons[self.bare].shape.words} ({self.bare})"] if self.bare else []
        block = [f"a block with {', '.join(self.comparisons)}"] if self.comparisons else []
        return "; ".join([*switch, *bare, *block])

    def read(self, about: Field, node: Node, spot: Spot, reading: Reading) -> Condition | None:
        """Return the condition."""
        if not self.comparisons:
            there = Switch().read(node, spot, reading)
            return None if there is None else IsThere(about, there, reading.place(node))
        if isinstance(node, MapNode) and node.entries:
            return self._block(about, node, spot, reading)
        if self.switch and isinstance(node, Scalar) and isinstance(node.value, bool):
            return IsThere(about, node.value, reading.place(node))
        if self.bare and not isinstance(node, MapNode) and not (isinstance(node, Scalar) and node.value is None):
            return self.comparisons[self.bare].read(about, node, spot, reading)
        reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
        return None

    def _block(self, about: Field, node: MapNode, spot: Spot, reading: Reading) -> Condition | None:
        parts: list[Condition | None] = []
        for key, value in node:
            comparison = self.comparisons.get(key.text)
            if comparison is None:
                found = spot.about(f"{spot.key} cannot be compared with {shown(key.text)}")
                reading.wrong(key, found, ", ".join(self.comparisons), nearest(key.text, self.comparisons))
                parts.append(None)
            else:
                parts.append(comparison.read(about, value, Spot(spot.trail, f"{spot.key}: {key.text}"), reading))
        return together(parts, reading.place(node))

    def schema(self) -> Json:
        """Return the JSON Schema."""
        options: list[Json] = []
        if self.switch:
            options.append({"type": "boolean"})
        if self.bare:
            options.append(self.comparisons[self.bare].shape.schema())
        if self.comparisons:
            properties = {name: comparison.shape.schema() for name, comparison in self.comparisons.items()}
            options.append({"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1})
        return options[0] if len(options) == 1 else {"anyOf": options}


_PERSON: Final = Syntax(PEOPLE, "is")
_TEXT: Final = Syntax(TEXT, "contains")
_URGENCIES: Final = {"is": _is(URGENCY), "in": _is(URGENCY), **_bounds(URGENCY, lambda urgency: urgency.rank)}
HEADER: Final = Syntax(TEXT, "contains", switch=True)
FIELDS: Final[Mapping[str, Syntax]] = {
    "from": _PERSON,
    "to": _PERSON,
    "cc": _PERSON,
    "sender": Syntax(SENDER, "address"),
    "subject": _TEXT,
    "body": _TEXT,
    "any_text": _TEXT,
    "mailbox": Syntax(TEXT, "is"),
    "language": Syntax(_ids(LANGUAGE), "is"),
    "topic": Syntax(_ids(Name("topic")), "is"),
    "confidence": Syntax(_bounds(SHARE, float)),
    "urgency": Syntax(_URGENCIES, "is"),
    "flag": Syntax(_ids(FLAG), "is"),
    "attachment": Syntax(TEXT, "contains", switch=True),
    "campaign": Syntax(TEXT, "is", switch=True),
    "received": Syntax(_bounds(DAY, lambda day: day.toordinal())),
    "is_reply": Syntax({}, switch=True),
}

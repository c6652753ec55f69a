"""YAML 1.2 → a tree with positions. Bounded in depth, size and aliases; tags, merge keys and second documents are refused.

It reads the parser's events and not ruamel.yaml's values: those lose the place of a value, and a tag may build objects.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, DocumentStartEvent, ScalarEvent, SequenceStartEvent, StreamEndEvent

from triaged.files.node import ListNode, MapNode, Node, Plain, Scalar
from triaged.files.problem import shown
from triaged.files.reading import Reading

MOST_DEPTH: Final = 30
MOST_NODES: Final = 200_000  # aliases counted as often as they are used
MOST_ALIASES: Final = 1_000

# YAML 1.2.2 §10.3.2, the core schema: `no` and `2027-03-01` are texts.
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_WHOLE: Final = re.compile(r"[-+]?[0-9]{1,18}")
_GLUED: Final = re.compile(r"\s*(?:- )*[A-Za-z_]+:[^\s/:]")
_REAL: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")

# The parser's words → what was found, what is allowed. {0} is the character it stumbled over.
_WORDS: Final = (
    ("expected the node content", "something is missing here", "key: value"),
    (r"found character '\\t'", "a tab stands here", "blanks only; two more for each step inwards"),
    (r"found character '(.)' that cannot start", 'a text cannot begin with {0}', 'the text in quotes: "{0}…"'),
    (
        "mapping values are not allowed",
        'a ":" stands where no key can be',
        "keys of one block exactly below each other; quotes around a text with a colon",
    ),
    (
        "but found '<scalar>'",
        "more text stands after a closing quote",
        "a quote inside quotes twice, '' in '…'; or the other quotes around it",
    ),
    (
        "expected <block end>",
        "this does not fit the lines above it",
        "keys of one block exactly below each other; quotes around the whole text",
    ),
    ("unexpected end of stream", "a quote opens here and never closes", "the same quote at the end of the text"),
    (
        r"expected ',' or '(.)'",
        "the bracket that opens here is not closed, or a comma is missing",
        "commas between, {0} at the end",
    ),
    ("could not find expected ':'", 'a key without ":"', "key: value"),
)  # fmt: skip


class _Refused(Exception):
    """The file is not read on."""


def parse(text: str, reading: Reading) -> Node | None:
    """Return the tree of a file, or None; what is wrong is noted in `reading`."""
    start = Scalar(None, "", 1, 1)
    tree = _Tree(reading, YAML(typ="safe", pure=True).parse(text), start)
    try:
        return tree.document()
    except _Refused:
        return None
    except MarkedYAMLError as error:
        _explain(error, tree.last, text.splitlines(), reading)
        return None
    except (YAMLError, ValueError, OverflowError):  # ruamel.yaml 0.19 lets chr() of a bad \U escape through
        reading.wrong(tree.last, "what follows cannot be read as YAML", "text with a \\ in single quotes")
        return None


def _glued(error: MarkedYAMLError, lines: list[str]) -> int:
    """Return the line, the error's or the one before it, in which a value is glued to its key; 0 if neither is so."""
    here = error.problem_mark.line + 1 if error.problem_mark else 0
    return next((line for line in (here - 1, here) if 0 < line <= len(lines) and _GLUED.match(lines[line - 1])), 0)


def _explain(error: MarkedYAMLError, last: Node, lines: list[str], reading: Reading) -> None:
    problem = str(error.problem or error)
    line = _glued(error, lines) if "mapping values" in problem else 0
    if line:
        column = len(lines[line - 1].partition(":")[0]) + 1
        reading.wrong(Scalar(None, "", line, column), "a blank is missing after the colon", "key: value")
        return
    begins = error.context_mark if re.search("unexpected end of stream|expected ','", problem) else None
    mark = begins or error.problem_mark or error.context_mark
    at = Scalar(None, "", mark.line + 1, mark.column + 1) if mark else last
    for pattern, found, allowed in _WORDS:
        match = re.search(pattern, problem)
        if match:
            groups = [shown(group) for group in match.groups()]
            reading.wrong(at, found.format(*groups), allowed.format(*match.groups()))
            return
    reading.wrong(at, f"this cannot be read as YAML: {shown(problem)[1:-1]}")


class _Tree:
    """The events of one file on their way to become nodes."""

    def __init__(self, reading: Reading, events: Iterator[Any], start: Node) -> None:
        self.reading = reading
        self.last = start
        self._events = events
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliases = 0
        self._nodes = 0

    def document(self) -> Node | None:
        """Return the only document."""
        self._next()  # StreamStart
        if isinstance(self._next(), StreamEndEvent):
            self.reading.wrong(self.last, "the file is empty", "version: 1, then departments, topics and rules")
            return None
        node = self._node(self._next(), 0)
        self._next()  # DocumentEnd
        if isinstance(self._next(), DocumentStartEvent):
            self.reading.wrong(self.last, 'a second document begins ("---")', "one document a file")
            return None
        return node

    def _next(self) -> Any:
        event = next(self._events)
        self.last = Scalar(None, "", event.start_mark.line + 1, event.start_mark.column + 1)
        return event

    def _refuse(self, found: str, allowed: str) -> _Refused:
        self.reading.wrong(self.last, found, allowed)
        return _Refused()

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            raise self._refuse("the file holds too many values", f"at most {MOST_NODES:,}, repeated ones counted each time")

    def _node(self, event: Any, depth: int) -> Node:
        if depth > MOST_DEPTH:
            raise self._refuse("blocks stand too deep inside each other", f"at most {MOST_DEPTH} steps")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if event.tag not in (None, "!"):
            raise self._refuse(f"the tag {shown(event.tag)} stands here", "no tags: quotes make a text")
        before = self._nodes
        self._count(1)
        node: Node
        if isinstance(event, ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(depth)
        else:
            node = self._map(depth)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _alias(self, event: AliasEvent) -> Node:
        self._aliases += 1
        if event.anchor not in self._anchors:
            name = shown("*" + event.anchor)
            raise self._refuse(f"{name} refers to nothing above it", "a text that begins with * in quotes")
        if self._aliases > MOST_ALIASES:
            raise self._refuse("too many references with *", f"at most {MOST_ALIASES:,}")
        node, nodes = self._anchors[event.anchor]
        self._count(nodes)
        return node

    def _scalar(self, event: ScalarEvent) -> Scalar:
        at = self.last
        text = event.value
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise self._refuse(r"a half character (\ud800 to \udfff) stands here", "the character itself")
        plain = event.style is None or event.style == ""
        return Scalar(_value(text) if plain and event.tag is None else text, text, at.line, at.column)

    def _list(self, depth: int) -> ListNode:
        at = self.last
        items = []
        while not _ends(event := self._next()):
            items.append(self._node(event, depth + 1))
        return ListNode(tuple(items), at.line, at.column)

    def _map(self, depth: int) -> MapNode:
        at = self.last
        entries: dict[str, tuple[Scalar, Node]] = {}
        while not _ends(event := self._next()):
            key = self._node(event, depth + 1)
            value = self._node(self._next(), depth + 1)
            if not isinstance(key, Scalar):
                self.reading.wrong(key, "a list or block stands where a key belongs", "key: value")
            elif key.text in entries:
                first = entries[key.text][0].line
                self.reading.wrong(key, f"{shown(key.text)} stands twice in one block, first in line {first}", "each key once")
            else:
                entries[key.text] = (key, value)
        return MapNode(tuple(entries.values()), at.line, at.column)


def _ends(event: Any) -> bool:
    return type(event).__name__ in ("SequenceEndEvent", "MappingEndEvent")


def _value(text: str) -> Plain:
    """Resolve a scalar without quotes."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if len(text) < 40 and _REAL.fullmatch(text) else text

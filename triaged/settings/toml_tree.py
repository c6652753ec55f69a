"""TOML 1.0 → a tree with positions. tomllib judges and reads the text; `_Places` finds where its keys and values stand."""

import re
import tomllib
from typing import Any, Final

from triaged.files.node import ListNode, MapNode, Node, Scalar
from triaged.files.problem import shown
from triaged.files.reading import Reading

Path = tuple[str | int, ...]

_BLANK: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_HEADER: Final = re.compile(r"\[\[?")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_STRING: Final = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL)
_PLAIN: Final = re.compile(r"[^,\]}#\n]+")  # a number, a date (it may hold a blank), true or false
_WHERE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# tomllib's words → what was found, what is allowed.
_WORDS: Final = (
    ("Cannot overwrite|Cannot declare|Cannot mutate|Cannot redefine", "{key} stands twice", "each key and each [table] once"),
    ("Expected '=' after a key", "{key} has no value", 'key = "value"'),
    ("Expected newline or end", "more text stands after the value", 'one key a line, text in quotes: key = "value"'),
    ("Unterminated|Expected [\"']{3}|Illegal character '.n'", "a quote is not closed", "the same quote at the end"),
    ("Unescaped|hex value|Unicode scalar", r"a \ in double quotes begins an escape", r"single quotes around it, or \\"),
    ("Unclosed|character for a key", "a bracket is not closed, or a key is missing", "commas between, ] or }} at the end"),
    ("end of a table declaration", "a [table] is not closed", "[table] on a line of its own"),
    ("Invalid date", "the date does not exist", "a date such as 2027-03-01"),
    ("Invalid statement", "this is neither key = value nor a [table]", 'key = "value", [table], # comment'),
    ("Invalid value", "{key} has no value that can be read", "text in quotes, a number, true, false, [ a list ]"),
)


def parse(text: str, reading: Reading) -> MapNode | None:
    """Return the tree of a file, or None with the problem noted."""
    text = text.replace("\r\n", "\n")
    try:
        table = tomllib.loads(text)
        places = _Places(text)
        places.find()
        return _map((), table, places)
    except tomllib.TOMLDecodeError as error:
        _explain(str(error), text, reading)
    except RecursionError:
        reading.wrong(_at(1, 1), "lists stand too deep inside each other", "a few levels")
    except ValueError:  # an integer of more than 4,300 digits
        reading.wrong(_at(1, 1), "a number is too long", "at most 18 digits")
    return None


def _at(line: int, column: int) -> Scalar:
    return Scalar(None, "", line, column)


def _explain(error: str, text: str, reading: Reading) -> None:
    lines = text.rstrip().split("\n")
    where = _WHERE.search(error)
    line, column = (int(where[1]), int(where[2])) if where and where[1] else (len(lines), 0)
    written = lines[line - 1] if line <= len(lines) else ""
    if error.startswith("Cannot") or not column:  # tomllib gives the end of what it read
        column = len(written) - len(written.lstrip()) + 1
    key = shown(written.partition("=")[0].strip())
    for pattern, found, allowed in _WORDS:
        if re.search(pattern, error):
            reading.wrong(_at(line, column), found.format(key=key), allowed.format())
            return
    reading.wrong(_at(line, column), f"this cannot be read as TOML: {_WHERE.sub('', error)}")


def _map(path: Path, table: dict[str, Any], places: "_Places") -> MapNode:
    entries = tuple(
        (Scalar(key, key, *places.key(*path, key)), _node((*path, key), value, places)) for key, value in table.items()
    )
    return MapNode(entries, *places.value(path))


def _node(path: Path, value: Any, places: "_Places") -> Node:
    match value:
        case dict():
            return _map(path, value, places)
        case list():
            items = tuple(_node((*path, index), item, places) for index, item in enumerate(value))
            return ListNode(items, *places.value(path))
    return Scalar(value, value if isinstance(value, str) else places.written.get(path, str(value)), *places.value(path))


class _Places:
    """Finds where keys and values stand in a text that tomllib has accepted."""

    def __init__(self, text: str) -> None:
        self.written: dict[Path, str] = {}
        self._text = text
        self._position = 0
        self._keys: dict[Path, int] = {}
        self._values: dict[Path, int] = {}
        self._lengths: dict[Path, int] = {}  # of arrays of tables

    def key(self, *path: str | int) -> tuple[int, int]:
        """Return line and column of a key."""
        return self._line_column(self._keys.get(path, 0))

    def value(self, path: Path) -> tuple[int, int]:
        """Return line and column of a value, of a table its header."""
        return self._line_column(self._values.get(path, self._keys.get(path, 0)))

    def _line_column(self, position: int) -> tuple[int, int]:
        before = self._text.count("\n", 0, position)
        return before + 1, position - (self._text.rfind("\n", 0, position) + 1) + 1

    def find(self) -> None:
        """Look at every statement."""
        table: Path = ()
        self._skip()
        while self._position < len(self._text):
            header = self._take(_HEADER)
            if header:
                table = self._header(header)
            else:
                self._pair(table)
            self._skip()

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._position)
        if not found:
            return ""
        self._position = found.end()
        return found.group()

    def _skip(self) -> None:
        self._take(_BLANK)

    def _header(self, opening: str) -> Path:
        start = self._position - len(opening)
        *parents, last = self._dotted()
        path: Path = ()
        for part in parents:
            path = self._entered((*path, part), start)
        path = (*path, last)
        if opening == "[[":
            self._keys.setdefault(path, start)
            self._lengths[path] = self._lengths.get(path, 0) + 1
            path = (*path, self._lengths[path] - 1)
        self._keys.setdefault(path, start)
        self._position += len(opening)  # the closing brackets
        return path

    def _entered(self, path: Path, start: int) -> Path:
        self._keys.setdefault(path, start)
        return (*path, self._lengths[path] - 1) if path in self._lengths else path

    def _dotted(self) -> list[str]:
        parts = []
        while True:
            self._skip()
            part = self._take(_BARE)
            if not part:
                part = tomllib.loads(f"key = {self._take(_STRING)}")["key"]
            parts.append(part)
            self._skip()
            if not self._text.startswith(".", self._position):
                return parts
            self._position += 1

    def _pair(self, table: Path) -> None:
        start = self._position
        path = table
        for part in self._dotted():
            path = (*path, part)
            self._keys.setdefault(path, start)
        self._position += 1  # "="
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip()
        self._values[path] = start = self._position
        opening = self._text[start : start + 1]
        if opening in ("[", "{"):
            self._members(path, "]" if opening == "[" else "}")
        elif not self._take(_STRING):
            self.written[path] = self._take(_PLAIN).strip()

    def _members(self, path: Path, closing: str) -> None:
        self._position += 1
        index = 0
        self._skip()
        while not self._text.startswith(closing, self._position):
            if closing == "]":
                self._value((*path, index))
                index += 1
            else:
                self._pair(path)
            self._skip()
            if self._text.startswith(",", self._position):
                self._position += 1
            self._skip()
        self._position += 1

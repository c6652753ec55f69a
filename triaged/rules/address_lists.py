"""Lists of addresses in rules.yaml, or in files beside it."""

from dataclasses import dataclass
from typing import Final

from triaged.files.block import Fields, Key, Record
from triaged.files.node import ListNode, Node, Scalar, seen
from triaged.files.octets import decode
from triaged.files.problem import WrongFile
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Json, Parsed
from triaged.files.texts import ENTRY

_COMMENT: Final = "#"


@dataclass(frozen=True, slots=True)
class AddressList:
    """Addresses and "@domain" entries; here, or one a line in a file beside rules.yaml."""

    words: str = 'addresses and "@domain" entries after dashes, or {file: NAME}'

    def read(self, node: Node, spot: Spot, reading: Reading) -> frozenset[str] | None:
        """Return the entries in small letters."""
        if isinstance(node, ListNode):
            entries = [ENTRY.read(item, spot, reading) for item in node.items]
            return None if None in entries else frozenset(entry for entry in entries if entry)
        if isinstance(node, Scalar):
            reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
            return None
        return _LIST_FILE.read(node, spot, reading)

    def schema(self) -> Json:
        """Return an array, or the name of a file."""
        return {"anyOf": [{"type": "array", "items": ENTRY.schema()}, _LIST_FILE.schema()]}


def _file_name(text: str) -> str:
    if text.startswith(("/", "\\")) or ".." in text.split("/") or ":" in text:
        raise ValueError("it lies outside the folder of this file")
    return text


LIST_FILE_NAME: Final = Key(
    "file", Parsed(_file_name, "a file in the folder of this one"), "One entry a line, # comments", required=True
)


def _list_file(fields: Fields, reading: Reading) -> frozenset[str] | None:
    name = fields.need(LIST_FILE_NAME)
    at = fields.at(LIST_FILE_NAME)
    if reading.open_file is None:
        reading.wrong(at, fields.spot.about("there is no folder to read files from"))
        return None
    file = Reading(name)
    try:
        lines = decode(reading.open_file(name), name).splitlines()
    except WrongFile as error:
        for problem in error.problems:
            where = f"{problem.file}:{problem.line}:{problem.column}: " if problem.line else ""
            reading.wrong(at, fields.spot.about(where + problem.found), problem.allowed)
        return None
    entries = [_line(number, line, file) for number, line in enumerate(lines, 1)]
    reading.problems.extend(file.problems)
    return frozenset(entry for entry in entries if entry)


def _line(number: int, line: str, reading: Reading) -> str | None:
    text = line.partition(_COMMENT)[0].strip()
    column = len(line) - len(line.lstrip()) + 1
    return ENTRY.read(Scalar(text, text, number, column), Spot(key="the line"), reading) if text else None


_LIST_FILE: Final = Record((LIST_FILE_NAME,), _list_file, words="file: NAME")

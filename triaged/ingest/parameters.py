"""MIME field values with parameters (RFC 2045 §5.1, RFC 2231), read leniently and in linear time. Never raises."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from triaged.ingest import charset
from triaged.ingest.headers import decode_words, one_line

_LENGTH: Final = 10_000
_PARAMETER: Final = re.compile(r';\s*([^\s=;*"]+)(?:\*(\d{1,3}))?(\*)?\s*=\s*("(?:[^"\\]|\\.)*+"?|[^;]*)', re.DOTALL)
_QUOTED_PAIR: Final = re.compile(r'\\(["\\])')
_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """A field's value before the first ";", lower case, and its parameters."""

    value: str = ""
    parameters: dict[str, str] = field(default_factory=dict)  # lower-case name → decoded value

    def __getitem__(self, name: str) -> str:
        return self.parameters.get(name, "")


def parse(raw: str) -> Field:
    """Read `value; name=value; name*0*=utf-8''...`; the first parameter of a name counts."""
    raw = raw[:_LENGTH]
    value, _, rest = raw.partition(";")
    if not rest:
        return Field(value.strip().lower())
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for match in _PARAMETER.finditer(";" + rest):
        name, number, extended, text = match[1].lower(), match[2], bool(match[3]), match[4].strip()
        if text.startswith('"'):
            text = _QUOTED_PAIR.sub(r"\1", text[1:].removesuffix('"'))
        if number is None and not extended:
            plain.setdefault(name, one_line(decode_words(text)))
        else:
            pieces.setdefault(name, []).append((int(number or 0), extended, text))
    for name, parts in pieces.items():  # RFC 2231 wins over the plain twin that old readers get
        plain[name] = one_line(_joined(parts))
    return Field(value.strip().lower(), plain)


def _joined(parts: list[tuple[int, bool, str]]) -> str:
    octets, named = b"", ""
    for position, (_, extended, text) in enumerate(sorted(parts, key=lambda part: part[0])):
        piece = text
        if extended and position == 0 and text.count("'") >= 2:
            named, _, piece = text.partition("'")
            piece = piece.partition("'")[2]
        octets += unquote_to_bytes(piece) if extended else piece.encode("utf-8", "replace")
    return decode_words(charset.decode(octets, named)[0])


def media_type(value: str, default: str = "text/plain") -> str:
    """Return type/subtype, or the default where none can be read (RFC 2045 §5.2)."""
    if _TYPE.fullmatch(value):
        return value
    found = _TYPE.match(value)
    return found[0] if found else default

"""Octets → the tree of MIME parts (RFC 2045, RFC 2046), by offsets into the mail: nothing is copied, nothing decoded.

Written here because the standard parser is quadratic in nesting (400 multiparts around 2 MB: 1.4 s, around 20 MB: 14 s) and
ends with RecursionError at about 1,000 of them, before anything could be kept. `tests/unit/ingest/test_parts.py` compares the
two on thousands of real mails. Never raises.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from triaged.ingest import parameters

# Postfix has 100, 102,400 and no limit on parts; 30 levels pass every mail seen that a person wrote.
DEPTH: Final = 30
PARTS: Final = 1_000
HEADER_OCTETS: Final = 100_000

_DELIMITER_END: Final = re.compile(rb"(--)?[ \t]{0,200}\r?(?:\n|\Z)")  # a pattern a boundary would be compiled a mail
_EMPTY_LINE: Final = re.compile(rb"^\r?\n", re.MULTILINE)
_FIELD_NAME: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_MBOX_LINE: Final = re.compile(rb">?From [^\r\n]*\r?\n")
_NO_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME part: its fields, and where its body lies."""

    octets: bytes  # the whole that the offsets point into
    start: int
    end: int
    fields: tuple[tuple[str, bytes], ...]  # lower-case name and unfolded value, top first
    content: parameters.Field
    media_type: str
    children: tuple["Part", ...] = ()

    def value(self, name: str) -> str:
        """Return the topmost value of a MIME field as Latin 1 text; "" if there is none."""
        return next((value.decode("latin-1") for key, value in self.fields if key == name), "")

    @property
    def disposition(self) -> parameters.Field:
        """Content-Disposition (RFC 2183)."""
        return parameters.parse(self.value("content-disposition"))

    @property
    def filename(self) -> str:
        """The name that the sender gave the part; never a path."""
        name = self.disposition["filename"] or self.content["name"]
        return name.replace("\\", "/").rpartition("/")[2][:255]

    def walk(self) -> Iterator["Part"]:
        """Yield this part and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def body(self, limit: int | None = None) -> bytes:
        """Return the body with its transfer encoding undone (RFC 2045 §6).

        Args:
            limit: Give back no more than about so many octets.
        """
        end = self.end if limit is None else min(self.end, self.start + limit * 2)
        octets = self.octets[self.start : end]
        match self._encoding:
            case "base64":
                octets = _base64(octets)
            case "quoted-printable":
                octets = binascii.a2b_qp(octets)
        return octets if limit is None else octets[:limit]

    @property
    def size_octets(self) -> int:
        """Size once decoded; for base64 reckoned, not decoded."""
        length = self.end - self.start
        if self._encoding != "base64":
            return len(self.body()) if self._encoding == "quoted-printable" else length
        count = self.octets.count
        letters = length - sum(count(blank, self.start, self.end) for blank in (b"\n", b"\r", b" ", b"="))
        return letters * 3 // 4

    @property
    def _encoding(self) -> str:
        return self.value("content-transfer-encoding").partition(";")[0].partition("(")[0].strip().lower()


@dataclass(slots=True)
class Findings:
    """What went over a limit or was mended while a mail was taken apart."""

    parts: int = 0
    too_deep: bool = False
    header_cut: bool = False
    odd: list[str] = field(default_factory=list)

    @property
    def too_many(self) -> bool:
        """Whether there are more parts than we look at."""
        return self.parts > PARTS


def take_apart(octets: bytes) -> tuple[Part, Findings]:
    """Find the parts of a mail; beyond `DEPTH` and `PARTS` they are left whole and the findings say so."""
    findings = Findings()
    if b"\n" not in octets:  # line ends of old Macs
        octets = octets.replace(b"\r", b"\n")
    start = 0
    while mbox_line := _MBOX_LINE.match(octets, start):
        start = mbox_line.end()
    return _part(octets, start, len(octets), 0, "text/plain", findings), findings


def _part(octets: bytes, start: int, end: int, depth: int, default: str, findings: Findings) -> Part:
    findings.parts += 1
    fields, body = _fields(octets, start, end, findings)
    raw_type = next((value for name, value in fields if name == "content-type"), b"")
    content = parameters.parse(raw_type.decode("utf-8", "replace")) if raw_type else parameters.Field()
    media_type = parameters.media_type(content.value, default)
    whole = Part(octets, body, end, tuple(fields), content, media_type)
    children: tuple[Part, ...] = ()
    if media_type.startswith("multipart/") or media_type in ("message/rfc822", "message/global", "message/news"):
        if depth >= DEPTH:
            findings.too_deep = True
        elif media_type.startswith("multipart/"):
            children = _children(whole, depth, findings)
        else:
            children = (_enclosed(whole, depth, findings),)
    return Part(octets, body, end, whole.fields, content, media_type, children)


def _enclosed(whole: Part, depth: int, findings: Findings) -> Part:
    """Take an attached mail apart; some senders encode it, which RFC 2046 §5.2.1 forbids."""
    octets, start, end = whole.octets, whole.start, whole.end
    if whole.value("content-transfer-encoding").strip().lower() in ("base64", "quoted-printable"):
        octets = whole.body()
        start, end = 0, len(octets)
    return _part(octets, start, end, depth + 1, "text/plain", findings)


def _children(whole: Part, depth: int, findings: Findings) -> tuple[Part, ...]:
    boundary = whole.content["boundary"].rstrip()
    if not boundary:
        findings.odd.append("a multipart without boundary was read as one text")
        return ()
    default = "message/rfc822" if whole.media_type == "multipart/digest" else "text/plain"  # RFC 2046 §5.1.5
    children: list[Part] = []
    for start, end in _between(whole, boundary.encode("utf-8", "replace")):
        if findings.parts >= PARTS:
            findings.parts += 1
            break
        children.append(_part(whole.octets, start, end, depth + 1, default, findings))
    if not children:
        findings.odd.append("a multipart whose parts cannot be found was read as one text")
    return tuple(children)


def _between(whole: Part, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each part of a multipart lies; the line end before a delimiter belongs to it (RFC 2046 §5.1.1)."""
    delimiter = b"\n--" + boundary
    opened, position = -1, max(whole.start - 1, 0)  # the line end of the empty line above counts
    while (at := whole.octets.find(delimiter, position, whole.end)) >= 0:
        found = _DELIMITER_END.match(whole.octets, at + len(delimiter), whole.end)
        if found is None:  # a longer line, or another's boundary that begins like this one
            position = at + 1
            continue
        if opened >= 0:
            yield opened, _without_line_end(whole.octets, opened, at + 1)
        if found[1]:
            return
        opened = found.end()
        position = opened - 1  # its line end may begin the next delimiter
    if 0 <= opened < whole.end:
        yield opened, whole.end


def _without_line_end(octets: bytes, start: int, end: int) -> int:
    if end > start and octets[end - 1] == 0x0A:
        end -= 1
        if end > start and octets[end - 1] == 0x0D:
            end -= 1
    return end


def _fields(octets: bytes, start: int, end: int, findings: Findings) -> tuple[list[tuple[str, bytes]], int]:
    """Read header fields; return them and where the body begins."""
    blank = _EMPTY_LINE.search(octets, start, end)
    header_end, body = (blank.start(), blank.end()) if blank else (end, end)
    if header_end - start > HEADER_OCTETS:
        findings.header_cut = True
    fields: list[tuple[str, list[bytes]]] = []
    position = start
    lines = octets[start : min(header_end, start + HEADER_OCTETS)].split(b"\n")
    for number, line in enumerate(lines):
        if line[:1] in (b" ", b"\t"):
            if fields:
                fields[-1][1].append(line)
        elif name := _FIELD_NAME.match(line):
            fields.append((name[1].decode("ascii").lower(), [line[name.end() :]]))
        elif number + 1 < len(lines) and (_FIELD_NAME.match(lines[number + 1]) and fields):
            findings.odd.append("a line in the header that is no field was passed over")
        elif line.strip():
            body = position  # no empty line between header and text
            break
        position += len(line) + 1
    return [(name, b"\n".join(lines).strip()) for name, lines in fields], body


def _base64(octets: bytes) -> bytes:
    """Decode what can be: foreign characters passed over, padding in the middle (pieces glued together) accepted."""
    letters = _NO_BASE64.sub(b"", octets)
    decoded = [_quads(run) for run in letters.split(b"=") if run] if b"=" in letters.rstrip(b"=") else [_quads(letters)]
    return b"".join(decoded)


def _quads(letters: bytes) -> bytes:
    letters = letters.rstrip(b"=")
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))

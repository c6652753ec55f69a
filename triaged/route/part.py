"""MIME parts, built by hand: text, the original mail byte for byte, and the multipart around them.

The email package re-serialises what it attaches (it broke a header block at a non-ASCII field name), so it writes nothing here.
"""

import base64
import hashlib
import quopri
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from triaged.route import header

_LONGEST_LINE: Final = 998  # RFC 5322 §2.1.1
_BASE64_LINE: Final = 76


@dataclass(frozen=True, slots=True)
class Part:
    """A MIME entity: header block without the blank line below it, and body, both with CRLF line ends."""

    header: bytes
    body: bytes
    eight_bit: bool = False

    @property
    def octets(self) -> bytes:
        """The part as it stands between boundaries."""
        return self.header + b"\r\n" + self.body


def text_part(text: str, subtype: str = "plain") -> Part:
    """Return a text part that any server takes: UTF-8, quoted-printable unless it is plain ASCII already."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    longest = max(map(len, lines.split(b"\n")))
    seven_bit = lines.isascii() and longest <= _LONGEST_LINE and b"\0" not in lines
    encoding = "7bit" if seven_bit else "quoted-printable"
    body = lines if seven_bit else quopri.encodestring(lines)
    fields = header.token("Content-Type", f"text/{subtype}; charset=utf-8")
    fields += header.token("Content-Transfer-Encoding", encoding)
    return Part(fields, body.replace(b"\n", b"\r\n"))


def original_part(raw: bytes, name: str, *, eight_bit: bool) -> Part:
    """Return the original mail as a part.

    As message/rfc822 its bytes are spliced in, never encoded (RFC 2046 §5.2.1); only LF line ends become CRLF. Where that
    would change the bytes in a way that cannot be undone, or the peer could not take them, it is an .eml file in base64.

    Args:
        raw: The mail as it came.
        name: File name without ".eml".
        eight_bit: The peer takes 8BITMIME.
    """
    if can_be_spliced(raw) and (eight_bit or raw.isascii()):
        body = raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")
        fields = header.token("Content-Type", "message/rfc822")
        fields += header.token("Content-Transfer-Encoding", "7bit" if raw.isascii() else "8bit")
        return Part(fields + _attached(name), body, not raw.isascii())
    fields = header.token("Content-Type", f'application/octet-stream; name="{name}.eml"')
    fields += header.token("Content-Transfer-Encoding", "base64")
    encoded = base64.b64encode(raw)
    lines = [encoded[start : start + _BASE64_LINE] for start in range(0, len(encoded), _BASE64_LINE)]
    return Part(fields + _attached(name), b"\r\n".join(lines))


def can_be_spliced(raw: bytes) -> bool:
    """Tell whether a mail can stand in another one unencoded: no NUL, no bare CR, one kind of line end, lines up to 998."""
    pairs, feeds = raw.count(b"\r\n"), raw.count(b"\n")
    if b"\0" in raw or raw.count(b"\r") != pairs or pairs not in (0, feeds):
        return False
    return max(len(line.removesuffix(b"\r")) for line in raw.split(b"\n")) <= _LONGEST_LINE


def multipart(subtype: str, parts: Sequence[Part], seed: str) -> Part:
    """Put parts together, under a boundary that occurs in none of them.

    Args:
        subtype: mixed or alternative.
        parts: The parts, in order.
        seed: What the boundary is made from; the same seed and parts give the same bytes.
    """
    bodies = [part.octets for part in parts]
    boundary, turn = "", 0
    while not boundary or any(boundary.encode("ascii") in body for body in bodies):
        boundary = "=_" + hashlib.sha256(f"{seed}\0{turn}".encode()).hexdigest()[:40]
        turn += 1
    delimiter = b"--" + boundary.encode("ascii")
    eight_bit = any(part.eight_bit for part in parts)
    fields = header.token("Content-Type", f'multipart/{subtype}; boundary="{boundary}"')
    fields += header.token("Content-Transfer-Encoding", "8bit" if eight_bit else "7bit")  # RFC 2045 §6.4
    body = b"".join(delimiter + b"\r\n" + octets + b"\r\n" for octets in bodies) + delimiter + b"--\r\n"
    return Part(fields, body, eight_bit)


def _attached(name: str) -> bytes:
    return header.token("Content-Disposition", f'attachment; filename="{name}.eml"')

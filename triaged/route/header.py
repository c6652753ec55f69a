"""The one writer of header fields: whatever a value holds, it cannot break out of its field.

Names, subjects and addresses come from strangers. Encoded-words are made here and not by `email.message`, whose folding turns
long Message-IDs in References into encoded-words and has let line breaks through (python/cpython#121650).
"""

import base64
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from triaged.message import Address

_LINE: Final = 76  # RFC 2047 §2: a line with an encoded-word has at most 76 characters
_CHUNK_OCTETS: Final = 36  # 48 characters in base64; with "=?utf-8?b??=" and a short field name still one line
_LONGEST_LINE: Final = 998  # RFC 5322 §2.1.1
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_FIELD: Final = re.compile(
    r"[!-9;-~]+:(?: [^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*)(?:\r\n [^\x00-\x20\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*)*"
)
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,248}>")
# An addr-spec that needs no quoting; letters beyond ASCII as RFC 6532 §3.2 has them.
_LOCAL: Final = re.compile(r"[^\x00-\x20\x7f-\xa0\"(),:;<>@\[\\\]]+")
_DOMAIN: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[(?:[0-9.]{7,15}|IPv6:[0-9A-Fa-f:.]{2,39})\]")
_DROPPED: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))  # controls, bidi and zero-width marks, lone surrogates
_JOINERS: Final = "\u200c\u200d"  # spelling of Persian, Urdu and the Indic scripts needs them


class HeaderError(ValueError):
    """A value that no header field can hold.

    Attributes:
        name: The field's name.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


def one_line(value: str, at_most: int) -> str:
    """Return a text fit for one line: controls, bidi and invisible marks gone, blanks collapsed, cut with "…"."""
    kept = (
        " " if letter in "\t\n\r\v\f\x85\u2028\u2029" else letter
        for letter in value[: at_most * 10]
        if letter in "\t\n\r\v\f\x85\u2028\u2029" + _JOINERS or unicodedata.category(letter) not in _DROPPED
    )
    line = " ".join("".join(kept).split())
    return line if len(line) <= at_most else line[: at_most - 1].rstrip() + "…"


def addr_spec(address: str) -> str:
    """Return an address as mail can carry it: checked, its domain in ASCII (RFC 5891); empty if it is none.

    Quoted local parts are refused: hardly anybody has one, and what is inside is where injections hide.
    """
    local, _, domain = address.strip().rpartition("@")
    try:
        domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        octets = len(local.encode("utf-8"))
    except UnicodeError:
        return ""
    if octets > 64 or len(domain) > 255 or not _LOCAL.fullmatch(local) or not _DOMAIN.fullmatch(domain):
        return ""
    return f"{local}@{domain}"


def text(name: str, value: str) -> bytes:
    """Write an unstructured field, such as Subject: as it is, or in encoded-words (RFC 2047 §5).

    Raises:
        HeaderError: The value holds line breaks or other controls; see `one_line`.
    """
    tokens = value.split(" ")
    plain = value.isascii() and "=?" not in value and all(0 < len(token) <= 60 for token in tokens)
    return _field(name, tokens if plain else _encoded_words(name, value))


def addresses(name: str, mailboxes: Sequence[Address]) -> bytes:
    """Write an address field. An address beyond ASCII is written as it is: such a mail needs SMTPUTF8.

    Raises:
        HeaderError: There is no address, one of them is none (`addr_spec`), or a name holds controls.
    """
    tokens: list[str] = []
    for mailbox in mailboxes:
        spec = addr_spec(mailbox.address)
        if not spec:
            raise HeaderError(name, f"{mailbox.address!r} is not an address")
        tokens += [*_phrase(name, mailbox.name), f"<{spec}>," if mailbox.name else f"{spec},"]
    if not tokens:
        raise HeaderError(name, "no address")
    return _field(name, [*tokens[:-1], tokens[-1].removesuffix(",")])


def message_ids(name: str, ids: Sequence[str]) -> bytes:
    """Write a field of Message-IDs.

    Raises:
        HeaderError: One of them is not of the form `is_message_id` tells.
    """
    for message_id in ids:
        if not is_message_id(message_id):
            raise HeaderError(name, f"{message_id!r} is not a Message-ID")
    return _field(name, ids)


def is_message_id(value: str) -> bool:
    """Tell whether a value is a Message-ID that can be repeated in our own header: `<…>`, ASCII, no blanks, not too long."""
    return _MESSAGE_ID.fullmatch(value) is not None


def token(name: str, value: str) -> bytes:
    """Write a field for machines, such as Auto-Submitted, whose value is ours.

    Raises:
        HeaderError: The value is not printable ASCII.
    """
    if not value.isascii():
        raise HeaderError(name, f"{value!r} is not ASCII")
    return _field(name, value.split(" "))


def date(moment: datetime) -> bytes:
    """Write Date.

    Args:
        moment: Aware; its own offset is kept.
    """
    return token("Date", format_datetime(moment))


def _phrase(name: str, display: str) -> list[str]:
    if not display or (_ATOMS.fullmatch(display) and "=?" not in display and len(display) <= 60):
        return display.split()
    if display.isascii() and "=?" not in display and len(display) <= 60:
        return ['"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"']
    return _encoded_words(name, display)


def _encoded_words(name: str, value: str) -> list[str]:
    words, chunk = [], b""
    for letter in value:
        try:
            octets = letter.encode("utf-8")
        except UnicodeEncodeError as error:
            raise HeaderError(name, "holds a lone surrogate") from error
        if unicodedata.category(letter) == "Cc":
            raise HeaderError(name, "holds a line break or another control character")
        if len(chunk) + len(octets) > _CHUNK_OCTETS:  # RFC 2047 §5: never cut a character in two
            words.append(chunk)
            chunk = b""
        chunk += octets
    return [f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?=" for octets in (*words, chunk)]


def _field(name: str, tokens: Iterable[str]) -> bytes:
    """Fold tokens at blanks, and refuse what is not one field after all."""
    lines, line = [], f"{name}:"
    for part in tokens:
        if len(line) + 1 + len(part) > _LINE and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {part}"
    field = "\r\n".join((*lines, line))
    if not _FIELD.fullmatch(field) or any(len(folded) > _LONGEST_LINE for folded in field.split("\r\n")):
        raise HeaderError(name, "empty, or holds a line break or another control character")
    return field.encode("utf-8") + b"\r\n"

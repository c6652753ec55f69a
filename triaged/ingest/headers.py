"""Header fields → decoded one-line text, addresses, dates, Message-IDs. The one guarded place where that happens; never raises.

`email.policy.default` raises IndexError, LookupError or RecursionError for odd headers (Python 3.11), and `email.utils` differs
from patch release to patch release, so the structure is read here, one header alone: a bad one costs only itself.
"""

import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_tz
from typing import Final

from triaged.ingest import charset
from triaged.message import Address

ADDRESSES: Final = 1_000
_IDS: Final = 200
_ID_LENGTH: Final = 998
_ADDRESS_LENGTH: Final = 320  # RFC 3696 erratum 1690 says 254; SRS and VERP senders pass it

# RFC 2047 §2, as mailers write it: spaces and single question marks occur inside. Linear: each part stops at the next "?".
_WORD: Final = re.compile(r"=\?([\w.:+-]{1,40})(?:\*[\w-]*)?\?([bBqQ])\?([^?]*(?:\?(?!=)[^?]*){0,3})\?=", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_BREAKS: Final = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+ *")
_ID: Final = re.compile(r"<([^<>\s]{1,996})>")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
# RFC 5322 §3.2: comment and quoted string first, then what separates, then words.
_PIECE: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[(),:;<>]|[^"(),:;<>]+', re.DOTALL)
# The look-behind keeps a search linear: a run of letters is tried once, not from each letter.
_ADDR_SPEC: Final = re.compile(r'(?:"[^"\r\n]{1,200}"|(?<![^\s"(),:;<>@])[^\s"(),:;<>@]+)@[^\s"(),:;<>@]+')

Note = Callable[[str], None]


def one_line(text: str) -> str:
    """Take line ends, NUL and other control characters (also those that turn writing direction) out of a one-line field."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _CONTROL.sub("", _BREAKS.sub(" ", text)).strip()


def raw_text(octets: bytes, note: Note, name: str) -> str:
    """Decode a header value's octets, its encoded words left as they are (RFC 6532 UTF-8, or what old mailers put there)."""
    if octets.isascii():
        return octets.decode("ascii")
    text, odd = charset.decode(octets, "utf-8")
    if odd:
        note(f"{name}: letters outside ASCII, {odd.rpartition(', ')[2]}")
    return text


def decode_words(text: str) -> str:
    """Decode RFC 2047 encoded words wherever they stand: in quotes, glued to text, cut in the middle of a character."""
    if "=?" not in text:
        return text
    decoded: list[str] = []
    pending, pending_charset = b"", ""
    end = 0
    for word in _WORD.finditer(text):
        between = text[end : word.start()]
        octets = _word_octets(word[2], word[3])
        if octets is None:
            continue
        glue = end > 0 and not between.strip()  # §6.2: white space between two words is no text
        if pending_charset and (not glue or pending_charset != word[1].lower()):
            decoded.append(charset.decode(pending, pending_charset)[0])
            pending = b""
        if not glue:
            decoded.append(between)
        pending, pending_charset, end = pending + octets, word[1].lower(), word.end()
    if pending_charset:
        decoded.append(charset.decode(pending, pending_charset)[0])
    return "".join(decoded) + text[end:]


def _word_octets(encoding: str, payload: str) -> bytes | None:
    octets = payload.encode("utf-8", "replace")
    if encoding in "qQ":
        return _HEX.sub(lambda pair: bytes((int(pair[1], 16),)), octets.replace(b"_", b" "))
    try:
        return binascii.a2b_base64(octets + b"===")
    except binascii.Error:
        return None


def text(octets: bytes, note: Note, name: str) -> str:
    """Return a header value as one decoded line without control characters."""
    return one_line(decode_words(raw_text(octets, note, name)))


def addresses(raw: str, note: Note) -> tuple[Address, ...]:
    """Read an address list (RFC 5322 §3.4): groups opened, comments taken as names, names decoded after the structure is known.

    Encoded words can hold commas and brackets, so that decoding first would let a display name forge an address.
    """
    found = _address_list(raw)
    if not found and "=?" in raw:  # some web forms encode the whole field
        found = _address_list(decode_words(raw))
    if not found and "@" in raw:  # a quote or bracket that is never closed
        found = [Address("", spec) for spec in _ADDR_SPEC.findall(one_line(raw)) if len(spec) <= _ADDRESS_LENGTH]
    if len(found) > ADDRESSES:
        note(f"{len(found)} addresses in one field, the first {ADDRESSES} were read")
    return tuple(found[:ADDRESSES])


def _address_list(raw: str) -> list[Address]:
    found: list[Address] = []
    words: list[str] = []  # what stands before "<"
    inside: list[str] = []  # what stands between "<" and ">"
    comment: list[str] = []
    depth, angle, bracketed = 0, False, False
    for match in _PIECE.finditer(raw):
        piece = match[0]
        if depth or piece == "(":
            depth += (piece == "(") - (piece == ")")
            if depth and piece != "(":
                comment.append(piece)
        elif angle:
            if piece == ">":
                angle = False
            elif piece == ",":  # the bracket was never closed, or an RFC 5322 §4.4 route
                inside.clear() if "".join(inside).lstrip().startswith("@") else inside.append(piece)
            else:
                inside.append(piece)
        elif piece == "<":
            angle = bracketed = True
        elif piece in ",;":
            _take(found, words, inside, comment, bracketed)
            bracketed = False
        elif piece == ":":
            words.clear()  # a group's name
        elif piece != ">" and piece != ")":
            words.append(piece)
    _take(found, words, inside, comment, bracketed)
    return found


def _take(found: list[Address], words: list[str], inside: list[str], comment: list[str], bracketed: bool) -> None:
    name = " ".join(_unquoted(word) for word in words)
    spec = "".join(inside).strip() if bracketed else "".join(words).strip()
    if bracketed and ":" in spec and spec.startswith("@"):
        spec = spec.partition(":")[2]
    if not bracketed:
        name = " ".join(comment)
    match = _ADDR_SPEC.fullmatch(spec) or _ADDR_SPEC.search(spec)
    if match and len(match[0]) <= _ADDRESS_LENGTH and one_line(match[0]) == match[0]:
        found.append(Address(" ".join(one_line(decode_words(name)).split())[:_ID_LENGTH], match[0]))
    words.clear()
    inside.clear()
    comment.clear()


def _unquoted(word: str) -> str:
    word = word.strip()
    if word.startswith('"'):
        return _QUOTED_PAIR.sub(r"\1", word.strip('"'))
    return word


def return_path(raw: str) -> str:
    """Return the envelope sender that the last server wrote down: "" for the null reverse-path (RFC 5321 §4.5.5)."""
    spec = one_line(raw).partition("<")[2].partition(">")[0] if "<" in raw else one_line(raw)
    return spec.strip()[:_ADDRESS_LENGTH]


def message_ids(raw: str) -> tuple[str, ...]:
    """Return the Message-IDs of a References, In-Reply-To or Message-ID field, with brackets, the first ones first."""
    ids = [f"<{one}>" for one in _ID.findall(raw)]
    if not ids:  # some mailers leave the brackets away
        ids = [f"<{word}>" for word in raw.split() if "@" in word[1:-1] and not set(word) & set('<>"(),;')]
    return tuple(dict.fromkeys(one_line(one)[:_ID_LENGTH] for one in ids[:_IDS]))


def date(raw: str) -> datetime | None:
    """Return a Date field as an aware UTC time; None if it is missing, broken or outside 1970 to 2100."""
    try:
        parsed = parsedate_tz(raw[:200])
        if parsed is None:
            return None
        offset = parsed[9] or 0  # -0000 and no zone at all: taken as UTC
        moment = datetime(*parsed[:6], tzinfo=UTC).timestamp() - offset
        return datetime.fromtimestamp(moment, UTC) if 0 < moment < _YEAR_2100 else None
    except (ValueError, TypeError, IndexError, OverflowError):  # parsedate_tz raises them for odd dates
        return None


_YEAR_2100: Final = 4_102_444_800

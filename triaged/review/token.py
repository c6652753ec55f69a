"""The token in a digest: one lock of two on its answers. It names office, digest, reviewer and expiry, and cannot be made up.

40 small letters and digits, so that with "triage+" before it it is an address's local part (at most 64, RFC 5321 §4.5.3.1.1).
It stands in Reply-To, Message-ID and a line of the text: each alone is enough.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

LENGTH: Final = 40
VALID: Final = timedelta(days=30)
_VERSION: Final = 1
_MAC_OCTETS: Final = 16  # 128 bits
_LOCAL_PART: Final = 64
_CANDIDATES: Final = 12  # tokens looked at in one mail: strangers may write any number
_SHAPE: Final = re.compile(rf"(?<![A-Za-z0-9])[a-z2-7]{{{LENGTH}}}(?![A-Za-z0-9])")
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs tokens.

    Attributes:
        office: The office's name; a token of another office is worth nothing even under the same key.
        current: Signs and checks.
        previous: Checks only, while tokens under it are still out.
    """

    office: str
    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says."""

    digest: int
    reviewer: str  # address, lower case
    expires: date  # the last day (UTC) on which it opens anything


@dataclass(frozen=True, slots=True)
class Finding:
    """What the tokens of one mail are worth.

    Attributes:
        token: The first that is ours; None if none is.
        expired: It is ours, and too old.
        tried: Something had the shape of a token.
    """

    token: Token | None = None
    expired: bool = False
    tried: bool = False


def make(token: Token, keys: Keys) -> str:
    """Return a token as it stands in mail.

    Raises:
        ValueError: The digest's number does not fit (16 million).
    """
    head = _head(token, keys.office)
    return base64.b32encode(head + _mac(head, token.reviewer, keys.office, keys.current)).decode("ascii").lower()


def expiry(sent_at: datetime) -> date:
    """Return the last day of a token that is made now."""
    return (sent_at.astimezone(UTC) + VALID).date()


def read(text: str, keys: Keys, reviewers: Iterable[str]) -> Token | None:
    """Return what a token says; None unless we made it for one of these reviewers. Its expiry is not judged.

    Args:
        text: 40 characters.
        keys: This office's.
        reviewers: Everybody who gets digests, by address.
    """
    if not _SHAPE.fullmatch(text):
        return None
    octets = base64.b32decode(text.upper())
    head, mac = octets[:-_MAC_OCTETS], octets[-_MAC_OCTETS:]
    found = None
    for reviewer in reviewers:
        token = Token(int.from_bytes(head[2:5]), reviewer.lower(), _EPOCH + timedelta(days=int.from_bytes(head[7:9])))
        for key in (keys.current, keys.previous):
            if key and hmac.compare_digest(mac, _mac(head, token.reviewer, keys.office, key)):
                found = token
    return found if found and _head(found, keys.office) == head else None


def find(places: Sequence[str], keys: Keys, reviewers: Sequence[str], now: datetime) -> Finding:
    """Look for a token of ours in a mail's recipients, the Message-IDs that it answers, and its text, in this order.

    Args:
        places: The texts, the most telling first.
        keys: This office's.
        reviewers: Everybody who gets digests.
        now: To judge expiry.
    """
    tried, expired = False, None
    for text in _candidates(places):
        tried = True
        token = read(text, keys, reviewers)
        if token and now.astimezone(UTC).date() <= token.expires:
            return Finding(token, tried=True)
        expired = expired or token
    return Finding(expired, expired=expired is not None, tried=tried)


def has_token(line: str) -> bool:
    """Tell whether something with the shape of a token stands in a line."""
    return _SHAPE.search(line) is not None


def plus_address(address: str, token: str) -> str:
    """Return the address with the token in it (RFC 5233 sub-addressing); as it was when that would be too long."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}" if len(local) + 1 + len(token) <= _LOCAL_PART else address


def message_id(token: str, domain: str, part: str = "digest") -> str:
    """Return the Message-ID of a mail that carries a token; `part` tells the mails of one token apart."""
    return f"<triaged.{part}.{token}@{domain}>"


def _candidates(places: Sequence[str]) -> Iterator[str]:
    seen: list[str] = []
    for place in places:
        for found in _SHAPE.finditer(place.replace("%2B", "+").replace("%2b", "+")):  # a mailto rewritten by its program
            if found[0] not in seen:
                seen.append(found[0])
                yield found[0]
            if len(seen) >= _CANDIDATES:
                return


def _head(token: Token, office: str) -> bytes:
    days = (token.expires - _EPOCH).days
    if not (0 < token.digest < 1 << 24 and 0 <= days < 1 << 16):
        raise ValueError(f"digest {token.digest} or expiry {token.expires} does not fit into a token")
    who = int.from_bytes(_short("office", office)) & 0x0FFF
    first = (_VERSION << 12 | who).to_bytes(2)
    return first + token.digest.to_bytes(3) + _short("reviewer", token.reviewer.lower()) + days.to_bytes(2)


def _short(kind: str, text: str) -> bytes:
    return hashlib.sha256(f"{kind}\0{text}".encode()).digest()[:2]


def _mac(head: bytes, reviewer: str, office: str, key: bytes) -> bytes:
    said = b"\0".join((b"answer", head, reviewer.encode(), office.encode()))
    return hmac.new(key, said, hashlib.sha256).digest()[:_MAC_OCTETS]

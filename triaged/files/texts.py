"""Texts that configuration files have in common: one line, an address, a date."""

import re
from datetime import date
from typing import Final

from triaged.files.shape import Parsed

_MOST_CHARACTERS: Final = 500
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = rf"(?:(?:{_LABEL}\.)+{_LABEL}|localhost)"
_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"  # RFC 5322 §3.2.3 dot-atom
_ADDRESS: Final = re.compile(rf"{_LOCAL}@{_DOMAIN}")


def one_line(text: str) -> str:
    """Return the text without outer blanks.

    Raises:
        ValueError: It holds a line break or a control character, or is too long.
    """
    line = text.strip()
    if any(not char.isprintable() for char in line):
        raise ValueError("it holds a line break or an invisible character")
    if len(line) > _MOST_CHARACTERS:
        raise ValueError(f"it is longer than {_MOST_CHARACTERS} characters")
    return line


def address(text: str) -> str:
    """Return an addr-spec (RFC 5322 §3.4.1) that every mail server takes: ASCII, no quotes.

    Raises:
        ValueError: It is none.
    """
    line = one_line(text)
    if "@" not in line:
        raise ValueError('it lacks the "@"')
    if not line.isascii():
        raise ValueError("letters other than A to Z are not carried by every mail server")
    if len(line) > 254 or not _ADDRESS.fullmatch(line):
        raise ValueError
    return line


def domain(text: str) -> str:
    """Return a domain in small letters, the "@" before it left out.

    Raises:
        ValueError: It is none.
    """
    line = one_line(text).removeprefix("@").lower()
    if len(line) > 253 or not re.fullmatch(_DOMAIN, line):
        raise ValueError
    return line


def entry(text: str) -> str:
    """Return an address or "@domain" in small letters.

    Raises:
        ValueError: It is neither.
    """
    line = one_line(text).lower()
    if line.startswith("@"):
        return "@" + domain(line)
    if "@" not in line and re.fullmatch(_DOMAIN, line):
        raise ValueError(f'a whole domain is written "@{line}"')
    return address(line)


def _day(text: str) -> date:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError
    return date.fromisoformat(text)


LINE: Final = Parsed(one_line, "text on one line")
ADDRESS: Final = Parsed(address, "an e-mail address such as housing@example.gov", r"^[^@\s]+@[^@\s]+$")
ENTRY: Final = Parsed(entry, 'an e-mail address, or "@example.gov" for a whole domain', r"^[^@\s]*@[^@\s]+$")
DOMAIN: Final = Parsed(domain, "a domain such as example.gov", r"^@?[^@\s]+$")
DAY: Final = Parsed(_day, "a date such as 2027-03-01", r"^\d{4}-\d\d-\d\d$")

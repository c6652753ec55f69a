"""The form in which a mail goes out: CRLF line ends only, and no Bcc."""

import re
from typing import Final

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_BCC: Final = re.compile(rb"^(?:resent-)?bcc[ \t]*:.*\n(?:[ \t].*\n)*", re.IGNORECASE | re.MULTILINE)


def wire_form(octets: bytes) -> bytes:
    """Return a mail as it may go out.

    A bare CR or LF lets one server see a final dot where another sees none (SMTP smuggling), so none goes out.
    Who else gets a mail is nobody's business (RFC 5322 §3.6.3).
    """
    pairs = octets.count(b"\r\n")
    if octets.count(b"\n") != pairs or octets.count(b"\r") != pairs:
        octets = _LINE_END.sub(b"\r\n", octets)
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    header, blank, body = octets.partition(b"\r\n\r\n")
    return _BCC.sub(b"", header + b"\r\n") + blank[2:] + body


def header_of(octets: bytes) -> bytes:
    """Return the header of a mail in wire form."""
    return octets.partition(b"\r\n\r\n")[0]

"""For servers that send to whom the header names (Graph, EWS): a header that names the envelope's recipients, nobody else."""

import re
from email.utils import getaddresses
from typing import Final

from triaged.route.header import addr_spec
from triaged.route.sender import Envelope
from triaged.route.wire import wire_form

_RECIPIENTS: Final = re.compile(rb"^(?:to|cc)[ \t]*:(.*\n(?:[ \t].*\n)*)", re.IGNORECASE | re.MULTILINE)


def readdressed(envelope: Envelope) -> bytes:
    """Return the mail in wire form, addressed to its envelope's recipients.

    To and Cc stay as they are if they name recipients only; who is missing there stands in Bcc. If they name others, who must
    not get this copy, they are written anew.
    """
    octets = wire_form(envelope.octets)
    header, blank, body = octets.partition(b"\r\n\r\n")
    header += b"\r\n"
    named = {
        address.lower()
        for field in _RECIPIENTS.findall(header)
        for _, address in getaddresses([field.decode("utf-8", "replace")])
        if address
    }
    wanted = {address.lower(): address for address in map(addr_spec, envelope.recipients)}
    if named - wanted.keys():
        header = _RECIPIENTS.sub(b"", header)
        header += _field("To", list(wanted.values()))
    elif missing := [address for key, address in wanted.items() if key not in named]:
        header += _field("Bcc" if named else "To", missing)
    return header + blank[2:] + body


def _field(name: str, addresses: list[str]) -> bytes:
    one_a_line = ",\r\n ".join(addresses)  # RFC 5322 §2.1.1: no line above 998 characters
    return f"{name}: {one_a_line}\r\n".encode()

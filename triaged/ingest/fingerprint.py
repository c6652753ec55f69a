"""Which mails are the same mail: a hash of what no relay changes.

Message-ID alone does not do: it is missing, used again, or the same in two mailboxes.
"""

import hashlib
import re
from typing import Final

_END_OF_HEADER: Final = re.compile(rb"\r?\n\r?\n")
_FIELD: Final = re.compile(rb"^(message-id|from|date|subject|to)[ \t]*:((?:[^\r\n]|\r?\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_HEADER_OCTETS: Final = 200_000


def fingerprint(octets: bytes) -> str:
    """Return 64 hex digits that are equal for copies of one mail, however it reached us.

    Taken from Message-ID (To, where there is none), From, Date, Subject, and the body with line ends made alike:
    mailboxes give CRLF or LF for the same mail.
    """
    end = _END_OF_HEADER.search(octets)
    header = octets[: end.start() if end else len(octets)][:_HEADER_OCTETS]
    body = octets[end.end() :] if end else b""
    fields: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(header):
        fields.setdefault(name.lower(), b" ".join(value.split()))
    stable = (b"message-id" if fields.get(b"message-id") else b"to", b"from", b"date", b"subject")
    digest = hashlib.sha256()
    for name in stable:
        digest.update(name + b":" + fields.get(name, b"") + b"\n")
    digest.update(body.replace(b"\r\n", b"\n").rstrip(b"\n") if fields else octets)
    return digest.hexdigest()

"""What our own server found out about a mail's origin: Authentication-Results (RFC 8601), and which fields it added itself."""

import re
from dataclasses import dataclass
from typing import Final

import authres

from triaged.message import Message

_LENGTH: Final = 4_000
_COMMENT_DEPTH: Final = 20
_METHODS: Final = ("dmarc", "dkim", "spf")
_BY: Final = re.compile(r"\bby\s+([\w.:\[\]-]{1,255})", re.IGNORECASE)
_RECEIVED_LENGTH: Final = 2_000
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "[127.0.0.1]", "::1", "localhost.localdomain"})


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Results in lower case ("pass", "fail", "none" …); "" where our server says nothing."""

    dmarc: str = ""
    dkim: str = ""
    spf: str = ""


def verdicts(message: Message, authserv_id: str) -> Verdicts:
    """Read the topmost Authentication-Results field of our server; all others may be forged (RFC 8601 §5, §7.1).

    Args:
        message: The mail.
        authserv_id: Our server's name in that field; empty: nothing is trusted. Our server must remove such fields from
            mail that comes in under its own name, as RFC 8601 §5 demands: nothing else can tell them apart.
    """
    ours = authserv_id.strip().lower()
    for value in message.headers.get("authentication-results", ()) if ours else ():
        if value.partition(";")[0].split()[:1] and value.partition(";")[0].split()[0].lower() == ours:
            return _parsed(value)
    return Verdicts()


def _parsed(value: str) -> Verdicts:
    # authres 1.2 recurses into nested comments
    if len(value) > _LENGTH or value.count("(") > _COMMENT_DEPTH:
        return Verdicts()
    try:
        header = authres.AuthenticationResultsHeader.parse_value(value)
    except authres.AuthResError:
        return Verdicts()
    found: dict[str, str] = {}
    for result in header.results:
        method, outcome = getattr(result, "method", ""), getattr(result, "result", "")
        if method in _METHODS and (method not in found or outcome == "pass"):  # a mail may carry several DKIM signatures
            found[method] = str(outcome).lower()
    return Verdicts(**found)


def added_by_our_servers(message: Message, authserv_id: str) -> frozenset[str]:
    """Return the names of fields whose topmost one stands where only our own servers can have put it.

    Every server adds its fields at the top. Ours are taken to be the one that wrote the topmost Received field, those of
    its domain, those of `authserv_id`'s domain and this machine itself. What stands above the first Received field of
    another server was added by ours; a field further down, or in a mail without Received, may be anybody's.
    """
    homes = {_domain(authserv_id)} if authserv_id else set()
    received = iter(message.headers.get("received", ()))
    names: set[str] = set()
    trusted: set[str] = set()
    for name in message.header_names:
        if name == "received":
            host = _BY.search(next(received, "")[:_RECEIVED_LENGTH])
            server = host[1].lower() if host else ""
            if not homes or "received" not in names:
                homes.add(_domain(server))
            if _domain(server) not in homes and server not in _LOCAL:
                return frozenset(trusted)
            trusted |= names  # something of ours stands below them
        names.add(name)
    return frozenset(trusted)


def _domain(host: str) -> str:
    return ".".join(host.strip().lower().rstrip(".").split(".")[-2:])

"""What our own server found out about a mail's origin: Authentication-Results (RFC 8601), and which fields it added itself."""

import re
from dataclasses import dataclass
from typing import Any, Final

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
    found: dict[str, str] = {}
    for result in _results(_topmost(message, ours)):
        method, outcome = getattr(result, "method", ""), getattr(result, "result", "")
        if method in _METHODS and (method not in found or outcome == "pass"):  # a mail may carry several DKIM signatures
            found[method] = str(outcome).lower()
    return Verdicts(**found)


def proof_of_sender(message: Message, authserv_id: str, *, auth_as: bool = False) -> str:
    """Return what proves that From is who it says, in words; empty when nothing of our own server's does.

    DMARC pass, or DKIM or SPF pass of exactly From's domain: stricter than DMARC's relaxed alignment (RFC 7489 §3.1), which
    needs a list of public suffixes. A mail with several From fields or mailboxes proves nothing.

    Args:
        message: The mail.
        authserv_id: Our server's name in Authentication-Results; empty: none is believed.
        auth_as: Whether Exchange's own word counts as well, that an account of the house submitted the mail.
    """
    domain = message.sender.address.rpartition("@")[2].lower()
    written = message.headers.get("from", ())
    named_there = {found.lower() for value in written for found in _ADDRESS.findall(value[:_LENGTH])}
    if not domain or len(written) != 1 or named_there != {message.sender.address.lower()}:
        return ""
    if verdicts(message, authserv_id).dmarc == "fail":
        return ""
    for result in _results(_topmost(message, authserv_id.strip().lower())):
        method, named = getattr(result, "method", ""), _ALIGNED.get(getattr(result, "method", ""))
        if named is None or str(getattr(result, "result", "")).lower() != "pass":
            continue
        properties = {f"{one.type}.{one.name}".lower(): str(one.value) for one in result.properties}
        value = properties.get(named, "").rpartition("@")[2].strip().lower().rstrip(".")
        if value == domain or (method == "dmarc" and not value):
            return f"{method} pass for {domain}"
    return "Exchange: submitted by an account of the house" if auth_as and _submitted_inside(message) else ""


def _submitted_inside(message: Message) -> bool:
    """Tell whether Exchange says that one of its own accounts submitted a mail in its own name.

    Exchange writes these fields, and its header firewall removes them from mail that comes in from elsewhere: Microsoft,
    "Header firewall" and "Receive connector permissions" (ms-Exch-Accept-Headers-Organization). A relay that a connector
    trusts is `Internal`, too (a scanner, a gateway): only mechanism 04, submission from a mailbox, means that an account
    signed in which may send as From. A Sender field names somebody who writes on From's behalf.
    """
    said = {name: message.headers.get(f"x-ms-exchange-organization-{name}", ()) for name in ("authas", "authmechanism")}
    return said == {"authas": ("Internal",), "authmechanism": ("04",)} and "sender" not in message.headers


_ADDRESS: Final = re.compile(r"[^\s<>\"',;:()]{1,256}@[^\s<>\"',;:()]{1,256}")
_ALIGNED: Final = {"dmarc": "header.from", "dkim": "header.d", "spf": "smtp.mailfrom"}


def _topmost(message: Message, ours: str) -> str:
    for value in message.headers.get("authentication-results", ()) if ours else ():
        if value.partition(";")[0].split()[:1] and value.partition(";")[0].split()[0].lower() == ours:
            return value
    return ""


def _results(value: str) -> list[Any]:
    # authres 1.2 recurses into nested comments
    if not value or len(value) > _LENGTH or value.count("(") > _COMMENT_DEPTH:
        return []
    try:
        return list(authres.AuthenticationResultsHeader.parse_value(value).results)
    except authres.AuthResError:
        return []


def added_by_our_servers(message: Message, authserv_id: str) -> frozenset[str]:
    """Return the names of fields whose topmost one stands where only our own servers can have put it.

    Every server adds its fields at the top. Ours are taken to be the one that wrote the topmost Received field, those of
    its domain, those of `authserv_id`'s domain and this machine itself. What stands above the lowest of their Received
    fields, before the first of another server, was added by ours. Between these two it may be the other server's, further
    down anybody's.
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

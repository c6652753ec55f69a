"""Whether an automatic acknowledgement may be sent, and where: we are a Personal Responder (RFC 3834 §1.1, §2, §4)."""

import re
from typing import Final

from triaged.ingest.authentication import Verdicts
from triaged.ingest.mail_words import every
from triaged.message import Address, Message, Reason

_NEVER: Final = re.compile(
    r"(?:no|not|do[-_.]?not)[-_.]?(?:reply|respond|responder|answer)|donotreply|noreply|ne[-_.]?pas[-_.]?repondre|noresponder"
    r"|mailer[-_.]?daemon|post[-_.]?master|bounces?\b|bounce[-_+=]|owner-|majordomo|listserv|mailman|nobody$|root$|www-data$"
    r"|.*(?:-request|-owner|-bounces|-return)$|.*[-_.](?:no[-_.]?reply|donotreply)$|msprvs\d|prvs=.*bounce",
    re.IGNORECASE,
)
_LIST_FIELDS: Final = ("list-id", "list-post", "list-unsubscribe", "list-help", "list-subscribe", "list-owner", "list-archive")
_SUPPRESSED: Final = frozenset({"all", "oof", "autoreply", "dr"})
_REPLY_PREFIX: Final = re.compile(r"^(?:(?:re|aw|rv|fw|fwd|sv|odp|ответ|回复|回覆|رد)\s*[:：]\s*|[\[(*\s])+", re.IGNORECASE)
_FAILS: Final = frozenset({"fail", "softfail", "permerror"})


def refusals(message: Message, mailbox_addresses: frozenset[str]) -> list[Reason]:
    """Return every reason in the mail itself against an acknowledgement."""
    found: list[Reason] = []

    def against(name: str, because: str) -> None:
        found.append(Reason("screen", name, f"no acknowledgement: {because}"))

    lists = [name for name in _LIST_FIELDS if name in message.headers]
    if lists:
        against("list field", f"it carries {lists[0].title().replace('Id', 'ID')}, as lists and newsletters do")
    precedence = message.header("precedence").strip().lower()
    if precedence in ("bulk", "junk", "list", "auto_reply"):
        against("precedence", f"Precedence is {precedence}")
    asked = {word.strip().lower() for word in message.header("x-auto-response-suppress").split(",")} & _SUPPRESSED
    if asked:
        against("x-auto-response-suppress", "its sender asks for no automatic answers (X-Auto-Response-Suppress)")
    if is_away(message.subject):
        against("subject", "its subject reads like an out-of-office answer")
    if len(message.headers.get("from", ())) > 1:
        against("from", "it has more than one From field")
    if mailbox_addresses and not _names_us(message, mailbox_addresses):
        against("recipients", "none of its recipient fields names this mailbox")  # RFC 3834 §2, RFC 5230 §4.5
    return found


def is_away(subject: str) -> bool:
    """Tell whether a subject begins like an out-of-office answer, in any of the office's languages."""
    return _REPLY_PREFIX.sub("", subject.casefold()).startswith(every("away"))


def never_answers(address: str) -> bool:
    """Tell whether an address belongs to nobody who reads answers."""
    return _NEVER.match(address.partition("@")[0]) is not None


def _names_us(message: Message, ours: frozenset[str]) -> bool:
    named = {address.address.lower() for address in (*message.to, *message.cc)}
    for field in ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "resent-to"):
        named |= {word.strip("<>").lower() for value in message.headers.get(field, ()) for word in re.split(r"[\s,]+", value)}
    return not named.isdisjoint(ours)


def destination(message: Message, verdicts: Verdicts, form_writer: Address | None) -> tuple[str, list[Reason]]:
    """Find where an acknowledgement may go.

    RFC 3834 §4 knows only the Return-Path. Bulk systems' return paths swallow answers, and some servers keep none, so From
    is taken where our own server vouches for it (DMARC), or where there is no Return-Path and nothing speaks against it.

    Returns:
        One address ("" for nowhere), and what speaks against it.
    """
    address, because = _candidate(message, verdicts, form_writer)
    if not address:
        return "", [Reason("screen", "address", f"no acknowledgement: {because}")]
    if "@" not in address:
        return "", [Reason("screen", "address", f"no acknowledgement: {address!r} is no address")]
    if never_answers(address) or (form_writer is None and never_answers(message.sender.address)):
        return "", [Reason("screen", "address", f"no acknowledgement: {address} takes no answers")]
    return address, []


def _candidate(message: Message, verdicts: Verdicts, form_writer: Address | None) -> tuple[str, str]:
    if form_writer is not None:
        return form_writer.address, ""
    sender = message.sender.address
    if not sender:
        return "", "From names no address"
    if message.return_path is None:
        failed = [name for name, verdict in (("DMARC", verdicts.dmarc), ("SPF", verdicts.spf)) if verdict in _FAILS]
        return ("", f"{failed[0]} failed, From may be forged") if failed else (sender, "")
    if not message.return_path:
        return "", "its envelope names no sender (null return path)"
    if message.return_path.lower() == sender.lower() or verdicts.dmarc == "pass":
        return sender, ""
    return message.return_path, ""

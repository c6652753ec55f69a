"""The text of a hand-off: what a clerk needs to act, on top of the original."""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Final

from babel import Locale, UnknownLocaleError

from triaged.message import Address, Record, Urgency
from triaged.route.handoff import Case
from triaged.route.header import one_line

_URGENCY: Final = {
    Urgency.CRITICAL: "CRITICAL: a person must act now",
    Urgency.HIGH: "HIGH: today",
    Urgency.NORMAL: "normal",
    Urgency.LOW: "low",
}
_REASONS: Final = 8
_ATTACHMENTS: Final = 50
_TEXT_CHARACTERS: Final = 20_000
_LABEL: Final = 12


def summary(case: Case, reply_to: tuple[Address, ...], topics: Mapping[str, str], zone: tzinfo, missing: str = "") -> str:
    """Write the text.

    Args:
        case: The case.
        reply_to: Where an answer to the hand-off goes; empty: no address is known.
        topics: Topic id → in words.
        zone: The office's time zone.
        missing: Why the original is not attached; empty when it is.
    """
    record, message = case.record, case.message
    blocks = ["\n".join(_facts(case, reply_to, topics, zone))]
    if record.follow_up:
        blocks.append(f"This is a later mail on {record.reference}, a case that is already known.")
    why = [reason for reason in record.reasons if reason.by != "shadow"]
    if why:
        reasons = why[:_REASONS]
        lines = [f"  - {one_line(reason.because, 200)}{f' ({reason.at})' if reason.at else ''}" for reason in reasons]
        more = len(why) - len(reasons)
        blocks.append("\n".join(("Why you have it:", *lines, *((f"  - and {more} more",) if more > 0 else ()))))
    if message.attachments:
        blocks.append("\n".join(("Attached to the letter:", *_attachments(case))))
    if missing:
        blocks.append(missing)
    said = readable(message.text or record.excerpt, _TEXT_CHARACTERS)
    blocks.append(f"What the writer says:\n\n{said}" if said else "The letter has no text of its own; see the original.")
    return "\n\n".join((*blocks, _how_to_answer(reply_to))) + "\n"


def readable(text: str, at_most: int) -> str:
    """Return a text without control characters and direction overrides, cut at a number of characters."""
    kept = "".join(
        letter
        for letter in text[:at_most].replace("\r\n", "\n").replace("\r", "\n")
        if letter in "\n\t" or not (unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202a\u202b\u202c\u202d\u202e")
    )
    return kept.strip() + ("\n[…] The letter goes on; see the original." if len(text) > at_most else "")


def language_name(code: str) -> str:
    """Return a language's English name ("Haitian Creole"), the code itself if it is unknown."""
    if code in ("", "und"):
        return "not known"
    try:
        return Locale.parse(code, sep="-").get_display_name("en") or code
    except (UnknownLocaleError, ValueError):
        return one_line(code, 20)


def size(octets: int) -> str:
    """Return a size in words: "12 KB"."""
    if octets < 1_000:
        return f"{octets} bytes"
    return f"{octets / 1_000:.0f} KB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB"


def _facts(case: Case, reply_to: tuple[Address, ...], topics: Mapping[str, str], zone: tzinfo) -> Iterator[str]:
    record = case.record
    yield _fact("Reference", record.reference)
    yield _fact("Written to", one_line(case.office, 100))
    yield _fact("Writer", _mailbox(record.sender))
    if reply_to and [address.address for address in reply_to] != [record.sender.address]:
        yield _fact("Reply goes to", ", ".join(_mailbox(address) for address in reply_to))
    yield _fact("Received", f"{record.received_at.astimezone(zone):%Y-%m-%d %H:%M %Z}")
    yield _fact("Subject", one_line(record.subject, 300) or "(none)")
    yield _fact("Language", language_name(record.language))
    yield _fact("Topic", _topic(record, topics))
    yield _fact("Urgency", _URGENCY[record.urgency])
    for flag in record.flags:
        words = ", ".join(f"“{one_line(word, 60)}”" for word in flag.words[:5])
        yield _fact("Flag", f"{one_line(flag.name, 60)}{f': {words}' if words else ''}")
    if record.due:
        yield _fact("Answer by", f"{record.due:%Y-%m-%d}")
    if record.related:
        yield _fact("See also", ", ".join(record.related[:10]))


def _fact(label: str, value: str) -> str:
    return f"{label + ':':<{_LABEL}} {value}"


def _mailbox(address: Address) -> str:
    spec = one_line(address.address, 320) or "no address"
    return f"{one_line(address.name, 100)} <{spec}>" if address.name else spec


def _topic(record: Record, topics: Mapping[str, str]) -> str:
    if record.topic is None:
        return "not known"
    return f"{topics[record.topic]} ({record.topic})" if record.topic in topics else record.topic


def _attachments(case: Case) -> Iterator[str]:
    attachments = case.message.attachments
    for attachment in attachments[:_ATTACHMENTS]:
        name = one_line(attachment.filename, 120) or "(no name)"
        yield f"  - {name} ({one_line(attachment.content_type, 80)}, {size(attachment.size_octets)})"
    if len(attachments) > _ATTACHMENTS:
        yield f"  - and {len(attachments) - _ATTACHMENTS} more"


def _how_to_answer(reply_to: tuple[Address, ...]) -> str:
    if not reply_to:
        return "No address was found that an answer could be mailed to."
    return "Your reply to this mail goes to the writer. Please keep the reference in its subject."

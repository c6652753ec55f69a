"""text/calendar parts (RFC 5545): what the first event says. Read, never answered; never raises."""

import re
from typing import Final

from triaged.ingest.headers import one_line
from triaged.message import Invitation

_LENGTH: Final = 100_000
_VALUE_LENGTH: Final = 5_000
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_LINE: Final = re.compile(r'([\w-]++)((?:;[\w-]++=(?:"[^"]*+"|[^;:"]*+)(?:,"[^"]*+")*+)*+):(.*)')
_PARAMETER: Final = re.compile(r';([\w-]+)=("[^"]*"|[^;:"]*)')
_ESCAPED: Final = re.compile(r"\\([\\;,nN])")
_MOMENT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})\d{2}(Z?))?")


def invitation(text: str) -> tuple[Invitation | None, str]:
    """Read the first event.

    Returns:
        The invitation (None when there is no event) and its description, which may be all that the writer says.
    """
    event: dict[str, tuple[dict[str, str], str]] = {}
    in_event = False
    for line in _FOLD.sub("", text[:_LENGTH]).splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is None:
            continue
        name, value = match[1].upper(), match[3][:_VALUE_LENGTH]
        if (name, value.upper()) == ("BEGIN", "VEVENT"):
            in_event = True
        elif (name, value.upper()) == ("END", "VEVENT"):
            break
        elif in_event or name == "METHOD":
            parameters = {key.upper(): one_line(text.strip('"')) for key, text in _PARAMETER.findall(match[2])}
            event.setdefault(name, (parameters, value))
    if not in_event:
        return None, ""
    read = Invitation(
        method=one_line(_value(event, "METHOD")).upper(),
        summary=one_line(_value(event, "SUMMARY")),
        location=one_line(_value(event, "LOCATION")),
        starts=_moment(*event.get("DTSTART", ({}, ""))),
        organizer=_person(*event.get("ORGANIZER", ({}, ""))),
    )
    return read, _value(event, "DESCRIPTION").strip()


def as_text(event: Invitation, description: str) -> str:
    """Return what an invitation says as lines of a letter, for mails that have no other text."""
    return "\n".join(part for part in (event.summary, event.starts, event.location, description) if part)


def _value(event: dict[str, tuple[dict[str, str], str]], name: str) -> str:
    return _ESCAPED.sub(lambda pair: "\n" if pair[1] in "nN" else pair[1], event.get(name, ({}, ""))[1])


def _moment(parameters: dict[str, str], value: str) -> str:
    """Return "2026-12-03 18:00 America/New_York" (or UTC, or the day alone); what cannot be read stays as it is."""
    parts = _MOMENT.fullmatch(value.strip())
    if parts is None:
        return one_line(value)
    day = f"{parts[1]}-{parts[2]}-{parts[3]}"
    if parts[4] is None:
        return day
    zone = "UTC" if parts[6] else parameters.get("TZID", "")
    return f"{day} {parts[4]}:{parts[5]} {zone}".strip()


def _person(parameters: dict[str, str], value: str) -> str:
    address = value.strip()
    if address.lower().startswith("mailto:"):
        address = address[7:]
    name = parameters.get("CN", "")
    return one_line(f"{name} <{address}>" if name and name != address else address)

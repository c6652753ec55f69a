"""The signature under a letter: what stands below "-- ", telephones' lines, confidentiality notices, a closing and a name."""

import re
from typing import Final

from triaged.ingest.mail_words import every, occurring

_DELIMITER: Final = re.compile(r"(?:--|—|––) ?$|_{20,}\s*$")
_BELOW_EXACT: Final = 40  # written lines below "-- " (RFC 3676 §4.3)
_BELOW_LOOSE: Final = 12  # below "--": people also divide letters with it
_TAIL: Final = 12  # a closing stands in so many last written lines
_CLOSED_WIDTH: Final = 320
_LINE_WIDTH: Final = 80
_DEVICE_WIDTH: Final = 100
_DISCLAIMER_WIDTH: Final = 4_000
_DISCLAIMER_PHRASES: Final = 2
_EAST_ASIAN: Final = "\u2e80"

_CLOSINGS: Final = frozenset(every("closings"))
_AFTERTHOUGHT: Final = re.compile(r"p\.?\s?s\b|п\.?с\.|n\.?b\.|(?:please|por favor|svp|s'il vous)\b", re.IGNORECASE)
_QUESTION: Final = ("?", "？", "؟")
_SENTENCE: Final = (".", "!", "。", "！", "।", "۔")
_PUNCTUATION: Final = " \t,.!;:،。，！、-–—~*_…"


def take_off(lines: list[str]) -> tuple[list[str], list[str]]:
    """Divide a writer's lines into the letter and what is signature; no line is lost, and order is kept in each."""
    letter, below = _at_delimiter(lines)
    letter, automatic = _automatic(letter)
    letter, closed = _at_closing(letter)
    return letter, closed + automatic + below


def _at_delimiter(lines: list[str]) -> tuple[list[str], list[str]]:
    written_below = 0
    found = len(lines)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if _DELIMITER.match(line):
            if written_below <= (_BELOW_EXACT if line == "-- " else _BELOW_LOOSE):
                found = index
        elif line.strip():
            written_below += 1
        if written_below > _BELOW_EXACT:
            break
    return lines[:found], lines[found:]


def _automatic(lines: list[str]) -> tuple[list[str], list[str]]:
    """Take off what no person typed: "Sent from my iPhone", PGP armour, confidentiality notices."""
    whole = "\n".join(lines).casefold()
    devices, disclaimers = occurring("sent_from", whole), occurring("disclaimer", whole)
    armour = "-----begin pgp sign" in whole
    if not (devices or armour or len(disclaimers) > 1):
        return lines, []
    letter: list[str] = []
    automatic: list[str] = []
    for paragraph in _paragraphs(lines):
        if any(letter) and _is_disclaimer(paragraph, disclaimers):
            automatic += paragraph
            continue
        for line in paragraph:
            (automatic if _is_device_line(line, devices) else letter).append(line)
    return _without_armour(letter, automatic) if armour else (letter, automatic)


def _is_disclaimer(paragraph: list[str], phrases: tuple[str, ...]) -> bool:
    if len(phrases) < _DISCLAIMER_PHRASES:
        return False
    text = " ".join(paragraph)[:_DISCLAIMER_WIDTH].casefold()
    return sum(phrase in text for phrase in phrases) >= _DISCLAIMER_PHRASES


def _is_device_line(line: str, phrases: tuple[str, ...]) -> bool:
    """Tell whether a phrase is the line's beginning or end, as a program writes it, not the middle of a sentence."""
    if not phrases or len(line) > _DEVICE_WIDTH:
        return False
    text = line.casefold().strip(_PUNCTUATION + "<>()[]")
    return any(
        text.endswith(phrase) or (text.startswith(phrase) and not text[len(phrase) :][:1].isalpha()) for phrase in phrases
    )


def _without_armour(letter: list[str], automatic: list[str]) -> tuple[list[str], list[str]]:
    """Take the marks of a clear-signed text off (RFC 9580 §7)."""
    kept: list[str] = []
    until = ""
    for line in letter:
        if line.startswith("-----BEGIN PGP SIGN"):
            until = "-----END PGP SIGNATURE" if "SIGNATURE" in line else "\n"
        (automatic if until else kept).append(line)
        if until and (line.startswith(until) or (until == "\n" and not line.strip())):
            until = ""
    return kept, automatic


def _paragraphs(lines: list[str]) -> list[list[str]]:
    """Group lines; each blank line is a group of its own."""
    groups: list[list[str]] = []
    open_group = False
    for line in lines:
        if not line.strip():
            groups.append([line])
            open_group = False
        elif open_group:
            groups[-1].append(line)
        else:
            groups.append([line])
            open_group = True
    return groups


def _at_closing(lines: list[str]) -> tuple[list[str], list[str]]:
    """Find "Best regards," with nothing but a few short lines below it."""
    cut = len(lines)
    seen = total = 0
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index].strip()
        if not line:
            continue
        seen += 1
        if _is_closing(line):
            cut = index
        total += width(line)
        if seen >= _TAIL or total > _CLOSED_WIDTH or not (_is_closing(line) or _may_follow(line)):
            break
    return lines[:cut], lines[cut:]


def _is_closing(line: str) -> bool:
    if len(line) > 60:
        return False
    line = line.casefold().removeprefix("with ")
    if line.strip(_PUNCTUATION) in _CLOSINGS:
        return True
    first, comma, rest = line.partition("," if "," in line else "،" if "،" in line else "，")
    return bool(comma) and first.strip(_PUNCTUATION) in _CLOSINGS and len(rest.split()) <= 3 and len(rest) <= 30


def _may_follow(line: str) -> bool:
    if line.endswith(_QUESTION) or (line.endswith(_SENTENCE) and len(line.split()) > 8):
        return False
    return width(line) <= _LINE_WIDTH and not _AFTERTHOUGHT.match(line)


def width(line: str) -> int:
    """Return how much a text says, in Latin letters: East Asian ones say some three times as much."""
    return len(line) + sum(2 for letter in line if letter >= _EAST_ASIAN) if not line.isascii() else len(line)

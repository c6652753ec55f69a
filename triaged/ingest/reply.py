"""What the writer says now, what was quoted or forwarded below it, and the signature. Line by line, linear, no line lost.

mail-parser-reply 1.33 was measured and is not used: of 25 "… wrote:" lines of today's mail programs in the office's thirteen
languages and seven others it finds 7; it takes every "- item" and every "Thank you, …" for the start of a signature; 20,000
empty lines take it 69 s. What marks a reply stands in one table, `mail_words.toml`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from triaged.ingest.mail_words import any_of, every
from triaged.ingest.signature import take_off, width

PASSED_ON: Final = "the writer passes another mail on: that mail's text was read too"
LINES: Final = 20_000  # nobody writes more; what is below counts as older
KEPT_WHOLE: Final = "nothing is written above the quoted text: it was read as the writer's"

_QUOTE: Final = re.compile(r"[ \t]{0,3}[>＞]")
_WRITTEN: Final = re.compile(r"[^\W_]")
_DIGITS: Final = re.compile(r"\d")
_WHEN: Final = re.compile(r"\d{1,2}[:.hH時时点點]\s?\d{2}")
_DAY: Final = re.compile(r"\d{4}|\d{1,2}[./-]\d{1,2}")
_ADDRESS: Final = re.compile(r"[^\s<>()@]{1,64}@[^\s<>()@]{1,255}")
_ENDS_WITH_ADDRESS: Final = re.compile(r"[<(]\W{0,3}[^\s<>()@]{1,64}@[^\s<>()@]{1,255}[>)]\W{0,3}[:：]$")
_HEADER_LINE: Final = re.compile(r"[*_\s]{0,4}([^\d\W][^:：*\n]{0,28}?)[*_\s]{0,3}[:：]")
_LONGEST_NAME: Final = 40
_LONGEST_MARK: Final = 400
_LONGEST_SEPARATOR: Final = 120
_COVERING_NOTE: Final = 400  # Latin letters' widths: some sixty words
_OUTLOOK_LINE: Final = 20  # of underscores, above its header lines
_HEADER_LINES: Final = 14


_WROTE: Final = any_of("wrote")
_ROLES: Final[dict[str, str]] = {name: role for role in ("to", "subject", "date", "sender") for name in every(role)}
_ORIGINAL: Final = frozenset(every("original"))
_FORWARDED: Final = frozenset(every("forwarded"))


@dataclass(frozen=True, slots=True)
class Split:
    """The three parts of a text; every line of it stands in one of them."""

    text: str
    quoted: str = ""
    signature: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where something older begins: `length` lines mark it.

    Attributes:
        rest: All below it is older; else only the lines with ">".
        exact: It is surely so; else ">" further down may mean that answers stand between the quotations.
        forwarded: What is below is passed on.
    """

    length: int
    rest: bool
    exact: bool = False
    forwarded: bool = False


def split(text: str, *, forwarding: bool = False) -> Split:
    """Tell apart what the writer says now, what is quoted and the signature.

    Args:
        text: The whole text of a mail, lines ended by "\\n".
        forwarding: The subject says that the mail passes another one on (FW:, TR:, RV:).

    Returns:
        The parts. A text is never left empty when there was one: then the forwarded text, or the whole, is the text, with a
        note. The text of a mail that is passed on with a few words stands in `text` below them, and in `quoted`.
    """
    lines = text.split("\n")
    sorted_lines = _sort(lines[:LINES])
    sorted_lines.quoted.extend(lines[LINES:])
    own, signature = _letter(sorted_lines.blocks)
    quoted, older = _join(sorted_lines.quoted), sorted_lines.older
    said = says_something(own)
    forwarding = forwarding or sorted_lines.forwarded
    if says_something(older) and (not said or (forwarding and is_covering_note(_join(own)))):
        note = PASSED_ON if forwarding else KEPT_WHOLE
        return Split(_join([_join(own), "", _join(_older_letter(older))]), quoted, _join(signature), note)
    if said:
        return Split(_join(own), quoted, _join(signature))
    if says_something(signature):
        return Split(_join(own + signature), quoted, note="only a signature stands above the quoted text" if quoted else "")
    return Split(_join(lines), note=KEPT_WHOLE if quoted else "")


def is_covering_note(text: str) -> bool:
    """Tell whether a text above a forwarded mail is so short ("FYI", "can you take this?") that the matter is the other's."""
    return width(text) <= _COVERING_NOTE


def says_something(lines: Iterable[str]) -> bool:
    """Tell whether any letter or digit stands in the lines."""
    return any(_WRITTEN.search(line) for line in lines)


def _letter(blocks: list[list[str]]) -> tuple[list[str], list[str]]:
    letter: list[str] = []
    signature: list[str] = []
    for block in blocks:
        own, below = take_off(block)
        letter += own
        signature += below
    return letter, signature


def _older_letter(lines: list[str]) -> list[str]:
    """Return what the older mail's own writer says, without what that one quotes."""
    own, _ = _letter(_sort(lines).blocks)
    return own if says_something(own) else lines


@dataclass(frozen=True, slots=True)
class _Sorted:
    """A text's lines: the writer's, in blocks between quotations; all older ones; the text of the older mail below a mark."""

    blocks: list[list[str]]
    quoted: list[str]
    older: list[str]
    forwarded: bool = False


def _sort(lines: list[str]) -> _Sorted:
    blocks: list[list[str]] = [[]]
    quoted: list[str] = []
    last_quote = max((index for index, line in enumerate(lines) if _QUOTE.match(line)), default=-1)
    position = 0
    said = False
    while position < len(lines):
        line = lines[position]
        if _QUOTE.match(line):
            quoted.append(line)
            if blocks[-1]:
                blocks.append([])
            position += 1
            continue
        cut = _cut(lines, position) if line and not line.isspace() else None
        if cut is None:
            blocks[-1].append(line)
            said = said or says_something([line])
            position += 1
        elif cut.rest and (said or cut.exact or last_quote < position):
            older = lines[position:]
            return _Sorted(blocks, quoted + older, _without_marks(older[cut.length :]), cut.forwarded)
        else:
            quoted += lines[position : position + cut.length]
            position += cut.length
    return _Sorted(blocks, quoted, [])


def _cut(lines: list[str], position: int) -> _Cut | None:
    line = lines[position].strip()
    if len(line) > _LONGEST_MARK:
        return None
    return _separator(lines, position, line) or _header_block(lines, position, line) or _attribution(lines, position, line)


def _separator(lines: list[str], position: int, line: str) -> _Cut | None:
    """Find "-----Original Message-----" and "Begin forwarded message:"."""
    marked = line[:2] in _DASHES and line[-2:] in _DASHES
    if not (marked or line[-1] in ":：") or len(line) > _LONGEST_SEPARATOR:
        return None
    phrase = line.strip("-_=*─—–~> \xa0\t:：").casefold()
    if marked and not phrase and len(line) >= _OUTLOOK_LINE:
        below = _next_written(lines, position + 1)
        block = _header_block(lines, below, lines[below].strip()) if below < len(lines) else None
        return replace(block, length=block.length + below - position) if block else None
    forwarded = phrase in _FORWARDED or (marked and phrase.startswith("forwarded by"))
    if forwarded or (marked and phrase in _ORIGINAL):
        return _older(lines, position, 1 + _header_lines(lines, position + 1), forwarded)
    return None


def _older(lines: list[str], position: int, length: int, forwarded: bool = False) -> _Cut:
    """Judge what follows header lines or a separator: everything is older, unless the older mail is marked with ">"."""
    below = _next_written(lines, position + length)
    marked = below < len(lines) and _QUOTE.match(lines[below]) is not None and not forwarded
    return _Cut(length, rest=not marked, exact=True, forwarded=forwarded)


_DASHES: Final = frozenset({"--", "__", "==", "**", "──", "——", "––", "~~"})


def _header_block(lines: list[str], position: int, line: str) -> _Cut | None:
    """Find the header lines that Outlook and telephones put above an older mail."""
    if not _role(line) or (position and _role(lines[position - 1].strip())):  # the line above began it, or there is none
        return None
    length = _header_lines(lines, position)
    roles = {_role(one.strip()) for one in lines[position : position + length]}
    if {"sender", "date"} <= roles and roles & {"to", "subject"}:
        return _older(lines, position, length)
    return None


def _header_lines(lines: list[str], position: int) -> int:
    """Count the header lines from here on, with blank lines before and folded lines between them."""
    start = _next_written(lines, position)
    last = start
    for index in range(start, min(len(lines), start + _HEADER_LINES)):
        if _role(lines[index].strip()):
            last = index + 1
        elif not lines[index].strip() or (index > last and not lines[index - 1].rstrip().endswith((",", ";"))):
            break  # one folded line is allowed, and more in a list of addresses
    return last - position if last > start else 0


def _role(line: str) -> str:
    begin = line[:_LONGEST_NAME]
    found = _HEADER_LINE.match(begin) if ":" in begin or "：" in begin else None
    return _ROLES.get(" ".join(found[1].casefold().split()), "") if found else ""


def _attribution(lines: list[str], position: int, line: str) -> _Cut | None:
    """Find "On … John <john@example.org> wrote:", on one line or broken over up to three."""
    joined = line
    for length in (1, 2, 3):
        if joined[-1] in ":：" and len(joined) <= _LONGEST_MARK:
            cut = _judge_attribution(lines, position, joined, length)
            if cut:
                return cut
        following = lines[position + length].strip() if position + length < len(lines) else ""
        if not following or not _DIGITS.search(line) or _QUOTE.match(following):
            return None
        joined = f"{joined} {following}"
    return None


def _judge_attribution(lines: list[str], position: int, joined: str, length: int) -> _Cut | None:
    wrote = _WROTE.search(joined) is not None
    dated = _DAY.search(joined) is not None or _WHEN.search(joined) is not None
    addressed = _ADDRESS.search(joined) is not None
    below = _next_written(lines, position + length)
    if below < len(lines) and _QUOTE.match(lines[below]):
        return _Cut(length, rest=False) if wrote or (dated and addressed) else None
    exact = _DAY.search(joined) is not None and (addressed or _WHEN.search(joined) is not None)
    if exact and (wrote or _ENDS_WITH_ADDRESS.search(joined)):
        return _Cut(length, rest=True)
    return None


def _next_written(lines: list[str], position: int) -> int:
    for index in range(position, min(position + 3, len(lines))):
        if lines[index].strip():
            return index
    return min(position, len(lines))


def _without_marks(lines: list[str]) -> list[str]:
    """Take one level of "> " away where every line of a forwarded mail has it (Apple Mail)."""
    written = [line for line in lines if line.strip()]
    if written and all(_QUOTE.match(line) for line in written):
        lines = [_QUOTE.sub("", line, count=1).removeprefix(" ") for line in lines]
    body = _header_lines(lines, 0)
    return lines[body:]


def _join(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n")

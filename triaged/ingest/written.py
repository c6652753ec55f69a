"""What the writer of an answer wrote above the quoted mail, and between its lines.

Stricter than `reply`: nothing quoted is ever taken for the writer's, even when there is nothing else.
"""

from typing import Final

from triaged.ingest import parts
from triaged.ingest.body import gather
from triaged.ingest.reply import _QUOTE, _attribution, _cut
from triaged.ingest.signature import take_off
from triaged.message import Written

_LINES: Final = 20_000


def written(octets: bytes) -> Written:
    """Tell apart the writer's own lines of a mail. Never raises.

    Args:
        octets: The mail as it came. Of plain text and HTML the plain text is read, as for letters; attached mails are not.
    """
    root, _ = parts.take_apart(octets)
    return own_lines(gather(root).text)


def own_lines(text: str) -> Written:
    """Tell apart the writer's own lines of a text, lines ended by "\\n"."""
    lines = text.split("\n", _LINES)[:_LINES]
    first = _first_mark(lines)
    above, signature = take_off(lines[:first])
    return Written("\n".join(above), "\n".join(signature), _between(lines[first:]))


def _first_mark(lines: list[str]) -> int:
    for position, line in enumerate(lines):
        if _QUOTE.match(line):
            return position
        if line and not line.isspace() and (cut := _cut(lines, position)):
            return _attribution_begins(lines, position, cut.length)
    return len(lines)


def _attribution_begins(lines: list[str], position: int, length: int) -> int:
    """Return where "On … wrote:" begins at the latest: `_cut` takes up to two of the writer's own lines for its beginning."""
    end = position + length
    for start in range(end - 1, position, -1):
        later = _attribution(lines, start, lines[start].strip()) if lines[start].strip() else None
        if later and start + later.length == end:
            return start
    return position


def _between(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the blocks between lines marked with ">"; where something older goes on unmarked, nothing below it counts."""
    found: list[tuple[str, str]] = []
    quoted: list[str] = []
    own: list[str] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if _QUOTE.match(line):
            if own:
                found.append(("\n".join(quoted), "\n".join(own)))
                quoted, own = [], []
            quoted.append(line)
            position += 1
            continue
        cut = _cut(lines, position) if line and not line.isspace() else None
        if cut is not None and cut.rest:
            break
        if cut is not None:
            quoted += lines[position : position + cut.length]
        elif line.strip():
            own.append(line)
        position += cut.length if cut is not None else 1
    return (*found, ("\n".join(quoted), "\n".join(own)))

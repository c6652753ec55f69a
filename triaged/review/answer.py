"""A person's answer to a digest: the lines above the quote → instructions. Pure; what is not understood has no effect.

Nothing is the default, and no word deletes anything. What a line may say stands in line.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from triaged.message import Written
from triaged.review.line import Asked, Instruction, Reader, Said, Unclear
from triaged.review.names import Names
from triaged.review.token import has_token
from triaged.review.words import Verb, tidy

LAST: Final = "Answer code:"  # with the token, the last line of the same
ABOVE: Final = "Write your answer above this line"  # stands first in every digest, alert and receipt
LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Understood:
    """All that an answer says.

    Attributes:
        instructions: One an item at most, beside `show`.
        unclear: Lines without effect.
        undo: Take back the answer before this one.
        tried: Something looks like an instruction; else it may be chatter or a machine.
    """

    instructions: tuple[Instruction, ...] = ()
    unclear: tuple[Unclear, ...] = ()
    undo: bool = False
    tried: bool = False


def understand(written: Written, asked: Sequence[Asked], digest: int, names: Names, last_line: str = "") -> Understood:
    """Read an answer.

    Args:
        written: The writer's own lines.
        asked: The digest's items.
        digest: Its number, which its codes depend on.
        names: Topics and departments.
        last_line: The digest's last line; where it is quoted, lines between the quoted ones above it count, none after it.
    """
    reader = Reader(tuple(asked), digest, names)
    lines, more = _lines(written.above)
    said = [reader.line(line) for line in lines]
    if not any(isinstance(one, Said) for one in said):
        inserted = list(_between(written.between, last_line, reader))
        said += [reader.line(line) for line in inserted]
    extra = [Unclear(line, "it stands in or below a signature") for line in _coded(written.signature, reader)]
    extra += [Unclear("…", f"only the first {LINES} lines are read")] if more else []
    return _together(said, extra, reader)


def in_subject(subject: str, asked: Sequence[Asked], digest: int, names: Names) -> Understood:
    """Read a subject such as "7K ok", for mail programs that drop the body of a `mailto:` link; only with a code."""
    reader = Reader(tuple(asked), digest, names)
    said = [reader.line(line) for line in tidy(subject)[:1] if reader.begins_with_code(line)]
    return _together([one for one in said if isinstance(one, Said)], [], reader)


def _lines(text: str) -> tuple[list[str], bool]:
    """Return the lines up to our own mark or token, and whether there are more than we read."""
    found: list[str] = []
    for raw in text.split("\n"):
        lines = tidy(raw)
        if ABOVE in raw or any(map(has_token, lines)):
            break
        found += lines
        if len(found) > LINES:
            return found[:LINES], True
    return found, False


def _between(blocks: Sequence[tuple[str, str]], last_line: str, reader: Reader) -> Iterator[str]:
    """Yield lines written between the lines of a quoted digest, each below the item it speaks of and before the digest's end.

    Only where the whole digest is quoted: its last line carries the token, and nobody else can have written that.
    """
    if not last_line or not any(last_line in quoted for quoted, _ in blocks):
        return
    shown: set[int | None] = set()
    for quoted, text in blocks:
        if last_line in quoted:
            return
        shown |= {reader.first_code(line.lstrip("> ")) for line in quoted.split("\n")}
        for line in (one for raw in text.split("\n")[:LINES] for one in tidy(raw)):
            if reader.begins_with_code(line) and reader.first_code(line) in shown:
                yield line


def _coded(text: str, reader: Reader) -> list[str]:
    return [line for raw in text.split("\n")[:LINES] for line in tidy(raw) if reader.begins_with_code(line)]


def _together(said: Sequence[Said | Unclear | None], extra: Sequence[Unclear], reader: Reader) -> Understood:
    understood = [one for one in said if isinstance(one, Said)]
    unclear = [one for one in said if isinstance(one, Unclear)] + list(extra)
    shows = {one.number: one for line in understood for one in line.instructions if one.verb is Verb.SHOW}
    wanted: dict[int, list[tuple[Instruction, str]]] = {}
    for line in understood:
        for one in line.instructions:
            if one.verb is not Verb.SHOW:
                wanted.setdefault(one.number, []).append((one, line.line))
    kept: list[Instruction] = []
    for several in wanted.values():
        if len({instruction for instruction, _ in several}) == 1:
            kept.append(several[0][0])
        else:
            lines = dict.fromkeys(line for _, line in several)
            unclear += [Unclear(line, "you say two different things of the same item") for line in lines]
    everything = [one.all_ok_but for one in understood if one.all_ok_but is not None]
    if everything:
        left_out = frozenset().union(*everything) | wanted.keys()
        waiting = [item.number for item in reader.asked if not item.spot_check and item.number not in left_out]
        kept += [Instruction(number, Verb.OK) for number in waiting]
    undo = any(one.undo for one in understood)
    if undo and kept:
        beside = [one.line for one in understood if not one.undo]
        unclear += [Unclear(line, "“undo” stands beside it: send them in two mails") for line in beside]
        kept = []
    tried = bool(understood) or any(reader.first_code(one.line) is not None for one in unclear)
    return Understood((*kept, *shows.values()), tuple(unclear), undo, tried)

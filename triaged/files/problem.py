"""What is wrong with a file that a person wrote, and the one text that says so. Reads no file itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

SHOWN_CHARACTERS: Final = 60  # of what was found, in a message
_COMPARED_CHARACTERS: Final = 80  # difflib takes time with the product of both lengths
_LISTED_NAMES: Final = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        """Return "rules.yaml:41", as reasons carry it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or looks wrong, in a file.

    Attributes:
        file: The file's name.
        line: From 1; 0 when the file as a whole is meant.
        column: From 1; 0 when the line as a whole is meant.
        found: What stands there, a sentence without its full stop: `rule "Heat": urgency is "hihg"`.
        allowed: What may stand there, without a full stop; empty when `found` says all.
        meant: The nearest allowed name; empty when none is near.
        warning: True when the file works all the same.
    """

    file: str
    line: int
    column: int
    found: str
    allowed: str = ""
    meant: str = ""
    warning: bool = False


class WrongFile(Exception):
    """A file cannot be used.

    Attributes:
        problems: All that was found in it, in the file's order; never empty.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(say(problem) for problem in self.problems))


def say(problem: Problem) -> str:
    """Return the problem in words: where, what was found, what is allowed, what may have been meant."""
    places = [problem.file, *(str(number) for number in (problem.line, problem.column) if number)]
    warning = "warning: " if problem.warning else ""
    text = f"{':'.join(places)}: {warning}{problem.found}."
    if problem.allowed:
        text += f"\n  Allowed: {problem.allowed}."
    if problem.meant:
        text += f"{'' if problem.allowed else chr(10) + ' '} Did you mean {problem.meant}?"
    return text


def shown(value: object) -> str:
    """Return a value as a message shows it: in quotes, on one line, short, control characters made visible."""
    text = str(value)
    if len(text) > SHOWN_CHARACTERS:
        text = text[: SHOWN_CHARACTERS - 1] + "…"
    return '"' + "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text) + '"'


def listed(names: Iterable[str]) -> str:
    """Return names as a message lists them; of a long list only the first few, and how many there are."""
    known = list(names)
    if len(known) <= _LISTED_NAMES:
        return ", ".join(known)
    return f"{', '.join(known[:_LISTED_NAMES])} … ({len(known)} in all)"


def nearest(word: str, names: Iterable[str]) -> str:
    """Return the name that the word was most likely meant to be, empty if none is near."""
    known = {name.casefold(): name for name in names}
    close = get_close_matches(word[:_COMPARED_CHARACTERS].casefold(), known, n=1, cutoff=0.6)
    return known[close[0]] if close else ""

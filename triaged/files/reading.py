"""One configuration file being read: which part, what is wrong so far, and the names that it defines."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from triaged.files.node import Node
from triaged.files.problem import Place, Problem, WrongFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spot:
    """Which part of the file is being read, in words: trail `rule "Heat"`, key `urgency`."""

    trail: str = ""
    key: str = ""
    name: str = ""  # the name under which a table holds it

    def says(self, what: str) -> str:
        """Return a sentence about this spot."""
        return f"{': '.join(part for part in (self.trail, self.key) if part) or 'the file'} {what}"

    def about(self, what: str) -> str:
        """Return a sentence about something inside this spot."""
        return f"{self.trail}: {what}" if self.trail else what


class Reading:
    """One file being read: its problems so far, and the names that it has defined.

    Args:
        file: The file's name, as problems give it.
        open_file: Returns the bytes of a file that this one names; raises WrongFile.
        folder: Where relative paths in it start.
    """

    def __init__(self, file: str, open_file: Callable[[str], bytes] | None = None, folder: Path | None = None) -> None:
        self.file = file
        self.open_file = open_file
        self.folder = folder or Path()
        self.problems: list[Problem] = []
        self.known: dict[str, dict[str, object]] = {}  # "topic" → name → what was read, None if it was wrong

    def wrong(self, at: Node, found: str, allowed: str = "", meant: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(self.file, at.line, at.column, found, allowed, meant))

    def place(self, at: Node) -> Place:
        """Return where a node stands."""
        return Place(self.file, at.line, at.column)

    def whole(self, value: T | None) -> T:
        """Return what the file says, if nothing was wrong.

        Raises:
            WrongFile: With all problems, in the file's order.
        """
        if self.problems or value is None:
            raise WrongFile(sorted(self.problems, key=lambda problem: (problem.file != self.file, problem.line)))
        return value

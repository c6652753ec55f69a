"""rules.yaml → `Rules`. All problems of the file come in one go, with line and column."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from triaged.reading import Reading, Spot
from triaged.rules.grammar import FILE
from triaged.rules.schema import Rules
from triaged.rules.yaml_tree import parse
from triaged.text_file import decode, read_octets

MOST_OCTETS: Final = 1_000_000


def load_rules(path: Path) -> Rules:
    """Read rules.yaml and the lists it names; those lie in the same folder, links followed.

    Raises:
        WrongFile: With every problem found.
    """
    octets = read_octets(path, MOST_OCTETS)
    folder = path.resolve().parent
    return read(octets, path.name, lambda name: read_octets(folder / name, MOST_OCTETS))


def read(octets: bytes, file: str, open_file: Callable[[str], bytes] | None = None) -> Rules:
    """Read the bytes of a rules.yaml.

    Args:
        octets: The file.
        file: Its name, as problems and reasons give it.
        open_file: Returns the bytes of a list's file; raises WrongFile. None: lists in files are a problem.

    Raises:
        WrongFile: With every problem found.
    """
    reading = Reading(file, open_file)
    tree = parse(decode(octets, file), reading)
    return reading.whole(FILE.read(tree, Spot(), reading) if tree else None)

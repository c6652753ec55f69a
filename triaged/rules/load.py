"""rules.yaml and the files beside it → `Rules`. All problems come in one go, with file, line and column."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from triaged.files.octets import decode, read_octets
from triaged.files.problem import Problem, WrongFile
from triaged.files.reading import Reading, Spot
from triaged.rules.grammar import FILE
from triaged.rules.schema import Rules
from triaged.rules.surge import is_surge, surge_names, with_surge
from triaged.rules.yaml_tree import parse

MOST_OCTETS: Final = 1_000_000
Texts = Mapping[str, bytes]  # name, as rules.yaml says it → bytes; a file that cannot be read is not in it


@dataclass(frozen=True, slots=True)
class Book:
    """rules.yaml with all its files, as they were at one moment.

    Attributes:
        file: The name of rules.yaml.
        texts: Its bytes and those of the files that it names.
        names: All that it names, missing ones too.
        rules: What they say; None when something is wrong.
        problems: What is.
    """

    file: str
    texts: Texts
    names: frozenset[str]
    rules: Rules | None
    problems: tuple[Problem, ...] = ()

    @property
    def version(self) -> str:
        """Name this state of the files among all others."""
        return version_of(self.texts)


def version_of(texts: Texts) -> str:
    """Name a state of the files among all others."""
    return hashlib.sha256(b"".join(_part(name.encode()) + _part(texts[name]) for name in sorted(texts))).hexdigest()[:12]


def _part(octets: bytes) -> bytes:
    return len(octets).to_bytes(8, "big") + octets


def load_rules(path: Path) -> Rules:
    """Read rules.yaml and the lists it names; those lie in the same folder, links followed.

    Raises:
        WrongFile: With every problem found.
    """
    book = load_book(path)
    if book.rules is None:
        raise WrongFile(book.problems)
    return book.rules


def load_book(path: Path) -> Book:
    """Read rules.yaml and its files, and keep their bytes; what is wrong stands in the book."""
    folder = path.resolve().parent
    try:
        octets = read_octets(path, MOST_OCTETS)
    except WrongFile as wrong:
        return Book(path.name, {}, frozenset(), None, wrong.problems)
    return read_book(path.name, octets, lambda name: read_octets(folder / name, MOST_OCTETS), surge_names(folder))


def read_book(file: str, octets: bytes, open_file: Callable[[str], bytes], surges: Iterable[str] = ()) -> Book:
    """Read the bytes of a rules.yaml and, through `open_file`, those of the surges and of the files that all of them name."""
    texts, names = {file: octets}, set()

    def kept(name: str) -> bytes:
        names.add(name)
        texts[name] = open_file(name)
        return texts[name]

    try:
        rules = read(octets, file, kept, surges)
    except WrongFile as wrong:
        return Book(file, texts, frozenset(names), None, wrong.problems)
    return Book(file, texts, frozenset(names), rules)


def again(file: str, texts: Texts) -> Book:
    """Read a book from bytes that were kept."""

    def kept(name: str) -> bytes:
        if name not in texts:
            raise WrongFile([Problem(name, 0, 0, f"{name} was not kept")])
        return texts[name]

    return read_book(file, texts.get(file, b""), kept, sorted(filter(is_surge, texts)))


def glance(path: Path, names: Collection[str]) -> Texts:
    """Return the bytes of rules.yaml, the surges and some files beside them, without reading what they say."""
    folder = path.resolve().parent
    found = {}
    for name in {path.name, *surge_names(folder), *names}:
        try:
            found[name] = read_octets(path if name == path.name else folder / name, MOST_OCTETS)
        except WrongFile:
            continue
    return found


def read(octets: bytes, file: str, open_file: Callable[[str], bytes] | None = None, surges: Iterable[str] = ()) -> Rules:
    """Read the bytes of a rules.yaml, and below them the surges.

    Args:
        octets: The file.
        file: Its name, as problems and reasons give it.
        open_file: Returns the bytes of a list's or surge's file; raises WrongFile. None: lists in files are a problem.
        surges: Names of their files.

    Raises:
        WrongFile: With every problem found.
    """
    reading = Reading(file, open_file)
    tree = parse(decode(octets, file), reading)
    rules = reading.whole(FILE.read(tree, Spot(), reading) if tree else None)
    return _with_surges(rules, reading, list(surges))


def _with_surges(rules: Rules, main: Reading, surges: Iterable[str]) -> Rules:
    problems: list[Problem] = []
    for name in surges:
        reading = Reading(name, main.open_file)
        reading.known = main.known
        try:
            tree = parse(decode(main.open_file(name), name), reading) if main.open_file else None
        except WrongFile as wrong:
            problems.extend(wrong.problems)
            continue
        added = with_surge(rules, tree, reading) if tree else None
        rules = added or rules
        problems.extend(sorted(reading.problems, key=lambda problem: (problem.file, problem.line)))
    if problems:
        raise WrongFile(problems)
    return rules

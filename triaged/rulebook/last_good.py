"""Which rules are in use: the file's when nothing is wrong with it, else the last good ones, also after a restart."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from triaged.checking import check_rules
from triaged.config import Settings
from triaged.files.problem import Problem, WrongFile, say
from triaged.office import Office, open_office, with_rules
from triaged.rulebook import to_editors
from triaged.rules.changes import changes, line_diff
from triaged.rules.load import Book, Texts, again, glance, load_book
from triaged.rules.schema import Rules
from triaged.store import rulebooks
from triaged.store.engine import reading

log = logging.getLogger("triaged")
Clock = Callable[[], datetime]
SETTLED: Final = 1.5  # seconds without a change until a file is read: editors write in steps
SURELY_WRONG: Final = 10.0  # … until a wrong one is believed to be finished
_ASK_AGAIN: Final = 60.0  # … until a mail to editors that did not leave is tried again


def last_good(engine: Engine) -> Book | None:
    """Return the rules that were taken into use last; None before the first, or if this version cannot read them."""
    with reading(engine) as db:
        kept = rulebooks.last(db)
    if kept is None:
        return None
    book = again(kept.file, {name: text.encode() for name, text in kept.texts.items()})
    return book if book.rules is not None else None


def open_in_use(settings: Settings, engine: Engine, clock: Clock, *, strict: bool = False) -> Office:
    """Open an office with the rules of the file; with the last good ones when something is wrong with it.

    Args:
        settings: triaged.toml.
        engine: The database.
        clock: Now.
        strict: The last good ones will not do.

    Raises:
        WrongFile: The file is wrong, and there are no last good ones or they will not do.
        ModelError: The model can't be used.
    """
    book, good = load_book(settings.office.rules), None if strict else last_good(engine)
    if book.rules is None and good is None:
        raise WrongFile(book.problems)
    office = open_office(settings, engine, clock, book if book.rules is not None else good)
    problems = book.problems or wrong_in(office, clock())
    if not problems:
        _take_note(book, settings.office.rules, engine, clock())
        return office
    if good is None or good.rules is None:
        office.close()
        raise WrongFile(problems)
    _refuse(book, problems, engine, clock())
    return with_rules(office, good.rules, good.version, clock)


def open_to_look(settings: Settings, engine: Engine, clock: Clock, warn: Callable[[str], None]) -> Office:
    """Open an office for one command: with the last good rules, and a warning, when the file cannot be read."""
    book = load_book(settings.office.rules)
    good = last_good(engine) if book.rules is None else None
    if good is not None:
        warn(f"{settings.office.rules.name} is wrong; the last good rules are used. See: triaged rules check")
    return open_office(settings, engine, clock, good or book)


def rules_in_use(settings: Settings, engine: Engine) -> Rules:
    """Return the rules of the file; the last good ones when it cannot be read.

    Raises:
        WrongFile: It is wrong, and there are no last good ones.
    """
    book = load_book(settings.office.rules)
    found = book if book.rules is not None else last_good(engine)
    if found is None or found.rules is None:
        raise WrongFile(book.problems)
    return found.rules


def wrong_in(office: Office, now: datetime) -> tuple[Problem, ...]:
    """Return what keeps an office's rules out of use, its examples and tests among it."""
    return tuple(problem for problem in check_rules(office, now) if not problem.warning)


def _refuse(book: Book, problems: tuple[Problem, ...], engine: Engine, now: datetime) -> None:
    said = "\n".join(say(problem) for problem in problems)
    with engine.begin() as db:
        known = rulebooks.refused(db)
        if known is None or (known.version, known.said) != (book.version, said):
            rulebooks.refuse(db, rulebooks.Refused(book.version, said, now))
    log.error("rules refused, the last good ones stay in use", extra={"file": book.file, "why": said})


def _take_note(book: Book, path: Path, engine: Engine, now: datetime) -> None:
    """Write down that these rules are in use, and what changed."""
    with engine.begin() as db:
        rulebooks.accept(db, now)
        before = rulebooks.last(db)
        if before is not None and before.version == book.version:
            return
        old = {name: text.encode() for name, text in before.texts.items()} if before else {}
        by = ", ".join(_owners(path, old, book.texts))
        texts = {name: octets.decode() for name, octets in book.texts.items()}
        changed = _in_words(before.file if before else "", old, book)
        rulebooks.keep(db, rulebooks.Kept(now, book.version, by, book.file, texts, changed))
    if before is not None:  # the lines themselves may hold addresses: they stand in the database only
        log.info("rules taken into use", extra={"file": book.file, "by": by, "changed": changed.partition("\n\n")[0]})


def _in_words(file: str, old: Texts, book: Book) -> str:
    if not old or book.rules is None:
        return "the first rules"
    before = again(file, old)
    said = changes(before.rules, book.rules) if before.rules else []
    return "\n".join([*(said or ["only comments or layout changed"]), "", line_diff(old, book.texts)])


def _owners(path: Path, old: Texts, new: Texts) -> list[str]:
    """Return whose the changed files are."""
    owners = set()
    for name in new:
        if old.get(name) != new[name]:
            try:
                owners.add((path if name == path.name else path.resolve().parent / name).owner())
            except (OSError, KeyError):  # gone already; a number without a name
                owners.add("unknown")
    return sorted(owners)


class Watcher:
    """Sees edits of rules.yaml and its files; takes good ones, tells editors of wrong ones, once.

    It reads the bytes and not the files' times: some editors rename over, some network folders keep poor time.

    Args:
        engine: The database.
        clock: Now.
        tick: Seconds, of a clock that never jumps.
    """

    def __init__(self, engine: Engine, clock: Clock, tick: Callable[[], float]) -> None:
        self._engine = engine
        self._clock = clock
        self._tick = tick
        self._names: frozenset[str] = frozenset()
        self._seen: Texts = {}
        self._since = tick()
        self._judged: Texts | None = None
        self._editors: tuple[str, ...] = ()
        self._tell_at: float | None = None

    def look(self, office: Office) -> Office | None:
        """Return the office with the new rules; None when there is nothing to take."""
        path = office.settings.office.rules
        texts = glance(path, self._names)
        if texts != self._seen:
            self._seen, self._since = texts, self._tick()
            return None
        stood = self._tick() - self._since
        if texts == self._judged:
            self._tell_again(office)
            return None
        if stood < SETTLED:
            return None
        book = load_book(path)
        if not book.names <= self._names:
            self._names |= book.names  # from now on they are looked at too, and must have settled likewise
            return None
        return self._examine(book, office, stood)

    def _examine(self, book: Book, office: Office, stood: float) -> Office | None:
        path, now, candidate = office.settings.office.rules, self._clock(), None
        problems = book.problems
        if book.rules is not None and book.version != office.rules_version:
            candidate = with_rules(office, book.rules, book.version, self._clock)
            problems = wrong_in(candidate, now)
        if problems and stood < SURELY_WRONG:
            return None
        self._judged, self._tell_at = self._seen, None
        if not problems:
            _take_note(book, path, self._engine, now)
            return candidate
        _refuse(book, problems, self._engine, now)
        self._editors = office.rules.editors or (book.rules.editors if book.rules else ())
        self._tell(office)
        return None

    def _tell(self, office: Office) -> None:
        told = to_editors.tell(office, self._editors, self._engine, self._clock())
        self._tell_at = None if told else self._tick() + _ASK_AGAIN

    def _tell_again(self, office: Office) -> None:
        if self._tell_at is not None and self._tick() >= self._tell_at:
            self._tell(office)

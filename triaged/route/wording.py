"""Acknowledgement texts: which one a writer gets, and filling it in.

A text is a file `<language>.txt.j2` with a front matter of three keys: `reviewed_by` (who approved the wording; null: nobody
yet), `subject`, and `draft` (the sentence that marks it as a draft, in its own language).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from babel import UnknownLocaleError
from babel.dates import format_date
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

SHIPPED: Final = Path(__file__).parent.parent / "templates" / "acknowledge"
_RIGHT_TO_LEFT: Final = ("ar", "ur", "fa", "he", "ps", "yi")
_KEYS: Final = ("reviewed_by", "subject", "draft")
_HAITIAN: Final = "janvye fevriye mas avril me jen jiyè out septanm oktòb novanm desanm"
_HAITIAN_MONTHS: Final = tuple(_HAITIAN.split())


class WordingError(Exception):
    """An acknowledgement text cannot be used.

    Attributes:
        file: The text's file, or the folder where it is missing.
        line: Where in the file; 0 when not known.
    """

    def __init__(self, file: Path, line: int, why: str) -> None:
        super().__init__(f"{file}{f':{line}' if line else ''}: {why}")
        self.file = file
        self.line = line


@dataclass(frozen=True, slots=True)
class Facts:
    """All that an acknowledgement says; nothing of what the writer wrote."""

    reference: str
    office: str
    by: date | None  # when the office will have answered
    phone: str = ""
    added: tuple[Mapping[str, str], ...] = ()  # language → a paragraph of the office's own, for some days


@dataclass(frozen=True, slots=True)
class Wording:
    """One filled-in text."""

    language: str
    subject: str
    text: str
    reviewed_by: str  # empty: a draft
    draft: str  # how the draft is marked, in its language

    @property
    def direction(self) -> str:
        """How its script runs: ltr or rtl."""
        return direction(self.language)


class Wordings:
    """The texts of an office: its own folder first, then those that ship.

    Args:
        languages: Those that the office sends; the first is its default and needs no review mark.
        folder: The office's own texts. A text that a rule names lies in a folder of that name inside it.
    """

    def __init__(self, languages: tuple[str, ...], folder: Path | None = None) -> None:
        self._languages = languages
        self._folder = folder
        self._environment = SandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self._read = cache(self._parse)

    def choose(self, language: str, facts: Facts, name: str = "") -> tuple[Wording, ...]:
        """Return what a writer gets: their language alone if its text was reviewed, else the default first and then the draft.

        Args:
            language: The writer's, as assessed.
            facts: What is filled in.
            name: A text that a rule names instead of the standard one.

        Raises:
            WordingError: A text is missing or broken.
        """
        default = self._fill(self._languages[0], facts, name)
        theirs = self._match(language)
        if theirs is None or theirs == self._languages[0] or (name and self._find(theirs, name) is None):
            return (default,)
        wording = self._fill(theirs, facts, name)
        return (wording,) if wording.reviewed_by else (default, wording)

    def check(self) -> list[str]:
        """Fill in every text in every way it can be; return what is wrong, a line a problem."""
        problems = []
        for language in self._languages:
            for by in (None, date(2026, 12, 1)):
                for phone in ("", "+1 212 555 0100"):
                    try:
                        self._fill(language, Facts("REF-2026-000001", "Office", by, phone), "")
                    except WordingError as error:
                        problems.append(str(error))
        return list(dict.fromkeys(problems))

    def _match(self, language: str) -> str | None:
        """Return the office's language that serves a writer: the same, or one that differs only in being less or more exact."""
        if language in self._languages:
            return language
        for offered in self._languages:
            if offered.startswith(f"{language}-") or language.startswith(f"{offered}-"):
                return offered
        return None

    def _find(self, language: str, name: str) -> Path | None:
        own = self._folder / name / f"{language}.txt.j2" if self._folder else None
        if own is not None and own.is_file():
            return own
        shipped = SHIPPED / f"{language}.txt.j2"
        return shipped if not name and shipped.is_file() else None

    def _fill(self, language: str, facts: Facts, name: str) -> Wording:
        if name and not name.replace("-", "").replace("_", "").isalnum():
            raise WordingError(self._folder or SHIPPED, 0, f"{name!r} is not a name that a text can have")
        file = self._find(language, name)
        if file is None:
            folder = (self._folder or SHIPPED) / name
            raise WordingError(folder, 0, f"there is no {language}.txt.j2, the text in the office's language {language!r}")
        keys, template = self._read(file)
        isolate = "\u2068{}\u2069".format if direction(language) == "rtl" else str  # UAX #9: keeps Latin text whole
        try:
            filled = template.render(
                reference=isolate(facts.reference),
                office=isolate(facts.office),
                phone=isolate(facts.phone) if facts.phone else "",
                by=in_words(facts.by, language) if facts.by else "",
            )
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:  # what a template can do wrong
            raise WordingError(file, 0, f"it cannot be filled in: {error}") from error
        paragraphs = [paragraph.strip() for paragraph in filled.split("\n\n") if paragraph.strip()]
        added = [each[language].strip() for each in facts.added if language in each]
        text = "\n\n".join((*paragraphs[:1], *added, *paragraphs[1:]))
        return Wording(language, keys["subject"], text, keys["reviewed_by"], keys["draft"])

    def _parse(self, file: Path) -> tuple[Mapping[str, str], Template]:
        try:
            lines = file.read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise WordingError(file, 0, f"it cannot be read: {error}") from error
        keys = dict(_front_matter(file, lines))
        for key in _KEYS:
            if key not in keys or (key == "subject" and not keys[key]):
                raise WordingError(file, 1, f"the lines on top, between two lines of ---, lack {key}: …")
        top = lines.index("---", 1) + 1
        try:  # blank lines stand for those on top, so that errors name the file's own line
            template = self._environment.from_string("\n" * top + "\n".join(lines[top:]))
        except TemplateSyntaxError as error:
            raise WordingError(file, error.lineno, error.message or "a syntax error") from error
        return keys, template


def direction(language: str) -> str:
    """Return how a language's script runs: ltr or rtl."""
    return "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"


def in_words(day: date, language: str) -> str:
    """Return a date as the language writes it, in Latin digits."""
    if language == "ht":  # the Unicode locale data (CLDR) has no Haitian month names
        return f"{day.day} {_HAITIAN_MONTHS[day.month - 1]} {day.year}"
    try:
        written = format_date(day, "long", locale=language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):  # an office's own language that CLDR does not know
        return day.isoformat()
    return f"1er{written[1:]}" if language.startswith("fr") and day.day == 1 else written


def _front_matter(file: Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    if lines[0] != "---" or "---" not in lines[1:]:
        raise WordingError(file, 1, "it does not begin with a line --- and, below its keys, another")
    for number, line in enumerate(lines[1 : lines.index("---", 1)], start=2):
        key, colon, value = line.partition(":")
        if not colon or key.strip() not in _KEYS:
            raise WordingError(file, number, f"found {line.strip()!r}; allowed are: {', '.join(_KEYS)}")
        yield key.strip(), "" if value.strip() in ("null", "~") else value.strip()

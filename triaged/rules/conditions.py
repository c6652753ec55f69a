"""The conditions of a rule: small values that look at the facts of one letter and say why they matched.

when.py makes them from rules.yaml; combined.py has those made of others. `str(condition)` is the condition in words.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Final, Protocol

from triaged.files.problem import Place
from triaged.rules.facts import Facts, Field
from triaged.rules.words import fold, has_word, spell

_SHOWN_CHARACTERS: Final = 60
_SHOWN_VALUES: Final = 4
_THINGS: Final = {"is_reply": ("", "earlier mail"), "attachment": ("an ", "attachment"), "campaign": ("a ", "campaign")}


@dataclass(frozen=True, slots=True)
class Match:
    """A condition holds.

    Attributes:
        because: Why, for a clerk.
        at: Where the condition stands.
        guessed: It rests on the model's guess, and the model is not sure.
    """

    because: str
    at: Place
    guessed: bool = False


class Condition(Protocol):
    """Something that holds for a letter or does not."""

    @property
    def at(self) -> Place:
        """Where it stands in rules.yaml."""

    def match(self, facts: Facts) -> Match | None:
        """Return why it holds, or None."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value to compare with: as staff wrote it, and as it is compared."""

    written: str
    form: str


@dataclass(frozen=True, slots=True)
class Is:
    """The whole text is one of some values; any case, accents folded. The language `fr` is also `fr-CA`."""

    field: Field
    values: tuple[Value, ...]
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return the value that it is."""
        texts = facts.texts(self.field, fold)
        if self.field.key == "language":
            texts += tuple(text.partition("-")[0] for text in texts)
        found = next((value for value in self.values if value.form in texts), None)
        return _because(self, facts, f"{self.field} is {found.written}") if found else None

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"{self.field} is {_one_of(self.values)}"


@dataclass(frozen=True, slots=True)
class InList:
    """An address is in a list; an entry is an address, or "@domain" for a domain and those below it."""

    field: Field
    entries: frozenset[str]  # small letters
    called: str  # the list's name; empty for entries that stand in the rule itself
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return the address that is in it."""
        found = next((each for each in facts.letter.addresses(self.field) if self._holds(each)), None)
        if not found:
            return None
        return _because(self, facts, f"{self.field} {found} is in {self.called}" if self.called else f"{self.field} is {found}")

    def _holds(self, address: str) -> bool:
        labels = address.rpartition("@")[2].split(".")
        domains = (".".join(labels[start:]) for start in range(min(len(labels), 20)))
        return address in self.entries or any(f"@{domain}" in self.entries for domain in domains)

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"{self.field} is in {self.called}" if self.called else f"{self.field} is {' or '.join(sorted(self.entries))}"


@dataclass(frozen=True, slots=True)
class Contains:
    """A text has some characters in it; any case, accents folded."""

    field: Field
    values: tuple[Value, ...]
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return the characters found."""
        texts = facts.texts(self.field, fold)
        found = next((value for value in self.values if any(value.form in text for text in texts)), None)
        return _because(self, facts, f"{self.field} contains “{found.written}”") if found else None

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"{self.field} contains {_one_of(self.values)}"


@dataclass(frozen=True, slots=True)
class Words:
    """Whole words; any case, accents folded; hyphens and punctuation between them don't count."""

    field: Field
    words: tuple[Value, ...]
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return the first word found."""
        texts = facts.texts(self.field, spell)
        found = next((word for word in self.words if any(has_word(text, word.form) for text in texts)), None)
        return _because(self, facts, f"{self.field} has “{found.written}”") if found else None

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"{self.field} has {_one_of(self.words)}"


@dataclass(frozen=True, slots=True)
class Matches:
    """A text fits an RE2 pattern; any case."""

    field: Field
    pattern: str
    compiled: Any = dataclasses.field(compare=False, repr=False)  # re2 has no types
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return what fitted."""
        found = next((hit for text in facts.texts(self.field) if (hit := self.compiled.search(text))), None)
        return _because(self, facts, f"{self.field} has “{_short(found.group())}”") if found else None

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"{self.field} fits the pattern {_short(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Beyond:
    """A number, an urgency or a day lies above or below a bound; the bound itself does not count."""

    field: Field
    above: bool
    bound: float
    written: str
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return the bound."""
        measure = facts.measure(self.field)
        return _because(self, facts, str(self)) if (measure > self.bound if self.above else measure < self.bound) else None

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"{self.field} is {'above' if self.above else 'below'} {self.written}"


@dataclass(frozen=True, slots=True)
class IsThere:
    """Something is there or is not: an attachment, a header, a campaign, an earlier mail."""

    field: Field
    there: bool
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return that it is there, or not."""
        return _because(self, facts, str(self)) if facts.is_true(self.field) is self.there else None

    def __str__(self) -> str:
        """Return the condition in words."""
        article, what = _THINGS.get(self.field.key, ("", str(self.field)))
        return f"there is {article if self.there else 'no '}{what}"


def _because(condition: Any, facts: Facts, because: str) -> Match:
    return Match(because, condition.at, facts.guessed and condition.field.is_guessed)


def _one_of(values: tuple[Value, ...]) -> str:
    shown = [f"“{_short(value.written)}”" for value in values[:_SHOWN_VALUES]]
    return " or ".join(shown) + (f" … ({len(values)})" if len(values) > _SHOWN_VALUES else "")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[: _SHOWN_CHARACTERS - 1] + "…"

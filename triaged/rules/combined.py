"""Conditions made of conditions: all, any, not, always; and what a whole condition looks at and lacks."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triaged.files.problem import Place
from triaged.rules.conditions import Beyond, Condition, Contains, InList, Is, IsThere, Match, Matches, Words
from triaged.rules.facts import Facts, Field


@dataclass(frozen=True, slots=True)
class All:
    """Every condition holds."""

    conditions: tuple[Condition, ...]
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return why each holds."""
        matches: list[Match] = []
        for condition in self.conditions:
            match = condition.match(facts)
            if match is None:
                return None
            matches.append(match)
        because = " and ".join(match.because for match in matches)
        return Match(because, self.at, any(match.guessed for match in matches))

    def __str__(self) -> str:
        """Return the condition in words."""
        return " and ".join(map(str, self.conditions))


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition holds."""

    conditions: tuple[Condition, ...]
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return why the first that holds does; one that needs no guess comes first."""
        guessed = None
        for condition in self.conditions:
            match = condition.match(facts)
            if match and not match.guessed:
                return match
            guessed = guessed or match
        return guessed

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"({' or '.join(map(str, self.conditions))})"


@dataclass(frozen=True, slots=True)
class Not:
    """A condition does not hold."""

    condition: Condition
    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return that it does not."""
        if self.condition.match(facts):
            return None
        guessed = facts.guessed and any(field.is_guessed for field in fields_of(self.condition))
        return Match(str(self), self.at, guessed)

    def __str__(self) -> str:
        """Return the condition in words."""
        return f"not ({self.condition})"


@dataclass(frozen=True, slots=True)
class Always:
    """Holds for every letter."""

    at: Place = dataclasses.field(compare=False)

    def match(self, facts: Facts) -> Match | None:
        """Return that it always does."""
        return Match("it is a letter", self.at)

    def __str__(self) -> str:
        """Return the condition in words."""
        return "always"


def fields_of(condition: Condition) -> Iterator[Field]:
    """Iterate over what a condition looks at."""
    for leaf in leaves(condition):
        if isinstance(leaf, Is | InList | Contains | Words | Matches | Beyond | IsThere):
            yield leaf.field


def together(parts: Sequence[Condition | None], at: Place) -> Condition | None:
    """Return the condition that all parts hold; None if a part could not be read."""
    whole = tuple(part for part in parts if part is not None)
    if len(whole) < len(parts):
        return None
    return whole[0] if len(whole) == 1 else All(whole, at)


def leaves(condition: Condition) -> Iterator[Condition]:
    """Iterate over the conditions that are not made of others."""
    match condition:
        case All() | AnyOf():
            for each in condition.conditions:
                yield from leaves(each)
        case Not():
            yield from leaves(condition.condition)
        case _:
            yield condition


def obstacle(condition: Condition, facts: Facts) -> str:
    """Return, in words, the part of a condition that kept it from holding for a letter."""
    if isinstance(condition, All):
        return obstacle(next(each for each in condition.conditions if each.match(facts) is None), facts)
    if isinstance(condition, Not):
        match = condition.condition.match(facts)
        return match.because if match else str(condition)
    return f"not so: {condition}"

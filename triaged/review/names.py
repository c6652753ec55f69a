"""Topics and departments as people call them: by id, by name, or by any beginning that means only one of them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Final

from triaged.review.words import fold

SHORTEST: Final = 3  # letters of an abbreviation
_BETWEEN: Final = re.compile(r"[\s._,&/()-]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a letter may go: a topic (what it is about), departments (who answers), or both."""

    topic: str | None = None
    departments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that means nothing, or several things.

    Attributes:
        meant: What it may have meant.
    """

    meant: tuple[str, ...] = ()


@dataclass(frozen=True)
class Names:
    """The office's topics and departments.

    Attributes:
        topics: Topic id → its departments.
        departments: Department id → its name.
    """

    topics: Mapping[str, Sequence[str]]
    departments: Mapping[str, str]

    @cached_property
    def _known(self) -> list[tuple[tuple[str, ...], str, bool]]:
        """Return (words, id, is a topic) of every name; departments have two."""
        found = [(words(topic), topic, True) for topic in self.topics]
        for department, name in self.departments.items():
            found += [(spelt, department, False) for spelt in {words(department), words(name)}]
        return found

    def find(self, said: Sequence[str]) -> Place | Unknown | None:
        """Return what some words name; `Unknown` with the choices when they mean several; None when they mean nothing.

        A whole name counts before a part of one, and a whole word of a name before the beginning of a word.
        """
        wanted = tuple(word for one in said for word in words(one))
        if not wanted or (sum(map(len, wanted)) < SHORTEST and all(wanted != name for name, _, _ in self._known)):
            return None
        for fits in (_is_whole, _has_words, _has_beginning):
            matches = {(key, is_topic) for name, key, is_topic in self._known if fits(wanted, name)}
            if matches:
                return self._one(matches)
        return None

    def suggestions(self, said: str) -> tuple[str, ...]:
        """Return ids that look like a word."""
        ids = [*self.topics, *self.departments]
        return tuple(get_close_matches(fold(said), ids, 3, 0.6))

    def _one(self, matches: set[tuple[str, bool]]) -> Place | Unknown:
        topics = sorted(key for key, is_topic in matches if is_topic)
        departments = sorted(key for key, is_topic in matches if not is_topic)
        if len(topics) == 1 and (not departments or set(departments) <= set(self.topics[topics[0]])):
            return Place(topics[0])
        if len(departments) == 1 and not topics:
            return Place(None, (departments[0],))
        return Unknown(tuple(dict.fromkeys((*topics, *departments))))


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name or id: `hra-homebase` has two."""
    return tuple(word for word in _BETWEEN.split(fold(name)) if word)


def _is_whole(wanted: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return wanted == name


def _has_words(wanted: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return any(name[at : at + len(wanted)] == wanted for at in range(len(name)))


def _has_beginning(wanted: tuple[str, ...], name: tuple[str, ...]) -> bool:
    *whole, last = wanted
    if len(last) < SHORTEST:
        return False
    return any(
        list(name[at : at + len(whole)]) == whole and name[at + len(whole)].startswith(last)
        for at in range(len(name) - len(whole))
    )

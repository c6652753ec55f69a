"""One line of an answer → what it wants done. A line is understood whole or not at all; nothing is guessed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from triaged.message import Urgency
from triaged.review.code import number_of
from triaged.review.names import Names, Place, Unknown
from triaged.review.phrases import CLEAN, begins, is_courtesy, leading, skip, skip_last, without_courtesy, words_of
from triaged.review.words import ALL, AND, EXCEPT, FILLERS, LONGEST_LINE, THROUGH, URGENCIES, VERBS, Verb, fold

_NAME_WORDS: Final = 8
_CODE: Final = re.compile(r"[\[(#]?([0-9]{1,3})[ -]?([A-Za-z])[\])]?(?![A-Za-z0-9'])")
_LOOSE: Final = " \t,;.:"
_SEPARATORS: Final = " \t,;:=.-"
_REASON: Final = re.compile(r"\s*(?::|-|,|\()\s*(.+?)\)?\s*$")
_CLOSINGS: Final = tuple(sorted((phrase for phrase, verb in VERBS.items() if verb is Verb.CLOSE), key=len, reverse=True))
_SAY_WHAT: Final = "it does not say what to do: ok, a topic or department, close, spam, show"
_BEGIN: Final = "it does not begin with an item's code, such as 7K"


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of the digest that is answered."""

    number: int
    spot_check: bool = False  # decided already; "all ok" does not speak of it


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a person wants done with one item."""

    number: int
    verb: Verb
    topic: str | None = None
    departments: tuple[str, ...] = ()
    urgency: Urgency | None = None
    why: str = ""  # of closing, in the person's words


@dataclass(frozen=True, slots=True)
class Unclear:
    """A line without effect."""

    line: str
    why: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says."""

    line: str
    instructions: tuple[Instruction, ...] = ()
    all_ok_but: frozenset[int] | None = None
    undo: bool = False


class NotUnderstood(Exception):
    """A line is not understood; the text says why."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads lines that speak of one digest."""

    asked: tuple[Asked, ...]
    digest: int
    names: Names

    def line(self, line: str) -> Said | Unclear | None:
        """Return what a line says; None for a greeting and the like."""
        if is_courtesy(line):
            return None
        try:
            if len(line) > LONGEST_LINE:
                raise NotUnderstood("it is too long")  # noqa: TRY301
            return self._whole(line) or Said(line, tuple(self._instructions(line)))
        except NotUnderstood as why:
            return Unclear(line[:LONGEST_LINE], str(why))

    def first_code(self, text: str) -> int | None:
        """Return the number of the item whose code the text begins with."""
        found = _CODE.match(text)
        number = number_of(found[1] + found[2], self.digest) if found else None
        return number if any(item.number == number for item in self.asked) else None

    def begins_with_code(self, line: str) -> bool:
        """Tell whether a line speaks of an item."""
        return self.first_code(line) is not None

    def _whole(self, line: str) -> Said | None:
        """Read "undo" and "all ok", which speak of no single item."""
        words = words_of(line)
        if VERBS.get(" ".join(without_courtesy(words))) is Verb.UNDO:
            return Said(line, undo=True)
        taken = leading(words, ALL)
        if not taken:
            first = leading(words, VERBS)
            after = words[first:]
            skipped = skip(after)
            last = leading(skipped, ALL)
            if not first or not last:
                return None
            verb, rest = VERBS[" ".join(words[:first])], skipped[last:]
        else:
            rest = skip(words[taken:])
            length = leading(rest, VERBS)
            if not length:
                raise NotUnderstood("of all items at once you can only say “all ok”")
            verb, rest = VERBS[" ".join(rest[:length])], rest[length:]
        if verb is Verb.UNDO and not rest:
            return Said(line, undo=True)
        if verb is not Verb.OK:
            raise NotUnderstood("of all items at once you can only say “all ok”")
        return Said(line, all_ok_but=self._exceptions(line, skip(rest)))

    def _exceptions(self, line: str, rest: list[str]) -> frozenset[int]:
        if not rest:
            return frozenset()
        length = leading(rest, EXCEPT)
        codes = _CODE.search(line)
        if not length or codes is None:
            raise NotUnderstood(f"I do not know what “{' '.join(rest)}” means beside “all ok”")
        numbers, left = self._targets(line[codes.start() :])
        if left.strip(_LOOSE + "!"):
            raise NotUnderstood(f"I do not know what “{left.strip()}” means beside “all ok”")
        return frozenset(numbers)

    def _instructions(self, line: str) -> Iterator[Instruction]:
        rest = line
        if _CODE.match(rest) is None:
            rest = self._verb_last(rest)
        while rest:
            numbers, rest = self._targets(rest)
            action, rest = self._action_text(rest)
            said = self._action(action)
            yield from (replace(said, number=number) for number in numbers)

    def _verb_last(self, line: str) -> str:
        """Turn "close 8D: by phone" round, as "8D close: by phone"."""
        found = _CODE.search(line)
        words = skip_last(words_of(line[: found.start()])) if found else []
        verb = VERBS.get(" ".join(words))
        if found is None or verb is None:
            raise NotUnderstood(_BEGIN)
        _, rest = self._targets(line[found.start() :])
        if rest.strip(_LOOSE + "!") and not (verb is Verb.CLOSE and _REASON.match(rest)):
            raise NotUnderstood(f"I do not know what “{rest.strip()[:60]}” means after “{line[: found.end()]}”")
        ours = line[found.start() : len(line) - len(rest)]
        return f"{ours} {' '.join(words)}{rest}"

    def _targets(self, text: str) -> tuple[list[int], str]:
        """Return the items that codes at the beginning name ("3B-9R", "7K, 8D and 9E"), and what follows them."""
        number, rest = self._target(text)
        numbers = [number]
        while True:
            link, after = _link(rest)
            if _CODE.match(after) is None or (link is None and rest == after and rest[:1] not in " ,;/&+"):
                break
            number, further = self._target(after)
            if link == "through":
                first, last = numbers[-1], number
                if last <= first:
                    raise NotUnderstood("the range runs backwards")
                numbers += [item.number for item in self.asked if first < item.number <= last]
            else:
                numbers.append(number)
            rest = further
        return list(dict.fromkeys(numbers)), rest

    def _target(self, text: str) -> tuple[int, str]:
        found = _CODE.match(text)
        if found is None:
            raise NotUnderstood(_BEGIN)
        number = number_of(found[1] + found[2], self.digest)
        if number is None:
            raise NotUnderstood(f"{found[1]}{found[2].upper()} is not a code of this digest: number and letter do not agree")
        if all(item.number != number for item in self.asked):
            raise NotUnderstood(f"this digest has no item {found[1]}{found[2].upper()}")
        return number, text[found.end() :]

    def _action_text(self, text: str) -> tuple[str, str]:
        """Return what is said of the items, and the text from the next item's code on; a reason for closing takes all."""
        text = text.lstrip(_SEPARATORS)
        closing = max((len(phrase) for phrase, verb in VERBS.items() if verb is Verb.CLOSE and begins(text, phrase)), default=0)
        if closing and _REASON.match(text[closing:]):
            return text, ""
        for found in _CODE.finditer(text):
            before = text[: found.start()]
            if before[-1:] in (" ", ",", ";", "") and number_of(found[1] + found[2], self.digest) is not None:
                words = before.rstrip(_LOOSE).split(" ")
                joined = " ".join(words[:-1]) if fold(words[-1]) in AND else before
                return joined.rstrip(_LOOSE), text[found.start() :]
        return text, ""

    def _action(self, text: str) -> Instruction:
        if not text.strip(CLEAN + " -"):
            raise NotUnderstood(_SAY_WHAT)
        text, reason = _closing(text) or (text, "")
        if "?" in text:
            raise NotUnderstood("it is a question")
        verbs, places, urgencies = self._parts(words_of(text))
        return _combined(verbs, places, urgencies, reason)

    def _parts(self, words: list[str]) -> tuple[list[Verb], list[Place], list[Urgency]]:
        """Take the words from left to right, each time the longest phrase that means something."""
        verbs: list[Verb] = []
        places: list[Place] = []
        urgencies: list[Urgency] = []
        at = 0
        while at < len(words):
            unknown: Unknown | None = None
            for length in range(min(_NAME_WORDS, len(words) - at), 0, -1):
                phrase = " ".join(words[at : at + length])
                place = self.names.find(words[at : at + length]) if phrase not in FILLERS | AND else None
                if phrase in VERBS:
                    verbs.append(VERBS[phrase])
                elif phrase in URGENCIES:
                    urgencies.append(URGENCIES[phrase])
                elif isinstance(place, Place):
                    places.append(place)
                elif phrase not in FILLERS | AND:
                    unknown = place or unknown
                    continue
                at += length
                break
            else:
                raise NotUnderstood(self._unknown(words[at], unknown))
        return verbs, places, urgencies

    def _unknown(self, word: str, found: Unknown | None) -> str:
        if found:
            return f"“{word}” may mean {', '.join(found.meant[:6])}"
        near = self.names.suggestions(word)
        return f"I do not know “{word[:60]}”" + (f"; did you mean {' or '.join(near)}?" if near else "")


def _combined(verbs: list[Verb], places: list[Place], urgencies: list[Urgency], reason: str) -> Instruction:
    """Put the words of one line together, or say why they do not go together."""
    kinds = set(verbs)
    topics = {place.topic for place in places if place.topic}
    if len(kinds) > 1 or len(topics) > 1 or len(set(urgencies)) > 1:
        raise NotUnderstood("it says two different things")
    verb = verbs[0] if verbs else Verb.ROUTE if places else None
    urgency = urgencies[0] if urgencies else None
    if verb is None:
        raise NotUnderstood(
            "it says how urgent it is, and not where it goes: write “ok urgent” or a topic" if urgency else _SAY_WHAT
        )
    if verb is not Verb.OK and verb is not Verb.ROUTE and (places or urgency):
        raise NotUnderstood(f"“{verb}” goes with nothing else")
    if verb is Verb.OK and places:
        verb = Verb.ROUTE
    departments = tuple(dict.fromkeys(department for place in places for department in place.departments))
    return Instruction(0, verb, next(iter(topics), None), departments, urgency, reason)


def _closing(text: str) -> tuple[str, str] | None:
    """Return the verb and the reason of "close: answered by phone"; None for anything else."""
    for phrase in _CLOSINGS:
        if begins(text, phrase) and (found := _REASON.match(text[len(phrase) :])):
            return phrase, found[1]
    return None


def _link(text: str) -> tuple[str | None, str]:
    """Return how a code is tied to the next one ("through", "and" or None), and the text after that."""
    stripped = text.lstrip(" ,;")
    for kind, phrases in (("through", THROUGH), ("and", AND)):
        for phrase in sorted(phrases, key=len, reverse=True):
            if fold(stripped[: len(phrase)]) == phrase:
                after = stripped[len(phrase) :]
                if _CODE.match(after.lstrip(" ")) and (not phrase.isalpha() or after.startswith(" ")):
                    return kind, after.lstrip(" ")
    return None, stripped

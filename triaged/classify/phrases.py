"""Phrase tables (`phrases/<language>.toml`) → spaCy matchers. How to extend one: `phrases/README.md`."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from triaged.classify.features import PART, fold
from triaged.classify.language import function_words

if TYPE_CHECKING:
    from spacy.matcher import Matcher
    from spacy.vocab import Vocab

BREAK: Final = "."  # the token between two sentences
GAP: Final = "…"  # in a pattern: up to five words (eight characters of Chinese) may stand here
CUES: Final = ("negation", "resolved", "called_off", "past", "elsewhere", "soon")
_SENTENCE_END: Final = re.compile(r"[.!?;:\n。！？；：।؟۔…]+")
_UNREAD: Final = re.compile(r"[ |]\*[ |]|\|…|…\|")
_SEARCH_OCTETS: Final = 1 << 16  # RE2 remembers so much a pattern (8 MB if not told), and searches a little slower beyond
_BETWEEN: Final = f" {PART} "
_HAN: Final = re.compile("([\u3400-\u9fff])")


@dataclass(frozen=True, slots=True)
class Table:
    """One language's phrases: name ("eviction.critical", "negation") → patterns."""

    language: str
    patterns: Mapping[str, tuple[str, ...]]


def words(sentence: str) -> list[str]:
    """Return folded words; every Chinese character is one."""
    return fold_all([sentence]).split()


def fold_all(parts: Sequence[str]) -> str:
    """Return the words of all parts, single-spaced, with `BREAK` between parts: takes a third of the time of one by one."""
    folded = fold(_BETWEEN.join(part.replace(PART, " ") for part in parts), digits=True).replace(PART, BREAK)
    return folded if folded.isascii() else " ".join(_HAN.sub(r" \1 ", folded).split())


def sentences(text: str) -> Iterator[str]:
    """Return the parts between sentence ends, the empty ones left out."""
    return (part for part in _SENTENCE_END.split(text) if part.strip())


@cache
def tables() -> tuple[str, ...]:
    """Return the languages that have a table."""
    folder = resources.files("triaged.classify") / "phrases"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


@cache
def table(language: str) -> Table:
    """Read one language's table from the package."""
    file = resources.files("triaged.classify") / "phrases" / f"{language}.toml"
    return parse(language, tomllib.loads(file.read_text(encoding="utf-8")))


def parse(language: str, sections: Mapping[str, Any]) -> Table:
    """Return a table from its TOML sections.

    Raises:
        ValueError: A section is neither a cue's list nor a flag with `critical`, `high`, `part` or `except` lists; or a
            pattern has a `*` without letters or a `…` among the options of one word.
    """
    patterns: dict[str, tuple[str, ...]] = {}
    for name, value in sections.items():
        if name in CUES and isinstance(value, list):
            patterns[name] = tuple(value)
        elif isinstance(value, dict) and value.keys() <= {"critical", "high", "part", "except"}:
            patterns |= {f"{name}.{level}": tuple(listed) for level, listed in value.items()}
        else:
            raise ValueError(f"phrases/{language}.toml: [{name}]: expected one of {', '.join(CUES)} or a flag with its lists")
    for name, listed in patterns.items():
        if unread := [pattern for pattern in listed if _UNREAD.search(f" {pattern} ")]:
            raise ValueError(f"phrases/{language}.toml: [{name}]: “{unread[0]}”: … and * stand for no word of their own")
    return Table(language, patterns)


def found(language: str, text: str, *, alarming: bool = False) -> tuple[int, ...]:
    """Return the patterns of one language's table (numbers of `_listed`) that occur in a text, by RE2.

    Args:
        language: Whose table.
        text: Folded words as `fold_all` gives them, with a space at both ends.
        alarming: Ask only the patterns that call for somebody: most letters hold none and need no spaCy.
    """
    index = _index(language, alarming)
    said = _said(text)
    likely = {at for word in said & index.by_word.keys() for at in index.by_word[word]}
    return tuple(
        at for at in sorted(likely.union(index.wild)) if index.needs[at].met(said, text) and _search(language, at)(text)
    )


@dataclass(frozen=True, slots=True)
class _Need:
    """What a text must hold for one pattern to be there: one of each set, one of each list. Quicker than any search."""

    words: tuple[frozenset[str], ...]
    stems: tuple[tuple[str, ...], ...]  # of pattern words with *

    def met(self, said: set[str], text: str) -> bool:
        for choice in self.words:
            if choice.isdisjoint(said):
                return False
        return all(any(stem in text for stem in choice) for choice in self.stems)


@dataclass(frozen=True, slots=True)
class _Index:
    """Which patterns to ask at all, by a letter's words."""

    needs: Mapping[int, _Need]  # beside the word by which the pattern was found
    by_word: Mapping[str, tuple[int, ...]]  # one of these words is in every text that holds the pattern
    wild: tuple[int, ...]  # patterns with * in every word


@cache
def _index(language: str, alarming: bool) -> _Index:
    needs: dict[int, _Need] = {}
    by_word: dict[str, list[int]] = {}
    wild: list[int] = []
    for at, (name, pattern) in enumerate(_listed(language)):
        if alarming and not name.endswith((".critical", ".high")):
            continue
        need = _need(pattern)
        found_by, *others = sorted(need.words, key=_frequency) or [frozenset[str]()]
        for word in found_by:
            by_word.setdefault(word, []).append(at)
        if not found_by:
            wild.append(at)
        needs[at] = _Need(tuple(others), need.stems)
    return _Index(needs, {word: tuple(places) for word, places in by_word.items()}, tuple(wild))


def _frequency(choice: frozenset[str]) -> tuple[int, int]:
    """Return a sort key: first the choices whose words letters seldom hold."""
    return len(choice & function_words()), -min(map(len, choice))


def _need(pattern: str) -> _Need:
    said = pattern.split()
    plain = [_plain(word) for word in said if "*" not in word]
    stems = [_stems(word) for word in said if "*" in word]
    return _Need(tuple(filter(None, plain)), tuple(filter(None, stems)))


@cache
def _plain(word: str) -> frozenset[str]:
    """Return one word of each option of a pattern's word, none if an option has none. Kept: many patterns share theirs."""
    options = [words(option) for option in word.split("|")]
    if word == GAP or not all(options):
        return frozenset()
    return frozenset(intern("".join(said[:2]) if _HAN.search(said[0]) else max(said, key=len)) for said in options)


@cache
def _stems(word: str) -> tuple[str, ...]:
    options = [(option, words(option)) for option in word.split("|")]
    return tuple(_stem(option, said) for option, said in options) if all(said for _, said in options) else ()


def _stem(option: str, said: Sequence[str]) -> str:
    before, after = ("" if option.startswith("*") else " "), ("" if option.endswith("*") else " ")
    return f"{before}{' '.join(said)}{after}"


def _said(text: str) -> set[str]:
    """Return the words of a text, and every two neighbouring ones of Chinese characters as one."""
    said = text.split()
    if text.isascii():
        return set(said)
    return {*said, *(f"{one}{two}" for one, two in pairwise(said) if len(one) == len(two) == 1)}


@cache
def _search(language: str, at: int) -> Callable[[str], Any]:
    import re2

    options = re2.Options()
    options.max_mem = _SEARCH_OCTETS
    options.log_errors = False
    searched: Callable[[str], Any] = re2.compile(f" {_whole(_listed(language)[at][1])}", options=options).search
    return searched


def _whole(pattern: str) -> str:
    gap = rf"(?:[^ .]+ ){{0,{_span(pattern)}}}"
    return "".join(gap if word == GAP else _expression(word) + " " for word in pattern.split())


def _span(pattern: str) -> int:
    return 8 if _HAN.search(pattern) else 5


def _expression(word: str) -> str:
    """Return one pattern word as a regular expression over folded words (RE2's and Python's alike)."""
    options = []
    for option in word.split("|"):
        stem = " ".join(re.escape(part) for part in words(option.strip("*")))
        before, after = ("[^ ]*" if option.startswith("*") else ""), ("[^ ]*" if option.endswith("*") else "")
        options.append(f"{before}{stem}{after}")
    return options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"


def matchers(language: str, text: str, vocab: "Vocab") -> "list[Matcher]":
    """Return a spaCy matcher of each pattern that `found` finds: with all of a table's patterns spaCy takes too long."""
    return [_matcher(language, at, vocab) for at in found(language, text)]


@cache
def _listed(language: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, pattern) for name, listed in table(language).patterns.items() for pattern in listed)


@cache
def _matcher(language: str, at: int, vocab: "Vocab") -> "Matcher":
    from spacy.matcher import Matcher

    name, pattern = _listed(language)[at]
    built = Matcher(vocab)
    built.add(name, [_tokens(pattern)])
    return built


def forget_matchers() -> None:
    """Let go of all matchers, and with them of their vocabulary."""
    _matcher.cache_clear()


def _tokens(pattern: str) -> list[dict[str, Any]]:
    tokens: list[dict[str, Any]] = []
    for word in pattern.split():
        if word == GAP:
            tokens += [{"ORTH": {"NOT_IN": [BREAK]}, "OP": "?"}] * _span(pattern)
        elif "|" in word or "*" in word:
            tokens.append({"ORTH": {"REGEX": f"^{_expression(word)}$"}})
        else:
            tokens += [{"ORTH": part} for part in words(word)]
    return tokens

"""Phrase tables (`phrases/<language>.toml`) → spaCy matchers. How to extend one: `phrases/README.md`."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from triaged.classify.features import PART, fold

if TYPE_CHECKING:
    from spacy.matcher import Matcher
    from spacy.vocab import Vocab

BREAK: Final = "."  # the token between two sentences
GAP: Final = "…"  # in a pattern: up to five words (eight characters of Chinese) may stand here
CUES: Final = ("negation", "resolved", "called_off", "past", "elsewhere", "soon")
_BLOCK: Final = 16  # expressions
_SENTENCE_END: Final = re.compile(r"[.!?;:\n。！？；：।؟۔…]+")
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
        ValueError: A section is neither a cue's list nor a flag with `critical`, `high`, `part` or `except` lists.
    """
    patterns: dict[str, tuple[str, ...]] = {}
    for name, value in sections.items():
        if name in CUES and isinstance(value, list):
            patterns[name] = tuple(value)
        elif isinstance(value, dict) and value.keys() <= {"critical", "high", "part", "except"}:
            patterns |= {f"{name}.{level}": tuple(listed) for level, listed in value.items()}
        else:
            raise ValueError(f"phrases/{language}.toml: [{name}]: expected one of {', '.join(CUES)} or a flag with its lists")
    return Table(language, patterns)


@cache
def prefilter(language: str) -> Any:
    """Return an RE2 pattern that finds what any flag's patterns would: most letters hold none and need no spaCy.

    It is searched in single-spaced folded words with a space at both ends (Chinese: every character spaced).
    """
    import re2

    alarming = (
        pattern
        for name, listed in table(language).patterns.items()
        if name.endswith((".critical", ".high"))
        for pattern in listed
    )
    options = re2.Options()
    options.max_mem = 64 << 20
    return re2.compile(f" (?:{'|'.join(sorted({_whole(pattern) for pattern in alarming}))})", options)


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


def matcher(language: str, text: str, vocab: "Vocab") -> "Matcher | None":
    """Return a spaCy matcher of those patterns of one language's table that RE2 finds in a text, None if none.

    The text is written as for `prefilter`. With all of a table's patterns spaCy takes longer than the rest of a prediction.
    """
    chosen = tuple(at for block, members in _blocks(language) if block.search(text) for at, one in members if one.search(text))
    return _matcher(language, chosen, vocab) if chosen else None


@cache
def _listed(language: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, pattern) for name, listed in table(language).patterns.items() for pattern in listed)


@cache
def _blocks(language: str) -> tuple[tuple[Any, tuple[tuple[int, Any], ...]], ...]:
    """Return the expressions, a few at a time behind one that finds any of them: a seventh of the time of one by one."""
    import re2

    whole = [(at, _whole(pattern)) for at, (_, pattern) in enumerate(_listed(language))]
    blocks = (whole[start : start + _BLOCK] for start in range(0, len(whole), _BLOCK))
    return tuple(
        (re2.compile(f" (?:{'|'.join(one for _, one in block)})"), tuple((at, re2.compile(f" {one}")) for at, one in block))
        for block in blocks
    )


@lru_cache(maxsize=256)
def _matcher(language: str, chosen: tuple[int, ...], vocab: "Vocab") -> "Matcher":
    from spacy.matcher import Matcher

    built = Matcher(vocab)
    for name, pattern in (_listed(language)[at] for at in chosen):
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

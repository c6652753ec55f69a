"""Life and safety first: what a letter's own words say about urgency, and which words did.

Phrase tables find candidates; negation ("we are not being evicted"), an end ("the eviction was cancelled"), the past and
talk about the subject take them back. What is found here may only raise urgency.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from triaged.classify.dates import days_until
from triaged.classify.phrases import BREAK, fold_all, forget_matchers, found, matchers, sentences, tables
from triaged.message import Flag, Urgency

if TYPE_CHECKING:
    from spacy.language import Language

SOON_DAYS: Final = 7
MAX_CHARACTERS: Final = 8_000
MAX_SENTENCES: Final = 200
_NEGATION_REACH: Final = 4  # words between "not" and what it denies
_NEAR: Final = 2  # sentences between the parts of one danger
_TABLES: Final = {
    "zh-Hans": ("zh",),
    "zh-Hant": ("zh",),
    "ar": ("ar", "ur"),
    "ur": ("ur", "ar"),
    "ht": ("ht", "fr"),
    "fr": ("fr", "ht"),
}
_MOST_WORDS: Final = 200_000  # a word costs spaCy 3.8 forty octets for ever, memory zone or not: a daemon runs for years
_WITH_VULNERABLE: Final = ("no_heat", "no_power")
_CAN_BE_CALLED_OFF: Final = ("eviction", "lockout", "no_power", "threat", "threat_to_office")  # "cut off, and no food" stands


@dataclass(frozen=True, slots=True)
class Alarm:
    """What the words say: how urgent, and why."""

    urgency: Urgency
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    name: str  # "eviction.high", "negation"
    start: int
    end: int
    sentence: int
    words: str

    @property
    def flag(self) -> str:
        return self.name.partition(".")[0]

    @property
    def level(self) -> str:
        return self.name.partition(".")[2]


def alarm(text: str, language: str, now: datetime) -> Alarm:
    """Return urgency and flags that the words of a letter call for.

    Args:
        text: Subject and what the writer says now.
        language: Code of languages.yaml, "und" when unknown: every table of its script is asked.
        now: The office's clock, aware; dates in the text are read by it.
    """
    parts = list(sentences(text[:MAX_CHARACTERS]))[:MAX_SENTENCES]
    folded = f" {fold_all(parts)} "
    asked = [code for code in _asked(language) if found(code, folded, alarming=True)]
    if not asked:
        return Alarm(Urgency.NORMAL, ())
    own = _asked(language)[0]
    spaced = folded.split(BREAK)
    tokens = [sentence.split() for sentence in spaced]
    near = _near(index for index, sentence in enumerate(spaced) if any(found(code, sentence, alarming=True) for code in asked))
    hits = {code: _hits(code, tokens, near) for code in dict.fromkeys((own, *asked))}
    soon = {index for index in near if 0 <= index < len(parts) and _is_soon(parts[index], now)}
    dangers: dict[str, tuple[Urgency, list[str]]] = {}
    for code in asked:
        for name, urgency, phrase in _dangers(hits[code], hits[own], soon):
            level, phrases = dangers.setdefault(name, (urgency, []))
            dangers[name] = (level.at_least(urgency), phrases if phrase in phrases else [*phrases, phrase])
    urgency = max((level for level, _ in dangers.values()), key=lambda level: level.rank, default=Urgency.NORMAL)
    return Alarm(urgency, tuple(Flag(name, tuple(phrases)) for name, (_, phrases) in sorted(dangers.items())))


def calls(text: str, language: str, now: datetime) -> bool:
    """Tell whether the words of a text call a person."""
    return alarm(text, language, now).urgency is Urgency.CRITICAL


def _is_soon(sentence: str, now: datetime) -> bool:
    days = days_until(sentence, now)
    return days is not None and 0 <= days <= SOON_DAYS


def _near(sentences: Iterable[int]) -> set[int]:
    """Return these sentences and the ones around them: only there spaCy looks."""
    return {index + step for index in sentences for step in range(-_NEAR, _NEAR + 1)}


def _asked(language: str) -> Sequence[str]:
    """Return the tables to ask, the letter's own first; English too, because letters mix it in."""
    known = tables()
    first = _TABLES.get(language, (language,))
    if first[0] not in known:
        return known
    return tuple(dict.fromkeys((*first, "en")))


@cache
def _language() -> "Language":
    import spacy

    return spacy.blank("xx")


def _language_for_now() -> "Language":
    """Return the vocabulary to match with; a new one once the old has seen many words."""
    if len(_language().vocab) > _MOST_WORDS:
        _language.cache_clear()
        forget_matchers()
    return _language()


def _hits(code: str, tokens: Sequence[Sequence[str]], near: set[int]) -> list[_Hit]:
    from spacy.tokens import Doc

    nlp = _language_for_now()
    sentence_of: list[int] = []
    flat: list[str] = []
    for index, sentence in enumerate(tokens):
        if index in near:
            flat += [*sentence, BREAK]
            sentence_of += [index] * (len(sentence) + 1)
    asked = matchers(code, f" {' '.join(flat)} ", nlp.vocab)
    if not asked:
        return []
    with nlp.memory_zone():  # else the vocabulary keeps every word
        doc = Doc(nlp.vocab, words=flat)
        matches = {match for matcher in asked for match in matcher(doc)}
        ordered = sorted(matches, key=lambda match: (match[2], match[1], match[0]))
        named = [(str(nlp.vocab.strings[key]), start, end) for key, start, end in ordered]
    joiner = "" if code == "zh" else " "
    return [_Hit(name, start, end, sentence_of[start], joiner.join(flat[start:end])) for name, start, end in named]


def _dangers(hits: Sequence[_Hit], own: Sequence[_Hit], soon: set[int]) -> Iterator[tuple[str, Urgency, str]]:
    """Yield flag, urgency and words of what stands; cues count from the phrase's table and from the letter's own language."""
    cues: dict[str, list[_Hit]] = {}
    for hit in (*hits, *(own if own is not hits else ())):
        if hit.level in ("", "except"):
            cues.setdefault(hit.name, []).append(hit)
    soon = soon | {cue.sentence for cue in cues.get("soon", ())}
    standing = [hit for hit in hits if hit.level in ("critical", "high", "part") and not _taken_back(hit, cues)]
    for hit in standing:
        if hit.level != "part":
            at_once = hit.level == "critical" or (hit.flag == "eviction" and any(abs(hit.sentence - day) <= 1 for day in soon))
            yield hit.flag, Urgency.CRITICAL if at_once else Urgency.HIGH, hit.words
    vulnerable = [hit for hit in standing if hit.flag == "vulnerable"]
    for hit in standing:
        beside = next((other for other in vulnerable if abs(other.sentence - hit.sentence) <= _NEAR), None)
        if hit.flag in _WITH_VULNERABLE and beside:
            yield f"{hit.flag}_vulnerable", Urgency.CRITICAL, hit.words
            yield f"{hit.flag}_vulnerable", Urgency.CRITICAL, beside.words


def _taken_back(hit: _Hit, cues: dict[str, list[_Hit]]) -> bool:
    """Tell whether other words of the letter say that this does not hold."""
    if any(cue.start < hit.end and hit.start < cue.end for cue in cues.get(f"{hit.flag}.except", ())):
        return True
    if hit.level == "part":  # that someone is old or ill is not denied by a "not" before it
        return False
    denials = [cue for cue in cues.get("negation", ()) if cue.sentence == hit.sentence]
    own = any(_overlap(cue, hit) for cue in denials)  # "no heat", "plus de chauffage": the danger is the lack itself
    if not own and any(0 <= hit.start - cue.end <= _NEGATION_REACH for cue in denials):
        return True
    ends = [*cues.get("resolved", ()), *(cues.get("called_off", ()) if hit.flag in _CAN_BE_CALLED_OFF else ())]
    if any(0 <= cue.sentence - hit.sentence <= 1 and not _overlap(cue, hit) for cue in ends):
        return True
    return any(
        cue.sentence == hit.sentence and not _overlap(cue, hit) for name in ("past", "elsewhere") for cue in cues.get(name, ())
    )


def _overlap(one: _Hit, other: _Hit) -> bool:
    return one.start < other.end and other.start < one.end

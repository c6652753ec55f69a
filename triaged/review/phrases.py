"""Known phrases among the words of a line: at its beginning, at its end, between words that say nothing."""

from collections.abc import Container, Sequence
from typing import Final

from triaged.review.words import COURTESY, FILLERS, VERBS, fold

CLEAN: Final = "\"'.,;:!()[]*"
_LONGEST_PHRASE: Final = 4


def words_of(text: str) -> list[str]:
    """Return the words of a text, folded, without the signs around them."""
    return [word for raw in text.split(" ") if (word := fold(raw).strip(CLEAN)) and word != "-"]


def leading(words: Sequence[str], phrases: Container[str]) -> int:
    """Return how many words at the beginning make the longest phrase."""
    for length in range(min(_LONGEST_PHRASE, len(words)), 0, -1):
        if " ".join(words[:length]) in phrases:
            return length
    return 0


def skip(words: list[str]) -> list[str]:
    """Return what follows words that say nothing."""
    while length := leading(words, FILLERS):
        words = words[length:]
    return words


def skip_last(words: list[str]) -> list[str]:
    """Return what stands before words that say nothing; one word at least."""
    while len(words) > 1 and words[-1] in FILLERS:
        words = words[:-1]
    return words


def without_courtesy(words: list[str]) -> list[str]:
    """Return "undo" of "undo, por favor": words that say nothing, left out at both ends."""
    words = skip(words)
    for end in range(len(words), 0, -1):
        if not skip(words[end:]) and " ".join(words[:end]) in VERBS:
            return words[:end]
    return words


def begins(text: str, phrase: str) -> bool:
    """Tell whether a text begins with a whole phrase, accents and capitals aside."""
    head = text[: len(phrase)]
    return fold(head) == phrase and not text[len(phrase) : len(phrase) + 1].isalnum()


def is_courtesy(line: str) -> bool:
    """Tell whether a line is a greeting and the like, or empty."""
    words = words_of(line)
    return not words or (len(words) <= 6 and not any(map(str.isdigit, line)) and leading(words, COURTESY) > 0)

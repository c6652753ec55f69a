"""A letter that names two problems: its passages, each a text of its own, as evidence for further topics."""

import re
from collections.abc import Sequence
from typing import Final

from triaged.classify.topics import Text

LEAST: Final = 0.7  # a passage alone has little context: it must be surer than a letter
MOST_PASSAGES: Final = 6
READ_CHARACTERS: Final = 4_000
_PASSAGE_CHARACTERS: Final = 60  # shorter sentences join the next
_LEAST_LETTER: Final = 80
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？।۔])|\n+")

Ranked = Sequence[tuple[str, float]]


def passages(text: Text) -> list[Text]:
    """Return a letter's passages, none if it has only one. Chinese and Korean say more in a character."""
    if len(text.body) < _LEAST_LETTER and text.body.isascii():
        return []
    found: list[str] = []
    for sentence in _SENTENCE.split(text.body[:READ_CHARACTERS]):
        size = _PASSAGE_CHARACTERS if sentence.isascii() else _PASSAGE_CHARACTERS // 3
        if found and len(found[-1]) < size:
            found[-1] = f"{found[-1]} {sentence}"
        elif sentence.strip():
            found.append(sentence)
    return [Text("", passage) for passage in found[:MOST_PASSAGES]] if len(found) > 1 else []


def further(best: str, of_passages: Sequence[tuple[Ranked, bool]]) -> tuple[tuple[str, float], ...]:
    """Return topics beside the letter's own that some passage names surely, with that passage's confidence, surest first.

    Args:
        best: The whole letter's topic.
        of_passages: Each passage's topics and whether it may count (known matter, not background).
    """
    sure: dict[str, float] = {}
    for ranked, counts in of_passages:
        topic, confidence = ranked[0]
        if counts and topic != best and confidence >= LEAST:
            sure[topic] = max(confidence, sure.get(topic, 0.0))
    return tuple(sorted(sure.items(), key=lambda item: (-item[1], item[0])))

"""Two models on the same letters, which neither has learnt from: is the new one worse anywhere? Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_SLACK: Final = 20  # a topic may lose one letter in so many, and one in any case: less is chance


@dataclass(frozen=True, slots=True)
class Contest:
    """How many letters each got right, and where the candidate is worse."""

    letters: int
    present: int
    candidate: int
    worse: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Tell whether the candidate may take over."""
        return self.letters > 0 and self.candidate >= self.present and not self.worse

    def in_words(self) -> str:
        """Say it to people."""
        said = (
            f"on the same {self.letters} letters the new model is right on {self.candidate}, the present one on {self.present}"
        )
        return f"{said}; worse on: {', '.join(self.worse)}" if self.worse else said


def contest(topics: Sequence[str], present: Sequence[bool], candidate: Sequence[bool]) -> Contest:
    """Compare two models.

    Args:
        topics: What people said of each letter.
        present: Whether the present model's guess was the same.
        candidate: Whether the candidate's was.
    """
    of, lost = Counter(topics), Counter[str]()
    for topic, before, after in zip(topics, present, candidate, strict=True):
        lost[topic] += before - after
    worse = sorted(topic for topic, net in lost.items() if net > max(1, of[topic] // _SLACK))
    return Contest(len(topics), sum(present), sum(candidate), tuple(worse))

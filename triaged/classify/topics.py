"""The `Topics` protocol: what a topic model is to the rest of the house."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from triaged.message import Opinion


@dataclass(frozen=True, slots=True)
class Text:
    """What a model reads of a letter: the subject counts by itself."""

    subject: str
    body: str


class Topics(Protocol):
    """A fitted topic model."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics it knows, in the order of its probabilities."""

    def predict(self, texts: Sequence[Text]) -> list[Opinion]:
        """Return one opinion a text, in order. Never raises for any text."""

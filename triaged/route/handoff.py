"""The `Handoff` protocol: how one planned delivery is carried out. One file a kind; the registry is in `deliver.py`."""

from dataclasses import dataclass
from typing import Protocol

from triaged.message import Delivery, Message, Outcome, Record


@dataclass(frozen=True, slots=True)
class Case:
    """All that a delivery may need to know of a case; read from the store just before it is carried out."""

    record: Record  # what was understood and decided
    message: Message
    raw: bytes  # the mail as it came
    office: str  # the office's name, as writers know it
    uid: str = ""  # the mailbox's key for the mail
    attempt: int = 1


class Handoff(Protocol):
    """Carries out one kind of delivery."""

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Do it, and say how it ended. Never raises for what the peer does; `Outcome.detail` keeps its words."""

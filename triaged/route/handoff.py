"""The `Handoff` protocol: how one planned delivery is carried out. One file a kind; the registry is in `deliver.py`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from triaged.message import Decision, Delivery, Message, Outcome


@dataclass(frozen=True, slots=True)
class Case:
    """All that a delivery may need to know of a case; read from the store just before it is carried out."""

    reference: str
    mailbox: str
    office: str  # the office's name, as writers know it
    message: Message
    decision: Decision
    raw: bytes
    received_at: datetime
    language: str
    due: date | None = None  # by when the office answers
    related: tuple[str, ...] = ()  # references of the same mail at other offices, of earlier cases of the writer
    follow_up: bool = False  # a later mail on a known case
    uid: str = ""
    attempt: int = 1
    acknowledge_to: str = ""


class Handoff(Protocol):
    """Carries out one kind of delivery."""

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Do it, and say how it ended. Never raises for what the peer does; `Outcome.detail` keeps its words."""

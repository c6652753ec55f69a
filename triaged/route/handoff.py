"""The `Handoff` protocol: how one planned delivery is carried out. One file a kind; the registry is in `deliver.py`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Protocol

from triaged.message import Delivery, Message, Notice, Outcome, Record
from triaged.route.sender import Sender
from triaged.signing import Signer


@dataclass(frozen=True, slots=True)
class Case:
    """All that a delivery may need to know of a case; read from the store just before it is carried out."""

    record: Record  # what was understood and decided
    message: Message
    raw: bytes  # the mail as it came; empty where it could not be kept whole, or is damaged
    office: str  # the office's name, as writers know it
    uid: str = ""  # the mailbox's key for the mail
    attempt: int = 1
    notice: Notice | None = None  # kind "notice": what to say
    fault: str = ""  # why there is no original


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What is the same in every mail of an installation.

    Attributes:
        address: The From of all that we write; somebody reads it.
        signer: Signs the loop header.
        zone: The office's time zone.
        topics: Topic id → in words.
    """

    address: str
    signer: Signer
    zone: tzinfo
    topics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Addition:
    """A paragraph that acknowledgements of some letters have for some days.

    Attributes:
        first: The first day.
        last: The last day.
        topics: Letters on one of these get it …
        file: … and those on which a rule of this file acted.
        texts: Language → the paragraph.
    """

    first: date
    last: date
    topics: Collection[str]
    file: str
    texts: Mapping[str, str]

    def fits(self, record: Record, today: date) -> bool:
        """Tell whether a letter's acknowledgement has it."""
        acted = any(reason.by == "rule" and reason.at.rpartition(":")[0] == self.file for reason in record.reasons)
        return self.first <= today <= self.last and (record.topic in self.topics or acted)


class MoveError(Exception):
    """A mail was not moved, or not labelled.

    Attributes:
        permanent: Only a person can mend it.
    """

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class Mover(Protocol):
    """Moves a mail in a mailbox, connecting to it if need be."""

    def __call__(self, mailbox: str, uid: str, folder: str) -> bool:
        """Move it; tell whether it still was where it came in.

        Raises:
            MoveError: It was not moved.
        """


class Labeller(Protocol):
    """Labels a mail in a mailbox, connecting to it if need be."""

    def __call__(self, mailbox: str, uid: str, labels: Sequence[str]) -> None:
        """Make these our labels of it; a mail that is gone is not an error.

        Raises:
            MoveError: It was not labelled.
        """


@dataclass(frozen=True, slots=True)
class Means:
    """What the kinds work with; each takes what it needs.

    Attributes:
        sender: How mail goes out.
        letterhead: What is the same in every mail.
        envelope: Envelope sender of hand-offs; bounces come back to it.
        clock: Now, aware.
        move: Moves mail in mailboxes.
        mark: Labels mail in mailboxes.
        languages: Those whose acknowledgements the office sends; the first is the default.
        phone: For help in other languages or an accessible format; empty: acknowledgements do not mention it.
        templates: The office's own acknowledgement texts, before the shipped ones.
        additions: Paragraphs that acknowledgements have for some days.
    """

    sender: Sender
    letterhead: Letterhead
    envelope: str
    clock: Callable[[], datetime]
    move: Mover
    mark: Labeller
    languages: tuple[str, ...] = ("en",)
    phone: str = ""
    templates: Path | None = None
    additions: Sequence[Addition] = ()


class Handoff(Protocol):
    """Carries out one kind of delivery."""

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Do it, and say how it ended. Never raises for what the peer does; `Outcome.detail` keeps its words."""

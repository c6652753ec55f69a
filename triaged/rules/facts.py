"""What conditions look at: the fields of one letter, and what has been decided about it so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from triaged.message import Address, Message, Urgency

_CALLED: Final[Mapping[str, str]] = {
    "any_text": "subject or text",
    "body": "text",
    "attachment": "an attachment",
    "received": "the day of receipt",
}
# A rule that rests on one of these rests on the model's guess.
_GUESSED: Final = frozenset({"topic", "confidence", "urgency"})


@dataclass(frozen=True, slots=True)
class Field:
    """Something a condition may look at.

    Attributes:
        key: How rules.yaml calls it.
        header: Which header, where the key is `header`.
    """

    key: str
    header: str = ""

    def __str__(self) -> str:
        """Return what a reason calls it."""
        return f"header {self.header}" if self.header else _CALLED.get(self.key, self.key)

    @property
    def is_guessed(self) -> bool:
        """Whether the model's guess has a say in it."""
        return self.key in _GUESSED


@dataclass(frozen=True, slots=True)
class Letter:
    """What stays the same while rules run. Its texts are folded once for all rules.

    Attributes:
        message: The mail.
        mailbox: The mailbox it came to.
        language: Its language's code.
        campaign: The campaign it belongs to.
        received: The day of receipt on the office's calendar.
    """

    message: Message
    mailbox: str
    language: str
    campaign: str | None
    received: date
    _kept: dict[tuple[Field, str], tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    def texts(self, about: Field, how: Callable[[str], str]) -> tuple[str, ...]:
        """Return a field's texts, each put through the function `how`."""
        key = (about, how.__name__)
        if key not in self._kept:
            self._kept[key] = tuple(how(_whole(text)) for text in self._raw(about))
        return self._kept[key]

    def addresses(self, about: Field) -> tuple[str, ...]:
        """Return the bare addresses of from, sender, to or cc, in small letters."""
        return tuple(each.address.lower() for each in self._people(about))

    def _people(self, about: Field) -> tuple[Address, ...]:
        if about.key in ("to", "cc"):
            return self.message.to if about.key == "to" else self.message.cc
        return (self.message.sender,)  # of a web form: the writer that the form names

    def _raw(self, about: Field) -> tuple[str, ...]:
        message = self.message
        match about.key:
            case "from" | "to" | "cc":
                return tuple(f"{each.name} <{each.address}>" for each in self._people(about))
            case "subject":
                return (message.subject,)
            case "body":
                return (self._body(),)
            case "any_text":
                return ("\n".join((message.subject, self._body(), *(value for _, value in message.form))),)
            case "header":
                return tuple(message.headers.get(about.header.lower(), ()))
            case "attachment":
                return tuple(text for each in message.attachments for text in (each.filename, each.content_type))
            case "mailbox":
                return (self.mailbox,)
            case "language":
                return (self.language,)
            case "campaign":
                return (self.campaign,) if self.campaign else ()
        return ()

    def _body(self) -> str:
        """Return what the writer says now; of a letter that is only forwarded, what was forwarded."""
        return self.message.text if self.message.text.strip() else self.message.quoted


@dataclass(frozen=True, slots=True)
class Facts:
    """A letter, and how it stands when a rule's turn comes.

    Attributes:
        letter: What stays the same.
        topic: Set by an earlier rule, else the model's best guess.
        confidence: The model's probability of the topic; 1 when a rule set it.
        urgency: So far.
        flags: So far.
        guessed: The topic is the model's, and the model is not sure enough to act on it.
    """

    letter: Letter
    topic: str
    confidence: float
    urgency: Urgency
    flags: tuple[str, ...]
    guessed: bool

    def texts(self, about: Field, how: Callable[[str], str] = str) -> tuple[str, ...]:
        """Return a field's texts, each put through the function `how`."""
        match about.key:
            case "topic":
                return (how(self.topic),) if self.topic else ()
            case "urgency":
                return (how(self.urgency.value),)
            case "flag":
                return tuple(how(flag) for flag in self.flags)
        return self.letter.texts(about, how)

    def is_true(self, about: Field) -> bool:
        """Tell whether a field that is either there or not is there."""
        if about.key == "is_reply":
            return bool(self.letter.message.in_reply_to or self.letter.message.references)
        return bool(self.letter.texts(about, str))

    def measure(self, about: Field) -> float:
        """Return confidence, urgency's rank or the day of receipt as a number to compare."""
        match about.key:
            case "confidence":
                return self.confidence
            case "urgency":
                return self.urgency.rank
        return self.letter.received.toordinal()


def _whole(text: str) -> str:
    """Return the text with lone surrogates replaced: a mail can carry them, RE2 takes UTF-8 only."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text

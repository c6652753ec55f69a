"""What flows through the house: frozen values, no I/O.

A mail comes in as `RawMail`, is read into a `Message`, screened (`Screening`), assessed (`Assessment`), decided (`Decision`)
and turned into `Delivery` rows. Every room imports this module; this module imports none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

LOOP_HEADER: Final = "X-Triaged-Loop"  # on all mail we send, signed, so that we know it when it comes back
LABEL_PREFIX: Final = "Triaged/"  # of all labels that we give to mail in mailboxes; no other label is ever touched


class Kind(StrEnum):
    """What a mail is. Only a letter is acknowledged and routed as a writer's matter."""

    LETTER = "letter"
    AUTO_REPLY = "auto_reply"  # RFC 3834 responders, receipts (RFC 8098)
    BOUNCE = "bounce"  # RFC 3464 reports and the older forms, feedback reports (RFC 5965)
    LIST = "list"  # RFC 2919, RFC 2369
    SPAM = "spam"  # by our own server's verdict
    ANSWER = "answer"  # a reviewer's reply to a digest
    OWN = "own"  # we sent it
    UNREADABLE = "unreadable"  # kept whole, shown to people


class Urgency(StrEnum):
    """How soon a person must act; ordered by `rank`."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"  # same business day
    CRITICAL = "critical"  # a person now

    @property
    def rank(self) -> int:
        """Return 0 for low up to 3 for critical."""
        return _URGENCY_RANK[self]

    def at_least(self, floor: "Urgency") -> "Urgency":
        """Return the more urgent of the two."""
        return self if self.rank >= floor.rank else floor


_URGENCY_RANK: Final = {urgency: rank for rank, urgency in enumerate(Urgency)}


class Status(StrEnum):
    """Where a message stands."""

    NEW = "new"  # kept, not yet processed
    ROUTED = "routed"  # a department has it or is about to
    REVIEW = "review"  # a person must decide
    ANSWERED = "answered"
    CLOSED = "closed"  # ended by a rule or a person
    IGNORED = "ignored"  # not a letter; kept and counted
    SET_ASIDE = "set_aside"  # it broke us; kept whole, shown to people


class State(StrEnum):
    """The life of a delivery; `MOVES` says which steps exist."""

    PLANNED = "planned"
    HELD = "held"  # waits for a person (breaker, hold, undo window)
    SENDING = "sending"  # committed before the side effect
    SENT = "sent"
    FAILED = "failed"  # refused for good, or tried for too long
    IN_DOUBT = "in_doubt"  # we died, or heard silence, between sending and sent
    CANCELLED = "cancelled"


MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.PLANNED: frozenset({State.SENDING, State.HELD, State.CANCELLED}),
    State.HELD: frozenset({State.PLANNED, State.CANCELLED}),
    State.SENDING: frozenset({State.SENT, State.FAILED, State.IN_DOUBT, State.PLANNED}),  # planned: try later
    State.IN_DOUBT: frozenset({State.PLANNED, State.SENT, State.CANCELLED}),  # planned: hand-offs only
    State.FAILED: frozenset({State.PLANNED, State.CANCELLED}),
    State.SENT: frozenset({State.FAILED}),  # a bounce came back
    State.CANCELLED: frozenset({State.PLANNED}),  # a person changed their mind
}


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox of RFC 5322 §3.4: display name (decoded, may be empty) and addr-spec."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class RawMail:
    """One mail as the mailbox gave it, before anything is known about it."""

    mailbox: str
    uid: str  # the mailbox's own key for it: IMAP UIDVALIDITY:UID, maildir unique name, file name
    octets: bytes
    received_at: datetime | None = None  # server's INTERNALDATE or file time, aware UTC
    answered: bool = False  # a person had replied to it when we came, as far as the kind tells


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not the letter's text; its bytes stay in the raw mail."""

    filename: str
    content_type: str
    size_octets: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a text/calendar part (RFC 5545) says; never answered by us."""

    method: str
    summary: str
    location: str
    starts: str
    organizer: str


@dataclass(frozen=True, slots=True)
class Message:
    """One mail, read. Header values are decoded; control characters are gone from one-line fields."""

    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # lower-case name → values, top first
    message_id: str = ""  # with angle brackets, empty if missing or broken
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sender: Address = Address("", "")  # From (the first mailbox); the form's writer for a web form
    reply_to: tuple[Address, ...] = ()
    return_path: str | None = None  # None: header missing; "": the null reverse-path <>
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    subject: str = ""
    date: datetime | None = None  # the Date header, aware; None if missing or broken
    text: str = ""  # what the writer says now
    quoted: str = ""  # what was quoted or forwarded below
    signature: str = ""
    attachments: tuple[Attachment, ...] = ()
    form: tuple[tuple[str, str], ...] = ()  # fields of a web-form or IQ-tagged mail, in order
    invitation: Invitation | None = None
    notes: tuple[str, ...] = ()  # what was odd and how it was read ("charset us-ascii was wrong, read as cp1252")
    unreadable: str = ""  # why no person's text could be had; empty for a readable mail
    header_names: tuple[str, ...] = ()  # every field's lower-case name as they stand, top first: who added what, and when

    def header(self, name: str) -> str:
        """Return the topmost value of a header, empty if there is none."""
        values = self.headers.get(name.lower(), ())
        return values[0] if values else ""


@dataclass(frozen=True, slots=True)
class Written:
    """The lines of an answer that its writer wrote, told apart from what is quoted.

    Attributes:
        above: Above everything quoted.
        signature: Below it, as its form tells; no line of it counts.
        between: Lines between quoted ones, each with what was quoted since the lines before.
    """

    above: str
    signature: str = ""
    between: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something came out as it did, in words for a clerk."""

    by: str  # rule | shadow (a rule that is only tried out) | model | screen | staff | promise
    name: str
    because: str
    at: str = ""  # file:line where there is one


@dataclass(frozen=True, slots=True)
class Screening:
    """What kind of mail it is and what may follow."""

    kind: Kind
    may_acknowledge: bool
    reasons: tuple[Reason, ...] = ()
    acknowledge_to: str = ""  # RFC 3834 §4: where an acknowledgement may go; empty: nowhere
    must_review: str = ""  # why a person must look (DMARC failure, unreadable); empty: no need
    bounced: tuple[str, ...] = ()  # Message-IDs and recipients that a bounce names


POSSIBLE_DANGER: Final = "possible_danger"  # the flag of a letter that sounds like it, or of phrases that are doubted


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark beside the topic, and the words that caused it."""

    name: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What the learnt score for danger makes of one letter and its passages."""

    words: str = ""  # the passage that sounds like danger; empty if none does
    certain: bool = False  # so much that a person is called, though no phrase table knows the words
    quiet: bool = False  # so little that phrases may be doubted
    parts: tuple[tuple[str, bool], ...] = ()  # its passages, each with whether it is quiet by itself; none if it has only one


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the topic model thinks of one text."""

    ranked: tuple[tuple[str, float], ...]  # (topic, probability 0 to 1), best first; never empty
    accepted: bool  # the promise allows acting on the best
    novelty: float = 0.0  # 0 known to 1 unlike anything learnt
    words: tuple[tuple[str, float], ...] = ()  # words that spoke for the best topic, strongest first
    further: tuple[tuple[str, float], ...] = ()  # other matters in the same letter
    why: str = ""  # why it was not accepted, for a clerk
    heard: Heard | None = None  # None: nothing listened


@dataclass(frozen=True, slots=True)
class Assessment:
    """What we understand of a message before rules speak."""

    language: str  # code of languages.yaml; "und" when unknown
    opinion: Opinion
    urgency: Urgency = Urgency.NORMAL  # what the text alone says
    flags: tuple[Flag, ...] = ()
    campaign: str | None = None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall happen to a message, with its reasons."""

    status: Status  # ROUTED, REVIEW, CLOSED or IGNORED
    topic: str | None
    confidence: float | None  # the model's probability of `topic`; None when it did not come from the model
    urgency: Urgency
    departments: tuple[str, ...] = ()  # ids, the one that answers first
    copy_to: tuple[str, ...] = ()  # addresses
    flags: tuple[str, ...] = ()
    acknowledge: bool = True
    template: str | None = None  # a template that staff named instead of the default
    move: str | None = None  # folder to move the mail to, instead of the mailbox's own
    held: bool = False  # a person must decide whatever the model thinks (hold, DMARC failure, unreadable)
    reasons: tuple[Reason, ...] = ()

    def because(self, *reasons: Reason) -> "Decision":
        """Return the same decision with more reasons."""
        return replace(self, reasons=(*self.reasons, *reasons))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One side effect to carry out. `key` is unique for ever: it is what makes twice impossible."""

    kind: str  # forward | acknowledge | move | …
    to: str  # department address, writer's address, folder
    key: str
    message_id: str = ""  # deterministic Message-ID of the mail to send
    department: str = ""
    template: str = ""
    state: State = State.PLANNED
    detail: str = ""  # why it is held, or what the peer said last


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt at a delivery ended."""

    state: State  # SENT | FAILED | IN_DOUBT | PLANNED (try again)
    detail: str = ""  # the peer's words, RFC 3463 code kept


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A delivery as the outbox knows it."""

    id: int
    mail_id: int
    delivery: Delivery
    attempts: int
    planned_at: datetime
    due_at: datetime  # not before


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail of ours to a reviewer, beside the digest: a receipt, a warning, an alert."""

    subject: str
    text: str
    html: str = ""  # empty: plain text only
    reply_to: str = ""
    answers: str = ""  # Message-ID of the mail that it answers, "-" if that has none; empty: it answers no mail


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of one message beside its bytes: the row of `export`, `show` and `explain`."""

    reference: str
    mailbox: str
    message_id: str
    received_at: datetime
    sender: Address
    subject: str
    kind: Kind
    language: str
    topic: str | None
    confidence: float | None
    alternatives: tuple[tuple[str, float], ...]
    urgency: Urgency
    flags: tuple[Flag, ...]
    campaign: str | None
    departments: tuple[str, ...]
    status: Status
    reasons: tuple[Reason, ...]
    deliveries: tuple[Dispatch, ...] = ()
    mail_id: int = 0
    case_id: int = 0
    excerpt: str = ""  # the first lines of what the writer says
    due: date | None = None  # by when the office answers
    acknowledge_to: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[str, ...] = ()  # the same mail at another office; earlier cases of the thread
    follow_up: bool = False  # a later mail on a known case

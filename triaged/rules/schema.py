"""What rules.yaml says, as frozen values. How it is written stands in grammar.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from triaged.files.problem import Place
from triaged.message import Kind, Message, Status, Urgency
from triaged.rules.conditions import Condition
from triaged.rules.due import Unit, Within

RESPOND_WITHIN: Final = Within(14, Unit.DAYS)


@dataclass(frozen=True, slots=True)
class Department:
    """Who answers.

    Attributes:
        id: The name by which topics and rules call it.
        name: As people know it.
        to: Its addresses; all of them get each case.
        respond_within: By when it answers.
        handoff: How a case reaches it.
        language: The language it works in, if it is not the office's.
        acknowledge: Whether writers of its cases may get an automatic first reply.
        at: Where it stands.
    """

    id: str
    name: str
    to: tuple[str, ...]
    respond_within: Within
    at: Place
    handoff: str = "forward"
    language: str | None = None
    acknowledge: bool = True


@dataclass(frozen=True, slots=True)
class Topic:
    """What a letter may be about, and whose it is."""

    id: str
    departments: tuple[str, ...]  # the first one answers
    urgency: Urgency
    description: str
    at: Place
    acknowledge: bool = True


@dataclass(frozen=True, slots=True)
class UrgencyChange:
    """Sets the urgency exactly, or raises it."""

    urgency: Urgency
    at_least: bool

    def __str__(self) -> str:
        """Return it as rules.yaml writes it."""
        return f"at least {self.urgency}" if self.at_least else self.urgency.value


@dataclass(frozen=True, slots=True)
class Action:
    """What a rule does; what is not given stays as it was."""

    topic: str | None = None
    departments: tuple[str, ...] = ()
    copy_to: tuple[str, ...] = ()  # addresses
    urgency: UrgencyChange | None = None
    add_flag: tuple[str, ...] = ()
    acknowledge: bool = True
    template: str | None = None
    hold: str | None = None  # why a person must look
    close: str | None = None  # why nobody needs to
    move: str | None = None  # folder
    stop: bool = False

    def __str__(self) -> str:
        """Return the action in words, for a reason."""
        said = (
            ("topic ", self.topic),
            ("department ", ", ".join(self.departments)),
            ("copy to ", ", ".join(self.copy_to)),
            ("urgency ", self.urgency),
            ("flag ", ", ".join(self.add_flag)),
            ("no acknowledgement", not self.acknowledge and " "),
            ("acknowledged with ", self.template),
            ("held: ", self.hold),
            ("closed: ", self.close),
            ("moved to ", self.move),
            ("later rules left out", self.stop and " "),
        )
        return "; ".join(f"{what}{value}".strip() for what, value in said if value)


@dataclass(frozen=True, slots=True)
class Sample:
    """A letter that staff wrote down to try rules on.

    Attributes:
        message: The letter.
        mailbox: Where it came to.
        kind: Letter or list.
        received: The day; None: the day of the trial.
        language: Its language.
        topic: What the model would say; None: the model is asked.
        confidence: How likely the model would find it.
        accepted: Whether that would be sure enough to act on.
        urgency: What its text alone would say.
        flags: Likewise.
        campaign: The campaign that it would belong to.
    """

    message: Message
    mailbox: str = ""
    kind: Kind = Kind.LETTER
    received: date | None = None
    language: str = "en"
    topic: str | None = None
    confidence: float = 0.95
    accepted: bool = True
    urgency: Urgency = Urgency.LOW
    flags: tuple[str, ...] = ()
    campaign: str | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A letter that a rule must, or must not, apply to."""

    sample: Sample
    matches: bool
    at: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """When something holds for a letter, do something."""

    name: str
    when: Condition
    then: Action
    at: Place
    expires: date | None = None  # the last day on which it is in use
    examples: tuple[Example, ...] = ()
    shadow: bool = False  # reported, never acted on
    starts: date | None = None  # the first day on which it is in use

    def in_use(self, today: date) -> bool:
        """Tell whether the rule has begun and has not expired."""
        return not self.idle(today)

    def idle(self, today: date) -> str:
        """Return why the rule is out of use on a day; empty when it is in use."""
        if self.starts and today < self.starts:
            return f"begins on {self.starts}"
        return f"expired on {self.expires}" if self.expires and self.expires < today else ""


@dataclass(frozen=True, slots=True)
class Expected:
    """How a test's letter must come out; None: not tested."""

    topic: str | None = None
    urgency: Urgency | None = None
    departments: tuple[str, ...] | None = None
    acknowledge: bool | None = None
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class LetterTest:
    """A whole letter, and how it must come out."""

    name: str
    sample: Sample
    expect: Expected
    at: Place


@dataclass(frozen=True, slots=True)
class Surge:
    """A time in which many letters on one matter come, and what a file in rules.d adds for it.

    Attributes:
        name: What is going on.
        file: Its file.
        first: The first day.
        last: The last day.
        at: Where it stands.
        topics: Those that it adds.
        notices: Language → a paragraph for first replies.
    """

    name: str
    file: str
    first: date
    last: date
    at: Place
    topics: tuple[str, ...] = ()
    notices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole of rules.yaml.

    Attributes:
        file: Its name.
        departments: By id.
        topics: By id.
        rules: From top to bottom.
        lists: Name → addresses and "@domain" entries, small letters.
        tests: Whole letters with their expected outcome.
        default_respond_within: Where no department is known.
        list_places: Where each list stands.
        editors: Who is told of mistakes in it.
        surges: What the files in rules.d have added, their rules below those of the file.
    """

    file: str
    departments: Mapping[str, Department]
    topics: Mapping[str, Topic]
    rules: tuple[Rule, ...] = ()
    lists: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tests: tuple[LetterTest, ...] = ()
    default_respond_within: Within = RESPOND_WITHIN
    list_places: Mapping[str, Place] = field(default_factory=dict)
    editors: tuple[str, ...] = ()
    surges: tuple[Surge, ...] = ()

    def on_trial(self, file: str) -> "Rules":
        """Return the rules by which the tests of a file are judged: of rules.yaml, and of that surge."""
        return replace(self, rules=tuple(rule for rule in self.rules if rule.at.file in (self.file, file)))

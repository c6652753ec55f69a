"""The rules look at a letter from top to bottom: each one's turn, and how the letter stands after it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from triaged.message import POSSIBLE_DANGER, Assessment, Reason, Urgency
from triaged.rules.combined import obstacle
from triaged.rules.conditions import Match
from triaged.rules.facts import Facts, Letter
from triaged.rules.schema import Action, Rule, Rules

# What a flag demands at least; no rule goes below it. What a letter's own words demand (its assessment) counts likewise.
FLAG_FLOORS: Final[Mapping[str, Urgency]] = {
    "violence": Urgency.CRITICAL,
    "self_harm": Urgency.CRITICAL,
    "threat": Urgency.CRITICAL,
    "threat_to_office": Urgency.CRITICAL,
    "lockout": Urgency.CRITICAL,
    "missing_child": Urgency.CRITICAL,
    "no_heat_vulnerable": Urgency.CRITICAL,
    "medical": Urgency.HIGH,
    "no_food": Urgency.HIGH,
    "no_heat": Urgency.HIGH,
    "eviction": Urgency.HIGH,
    POSSIBLE_DANGER: Urgency.HIGH,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What rules have said of a letter so far.

    Attributes:
        topic: Set by a rule.
        topic_guessed: That rule rests on a guess of the model that the promise does not allow to act on.
        departments: Set by a rule.
        departments_guessed: Likewise.
        copy_to: Addresses.
        urgency: Set exactly by a rule.
        floor: At least.
        flags: The text's, and rules'.
        silent: Why there must be no acknowledgement; empty: there may be.
        template: Of the acknowledgement.
        holds: Why a person must look.
        closed: Why nobody needs to.
        move: Folder.
        stopped: Later rules are left out.
        reasons: One a rule.
    """

    topic: str | None = None
    topic_guessed: bool = False
    departments: tuple[str, ...] = ()
    departments_guessed: bool = False
    copy_to: tuple[str, ...] = ()
    urgency: Urgency | None = None
    floor: Urgency = Urgency.LOW
    flags: tuple[str, ...] = ()
    silent: str = ""
    template: str | None = None
    holds: tuple[str, ...] = ()
    closed: str = ""
    move: str | None = None
    stopped: bool = False
    reasons: tuple[Reason, ...] = ()

    @property
    def routed(self) -> bool:
        """Tell whether a rule has said where the letter goes, and no guess had a share in it."""
        if self.departments:
            return not self.departments_guessed
        return self.topic is not None and not self.topic_guessed


@dataclass(frozen=True, slots=True)
class Step:
    """One rule's turn, for `explain`. A rule in the shadow that applied did nothing."""

    rule: Rule
    applied: bool
    because: str


def apply_rules(
    letter: Letter, assessment: Assessment, rules: Rules, today: date, *, from_list: bool = False
) -> tuple[Standing, tuple[Step, ...]]:
    """Let each rule that is in use look at the letter, from top to bottom; return how it stands, and every rule's turn."""
    taken = list(each_turn(letter, assessment, rules, today, from_list))
    steps = tuple(Step(turn.rule, turn.match is not None, turn.because) for turn in taken)
    return taken[-1].standing if taken else beginning(assessment), steps


@dataclass(frozen=True, slots=True)
class Turn:
    """One rule's turn: what it looked at (None: it was left out), whether it matched, how the letter stands after it."""

    rule: Rule
    facts: Facts | None
    match: Match | None
    standing: Standing
    idle: str = ""

    @property
    def because(self) -> str:
        """Say why it applied, or what stood in its way."""
        if self.match:
            return self.match.because
        if self.facts is None:
            return self.idle or "an earlier rule left the later ones out"
        return obstacle(self.rule.when, self.facts)


def beginning(assessment: Assessment) -> Standing:
    """Return how a letter stands before the first rule."""
    return Standing(flags=tuple(flag.name for flag in assessment.flags))


def each_turn(letter: Letter, assessment: Assessment, rules: Rules, today: date, from_list: bool) -> Iterator[Turn]:
    """Yield every rule's turn, from top to bottom; one that is idle or left out has one, too."""
    standing = beginning(assessment)
    facts = _facts(letter, assessment, rules, standing, from_list)
    for rule in rules.rules:
        idle = rule.idle(today)
        if idle or standing.stopped:
            yield Turn(rule, None, None, standing, idle)
            continue
        match = rule.when.match(facts)
        seen = facts
        if match:
            standing = _apply(rule, match, standing)
            facts = _facts(letter, assessment, rules, standing, from_list)
        yield Turn(rule, seen, match, standing)


def _facts(letter: Letter, assessment: Assessment, rules: Rules, standing: Standing, from_list: bool) -> Facts:
    best, probability = ("", 0.0) if letter.message.unreadable else assessment.opinion.ranked[0]
    topic = standing.topic or best
    guessed = standing.topic_guessed if standing.topic else from_list or not assessment.opinion.accepted
    return Facts(
        letter=letter,
        topic=topic,
        confidence=1.0 if standing.topic and not guessed else probability,
        urgency=urgency_of((topic,), assessment, rules, standing),
        flags=standing.flags,
        guessed=guessed,
    )


def _apply(rule: Rule, match: Match, standing: Standing) -> Standing:
    then = rule.then
    because = f"{match.because} → {then}"
    if rule.shadow:
        return replace(standing, reasons=(*standing.reasons, Reason("shadow", rule.name, because, str(rule.at))))
    if match.guessed:
        because += " (rests on the model's guess)"
        then = _harmless(then)
    reason = Reason("rule", rule.name, because, str(rule.at))
    return replace(
        standing,
        topic=then.topic or standing.topic,
        topic_guessed=match.guessed if then.topic else standing.topic_guessed,
        departments=then.departments or standing.departments,
        departments_guessed=match.guessed if then.departments else standing.departments_guessed,
        copy_to=tuple(dict.fromkeys((*standing.copy_to, *then.copy_to))),
        urgency=standing.urgency if then.urgency is None or then.urgency.at_least else then.urgency.urgency,
        floor=_floor(then, standing),
        flags=tuple(dict.fromkeys((*standing.flags, *then.add_flag))),
        silent=standing.silent or ("" if then.acknowledge else f"rule “{rule.name}” says so"),
        template=then.template or standing.template,
        holds=(*standing.holds, then.hold) if then.hold else standing.holds,
        closed=then.close or standing.closed,
        move=then.move or standing.move,
        stopped=then.stop,
        reasons=(*standing.reasons, reason),
    )


def _harmless(then: Action) -> Action:
    """Return what of an action may rest on a guess: proposals and care, nothing that buries a letter or lets it out."""
    urgency = replace(then.urgency, at_least=True) if then.urgency else None
    hold = then.hold or (f"would be closed ({then.close}) if the model's guess is right" if then.close else None)
    return replace(then, urgency=urgency, hold=hold, close=None, move=None, copy_to=())


def _floor(then: Action, standing: Standing) -> Urgency:
    if then.urgency is None:
        return standing.floor
    return standing.floor.at_least(then.urgency.urgency) if then.urgency.at_least else Urgency.LOW


def urgency_of(topics: Sequence[str], assessment: Assessment, rules: Rules, standing: Standing) -> Urgency:
    """Return the most urgent of what topic, rules and the letter's own words ask for."""
    usual = [rules.topics[topic].urgency for topic in topics if topic in rules.topics] or [Urgency.NORMAL]
    asked = standing.urgency or max(usual, key=lambda urgency: urgency.rank)
    floors = [FLAG_FLOORS.get(flag, Urgency.LOW) for flag in standing.flags]
    if assessment.urgency.rank > Urgency.NORMAL.rank:  # normal: its words say nothing
        floors.append(assessment.urgency)
    return max((asked, standing.floor, *floors), key=lambda urgency: urgency.rank)

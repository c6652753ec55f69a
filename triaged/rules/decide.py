"""What shall happen to a letter: staff's rules over the model's opinion. Pure; every step leaves a reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from triaged.message import POSSIBLE_DANGER, Assessment, Decision, Kind, Message, Reason, Screening, Status, Urgency
from triaged.rules.conditions import Match, obstacle
from triaged.rules.facts import Facts, Letter
from triaged.rules.schema import Action, Rule, Rules, Topic

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
# An automatic reply may be read by the one whom the writer fears.
SILENT_FLAGS: Final = frozenset({"violence"})
SILENT_SHARE: Final = 0.1  # … and so may the reply to a letter that is this likely on a topic without acknowledgement

_NO_LETTER: Final = frozenset({Kind.AUTO_REPLY, Kind.BOUNCE, Kind.SPAM, Kind.ANSWER, Kind.OWN})


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


@dataclass(frozen=True, slots=True)
class Step:
    """One rule's turn, for `explain`. A rule in the shadow that applied did nothing."""

    rule: Rule
    applied: bool
    because: str


def decide(
    message: Message,
    screening: Screening,
    assessment: Assessment,
    rules: Rules,
    mailbox: str,
    today: date,
    received: date | None = None,
) -> Decision:
    """Decide about one mail.

    Args:
        message: The mail.
        screening: What kind of mail it is.
        assessment: What the model and the tables of danger say.
        rules: rules.yaml.
        mailbox: The mailbox it came to.
        today: The office's date: rules may have expired.
        received: The office's date of receipt; default: today.
    """
    letter = Letter(message, mailbox, assessment.language, assessment.campaign, received or today)
    return decide_letter(letter, screening, assessment, rules, today)


def decide_letter(letter: Letter, screening: Screening, assessment: Assessment, rules: Rules, today: date) -> Decision:
    """Do the same for a letter whose texts may have been folded already: quicker where several rules are tried on it."""
    if screening.kind in _NO_LETTER:
        return Decision(Status.IGNORED, None, None, Urgency.NORMAL, acknowledge=False, reasons=screening.reasons)
    standing = _beginning(assessment)
    for turn in _turns(letter, assessment, rules, today, screening.kind is Kind.LIST):
        standing = turn.standing
    if screening.kind is Kind.LIST and not (_routed_by_rule(standing) or standing.holds or standing.closed):
        return Decision(Status.IGNORED, None, None, Urgency.NORMAL, acknowledge=False, reasons=screening.reasons)
    return _Verdict(letter.message, screening, assessment, rules, standing).decision()


def apply_rules(
    letter: Letter, assessment: Assessment, rules: Rules, today: date, *, from_list: bool = False
) -> tuple[Standing, tuple[Step, ...]]:
    """Let each rule that is in use look at the letter, from top to bottom; return how it stands, and every rule's turn."""
    turns = list(_turns(letter, assessment, rules, today, from_list))
    steps = tuple(Step(turn.rule, turn.match is not None, turn.because) for turn in turns)
    return turns[-1].standing if turns else _beginning(assessment), steps


@dataclass(frozen=True, slots=True)
class _Turn:
    """One rule's turn: what it looked at (None: it was left out), whether it matched, how the letter stands after it."""

    rule: Rule
    facts: Facts | None
    match: Match | None
    standing: Standing
    idle: str = ""

    @property
    def because(self) -> str:
        if self.match:
            return self.match.because
        if self.facts is None:
            return self.idle or "an earlier rule left the later ones out"
        return obstacle(self.rule.when, self.facts)


def _beginning(assessment: Assessment) -> Standing:
    return Standing(flags=tuple(flag.name for flag in assessment.flags))


def _turns(letter: Letter, assessment: Assessment, rules: Rules, today: date, from_list: bool) -> Iterator[_Turn]:
    standing = _beginning(assessment)
    facts = _facts(letter, assessment, rules, standing, from_list)
    for rule in rules.rules:
        idle = rule.idle(today)
        if idle or standing.stopped:
            yield _Turn(rule, None, None, standing, idle)
            continue
        match = rule.when.match(facts)
        seen = facts
        if match:
            standing = _apply(rule, match, standing)
            facts = _facts(letter, assessment, rules, standing, from_list)
        yield _Turn(rule, seen, match, standing)


def _facts(letter: Letter, assessment: Assessment, rules: Rules, standing: Standing, from_list: bool) -> Facts:
    best, probability = ("", 0.0) if letter.message.unreadable else assessment.opinion.ranked[0]
    topic = standing.topic or best
    guessed = standing.topic_guessed if standing.topic else from_list or not assessment.opinion.accepted
    return Facts(
        letter=letter,
        topic=topic,
        confidence=1.0 if standing.topic and not guessed else probability,
        urgency=_urgency((topic,), assessment, rules, standing),
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


def _urgency(topics: Sequence[str], assessment: Assessment, rules: Rules, standing: Standing) -> Urgency:
    """Return the most urgent of what topic, rules and the letter's own words ask for."""
    usual = [rules.topics[topic].urgency for topic in topics if topic in rules.topics] or [Urgency.NORMAL]
    asked = standing.urgency or max(usual, key=lambda urgency: urgency.rank)
    floors = [FLAG_FLOORS.get(flag, Urgency.LOW) for flag in standing.flags]
    if assessment.urgency.rank > Urgency.NORMAL.rank:  # normal: its words say nothing
        floors.append(assessment.urgency)
    return max((asked, standing.floor, *floors), key=lambda urgency: urgency.rank)


def _routed_by_rule(standing: Standing) -> bool:
    if standing.departments:
        return not standing.departments_guessed
    return standing.topic is not None and not standing.topic_guessed


@dataclass(frozen=True, slots=True)
class _Verdict:
    """All that is known of a letter once the rules have spoken."""

    message: Message
    screening: Screening
    assessment: Assessment
    rules: Rules
    standing: Standing

    def decision(self) -> Decision:
        standing, opinion = self.standing, self.assessment.opinion
        topics = self._topics()
        departments = standing.departments or tuple(
            dict.fromkeys(department for topic in topics for department in topic.departments)
        )
        urgency = _urgency([topic.id for topic in topics], self.assessment, self.rules, standing)
        notices = self._notices(urgency)
        held = bool(notices or standing.holds)
        unsure = self._unsure(topics)
        silent = self._silent(topics, departments)
        status = Status.REVIEW if held or unsure else Status.CLOSED if standing.closed else Status.ROUTED
        return Decision(
            status=status,
            topic=topics[0].id if topics else None,
            confidence=None if standing.topic or not topics else opinion.ranked[0][1],
            urgency=urgency,
            departments=departments,
            copy_to=standing.copy_to,
            flags=standing.flags,
            acknowledge=self.screening.may_acknowledge and not silent,
            template=standing.template,
            move=standing.move,
            held=held,
            reasons=self._reasons(notices, unsure, silent),
        )

    def _unreadable(self) -> str:
        return self.message.unreadable or ("it cannot be read" if self.screening.kind is Kind.UNREADABLE else "")

    def _topics(self) -> tuple[Topic, ...]:
        """Return the letter's matters, the main one first."""
        opinion = self.assessment.opinion
        if self.standing.topic:
            names = [self.standing.topic]
        elif self._unreadable():  # what the model says of no text at all is worth nothing
            return ()
        else:
            further = opinion.further if opinion.accepted and not self.standing.departments else ()
            names = [opinion.ranked[0][0], *(topic for topic, _ in further)]
        known = [self.rules.topics[name] for name in dict.fromkeys(names) if name in self.rules.topics]
        return tuple(known) if names[0] in self.rules.topics else ()

    def _notices(self, urgency: Urgency) -> tuple[Reason, ...]:
        """Return why a person must look, whatever the model thinks and beside the rules that hold it."""
        found = []
        if self.screening.must_review or self._unreadable():
            found.append(Reason("screen", "review", self.screening.must_review or self._unreadable()))
        if self.standing.closed and (urgency is Urgency.CRITICAL or POSSIBLE_DANGER in self.standing.flags):
            what = "what is critical" if urgency is Urgency.CRITICAL else "what sounds like danger"
            found.append(Reason("promise", "review", f"a rule would close it, but {what} is never closed unseen"))
        return tuple(found)

    def _unsure(self, topics: Sequence[Topic]) -> Reason | None:
        """Return why the model must not act alone, unless a rule has said where the letter goes."""
        if _routed_by_rule(self.standing) or self._unreadable():
            return None
        opinion = self.assessment.opinion
        best, probability = opinion.ranked[0]
        if not topics:
            return Reason("model", "review", f"the model says {best}, {probability:.0%} sure, which rules.yaml does not know")
        if opinion.accepted and not (self.standing.topic_guessed or self.standing.departments_guessed):
            return None
        return Reason("promise", "review", f"{best}: {opinion.why or f'{probability:.0%} sure, which is not enough'}")

    def _silent(self, topics: Sequence[Topic], departments: Sequence[str]) -> str:
        """Return why the writer must not get an automatic reply; empty if it may go."""
        if self.screening.must_review or self.message.unreadable or self.screening.kind is not Kind.LETTER:
            return "a person must look first"
        if self.standing.silent:
            return self.standing.silent
        for flag in self.standing.flags:
            if flag in SILENT_FLAGS:
                return f"the flag {flag} forbids it: somebody else may read the reply"
        by_model = () if self.standing.topic else self.assessment.opinion.ranked
        likely = [self.rules.topics[name] for name, share in by_model if share >= SILENT_SHARE and name in self.rules.topics]
        for topic in (*topics, *likely):
            if not topic.acknowledge:
                return f"topic {topic.id} gets none"
        for department in departments:
            if not self.rules.departments[department].acknowledge:
                return f"department {department} wants none"
        return ""

    def _reasons(self, notices: Sequence[Reason], unsure: Reason | None, silent: str) -> tuple[Reason, ...]:
        said = () if self._unreadable() else self.assessment.reasons
        model = [reason for reason in said if reason.by != "promise"]
        quiet = [Reason("rule", "no acknowledgement", silent)] if silent and self.screening.may_acknowledge else []
        why = [unsure] if unsure else []
        return (*self.screening.reasons, *model, *self.standing.reasons, *notices, *why, *quiet)

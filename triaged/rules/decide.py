"""What shall happen to a letter: staff's rules over the model's opinion. Pure; every step leaves a reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from triaged.message import POSSIBLE_DANGER, Assessment, Decision, Kind, Message, Reason, Screening, Status, Urgency
from triaged.rules.applying import Standing, beginning, each_turn, urgency_of
from triaged.rules.facts import Letter
from triaged.rules.schema import Rules, Topic

# An automatic reply may be read by the one whom the writer fears.
SILENT_FLAGS: Final = frozenset({"violence"})
SILENT_SHARE: Final = 0.1  # … and so may the reply to a letter that is this likely on a topic without acknowledgement

_NO_LETTER: Final = frozenset({Kind.AUTO_REPLY, Kind.BOUNCE, Kind.SPAM, Kind.ANSWER, Kind.OWN})


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
    standing = beginning(assessment)
    for turn in each_turn(letter, assessment, rules, today, screening.kind is Kind.LIST):
        standing = turn.standing
    if screening.kind is Kind.LIST and not (standing.routed or standing.holds or standing.closed):
        return Decision(Status.IGNORED, None, None, Urgency.NORMAL, acknowledge=False, reasons=screening.reasons)
    return _Verdict(letter.message, screening, assessment, rules, standing).decision()


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
        urgency = urgency_of([topic.id for topic in topics], self.assessment, self.rules, standing)
        notices = self._notices(urgency)
        held = bool(notices or standing.holds)
        unsure = self._unsure(topics)
        silent = self._silent(topics, departments)
        status = Status.REVIEW if held or unsure else Status.CLOSED if standing.closed else Status.ROUTED
        return Decision(
            status=status,
            topic=topics[0].id if topics else None,
            confidence=opinion.ranked[0][1] if topics and self._is_models_say() else None,
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

    def _is_models_say(self) -> bool:
        """Tell whether the model's topic says where the letter goes: only such a letter measures the promise."""
        return not self.standing.topic and not self.standing.routed

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
        if self.standing.routed or self._unreadable():
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

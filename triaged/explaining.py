"""Why a letter came out as it did, for a clerk: the model's words, nearest letters and threshold, each rule's turn."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from triaged.classify.assess import assess, text_of
from triaged.classify.topic import TopicModel
from triaged.classify.why import Why, why
from triaged.ingest.mime import read
from triaged.ingest.screen import screen, written_by
from triaged.message import Assessment, Kind, Message, Opinion, Record, Screening
from triaged.office import Office
from triaged.rules.applying import Step, apply_rules
from triaged.rules.facts import Letter
from triaged.store import mails, past

_WIDTH: Final = 128  # a line of a screen
_SEEN_BY_RULES: Final = (Kind.LETTER, Kind.LIST, Kind.UNREADABLE)


def of_file(octets: bytes, mailbox: str, office: Office, now: datetime) -> list[str]:
    """Return why a mail would come out as it does, if it came now."""
    return _lines(octets, mailbox, office, now, now, None)


def of_record(db: Connection, record: Record, office: Office, now: datetime) -> list[str]:
    """Return each rule's turn at a mail of the past, by what was understood of it then and the rules of now."""
    kept = mails.load(db, record.mail_id)
    if kept.fault or not kept.octets:
        return ["", f"No rule can be asked again: {kept.fault or 'the mail is empty'}."]
    return _lines(kept.octets, kept.mailbox, office, now, kept.received_at, past.of_mail(db, record.mail_id))


def _lines(
    octets: bytes, mailbox: str, office: Office, now: datetime, received_at: datetime, known: Assessment | None
) -> list[str]:
    trust, received = office.trust(mailbox), office.local(received_at)
    message = read(octets)
    screening = screen(message, trust)
    message = replace(message, sender=written_by(message, trust))
    if screening.kind not in _SEEN_BY_RULES:
        return ["", f"No rule looks at it: {'; '.join(reason.because for reason in screening.reasons) or screening.kind}."]
    assessment = known or assess(message, office.topics, received)
    steps = _steps(message, screening, assessment, mailbox, office, now, received)
    return ["", *_model(message, assessment, office), "", *_rules(steps, office)]


def _steps(
    message: Message,
    screening: Screening,
    assessment: Assessment,
    mailbox: str,
    office: Office,
    now: datetime,
    received: datetime,
) -> tuple[Step, ...]:
    letter = Letter(message, mailbox, assessment.language, assessment.campaign, received.date())
    from_list = screening.kind is Kind.LIST
    return apply_rules(letter, assessment, office.rules, office.local(now).date(), from_list=from_list)[1]


def _rules(steps: tuple[Step, ...], office: Office) -> Iterator[str]:
    yield f"The rules, from top to bottom ({office.rules.file} as it is in use now; ✓ acted, ○ only tried out):"
    for step in steps:
        sign = ("○" if step.rule.shadow else "✓") if step.applied else " "
        did = f" → {step.rule.then}" if step.applied else ""
        yield _cut(f"  {sign} {step.rule.at}  {step.rule.name}: {step.because}{did}")


def _model(message: Message, assessment: Assessment, office: Office) -> Iterator[str]:
    opinion = assessment.opinion
    shares = ", ".join(f"{topic} {share:.0%}" for topic, share in opinion.ranked[:3])
    yield _cut(f"The model: {shares}")
    taken_apart = None
    if isinstance(office.topics, TopicModel):
        taken_apart = why(office.topics, text_of(message))
        yield _cut(f"  acts alone  {_threshold(opinion, taken_apart, office.topics)}")
    if opinion.words:
        yield _cut(f"  words       {', '.join(f'“{word}”' for word, _ in opinion.words[:8])} spoke for {opinion.ranked[0][0]}")
    if taken_apart is not None and taken_apart.topic == opinion.ranked[0][0]:
        parts = (taken_apart.words, "words"), (taken_apart.meaning, "sense of the whole"), (taken_apart.base, "topic as such")
        yield _cut(f"  weighed     {', '.join(f'{name} {weight:+.1f}' for weight, name in parts)}")
    for near in taken_apart.nearest if taken_apart is not None else ():
        yield _cut(f"  nearest     a known letter on {near.topic}, {near.likeness:.0%} alike ({near.source})")


def _threshold(opinion: Opinion, taken_apart: Why, model: TopicModel) -> str:
    which = 1 if taken_apart.meaning and len(model.promises) > 1 else 0
    promise = model.promises[which] if which < len(model.promises) else None
    verdict = "yes" if opinion.accepted else f"no: {opinion.why or 'not sure enough'}"
    if promise is None or promise.threshold is None:
        return f"{verdict}; no threshold is in force yet"
    said = f"from {promise.threshold:.1%} on, at most {promise.ceiling:.0%} misrouted with {promise.level:.0%} certainty"
    return f"{verdict} (it may {said})"


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"

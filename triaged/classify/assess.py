"""A message → what we understand of it. Pure, given the model."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from triaged.classify.danger import weighed
from triaged.classify.language import identify
from triaged.classify.topics import Text, Topics
from triaged.classify.urgency import alarm, calls
from triaged.message import POSSIBLE_DANGER, Assessment, Flag, Message, Opinion, Reason, Urgency


def text_of(message: Message) -> Text:
    """Return what the writer says now: subject and body, or the fields of a web form; not quotes, signatures or disclaimers."""
    if message.text.strip():
        return Text(message.subject, message.text)
    filled = "\n".join(value for _, value in message.form)
    return Text(message.subject, filled or message.quoted)


def assess(message: Message, topics: Topics, now: datetime) -> Assessment:
    """Return language, topic, urgency and flags of one message; `now` is the office's clock, aware."""
    return assess_all([message], topics, now)[0]


def assess_all(messages: Sequence[Message], topics: Topics, now: datetime) -> list[Assessment]:
    """Return one assessment a message, in order; quicker than one by one."""
    texts = [text_of(message) for message in messages]
    return [_assessment(text, opinion, now) for text, opinion in zip(texts, topics.predict(texts), strict=True)]


def _assessment(text: Text, opinion: Opinion, now: datetime) -> Assessment:
    whole = f"{text.subject}\n{text.body}"
    language, _ = identify(whole)
    said = alarm(whole, language, now)
    found = weighed(said, opinion.heard, partial(calls, language=language, now=now))
    doubted = said.urgency is Urgency.CRITICAL and found.urgency is not Urgency.CRITICAL
    topic, confidence = opinion.ranked[0]
    because = f"{confidence:.0%} sure"
    if opinion.words:
        because += f"; spoken for by {', '.join(f'“{word}”' for word, _ in opinion.words[:5])}"
    reasons = [Reason(by="model", name=topic, because=because)]
    if not opinion.accepted and opinion.why:
        reasons.append(Reason(by="promise", name="a person decides", because=opinion.why))
    for flag in found.flags:
        words = ", ".join(f"“{words}”" for words in flag.words[:5])
        reasons.append(Reason(by="model", name=flag.name, because=f"{_says(flag, doubted=doubted)} {words}"))
    return Assessment(language, opinion, found.urgency, found.flags, reasons=tuple(reasons))


def _says(flag: Flag, *, doubted: bool) -> str:
    if flag.name != POSSIBLE_DANGER:
        return "the letter says"
    if doubted:
        return "words that call for help, in a letter that does not sound like danger; somebody should look:"
    return "it sounds as if somebody may be in danger:"

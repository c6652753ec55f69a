"""What answers to digests say, and what becomes of it. Everything in the transaction of `process`; see locks.py before."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from triaged.ingest.mime import read
from triaged.ingest.written import written
from triaged.message import Decision, Delivery, Message, Notice, Record, Status, Urgency
from triaged.office import Office
from triaged.people.locks import Attempt
from triaged.people.resolve import Answer, Asked, CannotResolve, learn, settle, standing
from triaged.people.undoing import TooLate, take_back
from triaged.review import answer as answers
from triaged.review.code import code
from triaged.review.line import Asked as Item
from triaged.review.line import Instruction
from triaged.review.names import Names
from triaged.review.receipt import Effect, Result, one_lock, receipt
from triaged.review.token import make
from triaged.review.words import Verb
from triaged.route.header import one_line
from triaged.store import cases, digests, notices, outbox, records
from triaged.store.mails import load

log = logging.getLogger("triaged")
WORDS: Final = "One may write: CODE ok | CODE topic or department (urgent) | CODE close: why | CODE spam | CODE show | undo"
_SHOWN: Final = 8_000  # characters of a letter that was asked for
_DAY: Final = timedelta(days=1)
_NOTICES_A_DAY: Final = 20  # to all reviewers: a flood of forged answers must not become a flood of notices
_EMPTY_RECEIPTS_A_DAY: Final = 1  # of one digest, to mails that say nothing like an instruction: they may be machines
_VAIN_RECEIPTS_A_DAY: Final = 20  # of one digest, to mails whose instructions change nothing


def apply(db: Connection, mail_id: int, message: Message, attempt: Attempt, office: Office, now: datetime) -> None:
    """Do what an answer says and plan its receipt; or plan the notice that it was not obeyed."""
    token = attempt.token
    digest = digests.by_id(db, token.digest) if token else None
    if not attempt.refusal and (digest is None or digest.reviewer != attempt.sender):
        attempt = replace(attempt, refusal="its digest is not known here", tell=attempt.sender)
    if attempt.refusal or digest is None or token is None:
        _refuse(db, mail_id, attempt, digest.id if digest else None, office, now)
        return
    names = Names(
        {key: topic.departments for key, topic in office.rules.topics.items()},
        {key: department.name for key, department in office.rules.departments.items()},
    )
    text = make(token, office.answer_keys)
    items = [Item(item["number"], item["spot_check"]) for item in digest.items]
    understood = interpret(load(db, mail_id).octets, message, items, digest.id, names, text)
    hand = _Hand(db, office, digest, mail_id, attempt.sender, now)
    results = hand.undo_all() if understood.undo else [hand.do(one) for one in understood.instructions]
    changed = any(one.effect in (Effect.DONE, Effect.UNDONE) for one in results)
    outcome = "applied" if changed else "nothing" if understood.tried else "chatter"
    said = digests.answers_since(db, now - _DAY, digest.id, outcome)
    summary = f"{len(results)} understood, {len(understood.unclear)} not"
    digests.note_answer(db, mail_id, digest.id, attempt.sender, outcome, summary, now)
    log.info("answer", extra={"digest": digest.id, "mail": mail_id, "outcome": outcome, "items": len(results)})
    if said >= {"applied": 1_000, "nothing": _VAIN_RECEIPTS_A_DAY, "chatter": _EMPTY_RECEIPTS_A_DAY}[outcome]:
        return  # a machine that answers our receipts ends here
    done = any(one.effect is Effect.DONE for one in results)
    until = f"{office.local(now + office.settings.review.undo_window):%H:%M}" if done else ""
    letter = receipt(results, understood.unclear, until, WORDS, text)
    letter = replace(letter, answers=message.message_id or "-", reply_to=office.answers_to(text))
    say(db, mail_id, f"receipt:{mail_id}", attempt.sender, letter, office, now)


def interpret(
    octets: bytes, message: Message, items: Sequence[Item], digest: int, names: Names, token: str
) -> answers.Understood:
    """Return what an answer says; its subject counts only where its text says nothing at all."""
    understood = answers.understand(written(octets), items, digest, names, f"{answers.LAST} {token}")
    if understood.tried or understood.unclear:
        return understood
    return answers.in_subject(message.subject, items, digest, names)


def say(db: Connection, mail_id: int, key: str, to: str, notice: Notice, office: Office, now: datetime) -> None:
    """Plan a mail to a reviewer; once only under a key."""
    if notices.keep(db, key, notice):
        outbox.plan(db, mail_id, [Delivery("notice", to, key, office.signer.message_id(key))], now)


def _refuse(db: Connection, mail_id: int, attempt: Attempt, digest_id: int | None, office: Office, now: datetime) -> None:
    today = digests.answers_since(db, now - _DAY, None, "refused")
    digests.note_answer(db, mail_id, digest_id, attempt.sender, "refused", attempt.refusal, now)
    log.warning("answer refused", extra={"mail": mail_id, "digest": digest_id, "why": attempt.refusal, "today": today + 1})
    if attempt.tell and today < _NOTICES_A_DAY:
        letter = one_lock(one_line(attempt.refusal, 300), one_line(attempt.sender, 200), f"{office.local(now):%d %B %Y, %H:%M}")
        letter = replace(letter, answers="-")
        say(db, mail_id, f"refused:{mail_id}", attempt.tell, letter, office, now)


@dataclass(frozen=True, slots=True)
class _Hand:
    """Carries out one answer's instructions."""

    db: Connection
    office: Office
    digest: digests.DigestRow
    answer_id: int
    by: str
    now: datetime

    def do(self, instruction: Instruction) -> Result:
        """Carry out one instruction and say what became of it."""
        item = next(item for item in self.digest.items if item["number"] == instruction.number)
        record = records.of_mail(self.db, item["mail_id"])
        called = f"{code(instruction.number, self.digest.id)} ({item['reference']})"
        if record is None:
            return Result(Effect.NOT_DONE, f"{called}: the letter is no longer kept")
        if instruction.verb is Verb.SHOW:
            return self._show(called, record)
        lesson = digests.decided(self.db, record.mail_id)
        if instruction.verb is Verb.UNDO:
            return self._undo(called, lesson)
        if lesson or (record.status not in records.WAITING and not _was_decided(item)):
            return Result(Effect.BEFORE, f"{called}: {_decided_before(record, lesson, self.office)}")
        try:
            return Result(Effect.DONE, f"{called}: {self._decide(item, record, instruction)}")
        except CannotResolve as refusal:
            return Result(Effect.NOT_DONE, f"{called}: {refusal}")

    def undo_all(self) -> list[Result]:
        """Take back this person's latest answer to the digest."""
        lessons = digests.last_answer(self.db, self.digest.id, self.by)
        if not lessons:
            return [Result(Effect.NOT_DONE, "undo: you have decided nothing of this digest that still stands")]
        numbers = {item["mail_id"]: item for item in self.digest.items}
        found = []
        for lesson in lessons:
            item = numbers[lesson.mail_id]
            found.append(self._undo(f"{code(item['number'], self.digest.id)} ({item['reference']})", lesson))
        return found

    def _decide(self, item: dict[str, Any], record: Record, said: Instruction) -> str:
        asked = Asked(self.answer_id, self.digest.id, item["spot_check"])
        urgency = said.urgency or (Urgency(item["urgency"]) if said.verb is Verb.OK else None)
        answer = Answer(self.by, said.topic, said.departments, urgency, said.verb is Verb.CLOSE, said.verb is Verb.SPAM)
        if said.verb is Verb.OK:
            if not item["departments"]:
                raise CannotResolve("nothing was proposed: say a topic or a department")
            answer = replace(answer, topic=item["topic"], departments=tuple(item["departments"]))
        due_at = self.now + self.office.settings.review.undo_window
        if _was_decided(item) and said.verb is Verb.OK and record.status is Status.ROUTED and not said.urgency:
            return self._confirm(record, asked)
        decision = settle(self.db, record, answer, self.office, self.now, due_at, asked)
        if said.why:
            cases.note(self.db, record.case_id, self.by, f"closed: {one_line(said.why, 300)}", self.now)
        if decision.status is Status.ROUTED:
            names = ", ".join(self.office.rules.departments[one].name for one in decision.departments)
            return f"{decision.topic or 'no topic'} → {names}, {decision.urgency}"
        return "spam" if answer.spam else f"closed{f': {one_line(said.why, 200)}' if said.why else ''}"

    def _confirm(self, record: Record, asked: Asked) -> str:
        """Note that a letter which triaged sent on by itself went the right way."""
        decision = Decision(record.status, record.topic, None, record.urgency, record.departments)
        learn(self.db, record, decision, self.by, self.office, self.now, standing(record), asked)
        cases.note(self.db, record.case_id, self.by, "it went the right way", self.now)
        return "right, as it was decided"

    def _show(self, called: str, record: Record) -> Result:
        kept = load(self.db, record.mail_id)
        letter = read(kept.octets)
        text = letter.text or letter.quoted if kept.octets else f"[{kept.fault}]\n\n{record.excerpt}"
        more = "\n[…] The letter goes on; the office keeps it whole." if len(text) > _SHOWN else ""
        sender = f"{record.sender.name} <{record.sender.address}>".strip()
        head = f"From: {sender}\nSubject: {record.subject}\n\n"
        return Result(Effect.SHOWN, f"{called}: see below", body=_plain(head + text[:_SHOWN] + more))

    def _undo(self, called: str, lesson: digests.Lesson | None) -> Result:
        if lesson is None:
            return Result(Effect.NOT_DONE, f"{called}: there is nothing to undo")
        if lesson.by != self.by:
            return Result(Effect.NOT_DONE, f"{called}: {lesson.by} decided it and can undo it")
        try:
            take_back(self.db, lesson, self.by, self.now)
        except TooLate as why:
            return Result(Effect.NOT_DONE, f"{called}: {why}")
        return Result(
            Effect.UNDONE,
            f"{called}: {'as before' if lesson.before['status'] == Status.ROUTED else 'it waits for a decision again'}",
        )


def _was_decided(item: dict[str, Any]) -> bool:
    """Tell whether a letter had gone out by itself when a digest or an alert asked about it."""
    return bool(item.get("decided", item["spot_check"]))


def _decided_before(record: Record, lesson: digests.Lesson | None, office: Office) -> str:
    by = lesson.by if lesson else next((reason.name for reason in reversed(record.reasons) if reason.by == "staff"), "triaged")
    at = f" on {office.local(lesson.at):%d %b, %H:%M}" if lesson else ""
    where = ", ".join(record.departments)
    what = f"{record.topic or 'no topic'} → {where}" if record.status is Status.ROUTED else record.status.value
    return f"by {by}{at}: {what}"


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable())

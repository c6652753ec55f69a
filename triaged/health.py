"""How the daemon is, judged from what it left in the database: what `triaged status` tells."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, select

from triaged.classify import encoder
from triaged.classify.promise import Standing
from triaged.config import MailboxSettings, Settings
from triaged.learning import promised
from triaged.learning.standing import from_json, in_words
from triaged.message import State
from triaged.store import health, mails, outbox, records, rulebooks
from triaged.store.engine import reading
from triaged.store.tables import FACTS

_HEARTBEAT_LATE: Final = timedelta(minutes=2)
_POLL_LATE: Final = timedelta(minutes=15)
_WORK_LATE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong (nothing when healthy), and the figures."""

    problems: tuple[str, ...]
    mailboxes: dict[str, dict[str, Any]]
    figures: dict[str, Any] = field(default_factory=dict)
    promise: tuple[str, ...] = ()  # in words

    @property
    def healthy(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.problems

    @property
    def lines(self) -> list[str]:
        """Return the figures in words."""
        told = []
        for name, mailbox in self.mailboxes.items():
            last = mailbox["last_success"]
            told.append(f"mailbox {name}: {f'read {last}' if last else 'never read'}, {mailbox['failures']} failures in a row")
        told += [f"{name.replace('_', ' ')}: {_in_words(value)}" for name, value in self.figures.items() if name != "promise"]
        return [*told, *self.promise]

    def as_json(self) -> dict[str, Any]:
        """Return all of it for programs."""
        return {
            "healthy": self.healthy,
            "problems": list(self.problems),
            "mailboxes": self.mailboxes,
            **self.figures,
            "promise_said": list(self.promise),
        }


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_in_words(each)}" for name, each in value.items()) or "none"
    return (
        {None: "none", True: "yes", False: "no"}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value)
    )


def look(settings: Settings, engine: Engine, now: datetime) -> Health:
    """Judge the installation."""
    with reading(engine) as db:
        known = health.mailboxes(db)
        unreached = {mailbox.name: health.unreached(db, mailbox.name) for mailbox in settings.mailboxes}
        to_process, process_since = mails.count_waiting(db)
        states = outbox.count_states(db)
        planned_since = outbox.oldest_planned(db)
        statuses = records.count_statuses(db)
        oldest_review = records.oldest_waiting(db)
        beat = db.execute(select(FACTS.c.value, FACTS.c.at).where(FACTS.c.name == "daemon")).one_or_none()
        kept = promised.figures(db, now)
        refused, rules = rulebooks.refused(db), rulebooks.last(db)
        recipients = outbox.recipients_since(db, now - timedelta(days=1))
    problems: list[str] = []
    running = beat is not None and now - beat.at < _HEARTBEAT_LATE and not beat.value.get("stopped")
    mailboxes = {
        mailbox.name: _mailbox(mailbox, known.get(mailbox.name), unreached[mailbox.name], running, now, problems)
        for mailbox in settings.mailboxes
    }
    if beat is not None and not running:
        ended = "it was stopped" if beat.value.get("stopped") else "its last sign was"
        problems.append(f"the daemon is not running: {ended} at {beat.at:%Y-%m-%d %H:%M} UTC")
    if running and beat is not None and beat.value["stalled"]:
        problems.append(f"stalled: {', '.join(beat.value['stalled'])}")
    if process_since and now - process_since > _WORK_LATE:
        problems.append(f"{to_process} mails wait to be processed, the oldest since {process_since:%Y-%m-%d %H:%M} UTC")
    if states.get(State.FAILED):
        problems.append(f"{states[State.FAILED]} deliveries failed for good; see: triaged outbox --failed")
    if states.get(State.HELD):
        problems.append(f"{states[State.HELD]} deliveries are held; see: triaged outbox --held")
    if statuses.get("set_aside"):
        problems.append(f"{statuses['set_aside']} mails were set aside unread; see: triaged queue")
    waiting = sum(statuses.get(status, 0) for status in records.WAITING)
    if waiting and not settings.review.to:
        problems.append(f"{waiting} letters wait for a person, and [review] to names nobody who is told; see: triaged queue")
    if refused:
        since = f"; those of {rules.at:%Y-%m-%d %H:%M} UTC stay in use" if rules else ""
        problems.append(f"the rules are wrong since {refused.at:%Y-%m-%d %H:%M} UTC{since}: {refused.said.splitlines()[0]}")
    sender = settings.sender
    if sender.recipients_per_day and recipients >= sender.recipients_per_day:
        problems.append(f"mail waits: {recipients:,} of {sender.recipients_per_day:,} recipients in the last 24 hours")
    figures = {
        "daemon_running": running,
        "to_process": to_process,
        "waiting_for_a_person": waiting,
        "oldest_waiting": _iso(oldest_review),
        "deliveries": {state.value: count for state, count in states.items()},
        "oldest_planned_delivery": _iso(planned_since),
        "in_doubt": states.get(State.IN_DOUBT, 0),
        "recipients_in_24_hours": recipients,
        "recipients_per_day": sender.recipients_per_day or None,
        "mails_per_minute": sender.mails_per_minute or None,
        "messages": statuses,
        "sentence_vectors_in_use": settings.office.encoder and encoder.default() is not None,
        "rules_in_use_since": _iso(rules.at) if rules else None,
        "promise": {"misrouted_at_most": settings.promise.misrouted, "confidence": settings.promise.confidence, **kept},
    }
    promise = _promise(kept, problems)
    return Health(tuple(problems), mailboxes, figures, promise)


def _promise(kept: dict[str, Any], problems: list[str]) -> tuple[str, ...]:
    """Say how the promise stands; one that spot checks have broken is a problem."""
    alone = kept["alone_in_30_days"], kept["letters_in_30_days"]
    try:
        promise = from_json({key: value for key, value in kept.items() if not key.endswith("_in_30_days")})
    except (KeyError, TypeError, ValueError):
        return ("the promise is computed when the daemon runs",)
    lines = in_words(promise, alone)
    if promise.standing is Standing.BROKEN:
        problems.append(lines[0])
    return tuple(lines)


def _mailbox(
    settings: MailboxSettings, state: Any, unreached: Any, running: bool, now: datetime, problems: list[str]
) -> dict[str, Any]:
    if state is None:
        failures, problem, since = unreached or (0, "", None)
        if problem:
            problems.append(f"mailbox {settings.name} was never read: {problem}")
        return {"last_success": None, "failures": failures, "problem": problem, "problem_since": _iso(since)}
    if state.problem:
        problems.append(
            f"mailbox {settings.name} can't be read since {state.problem_since:%Y-%m-%d %H:%M} UTC: {state.problem}"
        )
    elif running and state.last_success and now - state.last_success > _POLL_LATE + 3 * settings.poll:
        problems.append(f"mailbox {settings.name} was last read at {state.last_success:%Y-%m-%d %H:%M} UTC")
    return {
        "last_success": _iso(state.last_success),
        "failures": state.failures,
        "problem": state.problem,
        "problem_since": _iso(state.problem_since),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None

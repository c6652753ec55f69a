"""The promise in force: what people said of letters → what the model in use may do alone. Computed anew when a lesson comes in.

What counts for a model: the office's lessons that it learnt from, each judged by a twin that had not seen it (the folds of
training); and every lesson on a letter that came while it was in use, judged before anybody had said anything. The shipped
model's own examples are invented: they count for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from triaged.classify.promise import Promise
from triaged.classify.topic import Head, TopicModel
from triaged.learning.standing import Label, as_json, in_words, stand
from triaged.message import Status
from triaged.store import digests, health, labels
from triaged.store.labels import Judged

FACT: Final = "promise"
_PERIODS: Final = "models in use"
_PERIODS_KEPT: Final = 50
_OF_LATE: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Period:
    """From when on which model judged letters, and what to tell people of the change."""

    version: str
    name: str
    since: datetime
    said: str = ""


def periods(db: Connection) -> list[Period]:
    """Return which models judged letters, oldest first."""
    kept = health.fact(db, _PERIODS) or []
    return [Period(one["version"], one["name"], datetime.fromisoformat(one["since"]), one["said"]) for one in kept]


def note_in_use(db: Connection, version: str, name: str, said: str, at: datetime) -> None:
    """Note that a model judges letters from now on, unless it did so already."""
    known = periods(db)
    if known and known[-1].version == version:
        return
    known.append(Period(version, name, at, said if known else ""))
    kept = [
        {"version": one.version, "name": one.name, "since": one.since.isoformat(), "said": one.said}
        for one in known[-_PERIODS_KEPT:]
    ]
    health.remember(db, _PERIODS, kept, at)


def under_promise(
    db: Connection, model: TopicModel, version: str, *, shipped: bool, ceiling: float, level: float
) -> TopicModel:
    """Return the model that acts alone only where the office's labels allow.

    Args:
        db: The database.
        model: What judges.
        version: Its version, as noted when it was taken into use.
        shipped: It learnt from invented examples: only what it judged here counts.
        ceiling: Largest misrouted share allowed.
        level: How sure.
    """
    decided = labels.judged(db)
    live = [_label(one) for one in _judged_by(version, decided, periods(db)) if _says_something(one)]
    heads = [head for head in (model.plain, model.full) if head]
    promises = []
    for number, head in enumerate(heads):
        learnt = [] if shipped else _held_out(model, head, {one.mail_id for one in decided})
        promises.append(stand([*learnt, *(live if number == model.in_use else [])], ceiling, level))
    return model.promised(promises)


def _judged_by(version: str, decided: Sequence[Judged], known: Sequence[Period]) -> list[Judged]:
    """Return the letters that came while a model was in use."""
    spans = [
        (period.since, known[index + 1].since if index + 1 < len(known) else None)
        for index, period in enumerate(known)
        if period.version == version
    ]
    return [
        one
        for one in decided
        if any(since <= one.processed_at and (until is None or one.processed_at < until) for since, until in spans)
    ]


def _says_something(one: Judged) -> bool:
    """Tell whether a decision says if the model's guess was right: closing a letter does not."""
    return one.confidence is not None and one.guess is not None and one.status in (Status.ROUTED, Status.IGNORED)


def _label(one: Judged) -> Label:
    right = one.status is Status.ROUTED and one.topic == one.guess  # what is spam should not have gone to anybody
    return Label(one.guess or "", one.confidence or 0.0, right, one.spot_check)


def _held_out(model: TopicModel, head: Head, stands: set[int]) -> list[Label]:
    """Return what twins of the model said of the letters that it learnt from; decisions that were undone since do not count."""
    evidence = head.evidence
    ids: Sequence[int] = model.manifest.get("lessons") or [0] * len(evidence.confidence)
    own = "lessons" in model.manifest  # else an administrator trained it, and all of it is the office's
    return [
        Label(model.classes[int(evidence.topic[at])], float(evidence.confidence[at]), bool(evidence.correct[at]))
        for at, key in enumerate(ids)
        if not own or key < 0 or key in stands
    ]


def remember(db: Connection, promise: Promise | None, at: datetime) -> None:
    """Keep the figures for `triaged status`, which opens no model."""
    health.remember(db, FACT, as_json(promise) if promise else None, at)


def figures(db: Connection, now: datetime) -> dict[str, Any]:
    """Return what `remember` kept, and how many letters went without a person of late."""
    alone, all_letters = labels.alone_since(db, now - _OF_LATE)
    return {**(health.fact(db, FACT) or {}), "alone_in_30_days": alone, "letters_in_30_days": all_letters}


def said_in_digest(db: Connection, promise: Promise | None, reviewer: str, now: datetime) -> list[str]:
    """Return what a digest says of the model: how the promise stands, and what changed since this reviewer's last digest."""
    last = digests.last_sent(db, reviewer)
    news = [one.said for one in periods(db) if one.said and (last is None or one.since > last)]
    return [*news, *(in_words(promise, labels.alone_since(db, now - _OF_LATE)) if promise else [])]

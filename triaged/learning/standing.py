"""How the promise stands: labels of people → thresholds, figures, words. Pure.

A label is what a person said of a letter that the model had judged and not learnt from. Three tests, all exact:
the threshold by Learn then Test over all labels; each topic by itself, so that a rare one cannot hide behind a common one;
and spot checks one after the other, by a wager that holds however often one looks (Ville 1939; Waudby-Smith and Ramdas 2024).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from triaged.classify.promise import Promise, Standing, interval, judge, labels_needed, tail, threshold

_WAGERS: Final = (2.0, 4.0, 8.0, 16.0)  # alternatives to the ceiling, in multiples of it
_TOPICS_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of one letter.

    Attributes:
        topic: The model's guess.
        confidence: Its probability.
        right: Whether the person said the same.
        spot_check: The letter had gone without a person, and was drawn at random to be checked.
    """

    topic: str
    confidence: float
    right: bool
    spot_check: bool = False


def stand(labels: Sequence[Label], ceiling: float, level: float) -> Promise:
    """Return how a promise stands.

    Args:
        labels: Oldest first. When spot checks break the promise, nothing before that counts any more.
        ceiling: Largest misrouted share allowed.
        level: How sure.
    """
    start = broken_at(labels, ceiling, level)
    since = labels[start:]
    found = _overall(since, ceiling, level)
    checks = [label.right for label in since if label.spot_check]
    if start and found.threshold is None:
        was = [label.right for label in labels[:start] if label.spot_check]
        return replace(found, standing=Standing.BROKEN, checks=len(was), wrong_checks=was.count(False))
    return replace(found, checks=len(checks), wrong_checks=checks.count(False))


def broken_at(labels: Sequence[Label], ceiling: float, level: float) -> int:
    """Return how many labels lie up to the last spot check that broke the promise; 0 if none did.

    The wager multiplies its stake by p/ceiling at each error and by (1-p)/(1-ceiling) else. While at most `ceiling` goes wrong
    it grows 1/(1-level)-fold with a probability of at most 1-level, however long one plays (Ville's inequality).
    """
    bets = np.array([min(0.99, multiple * ceiling) for multiple in _WAGERS])
    stakes, broken = np.ones(len(bets)), 0
    for index, label in enumerate(labels, start=1):
        if not label.spot_check:
            continue
        stakes *= (1 - bets) / (1 - ceiling) if label.right else bets / ceiling
        if stakes.mean() >= 1 / (1 - level):
            stakes, broken = np.ones(len(bets)), index
    return broken


def _overall(labels: Sequence[Label], ceiling: float, level: float) -> Promise:
    confidence = np.array([label.confidence for label in labels], dtype=np.float64)
    right = np.array([label.right for label in labels], dtype=np.bool_)
    found = judge(confidence, right, ceiling, level)
    if found.threshold is None:
        return found
    found = replace(found, own=_by_topic(labels, found.threshold, ceiling, level))
    alone = [label.right for label in labels if found.acts(label.topic, label.confidence)]
    n, errors = len(alone), alone.count(False)
    if not n or tail(errors, n, ceiling) > 1 - level:  # what is left when some topics go to people must be proven too
        return replace(found, standing=Standing.PROPOSING, threshold=None, own={}, automatic=0.0, misrouted=None)
    return replace(found, automatic=n / len(labels), misrouted=errors / n, interval=interval(errors, n))


def _by_topic(labels: Sequence[Label], least: float, ceiling: float, level: float) -> dict[str, float | None]:
    """Return the topics that need more than the common threshold; None: they only propose."""
    members: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        members[label.topic].append(label)
    own: dict[str, float | None] = {}
    for topic, inside in sorted(members.items()):
        alone = [label.right for label in inside if label.confidence >= least]
        errors = alone.count(False)
        if len(inside) >= labels_needed(ceiling, level):
            confidence, right = [label.confidence for label in inside], [label.right for label in inside]
            needs = threshold(np.array(confidence), np.array(right), ceiling, level)
            if needs is None and not _contradicted(errors, len(alone), ceiling, level):
                needs = least  # too few above it for a proof of its own; nothing speaks against it
        else:
            needs = None if _contradicted(errors, len(alone), ceiling, level) else least
        if needs is None or needs > least:
            own[topic] = needs
    return own


def _contradicted(errors: int, n: int, ceiling: float, level: float) -> bool:
    """Tell whether so many errors are unlikely if the ceiling is kept."""
    return errors > 0 and 1 - tail(errors - 1, n, ceiling) <= 1 - level


def as_json(promise: Promise) -> dict[str, Any]:
    """Return all figures for `facts` and for programs."""
    return {**asdict(promise), "standing": promise.standing.value, "interval": list(promise.interval)}


def from_json(kept: Mapping[str, Any]) -> Promise:
    """Return what `as_json` wrote.

    Raises:
        TypeError, ValueError, KeyError: Another version wrote it.
    """
    low, high = kept["interval"]
    return Promise(**{**kept, "standing": Standing(kept["standing"]), "interval": (low, high)})


def in_words(promise: Promise, alone: tuple[int, int] | None = None) -> list[str]:
    """Return what status, digest and report say of the promise.

    Args:
        promise: How it stands.
        alone: Letters decided without a person, and all letters, of late; None: not counted.
    """
    ceiling = percent(promise.ceiling)
    what = f"of the letters that go without a person at most {ceiling} go the wrong way, {percent(promise.level)} sure"
    lines = [f"Promised: {what}. {_standing(promise)}"]
    if promise.misrouted is not None:
        low, high = promise.interval
        lines.append(
            f"Estimated: {percent(promise.misrouted)} wrong ({percent(low)} to {percent(high)}), from {promise.labels} letters "
            f"that people decided; {percent(promise.automatic)} of these would go without a person."
        )
    if promise.checks:
        low, high = interval(promise.wrong_checks, promise.checks)
        share = percent(promise.wrong_checks / promise.checks)
        lines.append(
            f"Spot checks: {promise.wrong_checks} of {promise.checks} wrong ({share}; {percent(low)} to {percent(high)})."
        )
    asking = sorted(topic for topic, needs in promise.own.items() if needs is None)
    if asking:
        more = f" and {len(asking) - _TOPICS_NAMED} more" if len(asking) > _TOPICS_NAMED else ""
        lines.append(
            f"People decide these topics, where too many guesses were wrong: {', '.join(asking[:_TOPICS_NAMED])}{more}."
        )
    if alone is not None and alone[1]:
        lines.append(
            f"In the last 30 days {alone[0]} of {alone[1]} letters ({percent(alone[0] / alone[1])}) went without a person."
        )
    return lines


def _standing(promise: Promise) -> str:
    if promise.standing is Standing.KEPT:
        return "It is kept."
    until = (
        f"until at least {promise.missing} more letters are decided"
        if promise.missing
        else "until more of its guesses are right"
    )
    if promise.standing is Standing.BROKEN:
        return f"Spot checks have broken it: people decide every letter {until}."
    return f"It is not proven yet: the model only proposes, {until}."


def percent(share: float) -> str:
    """Return 0.0213 as "2.1 %"."""
    return f"{share * 100:.1f}".removesuffix(".0") + " %"

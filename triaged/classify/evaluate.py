"""`triaged evaluate`: a model on labelled rows it has not seen → figures."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from triaged.classify.language import identify
from triaged.classify.promise import interval
from triaged.classify.rows import Row, RowsError, read_lessons
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import CEILING, LEVEL, load
from triaged.message import Opinion

_BINS: Final = 10
_WORST: Final = 50


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    of: int
    right: int
    accepted: int
    misrouted: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a model did. Rows on topics that it does not know count as wrong, and as found if not accepted."""

    rows: int
    accuracy: float
    accepted: float  # share decided without a person
    misrouted: float  # wrong among those
    misrouted_interval: tuple[float, float]  # two-sided 95 %, Clopper and Pearson
    calibration_error: float  # expected, ten bins of equal width
    unknown_topics: int  # rows whose topic the model does not know
    unknown_refused: float | None
    topics: dict[str, Share]
    languages: dict[str, Share]
    confusions: tuple[tuple[str, str, int], ...]  # label, guess, how often; most frequent first
    reliability: tuple[tuple[float, float, int], ...]  # mean confidence, share right, rows; a bin each
    risk_coverage: tuple[tuple[float, float], ...]  # share decided alone, share misrouted among those
    worst: tuple[tuple[str, str, str, float], ...]  # where, label, guess, confidence: the surest errors

    def as_json(self) -> dict[str, Any]:
        """Return the fields for `--json`."""
        return asdict(self)


def evaluate(
    paths: Sequence[Path], model_dir: Path, *, with_encoder: bool = True, ceiling: float = CEILING, level: float = LEVEL
) -> Evaluation:
    """Evaluate a model folder on JSONL files.

    Raises:
        RowsError: A file has lines that are no lessons, or there is none.
        ModelError: The model cannot be used.
    """
    rows = read_lessons(paths)
    if not rows:
        raise RowsError([f"{', '.join(map(str, paths))}: no rows. Expected: at least one text with its topic."])
    return evaluate_rows(rows, load(model_dir, with_encoder=with_encoder, ceiling=ceiling, level=level))


def evaluate_rows(rows: Sequence[Row], model: TopicModel) -> Evaluation:
    """Evaluate a model on rows; at least one."""
    opinions = model.rank([row.text for row in rows])
    guess = [opinion.ranked[0][0] for opinion in opinions]
    confidence = np.array([opinion.ranked[0][1] for opinion in opinions])
    right = np.array([best == row.topic for best, row in zip(guess, rows, strict=True)])
    accepted = np.array([opinion.accepted for opinion in opinions])
    known = np.array([row.topic in model.topics for row in rows])
    alone, wrong = int(accepted.sum()), int((accepted & ~right).sum())
    languages = [row.language or identify(f"{row.text.subject}\n{row.text.body}")[0] for row in rows]
    confused = Counter((row.topic, best) for row, best, ok in zip(rows, guess, right, strict=True) if not ok)
    surest = sorted((int(at) for at in np.flatnonzero(~right)), key=lambda at: -confidence[at])[:_WORST]
    reliability = _reliability(confidence, right)
    return Evaluation(
        rows=len(rows),
        accuracy=float(right.mean()),
        accepted=alone / len(rows),
        misrouted=wrong / alone if alone else 0.0,
        misrouted_interval=interval(wrong, alone),
        calibration_error=sum(abs(mean - share) * n for mean, share, n in reliability) / len(rows),
        unknown_topics=int((~known).sum()),
        unknown_refused=float((~accepted[~known]).mean()) if (~known).any() else None,
        topics=_shares([row.topic for row in rows], right, opinions),
        languages=_shares(languages, right, opinions),
        confusions=tuple(
            (label, best, n) for (label, best), n in sorted(confused.items(), key=lambda item: (-item[1], item[0]))
        ),
        reliability=reliability,
        risk_coverage=_risk_coverage(confidence, right),
        worst=tuple((rows[at].source, rows[at].topic, guess[at], round(float(confidence[at]), 4)) for at in surest),
    )


def _shares(groups: Sequence[str], right: "np.ndarray[Any, Any]", opinions: Sequence[Opinion]) -> dict[str, Share]:
    members: dict[str, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    return {
        group: Share(
            of=len(inside),
            right=sum(bool(right[at]) for at in inside),
            accepted=sum(opinions[at].accepted for at in inside),
            misrouted=sum(opinions[at].accepted and not right[at] for at in inside),
        )
        for group, inside in sorted(members.items())
    }


def _reliability(confidence: "np.ndarray[Any, Any]", right: "np.ndarray[Any, Any]") -> tuple[tuple[float, float, int], ...]:
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = [place == number for number in range(_BINS)]
    return tuple((float(confidence[one].mean()), float(right[one].mean()), int(one.sum())) for one in bins if one.any())


def _risk_coverage(confidence: "np.ndarray[Any, Any]", right: "np.ndarray[Any, Any]") -> tuple[tuple[float, float], ...]:
    order = np.argsort(-confidence, kind="stable")
    risk = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    steps = np.unique(np.linspace(1, len(order), min(100, len(order))).astype(int))
    return tuple((float(step / len(order)), float(risk[step - 1])) for step in steps)

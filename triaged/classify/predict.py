"""`triaged predict`: texts → the contract's JSON fields, in the input's order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from triaged.classify import starter
from triaged.classify.danger import weighed
from triaged.classify.language import identify
from triaged.classify.rows import read_texts
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import CEILING, LEVEL, load
from triaged.classify.topics import Text
from triaged.classify.urgency import alarm, calls
from triaged.message import Urgency

_BATCH: Final = 256


def predict_file(
    path: Path,
    model_dir: Path,
    *,
    with_encoder: bool = True,
    now: datetime | None = None,
    ceiling: float = CEILING,
    level: float = LEVEL,
) -> Iterator[dict[str, Any]]:
    """Yield one prediction a row of a JSONL file.

    Raises:
        RowsError: The file has lines without text.
        ModelError: The model cannot be used.
    """
    model = load(model_dir, with_encoder=with_encoder, ceiling=ceiling, level=level).hearing(starter.danger_score())
    if not model.full:  # else many texts would be encoded for danger alone
        model = replace(model, encoder=None)
    return predict_rows(read_texts(path), model, now or datetime.now(UTC))


def predict_rows(texts: Sequence[Text], model: TopicModel, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield topic (always the best guess), confidence, accepted, alternatives, novelty, urgency, flags and language."""
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        for text, opinion in zip(batch, model.rank(batch), strict=True):
            whole = f"{text.subject}\n{text.body}"
            language, _ = identify(whole)
            said = alarm(whole, language, now)
            heard = model.listens(text) if said.urgency is Urgency.CRITICAL else opinion.heard
            found = weighed(said, heard, partial(calls, language=language, now=now))
            (topic, confidence), *others = opinion.ranked
            yield {
                "topic": topic,
                "confidence": round(confidence, 4),
                "accepted": opinion.accepted,
                "alternatives": [[name, round(probability, 4)] for name, probability in others],
                "novelty": opinion.novelty,
                "urgency": found.urgency.value,
                "language": language,
                "flags": [flag.name for flag in found.flags],
            }

"""`triaged train`: labelled files → a model folder."""

import hashlib
import importlib.metadata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from triaged.classify import modelfile
from triaged.classify.encoder import default, passage
from triaged.classify.features import Floats
from triaged.classify.fit import MAX_COLUMNS, fit
from triaged.classify.promise import judge
from triaged.classify.rows import Row, read_lessons, topic_names
from triaged.classify.topic import NONE, Encoder, Head, TopicModel
from triaged.classify.topicfile import CEILING, LEVEL, store

MAX_ENCODED: Final = 1_500_000  # characters: about eight minutes on two cores


@dataclass(frozen=True, slots=True)
class Trained:
    """What `triaged train` tells."""

    model: str
    rows: int
    topics: int
    accuracy: float  # share of held-out best guesses that were right
    threshold: float | None
    automatic: float
    encoder: bool
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the fields for `--json`."""
        return asdict(self)


def train(
    paths: Sequence[Path],
    model_dir: Path,
    *,
    encoder: Encoder | None = None,
    with_encoder: bool = True,
    ceiling: float = CEILING,
    level: float = LEVEL,
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on JSONL files and write the model.

    Raises:
        RowsError: A file has lines that are no lessons, or there are not two topics to tell apart.
    """
    rows = read_lessons(paths)
    return train_rows(
        rows,
        model_dir,
        encoder=encoder,
        with_encoder=with_encoder,
        sources=hashed(paths),
        ceiling=ceiling,
        level=level,
        progress=progress,
    )


def held_out_accuracy(head: Head) -> float:
    """Return the share of held-out letters on known topics whose best guess was right."""
    return float(head.evidence.correct.sum() / len(head.evidence.oddness))


def hashed(paths: Sequence[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file, by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def train_rows(
    rows: Sequence[Row],
    model_dir: Path,
    *,
    encoder: Encoder | None = None,
    with_encoder: bool = True,
    sources: dict[str, str] | None = None,
    columns: int = MAX_COLUMNS,
    ceiling: float = CEILING,
    level: float = LEVEL,
    lessons: Sequence[int] | None = None,
    most_encoded: int = MAX_ENCODED,
    progress: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train on rows and write the model.

    Args:
        rows: Labelled texts. A topic's name, if it says something, is one more.
        model_dir: Where to write it.
        encoder: Whose vectors to use; default: this process's own.
        with_encoder: False: words and characters alone.
        sources: The data's hashes, for the manifest.
        columns: Most n-grams kept.
        ceiling: Of the promise that the manifest tells of.
        level: Likewise.
        lessons: A key for each row, 0 for an example that is none of the office's: so its held-out judgement can be found.
        most_encoded: Characters to encode at most.
        progress: Told in words what happens.

    Raises:
        RowsError: There are not two topics to tell apart.
    """
    taught = [*rows, *topic_names(rows)]
    vectors, missing = _encoded(taught, (encoder or default()) if with_encoder else None, most_encoded, progress)
    with threadpool_limits(limits=1):  # shared sums differ in their last digits with the number of threads
        fitted = fit(taught, vectors, columns=columns, progress=progress)
    notes = (*fitted.notes, *missing)
    model = fitted.model
    head = model.full or model.plain
    promise = judge(head.evidence.confidence, head.evidence.correct, ceiling, level)
    accuracy = held_out_accuracy(head)
    manifest: dict[str, Any] = {
        "data": sources or {},
        "rows": fitted.used,
        "rows_by_topic": dict(sorted(Counter(row.topic for row in rows).items())),
        "notes": list(notes),
        "versions": {name: importlib.metadata.version(name) for name in ("triaged", "numpy", "scipy", "scikit-learn")},
        "held_out": {
            "accuracy_plain": round(held_out_accuracy(model.plain), 4),
            "accuracy": round(accuracy, 4),
            "threshold": promise.threshold,
            "automatic": round(promise.automatic, 4),
            "promise": {"misrouted": ceiling, "confidence": level},
        },
    }
    if lessons is not None:
        manifest["lessons"] = [lessons[at] for at in fitted.kept]
    saved = TopicModel(model.classes, model.vocabulary, model.plain, model.full, model.lessons, manifest)
    modelfile.save(model_dir, store(saved))
    topics = len([name for name in model.classes if name != NONE])
    return Trained(
        str(model_dir),
        fitted.used,
        topics,
        accuracy,
        promise.threshold,
        promise.automatic,
        model.full is not None,
        notes,
    )


def _encoded(
    rows: Sequence[Row], encoder: Encoder | None, at_most: int, progress: Callable[[str], None]
) -> tuple[Floats | None, tuple[str, ...]]:
    """Return the rows' sentence vectors, and what to say where there are none."""
    if encoder is None:
        return None, ("without sentence vectors: words and characters alone",)
    if sum(len(passage(row.text)) for row in rows) > at_most:
        return None, (f"without sentence vectors: more than {at_most:,} characters would take too long to encode",)
    progress(f"encoding {len(rows)} texts")
    found = encoder.vectors([row.text for row in rows])
    length = next((len(vector) for vector in found if vector is not None), 0)
    failed = sum(vector is None for vector in found)
    if failed > len(found) / 10:
        return None, ("without sentence vectors: the encoder failed",)
    vectors = np.zeros((len(rows), length), dtype=np.float32)
    for index, vector in enumerate(found):
        if vector is not None:
            vectors[index] = vector
    return vectors, (f"{failed} texts could not be encoded",) if failed else ()

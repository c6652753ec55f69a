"""A topic model as arrays and a manifest, and back; see modelfile.py for the files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from triaged.classify import modelfile
from triaged.classify.encoder import default as default_encoder
from triaged.classify.features import vocabulary
from triaged.classify.modelfile import ModelError, Stored
from triaged.classify.nearest import Lessons
from triaged.classify.topic import Encoder, Evidence, Head, TopicModel

CEILING: Final = 0.02
LEVEL: Final = 0.95


def store(model: TopicModel) -> Stored:
    """Return a model's arrays and manifest. Weights are kept as float16: the error is far below any threshold's step."""
    arrays: dict[str, NDArray[Any]] = {"buckets": model.vocabulary.buckets, "idf": model.vocabulary.idf}
    for name, head in (("plain", model.plain), ("full", model.full)):
        if head:
            arrays |= {
                f"{name}_weights": head.weights.astype(np.float16),
                f"{name}_intercept": head.intercept,
                f"{name}_votes": np.array([head.votes]),
                f"{name}_temperature": np.array([head.temperature]),
                f"{name}_confidence": head.evidence.confidence,
                f"{name}_correct": head.evidence.correct,
                f"{name}_topic": head.evidence.topic,
                f"{name}_oddness": head.evidence.oddness,
            }
    manifest = {**model.manifest, "classes": list(model.classes)}
    if model.lessons:
        arrays |= {"centre": model.lessons.centre, "lessons": model.lessons.vectors, "lesson_topic": model.lessons.topic}
        arrays["lesson_weight"] = model.lessons.weight.astype(np.float16)
        manifest["lesson_sources"] = list(model.lessons.sources)
    return Stored(arrays, manifest)


def load(
    folder: Path,
    *,
    encoder: Encoder | None = None,
    with_encoder: bool = True,
    ceiling: float = CEILING,
    level: float = LEVEL,
) -> TopicModel:
    """Read a model that acts alone only where this promise is kept.

    Args:
        folder: Where `triaged train` or `make model` wrote it.
        encoder: Whose vectors to use; default: this process's own, if its package is installed.
        with_encoder: False: words and characters alone, much quicker.
        ceiling: Largest misrouted share allowed.
        level: How sure that bound must be.

    Raises:
        ModelError: See `modelfile.load`; or the arrays do not fit together.
    """
    stored = modelfile.load(folder)
    used = (encoder or default_encoder()) if with_encoder else None
    try:
        return _restore(stored, used).promising(ceiling, level)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ModelError(folder, f"arrays do not fit together ({error})", "a model that `triaged train` wrote") from None


def _restore(stored: Stored, encoder: Encoder | None) -> TopicModel:
    arrays = stored.arrays
    classes = tuple(str(name) for name in stored.manifest["classes"])
    buckets, idf = arrays["buckets"], arrays["idf"]
    lessons = None
    if "lessons" in arrays:
        sources = tuple(str(name) for name in stored.manifest.get("lesson_sources", ()))
        topic = arrays["lesson_topic"]
        weight = arrays.get("lesson_weight", np.ones(len(topic))).astype(np.float32)
        lessons = Lessons(arrays["centre"], arrays["lessons"], topic, weight, sources)
    dimensions = len(lessons.centre) if lessons else 0
    full = _head(arrays, "full", len(buckets) + dimensions, len(classes)) if "full_weights" in arrays else None
    if len(classes) < 2 or buckets.dtype != np.int32 or len(buckets) != len(idf):
        raise ValueError("vocabulary or classes")
    plain = _head(arrays, "plain", len(buckets), len(classes))
    return TopicModel(classes, vocabulary(buckets, idf), plain, full, lessons, stored.manifest, encoder)


def _head(arrays: Mapping[str, NDArray[Any]], name: str, columns: int, classes: int) -> Head:
    weights = arrays[f"{name}_weights"].astype(np.float32)
    if weights.shape != (columns, classes) or arrays[f"{name}_intercept"].shape != (classes,):
        raise ValueError(f"{name} weights {weights.shape}, expected {(columns, classes)}")
    evidence = Evidence(*(arrays[f"{name}_{part}"] for part in ("confidence", "correct", "topic", "oddness")))
    voices = float(arrays.get(f"{name}_votes", np.zeros(1))[0])  # a model learnt before lessons voted has none
    return Head(weights, arrays[f"{name}_intercept"], float(arrays[f"{name}_temperature"][0]), evidence, voices)

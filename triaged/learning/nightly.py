"""Learning at night, in a process of its own: mail goes on, and whatever happens there costs a night's learning only."""

import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event
from typing import Final

from sqlalchemy import Engine

from triaged.learning.lessons import ENOUGH, new_lessons
from triaged.store.engine import reading

log = logging.getLogger("triaged")
_AT_MOST: Final = 4 * 3600.0  # seconds
_GIVE_UP: Final = 10.0
_SAID: Final = 2_000  # characters of its output in the log


def learn_if_due(config: Path, engine: Engine, stop: Event) -> int | None:
    """Learn when enough lessons came in; return the exit status of the process that did, None if it was not due or was ended.

    Args:
        config: triaged.toml.
        engine: The database.
        stop: Ends the learning; nothing of it is kept then.
    """
    with reading(engine) as db:
        new = new_lessons(db)
    if new < ENOUGH:
        return None
    log.info("learning", extra={"lessons": new})
    return run([sys.executable, "-m", "triaged", "model", "retrain", "--config", str(config)], stop)


def run(command: list[str], stop: Event, at_most: float = _AT_MOST) -> int | None:
    """Run a command until it ends, `stop` is set or its time is over; return its exit status, None if it was ended."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)  # noqa: S603 - our own
        left = at_most
        try:
            while child.poll() is None and left > 0 and not stop.wait(1.0):
                left -= 1.0
            status = child.poll()
        finally:
            _end(child)
        said.seek(0)
        words = said.read().decode("utf-8", "replace")[-_SAID:].strip()
    outcome = {0: "a new model judges", 1: "the present model stays"}.get(-1 if status is None else status, "it failed")
    log.log(logging.INFO if status in (0, 1) else logging.WARNING, "learnt", extra={"outcome": outcome, "said": words})
    return status


def _end(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_GIVE_UP)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

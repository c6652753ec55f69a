"""The models that the office has learnt: a few folders beside the database, and one small file that names the one in use.

A model is written into a folder whose name begins with a dot, and renamed when it is whole on the disk; then the small file is
replaced. Killed at any instruction, the old model or the new one is in use, and never half of one.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from triaged.classify import modelfile

FIRST: Final = "first"  # the model that triaged.toml names
KEPT: Final = 5
_POINTER: Final = "in-use.json"
_MAKING: Final = ".making-"


class NoSuchModel(Exception):
    """There is no such model here, or none before; the text says what there is."""


class Busy(Exception):
    """Another process is making a model."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model is in use, since when, why, and which ones were before it, the latest last."""

    name: str = FIRST
    why: str = ""
    at: datetime | None = None
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Model:
    """A model on the shelf."""

    name: str
    folder: Path
    manifest: dict[str, Any]


def home(state_folder: Path) -> Path:
    """Return where the office's models lie."""
    return state_folder / "learnt"


def vectors(shelf: Path) -> Path:
    """Return where the lessons' sentence vectors are kept from one training to the next."""
    return shelf / ".vectors"


def chosen(shelf: Path) -> Choice:
    """Return which model is in use; the first one where nobody has said so, or what was written makes no sense."""
    try:
        kept = json.loads((shelf / _POINTER).read_text(encoding="utf-8"))
        name, before = str(kept["name"]), tuple(str(one) for one in kept["before"])
        return Choice(name, str(kept["why"]), datetime.fromisoformat(kept["at"]), before)
    except (OSError, ValueError, TypeError, KeyError):
        return Choice()


def models(shelf: Path) -> list[Model]:
    """Return the models on the shelf, oldest first; what is no whole model is left out."""
    found = []
    for manifest in sorted(shelf.glob(f"[!.]*/{modelfile.MANIFEST}")):
        try:
            found.append(Model(manifest.parent.name, manifest.parent, json.loads(manifest.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue
    return found


@contextmanager
def only_one_maker(shelf: Path) -> Iterator[None]:
    """Hold the shelf while a model is made; the lock dies with the process.

    Raises:
        Busy: Another process is making one.
    """
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (shelf / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another process is learning right now") from None
        yield


def folder_for_making(shelf: Path) -> Path:
    """Return an empty folder to write a model into, and clear away what killed attempts left."""
    for old in shelf.glob(f"{_MAKING}*"):
        shutil.rmtree(old, ignore_errors=True)
    making = shelf / f"{_MAKING}{os.getpid()}"
    making.mkdir(mode=0o700)
    return making


def put(shelf: Path, made: Path, at: datetime) -> str:
    """Give a finished model its name, the moment it was made; it is not in use yet."""
    name = f"{at.astimezone(UTC):%Y-%m-%d-%H%M%S}"
    _sync(made)
    made.rename(shelf / name)
    _sync(shelf)
    return name


def choose(shelf: Path, name: str, why: str, at: datetime) -> Choice:
    """Take a model into use.

    Raises:
        NoSuchModel: There is none of this name.
    """
    now = chosen(shelf)
    _must_be_here(shelf, name)
    before = tuple(one for one in (*now.before, now.name) if one != name)
    return _write(shelf, Choice(name, why, at, before[-2 * KEPT :]))


def roll_back(shelf: Path, why: str, at: datetime) -> Choice:
    """Take the model into use that was in use before.

    Raises:
        NoSuchModel: None was.
    """
    now = chosen(shelf)
    here = {FIRST, *(model.name for model in models(shelf))}
    before = [name for name in now.before if name in here]
    if not before:
        raise NoSuchModel("there was no other model in use before this one")
    return _write(shelf, Choice(before[-1], why, at, tuple(before[:-1])))


def prune(shelf: Path) -> list[str]:
    """Delete all but the last five models and the one in use; return which went."""
    keep = {chosen(shelf).name, *(model.name for model in models(shelf)[-KEPT:])}
    gone = [model for model in models(shelf) if model.name not in keep]
    for model in gone:
        shutil.rmtree(model.folder, ignore_errors=True)
    return [model.name for model in gone]


def _must_be_here(shelf: Path, name: str) -> None:
    names = [FIRST, *(model.name for model in models(shelf))]
    if name not in names:
        raise NoSuchModel(f"there is no model {name!r}; there are: {', '.join(names)}")


def _write(shelf: Path, choice: Choice) -> Choice:
    if choice.at is None:
        raise ValueError("a choice needs its moment")
    kept = {"name": choice.name, "why": choice.why, "at": choice.at.isoformat(), "before": list(choice.before)}
    shelf.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = shelf / f".{_POINTER}.{os.getpid()}"
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(kept, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(shelf / _POINTER)
    _sync(shelf)
    return choice


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

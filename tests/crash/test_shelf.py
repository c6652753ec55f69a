"""Promotion killed at every step that changes the disk: the old model or the new one is in use, and it is whole."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from triaged.classify import modelfile
from triaged.classify.modelfile import Stored
from triaged.learning import shelf

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
STEPS = ("mkdir", "open", "fsync", "replace", "rename", "rmtree", "unlink")


def make(folder: Path, number: int) -> None:
    modelfile.save(folder, Stored({"weights": np.full(3, number)}, {"number": number}))


def promote(home: Path, number: int) -> None:
    with shelf.only_one_maker(home):
        making = shelf.folder_for_making(home)
        make(making, number)
        name = shelf.put(home, making, NOW.replace(day=number))
        shelf.choose(home, name, f"model {number}", NOW)
        shelf.prune(home)


def in_use(home: Path) -> int:
    """Read the model in use whole; its hash is checked."""
    return int(modelfile.load(home / shelf.chosen(home).name).manifest["number"])


def dies_after(home: Path, step: int) -> bool:
    """Promote in a child that dies at the given step; tell whether it came that far."""
    child = os.fork()
    if child == 0:
        taken = 0

        def counted(what: Callable[..., object]) -> Callable[..., object]:
            def call(*arguments: object, **named: object) -> object:
                nonlocal taken
                if taken == step:
                    os._exit(9)
                taken += 1
                return what(*arguments, **named)

            return call

        for owner in (os, Path, shelf.shutil):
            for name in STEPS:
                if hasattr(owner, name) and not (owner is os and name == "open"):
                    setattr(owner, name, counted(getattr(owner, name)))
        try:
            promote(home, 8)
        except BaseException:  # noqa: BLE001 - a child must not return into the test runner
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, 9), f"it failed instead of dying: {code}"
    return code == 9


def test_wherever_promotion_dies_a_whole_model_is_in_use_and_the_next_night_succeeds(tmp_path: Path) -> None:
    step = 0
    seen = set()
    while True:
        home = tmp_path / str(step) / "learnt"
        promote(home, 7)
        died = dies_after(home, step)
        seen.add(in_use(home))
        assert in_use(home) in (7, 8)
        promote(home, 9)
        assert in_use(home) == 9
        assert not list(home.glob(".making-*"))
        if not died:
            break
        step += 1
    assert step > 10
    assert seen == {7, 8}


def test_only_the_last_five_models_and_the_one_in_use_are_kept(tmp_path: Path) -> None:
    for number in range(1, 9):
        promote(tmp_path, number)
    assert [model.manifest["number"] for model in shelf.models(tmp_path)] == [4, 5, 6, 7, 8]
    shelf.choose(tmp_path, shelf.models(tmp_path)[0].name, "by hand", NOW)
    for number in range(9, 13):
        making = shelf.folder_for_making(tmp_path)
        make(making, number)
        shelf.put(tmp_path, making, NOW.replace(day=number))
        shelf.prune(tmp_path)
    assert in_use(tmp_path) == 4


def test_rollback_goes_back_step_by_step_to_the_first_model(tmp_path: Path) -> None:
    promote(tmp_path, 1)
    promote(tmp_path, 2)
    assert shelf.roll_back(tmp_path, "", NOW).name == shelf.models(tmp_path)[0].name
    assert shelf.roll_back(tmp_path, "", NOW).name == shelf.FIRST
    with pytest.raises(shelf.NoSuchModel, match="no other model"):
        shelf.roll_back(tmp_path, "", NOW)


def test_a_model_that_is_not_there_is_refused_and_those_there_are_named(tmp_path: Path) -> None:
    promote(tmp_path, 1)
    with pytest.raises(shelf.NoSuchModel, match="there are: first, 2026-11-01-023000"):
        shelf.choose(tmp_path, "../../etc", "", NOW)


@pytest.mark.parametrize("damage", ["", "{", "[]", json.dumps({"name": 3})])
def test_a_pointer_that_makes_no_sense_means_the_first_model(tmp_path: Path, damage: str) -> None:
    promote(tmp_path, 1)
    (tmp_path / "in-use.json").write_text(damage)
    assert shelf.chosen(tmp_path).name == shelf.FIRST


def test_two_processes_never_learn_at_the_same_time(tmp_path: Path) -> None:
    with shelf.only_one_maker(tmp_path), pytest.raises(shelf.Busy), shelf.only_one_maker(tmp_path):
        pass

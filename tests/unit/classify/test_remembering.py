"""Vectors are computed once, whatever happens to what was kept of them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from triaged.classify.features import Floats
from triaged.classify.remembering import Remembering
from triaged.classify.topics import Text

TEXTS = [Text("", "no heat"), Text("noise", "a bar"), Text("", "no heat")]


class Counting:
    """An encoder that notes what it was asked; it fails on poison."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def vectors(self, texts: Sequence[Text]) -> list[Floats | None]:
        self.asked += [text.body for text in texts]
        return [None if text.body == "poison" else np.full(4, len(text.body) / 3, dtype=np.float32) for text in texts]


def taught(folder: Path, texts: Sequence[Text], version: str = "1") -> tuple[list[str], list[Floats | None]]:
    """Return what one training asks of the encoder, and what it gets."""
    encoder = Counting()
    remembering = Remembering(encoder, folder, version)
    found = remembering.vectors(texts)
    remembering.keep()
    return encoder.asked, found


def test_the_next_training_encodes_only_what_is_new_and_gets_the_same(tmp_path: Path) -> None:
    asked, first = taught(tmp_path, TEXTS)
    assert asked == ["no heat", "a bar"]
    asked, second = taught(tmp_path, [*TEXTS, Text("", "new")])
    assert asked == ["new"]
    np.testing.assert_array_equal(first, second[:3])


def test_what_is_no_lesson_any_more_is_forgotten(tmp_path: Path) -> None:
    taught(tmp_path, TEXTS)
    taught(tmp_path, TEXTS[:1])
    assert taught(tmp_path, TEXTS)[0] == ["a bar"]


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    assert taught(tmp_path, [Text("", "poison")])[1] == [None]
    assert taught(tmp_path, [Text("", "poison"), *TEXTS])[0] == ["poison", "no heat", "a bar"]
    assert taught(tmp_path, [Text("", "poison"), *TEXTS])[0] == ["poison"]


def test_another_encoder_begins_anew(tmp_path: Path) -> None:
    taught(tmp_path, TEXTS)
    assert taught(tmp_path, TEXTS, version="2")[0] == ["no heat", "a bar"]


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04 no zip", b"{}"])
def test_a_damaged_file_is_computed_anew(tmp_path: Path, octets: bytes) -> None:
    taught(tmp_path, TEXTS)
    for file in tmp_path.iterdir():
        kept = file.read_bytes()
        file.write_bytes(octets)
        assert Remembering(Counting(), tmp_path, "1").vectors(TEXTS[:1])[0] is not None
        file.write_bytes(kept)
    for file in tmp_path.glob("*.npz"):
        file.write_bytes(octets)
    assert taught(tmp_path, TEXTS)[0] == ["no heat", "a bar"]
    assert taught(tmp_path, TEXTS)[0] == []


def test_a_disk_that_takes_nothing_costs_time_alone(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert taught(in_the_way / "vectors", TEXTS)[0] == ["no heat", "a bar"]

"""The encoder's process: whatever happens there costs a letter its vector, nothing else."""

import sys

import pytest

from triaged.classify.encoder import DIMENSIONS, Encoder, passage
from triaged.classify.topics import Text

CHILD = """
import json, struct, sys
out = sys.stdout.buffer
out.write(b"ready"); out.flush()
while header := sys.stdin.buffer.read(4):
    texts = json.loads(sys.stdin.buffer.read(struct.unpack("<I", header)[0]))
    if any("poison" in text for text in texts):
        sys.exit(7)
    for text in texts:
        out.write(struct.pack("<{n}f", *([0.05] * {n})))
    out.flush()
""".replace("{n}", str(DIMENSIONS))


def test_a_text_that_kills_the_child_goes_without_a_vector_and_its_neighbours_do_not() -> None:
    encoder = Encoder((sys.executable, "-c", CHILD))
    found = encoder.vectors([Text("", "no heat"), Text("", "poison"), Text("", "noise")])
    encoder.close()
    assert [vector is not None for vector in found] == [True, False, True]


def test_a_child_that_never_starts_is_given_up() -> None:
    encoder = Encoder((sys.executable, "-c", "raise SystemExit(3)"))
    assert encoder.vectors([Text("", "a")] * 20) == [None] * 20


def test_a_child_killed_between_two_letters_is_started_again() -> None:
    encoder = Encoder((sys.executable, "-c", CHILD))
    encoder.vectors([Text("", "a")])
    assert encoder._child is not None
    encoder._child.kill()
    found = encoder.vectors([Text("", "b")])
    encoder.close()
    assert found[0] is not None


@pytest.mark.parametrize("body", ["x" * 100_000, "\0", "\ud800", "থ" * 9_000])
def test_a_passage_is_short_and_can_be_sent(body: str) -> None:
    read = passage(Text("", body))
    assert len(read) <= 700
    assert "\0" not in read
    read.encode()

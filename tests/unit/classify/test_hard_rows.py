"""Training data as people really have it: contradictions, single examples, odd spellings, broken files."""

import json
from pathlib import Path

import pytest

from triaged.classify.evaluate import evaluate
from triaged.classify.rows import RowsError
from triaged.classify.topicfile import load
from triaged.classify.topics import Text
from triaged.classify.train import Trained, train

HEAT = ["no heat at all", "cold radiators", "the boiler failed", "hot water is gone", "an icy flat"]
NOISE = ["loud music at night", "a barking dog", "drilling at dawn", "the bar is loud", "horns all day"]
USUAL = [(text, topic) for topic, texts in (("heat", HEAT), ("noise", NOISE)) for text in texts]


def trained(folder: Path, rows: list[tuple[str, str]]) -> Trained:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps({"text": text, "topic": topic}) + "\n" for text, topic in rows), encoding="utf-8")
    return train([file], folder / "model", with_encoder=False)


def test_a_topic_with_one_example_is_learnt_beside_others(tmp_path: Path) -> None:
    found = trained(tmp_path, [*USUAL, ("a silver vase as a present", "gift")])
    assert found.topics == 3
    (opinion,) = load(tmp_path / "model").predict([Text("", "a silver vase as a present")])
    assert opinion.ranked[0][0] == "gift"


def test_two_topics_with_one_example_each_are_enough_to_begin_with_and_prove_nothing(tmp_path: Path) -> None:
    found = trained(tmp_path, [("no heat", "heat"), ("loud music", "noise")])
    assert (found.topics, found.threshold, found.automatic) == (2, None, 0.0)


def test_the_same_text_under_two_topics_is_counted_and_said(tmp_path: Path) -> None:
    found = trained(tmp_path, [*USUAL, ("no heat at all", "noise"), ("No heat at all", "heat")])
    notes = " ".join(found.notes)
    assert "1 texts carry more than one topic" in notes
    assert "1 repeated rows left out" in notes


def test_topics_that_differ_in_case_or_blanks_are_named(tmp_path: Path) -> None:
    found = trained(
        tmp_path,
        [*USUAL, ("cold again", "Heat"), ("cold hall", "  heat "), ("cold cellar", "heat  water"), ("cold tap", "heat water")],
    )
    notes = " ".join(found.notes)
    assert "differ only in spelling: Heat, heat" in notes
    assert "differ only in spelling: heat  water, heat water" in notes
    assert found.topics == 5


def test_a_file_that_is_no_utf8_says_where(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes('{"text": "caf\xe9", "topic": "heat"}\n'.encode("latin-1"))
    with pytest.raises(RowsError, match=r"rows\.jsonl: not UTF-8"):
        train([file], tmp_path / "model", with_encoder=False)
    assert not (tmp_path / "model").exists()


def test_half_a_surrogate_and_a_null_in_a_text_harm_nothing(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps({"text": text, "topic": topic}) for text, topic in USUAL]
    file.write_text("\n".join([*lines, r'{"text": "cold \ud800 flat \u0000", "topic": "heat"}']), encoding="utf-8")
    train([file], tmp_path / "model", with_encoder=False)
    assert load(tmp_path / "model").predict([Text("\ud800", "\0")])


@pytest.mark.parametrize("rows", [[], [("", "heat"), ("  ", "noise")], [("no heat", "heat")], [("lost dog", "none")]])
def test_what_cannot_be_learnt_is_said_and_no_model_is_written(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    with pytest.raises(RowsError, match="Expected: at least two topics"):
        trained(tmp_path, rows)
    assert not (tmp_path / "model").exists()


def test_nothing_to_evaluate_is_said(tmp_path: Path) -> None:
    trained(tmp_path, USUAL)
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n")
    with pytest.raises(RowsError, match="no rows"):
        evaluate([empty], tmp_path / "model")

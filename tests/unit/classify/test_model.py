"""Train, store, read, predict: small rows, no encoder."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triaged.classify import modelfile
from triaged.classify.evaluate import evaluate
from triaged.classify.modelfile import ModelError
from triaged.classify.page import page
from triaged.classify.predict import predict_rows
from triaged.classify.rows import RowsError
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import load
from triaged.classify.topics import Text
from triaged.classify.train import train

SAID = {
    "heat": ["no heat in the flat", "the boiler is broken", "radiators are cold again", "we have no hot water"],
    "noise": [
        "loud music at night",
        "the bar plays music until four",
        "a drill at six in the morning",
        "barking dogs all night",
    ],
    "parking": ["a truck blocks my driveway", "cars parked on the sidewalk", "an unfair parking ticket", "no spaces left"],
}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    lines = [
        {"text": f"{said} {place}", "topic": topic}
        for topic, all_said in SAID.items()
        for said in all_said
        for place in ("", "please", "again")
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def model(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> TopicModel:
    folder = tmp_path_factory.mktemp("model")
    train([rows], folder, with_encoder=False)
    return load(folder)


def test_what_was_learnt_is_recognised(model: TopicModel) -> None:
    found = model.predict([Text("", "there is no heat"), Text("music", "so loud at night")])
    assert [opinion.ranked[0][0] for opinion in found] == ["heat", "noise"]
    assert found[0].words[0][0] == "heat"


def test_word_contributions_sum_to_the_margin(model: TopicModel) -> None:
    from triaged.classify.contributions import contributions
    from triaged.classify.features import matrix, occurrences

    found = occurrences([Text("heat", "no heat at night")])
    sparse = matrix(found, model.vocabulary)
    margins = sparse @ model.plain.weights
    for topic in range(3):
        spoke_for, spoke_against = (
            sum(part for _, part in contributions(found, sparse, model.vocabulary, weights, 0, topic))
            for weights in (model.plain.weights, -model.plain.weights)
        )
        assert spoke_for - spoke_against == pytest.approx(float(margins[0, topic]), abs=2e-3)


def test_the_same_rows_make_the_same_bytes(rows: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        train([rows], tmp_path / name, with_encoder=False)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("one", "two"))
    assert [(file.name, file.read_bytes()) for file in first] == [(file.name, file.read_bytes()) for file in second]


def test_predictions_have_the_contracts_fields_in_order(model: TopicModel) -> None:
    found = list(predict_rows([Text("", "no heat"), Text("", "loud music")], model, datetime(2026, 11, 24, tzinfo=UTC)))
    assert [row["topic"] for row in found] == ["heat", "noise"]
    assert {"topic", "confidence", "accepted", "alternatives", "novelty", "urgency", "language"} <= found[0].keys()
    assert found[0]["accepted"] is False  # 36 rows prove nothing


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=400))
def test_no_text_raises(model: TopicModel, subject: str, body: str) -> None:
    (found,) = model.predict([Text(subject, body)])
    assert 0 <= found.ranked[0][1] <= 1
    assert np.isfinite(found.novelty)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: next(folder.glob("*.npz")).write_bytes(b"PK broken"), "changed or broken"),
        (lambda folder: (folder / "manifest.json").write_text("{"), "not JSON"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "not a manifest of triaged"),
        (lambda folder: (folder / "manifest.json").unlink(), "cannot be read"),
    ],
)
def test_a_broken_model_says_file_found_and_expected(rows: Path, tmp_path: Path, damage, said: str) -> None:  # noqa: ANN001
    train([rows], tmp_path, with_encoder=False)
    damage(tmp_path)
    with pytest.raises(ModelError, match=said) as error:
        load(tmp_path)
    assert "Expected:" in str(error.value)


def test_a_manifest_cannot_name_a_file_elsewhere(rows: Path, tmp_path: Path) -> None:
    train([rows], tmp_path, with_encoder=False)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"arrays": "../model-000000000000.npz"}))
    with pytest.raises(ModelError, match="arrays file"):
        modelfile.load(tmp_path)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"text": "a", "topic": "heat"}'], "only “heat”"),
        (['{"text": "", "topic": "heat"}', '{"text": " ", "topic": "noise"}'], "0 usable rows"),
        (['{"text": "a"}'], ":1: “topic” is null"),
        (['{"topic": "heat"}'], ":1: no text"),
        (["[]", "{"], ":2: not JSON"),
        (['{"text": "a", "topic": "heat", "urgency": "hihg"}'], "allowed: low, normal, high, critical"),
    ],
)
def test_rows_that_teach_nothing_are_refused_in_words(tmp_path: Path, lines: list[str], said: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(RowsError, match=said):
        train([file], tmp_path / "model", with_encoder=False)


def test_two_spellings_of_a_topic_are_noticed_and_empty_texts_left_out(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    lines = ['{"text": "no heat", "topic": "Heat"}', '{"text": "cold", "topic": "heat"}', '{"text": "", "topic": "heat"}']
    file.write_text("\n".join(lines), encoding="utf-8")
    notes = " ".join(train([file], tmp_path / "model", with_encoder=False).notes)
    assert "differ only in spelling: Heat, heat" in notes
    assert "1 rows without text" in notes


def test_an_evaluation_counts_and_draws_and_escapes(rows: Path, tmp_path: Path) -> None:
    train([rows], tmp_path / "model", with_encoder=False)
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"text": "no heat", "topic": "heat"}\n{"text": "my dog", "topic": "<b>dogs</b>"}\n', encoding="utf-8")
    found = evaluate([asked], tmp_path / "model")
    assert (found.rows, found.accuracy, found.unknown_topics, found.unknown_refused) == (2, 0.5, 1, 1.0)
    drawn = page(found)
    assert "&lt;b&gt;dogs" in drawn
    assert "<b>dogs" not in drawn


def test_words_meaning_and_base_are_the_whole_margin(model: TopicModel) -> None:
    from triaged.classify.features import matrix, occurrences
    from triaged.classify.why import why

    text = Text("heat", "no heat at night")
    found = why(model, text)
    margins = matrix(occurrences([text]), model.vocabulary) @ model.plain.weights + model.plain.intercept
    assert found.topic == "heat"
    assert found.words + found.meaning + found.base == pytest.approx(float(margins[0].max()), abs=1e-4)
    assert found.nearest == ()  # no encoder was at hand


def test_the_page_of_an_evaluation_stands_alone(rows: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from triaged.commands.model import evaluate as command

    train([rows], tmp_path / "model", with_encoder=False)
    html = tmp_path / "page.html"
    ended = CliRunner().invoke(command, [str(rows), "--model", str(tmp_path / "model"), "--html", str(html)])
    assert ended.exit_code == 0, ended.output
    drawn = html.read_text(encoding="utf-8")
    assert drawn.count("<svg") == 2
    assert not [part for part in ("<script", "http:", "https:", "src=", "@import") if part in drawn]
    for said in ("By topic", "By language", "Confusions", "Worst errors", "Reliability", "Risk and coverage"):
        assert said in drawn
    elsewhere = CliRunner().invoke(
        command, [str(rows), "--model", str(tmp_path / "model"), "--html", str(tmp_path / "no" / "x")]
    )
    assert elsewhere.exit_code == 2

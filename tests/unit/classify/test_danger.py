"""Danger in words that no phrase table knows: what is heard, what it may do, and what shows it."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import vstack

from triaged.classify import danger, danger_fit, modelfile, starter
from triaged.classify.assess import assess
from triaged.classify.danger import Danger, Levels, Meaning, Sound, Wording, hears, weighed
from triaged.classify.danger_fit import FALSE_ALARMS
from triaged.classify.encoder import Encoder, default
from triaged.classify.features import Floats, occurrences, pooled, pooling
from triaged.classify.modelfile import ModelError
from triaged.classify.predict import predict_rows
from triaged.classify.rows import Row, RowsError
from triaged.classify.topic import TopicModel
from triaged.classify.topicfile import load
from triaged.classify.topics import Text
from triaged.classify.train import train
from triaged.classify.urgency import Alarm
from triaged.message import POSSIBLE_DANGER, Address, Flag, Heard, Message, Urgency

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
LEVELS = Levels(whole=0.4, passage=2.0, certain=9.0)
MUTE = Wording(np.zeros(256, dtype=np.float32), 0.0, replace(LEVELS, whole=99.0))  # words alone say nothing
LISTENING = Danger(MUTE, Meaning(np.array([8.0, 0.0], dtype=np.float32), -4.0, LEVELS))
HEARD = Heard("stand in the rain")
LETTER = (
    "We live on Elm Street and have seen the lamp go out three times. "
    "When the lorry comes on Monday we shall stand in the rain with the crib. "
    "The lamp before the school is out too, please send somebody."
)


class Crib:
    """Vectors of two numbers: the first is 1 where a crib is named, and not lost in a long letter."""

    def vectors(self, texts: Sequence[Text]) -> list[Floats | None]:
        return [np.array([float("crib" in text.body and len(text.body) < 80), 1.0], dtype=np.float32) for text in texts]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TopicModel:
    folder = tmp_path_factory.mktemp("model")
    said = {"lamps": ("the lamp is out", "a dark street lamp"), "trees": ("a fallen tree", "the tree is dead")}
    rows = [json.dumps({"text": text, "topic": topic}) for topic, texts in said.items() for text in texts]
    (folder / "rows.jsonl").write_text("\n".join(rows), encoding="utf-8")
    train([folder / "rows.jsonl"], folder, with_encoder=False)
    return load(folder, encoder=Crib())


def listening(*, intercept: float = -4.0, **levels: float) -> Danger:
    return replace(LISTENING, meaning=replace(LISTENING.meaning, intercept=intercept, levels=replace(LEVELS, **levels)))


def spelled(danger: str, harmless: str) -> Danger:
    """Return a score that knows two texts by their words."""
    grams = vstack([pooling(occurrences([Text("", text)]), 1 << 18) for text in (danger, harmless)], format="csr")
    weights = np.asarray(8 * (grams[[0]] - grams[[1]]).todense(), dtype=np.float32)[0]
    return replace(LISTENING, wording=Wording(weights, 0.0, Levels(whole=0.4, passage=2.0, certain=4.0)))


def written(body: str) -> Message:
    return Message("", "<1@example.org>", Address("", "a@example.org"), text=body, subject="")


def test_one_passage_of_a_long_letter_is_heard_and_shown(model: TopicModel) -> None:
    (opinion,) = model.hearing(LISTENING).predict([Text("", LETTER)])
    assert opinion.heard is not None
    assert opinion.heard.words == "When the lorry comes on Monday we shall stand in the rain with the crib."


def test_what_is_heard_makes_a_letter_high_and_says_why(model: TopicModel) -> None:
    found = assess(written(LETTER), model.hearing(LISTENING), NOW)
    assert found.urgency is Urgency.HIGH
    assert [flag.name for flag in found.flags] == [POSSIBLE_DANGER]
    (because,) = [reason.because for reason in found.reasons if reason.name == POSSIBLE_DANGER]
    assert because.startswith("it sounds as if somebody may be in danger: “When the lorry comes")


def test_predict_tells_it_too(model: TopicModel) -> None:
    (row,) = predict_rows([Text("", "they put the crib out")], model.hearing(LISTENING), NOW)
    assert (row["urgency"], row["flags"]) == ("high", [POSSIBLE_DANGER])


def test_without_the_score_nothing_is_heard(model: TopicModel) -> None:
    found = assess(written(LETTER), model, NOW)
    assert (found.urgency, found.flags, found.opinion.heard) == (Urgency.NORMAL, (), None)


def test_without_the_encoder_words_speak_alone(model: TopicModel) -> None:
    deaf = replace(model, encoder=None)
    assert assess(written("put the crib out"), deaf.hearing(LISTENING), NOW).urgency is Urgency.NORMAL
    knowing = deaf.hearing(spelled("put the crib out", "the lamp is out"))
    assert assess(written("put the crib out"), knowing, NOW).urgency is Urgency.CRITICAL
    assert assess(written("the lamp is out"), knowing, NOW).urgency is Urgency.NORMAL
    (row,) = predict_rows([Text("", "put the crib out")], knowing, NOW)
    assert (row["urgency"], row["flags"]) == ("critical", [POSSIBLE_DANGER])


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_what_words_say_is_the_product_that_was_learnt(bodies: list[str]) -> None:
    found = occurrences([Text("", body) for body in bodies])
    weights = np.linspace(-1, 1, 1 << 12, dtype=np.float32)
    assert pooled(found, weights) == pytest.approx(pooling(found, 1 << 12) @ weights, abs=1e-4)


@pytest.mark.parametrize("urgency", list(Urgency))
@pytest.mark.parametrize("heard", [None, Heard(), HEARD, Heard("stand in the rain", certain=True)])
def test_what_is_heard_never_lowers_and_never_takes_a_flag_away(urgency: Urgency, heard: Heard | None) -> None:
    before = Alarm(urgency, (Flag("no_heat", ("no heat",)),))
    after = weighed(before, heard, bool)
    assert after.urgency.rank >= urgency.rank
    assert set(before.flags) <= set(after.flags)
    certain = heard is not None and heard.certain
    assert (after.urgency is Urgency.CRITICAL) == (urgency is Urgency.CRITICAL or certain)


@pytest.mark.parametrize("urgency", list(Urgency))
def test_doubted_phrases_no_longer_call_it_critical_but_somebody_is_told(urgency: Urgency) -> None:
    before = Alarm(urgency, (Flag("violence", ("beats me", "kill")), Flag("threat", ("kill",))))
    after = weighed(before, Heard(quiet=True), bool)
    if urgency is Urgency.CRITICAL:
        assert after == Alarm(Urgency.HIGH, (Flag(POSSIBLE_DANGER, ("beats me", "kill")),))
    else:
        assert after == before


def test_certain_danger_calls_a_person_in_predict_too(model: TopicModel) -> None:
    (row,) = predict_rows([Text("", "they put the crib out")], model.hearing(listening(certain=1.0)), NOW)
    assert (row["urgency"], row["flags"]) == ("critical", [POSSIBLE_DANGER])


def test_a_letter_that_does_not_sound_like_danger_is_doubted_and_says_why(model: TopicModel) -> None:
    doubting = model.hearing(listening(intercept=-8.0, certain=-1.0))
    found = assess(written("My husband beats me."), doubting, NOW)
    assert (found.urgency, [flag.name for flag in found.flags]) == (Urgency.HIGH, [POSSIBLE_DANGER])
    (because,) = [reason.because for reason in found.reasons if reason.name == POSSIBLE_DANGER]
    assert because.startswith("words that call for help, in a letter that does not sound like danger")
    (row,) = predict_rows([Text("", "My husband beats me.")], doubting, NOW)
    assert row["urgency"] == "high"


@pytest.mark.parametrize(
    "body",
    [
        "The lamp on Elm Street is out again, please send somebody soon. My husband beats me and puts the crib outside.",
        " ".join("The lamp on Elm Street is out again, please send somebody soon." for _ in range(7)) + " My husband beats me.",
        "the lamp on elm street is out again and it is so dark that " * 20
        + "my husband beats me "
        + "when he comes home " * 60,
        "A lamp is out. " + "it is so dark in the street that " * 150 + ". My husband beats me.",
    ],
)
def test_phrases_are_not_doubted_where_a_passage_sounds_like_danger_or_was_not_read(model: TopicModel, body: str) -> None:
    doubting = model.hearing(listening(intercept=-8.0, certain=-1.0))
    assert assess(written(body), doubting, NOW).urgency is Urgency.CRITICAL
    (row,) = predict_rows([Text("", body)], doubting, NOW)
    assert row["urgency"] == "critical"


def test_phrases_at_the_end_of_a_subject_that_is_not_read_are_not_doubted(model: TopicModel) -> None:
    doubting = model.hearing(listening(intercept=-8.0, certain=-1.0))
    (row,) = predict_rows([Text("the lamp is out and it is dark " * 12 + "my husband beats me", "Please help.")], doubting, NOW)
    assert row["urgency"] == "critical"


def test_a_text_without_a_vector_is_judged_by_its_words() -> None:
    found = occurrences([Text("", "crib"), Text("", "crib")])
    with_vector, without = LISTENING.sounds(found, [np.array([1.0, 0.0], dtype=np.float32), None])
    assert (with_vector.levels, without.levels) == (LEVELS, MUTE.levels)
    assert with_vector.margin > without.margin == 0.0


def test_a_long_passage_is_shown_cut() -> None:
    heard = hears(Text("", "crib " * 100), Sound(1.0, LEVELS), ())
    assert len(heard.words) <= 160
    assert heard.words.endswith("…")


class Seven:
    """Vectors that tell danger by its first number, as well as they can: some texts are odd."""

    def vectors(self, texts: Sequence[Text]) -> list[Floats | None]:
        return [np.array([text.body.count("x"), len(text.body) % 7, 1.0], dtype=np.float32) / 10 for text in texts]


def examples(folder: Path) -> list[Row]:
    (folder / "examples").mkdir()
    told = [
        {"language": language, "text": ("x" * 3 if at % 2 else "o") + "y" * at, "danger": bool(at % 2)}
        for language in ("en", "fr", "ar")
        for at in range(20)
    ]
    (folder / "examples" / "all.jsonl").write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
    return [
        Row(
            Text("", "x" * (at % 50 == 0) + "z" * at + ". Please do send somebody soon, it is so dark here that I trip."),
            "city.noise",
            language="en",
        )
        for at in range(1, 301)
    ]


def test_what_is_learnt_is_read_again_and_is_the_same_bytes(tmp_path: Path) -> None:
    rows = examples(tmp_path)
    figures = danger_fit.build(tmp_path, rows, Seven())
    first = {file.name: file.read_bytes() for file in tmp_path.glob("m*.*")}
    assert danger_fit.build(tmp_path, rows, Seven()) == figures
    assert {file.name: file.read_bytes() for file in tmp_path.glob("m*.*")} == first
    assert figures["ordinary"] == 300
    assert figures["ordinary_marked"] <= FALSE_ALARMS
    assert figures["marked"] > 0.9
    learnt = danger.load(tmp_path)
    assert learnt is not None
    found = occurrences([Text("", "xxxyyyyyyy")])
    for vectors in (None, Seven().vectors([Text("", "xxxyyyyyyy")])):
        (sound,) = learnt.sounds(found, vectors)
        assert sound.margin > sound.levels.whole


def test_ordinary_letters_are_on_no_grave_topic_and_say_nothing_of_danger() -> None:
    said = [("city.noise", "loud music"), ("housing.eviction", "a question"), ("city.noise", "My husband beats me.")]
    assert [danger_fit.is_ordinary(Row(Text("", text), topic, language="en")) for topic, text in said] == [True, False, False]


def test_no_score_is_no_error_and_a_broken_one_is(tmp_path: Path) -> None:
    assert danger.load(tmp_path) is None
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(ModelError):
        danger.load(tmp_path)


def test_weights_that_no_hash_fits_are_an_error(tmp_path: Path) -> None:
    odd = replace(LISTENING, wording=replace(MUTE, weights=np.zeros(300, dtype=np.float32)))
    modelfile.save(tmp_path, danger.store(odd, {}))
    with pytest.raises(ModelError, match="300 weights"):
        danger.load(tmp_path)


def test_a_line_that_is_no_example_is_named(tmp_path: Path) -> None:
    (tmp_path / "en.jsonl").write_text('{"language": "en"}\n')
    with pytest.raises(RowsError, match=r"en\.jsonl:1"):
        danger_fit.read([tmp_path / "en.jsonl"])


def test_there_are_examples_and_near_misses_in_twelve_languages() -> None:
    told = danger_fit.read(sorted((starter.folder() / "danger" / "examples").glob("*.jsonl")))
    counted = {(one.language, one.danger) for one in told}
    assert len(counted) == 24
    assert all(sum((one.language, one.danger) == kind for one in told) >= 25 for kind in counted)


@pytest.fixture(scope="module")
def by_words() -> TopicModel:
    """What ships, without the encoder."""
    return load(starter.folder(), with_encoder=False).hearing(starter.danger_score())


@pytest.mark.parametrize(
    "told",
    [
        ("en", "My husband beats me and I am afraid to go home tonight."),
        ("es", "Mi esposo me golpea y tengo miedo de volver a casa esta noche."),
        ("ru", "Муж избивает меня, я боюсь идти домой."),
        ("fr", "Mon mari me bat et j'ai peur de rentrer ce soir."),
    ],
)
def test_one_sentence_of_danger_is_not_drowned_in_an_ordinary_letter(by_words: TopicModel, told: tuple[str, str]) -> None:
    language, sentence = told
    rows = [row for row in starter.examples(starter.folder()) if row.language == language and danger_fit.is_ordinary(row)]
    letters = sorted((row.text for row in rows if len(row.text.body) > 200), key=lambda text: text.body)[:40]
    told_last = [Text(letter.subject, f"{letter.body} {sentence}") for letter in letters]
    urgencies = [row["urgency"] for row in predict_rows(told_last, by_words, NOW)]
    assert len(letters) == 40
    assert urgencies.count("critical") >= 32
    assert set(urgencies) <= {"critical", "high"}


@pytest.mark.skipif(default() is None, reason="the encoder is not installed here")
def test_what_ships_hears_danger_at_first_sight() -> None:
    """Texts that their author wrote without seeing phrase tables or examples; neither has been mended on them."""
    files = sorted((ROOT / "tests" / "urgency" / "first_sight").glob("*.jsonl"))
    said = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    with closing(Encoder()) as encoder:
        model = load(starter.folder(), encoder=encoder).hearing(starter.danger_score())
        told = list(predict_rows([Text("", row["text"]) for row in said], model, NOW))
    critical = np.array([row["urgency"] == "critical" for row in told])
    danger = np.array([row["critical"] for row in said])
    assert (len(said), len(files), int(danger.sum())) == (384, 12, 192)
    assert critical[danger].mean() >= 0.97
    assert critical[~danger].mean() <= 0.16
    assert all(critical[danger & (np.array([row["language"] for row in said]) == file.stem)].mean() >= 0.7 for file in files)

"""The model that ships: `make model` builds models/starter/ byte for byte from models/starter/examples/*.jsonl."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from triaged.classify import danger, danger_fit
from triaged.classify.danger import Danger
from triaged.classify.encoder import default
from triaged.classify.modelfile import MANIFEST
from triaged.classify.remembering import Remembering
from triaged.classify.rows import Row, read_lessons
from triaged.classify.topic import NONE, TopicModel
from triaged.classify.topicfile import CEILING, LEVEL, load
from triaged.classify.train import Trained, hashed, train_rows

COLUMNS: Final = 60_000  # keeps the shipped file under 20 MB
EXAMPLE_WEIGHT: Final = 0.3  # of a shipped example beside an office's own lesson


_CARD: Final = """# The starter model

What an office has on its first day: {topics} topics of city and legislative correspondence. Built by `make model` from
`examples/` and nothing else; same examples, same bytes. The build writes this card: edit `triaged/classify/starter.py`.

**What it is.** A linear classifier over hashed words (1-2) and characters (2-5), beside sentence vectors and the votes of the
nearest examples where the encoder is installed.
**What it read.** {rows} invented letters and short notes ({spoken}), written for this project; no real person's letter.
"{none}" is background: mail that is none of the topics.
**How it does on its own examples, held out.** {accuracy:.1%} right, {accuracy_plain:.1%} without sentence vectors. Real mail
differs: `docs/classification.md` has the figures on real texts.
**What it must not be used for.** Deciding anything about a person. It picks a desk; people answer.
**Limits.** No native speaker has read the letters in languages other than English, and only English, Spanish and Russian were
tried on real texts. Names of places, programmes and people
come with the office's lessons. Its threshold rests on these invented examples, not on the office's mail: only lessons and
spot checks prove the promise.

| topic | examples |
|---|--:|
{table}
"""
_DANGER: Final = """
## The score for danger

`danger/`: a logistic regression over words and characters; beside it, where there is the encoder, one over the same sentence
vectors. Where it is nearly certain, or phrases and score are together, a letter becomes *critical*; above a lower threshold
*high*, marked `possible_danger` and shown to whoever is on duty, with the passage that caused it. Phrases in a letter that does
not sound like danger are doubted: *high* instead of *critical*, and shown at once too.
**What it read.** {dangers} invented texts of danger and {near_misses} near misses in twelve languages (`danger/examples/`),
beside {ordinary} of the ordinary letters above.
**How it does on these, held out, together with phrases; without the encoder in brackets.** On texts at first sight:
`docs/classification.md`.

| | critical | at least marked |
|---|--:|--:|
{figures}

**What it must not be used for.** Telling that a letter is harmless: it misses plainly told dangers too, and more in long
letters.
"""


def folder(configured: Path | None = None) -> Path:
    """Return where the model lies: as configured; for models/starter, if absent, the checkout's or the package's copy."""
    package = Path(__file__).resolve().parent.parent
    shipped = [package.parent / "models" / "starter", package / "starter"]
    if configured and configured.name != "starter":
        return configured
    places = [*([configured] if configured else []), *shipped]
    return next((place for place in places if (place / MANIFEST).is_file()), places[0])


def open_model(configured: Path, *, ceiling: float = CEILING, level: float = LEVEL) -> TopicModel:
    """Read the office's model: where triaged.toml says, else the shipped one if triaged.toml names that.

    Raises:
        ModelError: See `modelfile.load`.
    """
    return load(folder(configured), ceiling=ceiling, level=level)


def danger_score() -> Danger | None:
    """Return the score for danger that ships, whichever topic model judges; None where `make model` had no encoder.

    Raises:
        ModelError: See `danger.load`.
    """
    return danger.load(folder() / "danger")


def examples(starter: Path) -> list[Row]:
    """Return the shipped examples, file by file in the order of their names.

    Raises:
        RowsError: A file has lines that are no examples.
    """
    return read_lessons(sorted((starter / "examples").glob("*.jsonl")))


def build(starter: Path) -> Trained:
    """Build the starter model from its examples."""
    rows = examples(starter)
    sources = hashed(sorted((starter / "examples").glob("*.jsonl")))
    installed = default()
    encoder = Remembering(installed, starter.parent.parent / "build" / "vectors") if installed else None
    trained = train_rows(rows, starter, encoder=encoder, with_encoder=encoder is not None, sources=sources, columns=COLUMNS)
    heard = None
    if encoder:
        heard = danger_fit.build(starter / "danger", rows, encoder)
        encoder.keep()
    manifest = json.loads((starter / MANIFEST).read_text(encoding="utf-8"))
    languages = sorted({row.language for row in rows if row.language})
    counts = {language: sum(row.language == language for row in rows) for language in languages}
    _card(starter / "MODEL_CARD.md", manifest, counts, heard)
    return trained


def _card(file: Path, manifest: dict[str, object], languages: dict[str, int], heard: Mapping[str, float] | None) -> None:
    held_out = manifest["held_out"]
    by_topic = manifest["rows_by_topic"]
    if not isinstance(held_out, dict) or not isinstance(by_topic, dict):
        raise TypeError("manifest of train_rows")
    table = "\n".join(f"| {topic} | {count} |" for topic, count in by_topic.items())
    spoken = ", ".join(f"{language} {count}" for language, count in languages.items())
    topics = len([topic for topic in by_topic if topic != NONE])
    text = _CARD.format(topics=topics, rows=manifest["rows"], spoken=spoken, none=NONE, table=table, **held_out)
    if heard:
        text += _DANGER.format(figures=_called(heard), **heard)
    file.write_text(text, encoding="utf-8")


def _called(heard: Mapping[str, float]) -> str:
    kinds = (("dangers", ""), ("near misses", "near_misses_"), ("ordinary letters", "ordinary_"))
    cells = [
        [f"{heard[f'{key}{what}']:.1%} ({heard[f'{key}{what}_by_words']:.1%})" for what in ("called", "marked")]
        for _, key in kinds
    ]
    return "\n".join(f"| {name} | {called} | {marked} |" for (name, _), (called, marked) in zip(kinds, cells, strict=True))


def main() -> int:
    """Build the starter model of this checkout."""
    starter = Path(__file__).resolve().parents[2] / "models" / "starter"
    trained = build(starter)
    print(f"{trained.model}: {trained.rows} examples, {trained.topics} topics, held out {trained.accuracy:.1%} right")
    for note in trained.notes:
        print(f"  {note}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Training and question rows: JSONL files → checked values, every problem of a file reported at once."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from triaged.classify.topics import Text
from triaged.message import Urgency

MAX_PROBLEMS: Final = 20  # shown of one file; the rest is counted
_CODE: Final = re.compile(r"\S+\.\S+")


class RowsError(Exception):
    """Rows that cannot be used: where, what was found, what is expected."""

    def __init__(self, problems: Sequence[str], more: int = 0) -> None:
        self.problems = tuple(problems)
        self.more = more
        rest = f"\n  … and {more} more lines like these." if more else ""
        super().__init__("\n".join(problems) + rest)


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text. `weight` is 1 for an office's own lesson, less for a shipped example."""

    text: Text
    topic: str
    urgency: Urgency | None = None
    language: str = ""
    weight: float = 1.0
    source: str = ""  # file:line
    is_name: bool = False  # the topic's own name: it teaches, and is never judged


def read_lessons(paths: Iterable[Path]) -> list[Row]:
    """Read training rows.

    Raises:
        RowsError: A line is no JSON object, lacks text or topic, or names an unknown urgency; or a file cannot be read.
    """
    rows: list[Row] = []
    problems: list[str] = []
    for path in paths:
        for place, fields in _objects(path, problems):
            try:
                rows.append(_lesson(fields, place))
            except ValueError as error:
                problems.append(f"{place}: {error}")
    if problems:
        raise RowsError(problems[:MAX_PROBLEMS], max(0, len(problems) - MAX_PROBLEMS))
    return rows


def topic_names(rows: Iterable[Row]) -> list[Row]:
    """Return a lesson for each topic whose name says what it is about: two words or more, and no code like city.noise."""
    named = ((topic, topic.replace("_", " ").split()) for topic in sorted({row.topic for row in rows}))
    spoken = ((topic, words) for topic, words in named if len(words) > 1 and not _CODE.fullmatch(topic))
    return [Row(Text("", " ".join(words)), topic, source=f"the name {topic}", is_name=True) for topic, words in spoken]


def read_texts(path: Path) -> list[Text]:
    """Read the texts to predict, in the file's order.

    Raises:
        RowsError: As for `read_lessons`, topics aside.
    """
    texts: list[Text] = []
    problems: list[str] = []
    for place, fields in _objects(path, problems):
        try:
            texts.append(text_of(fields))
        except ValueError as error:
            problems.append(f"{place}: {error}")
    if problems:
        raise RowsError(problems[:MAX_PROBLEMS], max(0, len(problems) - MAX_PROBLEMS))
    return texts


def text_of(fields: dict[str, Any]) -> Text:
    """Return the text of a row: `text`, or `subject` and `body`.

    Raises:
        ValueError: None of the three is there, or one is no string.
    """
    values = {name: fields.get(name) for name in ("text", "subject", "body")}
    for name, value in values.items():
        if value is not None and not isinstance(value, str):
            raise ValueError(f"“{name}” is {type(value).__name__}, expected a string")
    if all(value is None for value in values.values()):
        raise ValueError('no text: expected "text", or "subject" and "body"')
    return Text(values["subject"] or "", values["body"] or values["text"] or "")


def _lesson(fields: dict[str, Any], place: str) -> Row:
    text = text_of(fields)
    topic = fields.get("topic")
    if not isinstance(topic, str) or not topic.strip():
        raise ValueError(f"“topic” is {json.dumps(topic)}, expected a name")
    urgency = fields.get("urgency")
    if urgency is not None and urgency not in set(Urgency):
        raise ValueError(f"“urgency” is {json.dumps(urgency)}; allowed: {', '.join(Urgency)}")
    language = fields.get("language")
    return Row(
        text, topic.strip(), Urgency(urgency) if urgency else None, language if isinstance(language, str) else "", source=place
    )


def _objects(path: Path, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                place = f"{path}:{number}"
                try:
                    fields = json.loads(line)
                except (ValueError, RecursionError) as error:
                    problems.append(f"{place}: not JSON ({error})")
                    continue
                if isinstance(fields, dict):
                    yield place, fields
                else:
                    problems.append(f"{place}: found {type(fields).__name__}, expected an object in braces")
    except OSError as error:
        problems.append(f"{path}: cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: not UTF-8 (octet {error.start})")

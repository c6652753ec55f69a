"""Log lines that can't be forged."""

import logging
import sys

import pytest

from triaged.logs import LineFormatter


def line(message: str, *, journal: bool = True, exc_info: object = None, **fields: object) -> str:
    record = logging.makeLogRecord(
        {"name": "triaged", "levelno": logging.WARNING, "levelname": "WARNING", "msg": message, "exc_info": exc_info, **fields}
    )
    return LineFormatter(journal=journal).format(record)


def test_journald_gets_a_priority_and_fields() -> None:
    assert line("kept", mailbox="mayor", mails=3) == "<4>kept mailbox=mayor mails=3"


def test_people_get_a_clock_and_a_level() -> None:
    assert line("kept", journal=False, created=0.0).endswith("warning kept")


def test_a_value_with_blanks_is_quoted() -> None:
    assert line("x", why='said "no" twice') == '<4>x why="said \\"no\\" twice"'


@pytest.mark.parametrize("hostile", ["a\nb", "a\x1b[31mb", "a\rb", "a\u202eb", "a\x00b", "a\u2028b"])
def test_no_value_starts_a_line_or_colours_a_terminal(hostile: str) -> None:
    written = line("x", why=hostile)
    assert written.isprintable()


def test_every_line_of_a_traceback_has_its_priority() -> None:
    try:
        int("bad")
    except ValueError:
        written = line("broke", exc_info=sys.exc_info())
    assert all(part.startswith("<4>") for part in written.splitlines())

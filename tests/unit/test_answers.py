"""Answers as mail programs really write them, each with its exact effect; the files and the table lie in tests/answers."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.answers.clients import DEPARTMENTS, KEYS, NOW, NUMBER, PASS, REVIEWER, TOKEN, TOPICS, coded
from triaged.ingest.mime import read
from triaged.ingest.screen import Trust, screen
from triaged.people.answering import interpret
from triaged.people.locks import Doors, recognise
from triaged.review.line import Asked
from triaged.review.names import Names
from triaged.review.words import Verb

FOLDER = Path(__file__).parents[1] / "answers"
TABLE = dict(line.split("\t") for line in (FOLDER / "expected.txt").read_text(encoding="utf-8").splitlines())
DOORS = Doors(KEYS, (REVIEWER, "carla@example.gov"), "triage@example.gov", "mx.example.gov")
ASKED = [Asked(number, spot_check=number == 8) for number in range(1, 9)]


def effect(octets: bytes, doors: Doors = DOORS) -> str:
    """Return in words what a mail does."""
    message = read(octets)
    screening = screen(message, Trust(authserv_id="mx.example.gov", reviewers=frozenset(DOORS.people)))
    attempt = recognise(message, screening, doors, NOW)
    if attempt is None:
        return "no answer"
    if attempt.refusal:
        return f"refused, told to {attempt.tell or 'nobody'}"
    understood = interpret(octets, message, ASKED, NUMBER, Names(TOPICS, DEPARTMENTS), TOKEN)
    said = []
    for one in sorted(understood.instructions, key=lambda one: one.number):
        where = (one.topic, *one.departments) if one.verb is Verb.ROUTE else ()
        words = (str(one.number), one.verb.value, *where, one.urgency, f"({one.why})" if one.why else "")
        said.append(" ".join(word for word in words if word))
    return "undo" if understood.undo else "; ".join(said) or "nothing"


def test_there_are_more_than_120_of_them_and_each_has_its_line() -> None:
    assert {file.stem for file in FOLDER.glob("*.eml")} == set(TABLE)
    assert len(TABLE) >= 120


@pytest.mark.parametrize("name", TABLE)
def test_an_answer_has_exactly_its_effect(name: str) -> None:
    assert effect((FOLDER / f"{name}.eml").read_bytes()) == TABLE[name]


def test_exchanges_word_opens_the_door_where_it_is_switched_on_and_nowhere_else() -> None:
    """The answer of outlook_desktop-plain, as a mailbox of Exchange Online holds it."""
    octets = (FOLDER / "outlook_desktop-plain.eml").read_bytes()
    theirs = "dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=example.gov"
    inside = f"{theirs}\r\nX-MS-Exchange-Organization-AuthAs: Internal\r\nX-MS-Exchange-Organization-AuthMechanism: 04"
    from_exchange = octets.replace(PASS.encode(), inside.encode(), 1)
    assert from_exchange != octets
    assert effect(from_exchange, replace(DOORS, authserv_id="", auth_as=True)) == TABLE["outlook_desktop-plain"]
    assert effect(from_exchange, replace(DOORS, auth_as=True)) == TABLE["outlook_desktop-plain"]
    assert effect(from_exchange) == f"refused, told to {REVIEWER}"
    outside = octets.replace(PASS.encode(), theirs.encode(), 1)
    assert effect(outside, replace(DOORS, auth_as=True)) == f"refused, told to {REVIEWER}"


# Mails whose quote reaches to their end, in each encoding; those of a mailto: link quote nothing.
QUOTE_LAST = [
    name
    for name in TABLE
    if name.partition("-")[2] in ("plain", "french", "undo", "nothing", "all") and not name.startswith("mailto")
]
APPENDED = [
    coded(text).encode()
    for text in (
        "{7} spam", "all ok", "undo", "\r\n\r\nall ok\r\n",
        "\n> x\n{6} spam\n> y\n", "-- \r\nundo\r\n", "\r\n--==B1==--\r\nall ok",
        "\r\n--==B1==\r\nContent-Type: text/plain\r\n\r\nall ok\r\n--==B1==--\r\n", "</blockquote></div><p>all ok</p>",
        "=0D=0Aall ok", "\0all ok", f"Answer code: {TOKEN}\nall ok\n",
    )
] + [b"\xff\xfe\x80all ok", b"\xe9\n", base64.b64encode(b"\r\nall ok\r\nundo\r\n")]  # fmt: skip


@pytest.mark.parametrize("below", APPENDED)
@pytest.mark.parametrize("name", QUOTE_LAST)
def test_whatever_is_appended_below_the_quote_leaves_the_effect(name: str, below: bytes) -> None:
    assert effect((FOLDER / f"{name}.eml").read_bytes() + below) == TABLE[name]


@given(name=st.sampled_from(QUOTE_LAST), below=st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_octets_appended_below_the_quote_leave_the_effect(name: str, below: bytes) -> None:
    assert effect((FOLDER / f"{name}.eml").read_bytes() + below) == TABLE[name]


@given(at=st.integers(0, len(TOKEN) - 1), character=st.characters(codec="ascii", categories=("L", "N", "P", "S")))
@settings(max_examples=300, deadline=None)
def test_a_token_with_any_one_character_changed_opens_nothing(at: int, character: str) -> None:
    changed = f"{TOKEN[:at]}{character}{TOKEN[at + 1 :]}".encode()
    octets = (FOLDER / "token-only-in-address.eml").read_bytes().replace(TOKEN.encode(), changed)
    opened = effect(octets) == "7 ok"
    assert opened is (character == TOKEN[at])

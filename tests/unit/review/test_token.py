"""Tokens: small, ours, and refused when anything of them is changed."""

import base64
import string
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.review.token import LENGTH, Keys, Token, expiry, find, make, message_id, plus_address, read

KEYS = Keys("Office of the Mayor", b"k" * 32)
ANA = "ana@example.gov"
TEAM = ("bo@example.gov", ANA)
TOKEN = Token(17, ANA, date(2026, 12, 24))
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@given(st.integers(1, 2**24 - 1), st.sampled_from(TEAM), st.dates(date(2026, 1, 1), date(2140, 1, 1)))
def test_a_token_says_what_was_put_into_it(digest: int, reviewer: str, expires: date) -> None:
    token = Token(digest, reviewer, expires)
    text = make(token, KEYS)
    assert len(text) == LENGTH
    assert read(text, KEYS, TEAM) == token


@given(st.integers(0, LENGTH - 1), st.characters(codec="utf-8"))
def test_any_single_character_change_is_refused(position: int, character: str) -> None:
    text = make(TOKEN, KEYS)
    changed = text[:position] + character + text[position + 1 :]
    assert (read(changed, KEYS, TEAM) is None) == (changed != text)


@pytest.mark.parametrize("position", range(LENGTH))
def test_every_other_letter_and_digit_in_every_place_is_refused(position: int) -> None:
    text = make(TOKEN, KEYS)
    for character in string.ascii_letters + string.digits:
        changed = text[:position] + character + text[position + 1 :]
        assert changed == text or read(changed, KEYS, TEAM) is None


@given(st.text(max_size=60))
def test_no_text_that_we_did_not_make_is_a_token(text: str) -> None:
    assert read(text, KEYS, TEAM) is None
    assert find([text], KEYS, TEAM, NOW).token is None


def test_one_character_more_or_less_is_refused() -> None:
    text = make(TOKEN, KEYS)
    assert read(text[:-1], KEYS, TEAM) is None
    assert read(f"{text}a", KEYS, TEAM) is None
    assert not find([f"{text}a"], KEYS, TEAM, NOW).tried


def test_another_offices_token_is_refused_even_under_the_same_key() -> None:
    assert read(make(TOKEN, Keys("Office of the Leader", KEYS.current)), KEYS, TEAM) is None


def test_a_token_for_somebody_who_is_no_reviewer_any_more_is_refused() -> None:
    assert read(make(TOKEN, KEYS), KEYS, ["bo@example.gov"]) is None


def test_the_previous_key_still_checks_and_a_foreign_one_never_does() -> None:
    text = make(TOKEN, KEYS)
    assert read(text, Keys(KEYS.office, b"n" * 32, KEYS.current), TEAM) == TOKEN
    assert read(text, Keys(KEYS.office, b"n" * 32), TEAM) is None


def test_a_future_version_is_refused_though_its_mac_is_right() -> None:
    from triaged.review.token import _head, _mac

    head = bytearray(_head(TOKEN, KEYS.office))
    head[0] = 0x20 | head[0] & 0x0F
    text = base64.b32encode(bytes(head) + _mac(bytes(head), ANA, KEYS.office, KEYS.current)).decode().lower()
    assert read(text, KEYS, TEAM) is None


def test_it_fits_where_it_must_stand() -> None:
    text = make(TOKEN, KEYS)
    address = plus_address("triage@example.gov", text)
    assert address == f"triage+{text}@example.gov"
    assert len(address.partition("@")[0]) <= 64
    assert plus_address("x" * 30 + "@example.gov", text) == "x" * 30 + "@example.gov"


@pytest.mark.parametrize(
    "place",
    [
        "triage+{}@example.gov",
        "<triaged.digest.{}@example.gov>",
        "Answer code: {}",
        "> > Answer code: {} <",
        "triage%2B{}@example.gov",
        "[{}]",
    ],
)
def test_each_place_alone_is_enough(place: str) -> None:
    text = make(TOKEN, KEYS)
    assert find([place.format(text)], KEYS, TEAM, NOW).token == TOKEN
    assert message_id(text, "example.gov") == f"<triaged.digest.{text}@example.gov>"


def test_it_ends_with_its_last_day() -> None:
    text = make(TOKEN, KEYS)
    last = datetime(2026, 12, 24, 23, 59, tzinfo=UTC)
    assert not find([text], KEYS, TEAM, last).expired
    assert find([text], KEYS, TEAM, last + timedelta(minutes=1)).expired
    assert expiry(NOW) == date(2026, 12, 24)


def test_a_valid_token_beside_an_old_one_counts() -> None:
    old = make(Token(3, ANA, date(2026, 10, 1)), KEYS)
    assert find([f"triage+{old}@example.gov", make(TOKEN, KEYS)], KEYS, TEAM, NOW).token == TOKEN

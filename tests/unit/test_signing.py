"""Loop headers and Message-IDs that only we can have made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.signing import Signer

SIGNER = Signer(b"k" * 32, "example.gov")
OTHER = Signer(b"o" * 32, "example.gov")


def test_a_delivery_has_the_same_message_id_at_every_attempt() -> None:
    assert SIGNER.message_id("forward:a") == SIGNER.message_id("forward:a")


def test_two_deliveries_have_two_message_ids() -> None:
    assert SIGNER.message_id("forward:a") != SIGNER.message_id("forward:b")


def test_two_installations_have_two_message_ids() -> None:
    assert SIGNER.message_id("forward:a") != OTHER.message_id("forward:a")


def test_our_message_ids_have_a_form_of_their_own() -> None:
    assert SIGNER.is_own_message_id(SIGNER.message_id("x"))
    assert not SIGNER.is_own_message_id("<triaged.1@example.gov>")
    assert not SIGNER.is_own_message_id(SIGNER.message_id("x").replace("example.gov", "example.org"))


def test_our_loop_header_is_known_and_nobody_elses() -> None:
    header = SIGNER.loop_header("MAY-2026-000001")
    assert SIGNER.is_own_loop_header(header)
    assert SIGNER.is_own_loop_header(f"  {header} ")
    assert not OTHER.is_own_loop_header(header)


@given(st.data())
def test_any_change_of_one_character_makes_a_loop_header_foreign(data: st.DataObject) -> None:
    header = SIGNER.loop_header("MAY-2026-000001")
    at = data.draw(st.integers(0, len(header) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda sign: sign != header[at]))
    assert not SIGNER.is_own_loop_header(header[:at] + other + header[at + 1 :])


@given(st.text(max_size=200))
def test_no_text_breaks_the_check(text: str) -> None:
    assert not SIGNER.is_own_loop_header(text)


def test_the_key_shows_in_no_log() -> None:
    assert "kkk" not in repr(SIGNER)


@pytest.mark.parametrize("value", ["", " ", "a", "a b c"])
def test_odd_headers_are_foreign(value: str) -> None:
    assert not SIGNER.is_own_loop_header(value)

"""What is said to an IMAP or SMTP server with a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.oauth.sasl import Dialogue, first_message, mechanism_of, reason_of


def test_oauthbearer_is_said_as_in_rfc_7628() -> None:
    expected = b"n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
    assert first_message("OAUTHBEARER", "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==") == expected


def test_xoauth2_is_said_as_its_document_says() -> None:
    assert first_message("XOAUTH2", "a@b.c", "ya29") == b"user=a@b.c\x01auth=Bearer ya29\x01\x01"


def test_a_name_with_commas_stays_one_name() -> None:
    assert first_message("OAUTHBEARER", "a,b=c@d", "t").startswith(b"n,a=a=2Cb=3Dc@d,\x01")


@pytest.mark.parametrize("token", ["a\x01auth=x", "a\r\nb", "a\0"])
def test_a_token_that_would_end_its_field_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match="control"):
        first_message("XOAUTH2", "a@b.c", token)


def test_the_standard_is_preferred_to_what_was_before_it() -> None:
    assert mechanism_of(["XOAUTH2", "PLAIN", "OAUTHBEARER"]) == "OAUTHBEARER"
    assert mechanism_of(["PLAIN", "XOAUTH2"]) == "XOAUTH2"
    assert mechanism_of(["PLAIN"]) is None


def test_the_token_is_said_once_and_a_refusal_is_let_finish() -> None:
    dialogue = Dialogue("OAUTHBEARER", "a@b.c", "t")
    assert dialogue.answer(b"").startswith(b"n,a=")
    assert dialogue.answer(b'{"status":"invalid_token","scope":"mail"}') == b"\x01"
    assert dialogue.refusal == "invalid_token"


@given(st.binary(max_size=200))
def test_no_challenge_breaks_the_dialogue(challenge: bytes) -> None:
    reason = reason_of(challenge)
    assert len(reason) <= 100
    assert reason == "" or reason.isprintable()

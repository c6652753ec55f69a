"""Which mails are the same mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.ingest.fingerprint import fingerprint

MAIL = (
    b"Received: by a\r\nMessage-ID: <1@x>\r\nFrom: a@x\r\nDate: Mon, 1 Jan 2026 00:00:00 +0000\r\nSubject: Heat\r\n\r\n"
    b"No heat.\r\n"
)


def test_the_way_a_mail_came_does_not_matter() -> None:
    assert fingerprint(MAIL) == fingerprint(b"Received: by b\r\nX-Spam: no\r\nReturn-Path: <a@x>\r\n" + MAIL)


def test_line_ends_do_not_matter() -> None:
    assert fingerprint(MAIL) == fingerprint(MAIL.replace(b"\r\n", b"\n"))


def test_folding_does_not_matter() -> None:
    assert fingerprint(MAIL.replace(b"Subject: Heat", b"Subject: a b")) == fingerprint(
        MAIL.replace(b"Subject: Heat", b"Subject: a\r\n b")
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"No heat", b"No water"), (b"<1@x>", b"<2@x>"), (b"From: a@x", b"From: b@x"), (b"Subject: Heat", b"Subject: Cold")],
)
def test_what_the_writer_sent_matters(old: bytes, new: bytes) -> None:
    """A Message-ID used again for another letter is another letter."""
    assert fingerprint(MAIL) != fingerprint(MAIL.replace(old, new))


def test_without_message_id_the_receiver_counts() -> None:
    bare = MAIL.replace(b"Message-ID: <1@x>\r\n", b"")
    assert fingerprint(b"To: a@y\r\n" + bare) != fingerprint(b"To: b@y\r\n" + bare)


def test_three_letters_without_message_id_are_three() -> None:
    bare = MAIL.replace(b"Message-ID: <1@x>\r\n", b"")
    assert len({fingerprint(bare.replace(b"No heat", text)) for text in (b"one", b"two", b"three")}) == 3


def test_a_header_name_inside_the_body_is_no_header() -> None:
    assert fingerprint(MAIL + b"Subject: other\r\n") != fingerprint(MAIL.replace(b"Subject: Heat", b"Subject: other"))


@given(st.binary(max_size=500))
def test_any_bytes_have_a_fingerprint(octets: bytes) -> None:
    assert len(fingerprint(octets)) == 64


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_headerless_bytes_that_differ_stay_different(one: bytes, two: bytes) -> None:
    assert one == two or b":" in one + two or fingerprint(one) != fingerprint(two)

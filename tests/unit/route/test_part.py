"""MIME parts built by hand."""

import hashlib
from email import message_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.smtp import attached
from triaged.route.part import can_be_spliced, multipart, original_part, text_part


@given(st.binary(max_size=2000), st.booleans())
@example(b"a\nb\r\nc", True)
@example(b"a\rb", True)
@example(b"\0", True)
@example(b"x" * 999 + b"\r\n", True)
@example(b"", True)
def test_any_original_is_found_again_byte_for_byte(raw: bytes, eight_bit: bool) -> None:
    part = original_part(raw, "MAY-2026-000001", eight_bit=eight_bit)
    whole = multipart("mixed", [text_part("hello"), part], "seed").octets
    if part.header.startswith(b"Content-Type: message/rfc822"):
        found = attached(whole)
        assert found in (raw, raw.replace(b"\n", b"\r\n"))
        assert eight_bit or raw.isascii()
    else:
        leaf = list(message_from_bytes(whole).walk())[-1]
        assert leaf.get_content_type() == "application/octet-stream"
        assert hashlib.sha256(leaf.get_payload(decode=True)).digest() == hashlib.sha256(raw).digest()  # type: ignore[arg-type]
        assert whole.isascii()


@given(st.text(max_size=2000))
def test_any_text_reads_back_the_same(text: str) -> None:
    part = text_part(text)
    assert part.octets.isascii()
    assert all(len(line) <= 998 for line in part.octets.split(b"\r\n"))
    read = message_from_bytes(part.octets).get_payload(decode=True)
    assert isinstance(read, bytes)
    assert read.decode().replace("\r\n", "\n") == text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("raw", "spliced"),
    [
        (b"a\r\nb\r\n", True), (b"a\nb", True), (b"x" * 998 + b"\r\n", True), (b"x" * 999, False),
        (b"a\r\nb\n", False), (b"a\rb\r\n", False), (b"a\0", False), (b"\n\r\n", False),
    ],
)  # fmt: skip
def test_only_what_survives_the_way_is_spliced(raw: bytes, spliced: bool) -> None:
    assert can_be_spliced(raw) is spliced


def test_eight_bits_are_declared_on_the_part_and_around_it() -> None:
    inner = original_part("é".encode(), "R", eight_bit=True)
    outer = multipart("mixed", [inner], "seed")
    for part in (inner, outer):
        assert b"Content-Transfer-Encoding: 8bit\r\n" in part.header
    assert b"base64" in original_part("é".encode(), "R", eight_bit=False).header


def test_a_letter_that_knows_the_boundary_does_not_end_the_part() -> None:
    first = message_from_bytes(multipart("mixed", [text_part("x")], "seed").octets).get_boundary("")
    raw = f"Subject: x\r\n\r\n--{first}--\r\n\r\nnot over".encode()
    assert attached(multipart("mixed", [text_part("x"), original_part(raw, "R", eight_bit=True)], "seed").octets) == raw


def test_the_same_parts_give_the_same_bytes() -> None:
    assert multipart("mixed", [text_part("x")], "a") == multipart("mixed", [text_part("x")], "a")

"""The writer of header fields."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.message import Address
from triaged.route import header
from triaged.route.header import HeaderError


def decoded(field: bytes) -> str:
    """Return a field's value as another mail program reads it."""
    message = message_from_bytes(field + b"\r\nbody")
    assert len(message.keys()) == 1
    assert message.get_payload() == "body"
    return str(make_header(decode_header(message.values()[0].replace("\r\n", ""))))


@given(st.text(max_size=300))
def test_any_text_made_one_line_is_one_field_that_reads_back_the_same(text: str) -> None:
    line = header.one_line(text, 200) or "empty"
    field = header.text("Subject", line)
    assert decoded(field) == line
    assert all(len(part) <= 78 for part in field.split(b"\r\n"))


@given(st.text(max_size=200))
def test_any_text_is_written_as_one_field_or_refused(text: str) -> None:
    try:
        field = header.text("Subject", text)
    except HeaderError:
        return
    assert len(message_from_bytes(field + b"\r\n").keys()) == 1


@given(st.text(max_size=120))
def test_any_display_name_reads_back_the_same_and_adds_no_recipient(name: str) -> None:
    name = header.one_line(name, 100)
    field = header.addresses("To", [Address(name, "a@example.org"), Address("", "b@example.org")])
    parsed = message_from_bytes(field + b"\r\n")
    (shown, first), *others = getaddresses([parsed["To"].replace("\r\n", "")])
    assert [first, *(address for _, address in others)] == ["a@example.org", "b@example.org"]
    assert str(make_header(decode_header(shown))) == name


@pytest.mark.parametrize("value", ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\0b", "é\r\n\r\nbody", "\x1b[2J", "a\x85b"])
def test_line_breaks_and_controls_are_refused(value: str) -> None:
    for write in (header.text, header.token):
        with pytest.raises(HeaderError):
            write("Subject", value)
    with pytest.raises(HeaderError):
        header.addresses("To", [Address(value, "a@example.org")])


def test_a_lone_surrogate_is_refused_and_taken_out_of_a_line() -> None:
    with pytest.raises(HeaderError, match="surrogate"):
        header.text("Subject", "a\ud800b")
    assert header.one_line("a\ud800b", 10) == "ab"


def test_a_text_that_looks_like_an_encoded_word_stays_what_it_is() -> None:
    looks = "=?utf-8?q?=0D=0ABcc:_x=40example.org?="
    field = header.text("Subject", looks)
    assert decoded(field) == looks
    assert b"Bcc" not in field


def test_a_subject_of_5000_characters_is_cut_and_a_long_one_is_folded() -> None:
    assert len(header.one_line("x" * 5000, 200)) == 200
    assert max(map(len, header.text("Subject", "é" * 5000).split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    "address",
    [
        "", "a", "a@", "@b", "a@b@c", "a b@example.org", '"a b"@example.org', "a@example.org, b@example.org", "a@ex ample.org",
        "a\r\n@example.org", "<a@example.org>", "a@example.org>", f"{'a' * 65}@example.org", "a@" + "b" * 256, "a\0@b.c",
        "a@b..c", "a@.b", "a@[1.2.3.4", "é" * 33 + "@example.org", "a@\ud800.org", "\ud800@b.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    assert header.addr_spec(address) == ""
    with pytest.raises(HeaderError):
        header.addresses("To", [Address("x", address)])


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("a.b+c@example.org", "a.b+c@example.org"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
        ("a@[127.0.0.1]", "a@[127.0.0.1]"),
        (" a@example.org ", "a@example.org"),
    ],
)
def test_an_address_is_written_as_mail_carries_it(address: str, written: str) -> None:
    assert header.addr_spec(address) == written


def test_bidi_and_invisible_marks_leave_a_line_but_the_joiners_of_persian_stay() -> None:
    assert header.one_line("a\u202eb\u2066c\u200b\ufeff \u2028 می\u200cخواهم", 100) == "abc می\u200cخواهم"


def test_long_references_are_folded_and_never_encoded() -> None:
    ids = [f"<{'x' * 100}.{number}@example.org>" for number in range(20)]
    field = header.message_ids("References", ids)
    assert b"=?" not in field
    assert decoded(field).split() == ids


@pytest.mark.parametrize("value", ["", "<>", "a@b", "<a b>", "<a>\r\nX: y", "<ä@b>", "<a><b>", f"<{'a' * 300}>"])
def test_what_is_no_message_id_is_refused(value: str) -> None:
    assert not header.is_message_id(value)
    with pytest.raises(HeaderError):
        header.message_ids("References", [value])


def test_a_field_without_value_is_refused() -> None:
    with pytest.raises(HeaderError):
        header.addresses("To", [])
    with pytest.raises(HeaderError):
        header.message_ids("References", [])
    for value in ("", "ä"):
        with pytest.raises(HeaderError):
            header.token("X", value)

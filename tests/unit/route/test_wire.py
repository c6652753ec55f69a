"""The form in which mail goes out."""

from hypothesis import given
from hypothesis import strategies as st

from triaged.route.wire import header_of, wire_form


@given(st.binary(max_size=400))
def test_no_bare_line_end_goes_out(octets: bytes) -> None:
    out = wire_form(octets)
    assert out.count(b"\r\n") == out.count(b"\r") == out.count(b"\n")
    assert out.endswith(b"\r\n")
    assert wire_form(out) == out


def test_bcc_is_taken_out_of_the_header_and_only_there() -> None:
    mail = b"From: a\r\nBCC: x@example.org,\r\n y@example.org\r\nbcc : z\r\nResent-Bcc: r\r\nTo: b\r\n\r\nBcc: stays\r\n"
    assert wire_form(mail) == b"From: a\r\nTo: b\r\n\r\nBcc: stays\r\n"


def test_a_mail_that_is_fine_stays_as_it_is() -> None:
    mail = b"From: a\r\nTo: b\r\n\r\n.\r\n\r\n"
    assert wire_form(mail) == mail
    assert header_of(mail) == b"From: a\r\nTo: b"

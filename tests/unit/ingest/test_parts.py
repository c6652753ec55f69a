import base64
import email
import re
from email.message import Message as StandardMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import SHARED, octets
from triaged.ingest.parts import Part, take_apart

_SPACE = re.compile(rb"\s+")
_OTHER_ENCLOSED = re.compile(rb"message/(?!rfc822)", re.IGNORECASE)


def leaves(octets: bytes) -> list[tuple[str, bytes]]:
    root, _ = take_apart(octets)
    return [(part.media_type, part.body()) for part in root.walk() if not part.children]


def test_parts_come_out_in_order_with_their_encodings_undone() -> None:
    mail = (
        b"Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n--b \t\r\nContent-Type: text/html\n"
        b"Content-Transfer-Encoding: base64\n\ndHdv\n--b\nContent-Transfer-Encoding: Quoted-Printable\n\nthr=65e=\n\n--b--\n"
        b"epilogue\n--b\n\nno\n"
    )
    assert leaves(mail) == [("text/plain", b"one"), ("text/html", b"two"), ("text/plain", b"three")]


def test_a_line_that_only_begins_like_the_delimiter_is_text() -> None:
    mail = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--bx\nx--b\n--b--\n"
    assert leaves(mail) == [("text/plain", b"--bx\nx--b")]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_multipart_that_breaks_off_keeps_its_last_part(end: bytes) -> None:
    assert leaves(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntw" + end)[1][1].strip() == b"tw"


@pytest.mark.parametrize("parameter", [b"", b"; boundary=", b'; boundary=""', b"; boundary=other"])
def test_a_multipart_whose_parts_cannot_be_found_is_one_text(parameter: bytes) -> None:
    root, findings = take_apart(b"Content-Type: multipart/mixed" + parameter + b"\n\n--b\n\none\n--b--\n")
    assert not root.children
    assert findings.odd


def test_an_attached_mail_is_taken_apart_even_if_it_is_encoded() -> None:
    mail = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogYQoKYm9keQo=\n"
    root, _ = take_apart(mail)
    assert root.children[0].fields == (("subject", b"a"),)
    assert root.children[0].body() == b"body\n"


def test_digests_hold_mails() -> None:
    mail = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: a\n\none\n--b--\n"
    root, _ = take_apart(mail)
    assert root.children[0].media_type == "message/rfc822"
    assert root.children[0].children[0].fields == (("subject", b"a"),)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b"A: 1\nb : 2\n continued\n", ["a", "b"]),
        (b"A: 1\nno field\nB: 2\n", ["a", "b"]),
        ("A: 1\nSujét: x\nB: 2\n".encode(), ["a", "b"]),
        (b">From x\nFrom y\nA: 1\n", ["a"]),
    ],
)
def test_header_fields_survive_lines_that_are_none(header: bytes, names: list[str]) -> None:
    root, _ = take_apart(header + b"\nbody")
    assert [name for name, _ in root.fields] == names
    assert root.body() == b"body"


def test_text_directly_below_the_header_is_not_lost() -> None:
    root, _ = take_apart(b"Subject: a\nDear Mayor,\nno heat.\n")
    assert root.body() == b"Dear Mayor,\nno heat.\n"


def test_old_mac_line_ends_are_line_ends() -> None:
    root, _ = take_apart(octets("old-mac-line-ends"))
    assert root.body() == b"No heat.\nSince Monday.\n"


@pytest.mark.parametrize(
    ("encoded", "decoded"),
    [
        (b"YQ==", b"a"),
        (b"YQ", b"a"),
        (b"Y", b""),
        (b"Y W\nJ!j", b"abc"),
        (b"YQ==YmM=", b"abc"),
        (b"", b""),
    ],
)
def test_broken_base64_yields_what_can_be_had(encoded: bytes, decoded: bytes) -> None:
    root, _ = take_apart(b"Content-Transfer-Encoding: base64\n\n" + encoded)
    assert root.body() == decoded


@given(st.binary(max_size=400))
def test_the_size_of_an_attachment_is_reckoned_without_decoding_it(content: bytes) -> None:
    root, _ = take_apart(b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(content))
    assert root.size_octets == len(content) == len(root.body())


@given(
    st.lists(
        st.sampled_from(
            [b"--b", b"--b--", b"\n", b"\r\n", b"Content-Type: multipart/mixed; boundary=b", b"a: b", b" x", b"--c"]
        )
    )
)
def test_any_order_of_delimiters_and_fields_is_taken_apart(pieces: list[bytes]) -> None:
    root, _ = take_apart(b"".join(pieces))
    for part in root.walk():
        assert 0 <= part.start <= part.end <= len(part.octets)


def standard_leaves(part: StandardMessage) -> list[tuple[str, bytes]]:
    if part.is_multipart():
        return [leaf for child in part.get_payload() for leaf in standard_leaves(child)]  # type: ignore[union-attr, arg-type]
    payload = part.get_payload(decode=True)
    return [(part.get_content_type(), _SPACE.sub(b" ", payload if isinstance(payload, bytes) else b"").strip())]


def our_leaves(root: Part) -> list[tuple[str, bytes]]:
    return [(part.media_type, _SPACE.sub(b" ", part.body()).strip()) for part in root.walk() if not part.children]


def real_mails() -> list[Path]:
    return sorted(path for path in (SHARED / "corpora").glob("*/**/*") if path.suffix in (".eml", ".txt"))


@pytest.mark.shared
def test_real_mails_are_taken_apart_as_the_standard_parser_does() -> None:
    """The standard parser opens other message/* types too, and gives broken base64 back undecoded: there they differ."""
    mails = real_mails()
    if not mails:
        pytest.skip("../shared/corpora is not there: no real mails to compare on")
    different = []
    for path in mails:
        octets = path.read_bytes()
        if _OTHER_ENCLOSED.search(octets):
            continue
        if standard_leaves(email.message_from_bytes(octets)) != our_leaves(take_apart(octets)[0]):
            different.append(path.name)
    assert len(different) <= len(mails) // 500, different

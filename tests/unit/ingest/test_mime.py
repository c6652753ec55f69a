import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ingest.letters import MAILS, mail, message
from triaged.ingest.mime import read
from triaged.message import Address, Attachment, Message


def test_an_ordinary_letter_is_read_whole() -> None:
    letter = message("mbox-line-first")
    assert letter.message_id == "<c2@example.org>"
    assert letter.sender == Address("Rosa Diaz", "rosa@example.org")
    assert letter.return_path == "rosa@example.org"
    assert letter.to == (Address("", "mayor@example.gov"),)
    assert letter.date == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert (letter.subject, letter.text, letter.notes, letter.unreadable) == ("No heat", "No heat.", (), "")
    assert letter.header_names[:3] == ("return-path", "received", "message-id")
    assert letter.header("RECEIVED").startswith("from mail.example.org")


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        (
            "charset-says-ascii-is-cp1252",
            "The “café” below us is loud – please help.",
            "charset us-ascii was wrong, read as cp1252",
        ),
        ("charset-gb2312-with-gbk-letters", "市長先生：暖氣壞了，家裡很冷。朱镕基", None),
        ("charset-nobody-knows", "La calefacción no funciona.", "charset x-martian is not known, read as utf-8"),
        ("charset-is-a-python-codec-but-no-charset", "C:\\new\\table \\u0041", None),
        ("korean-ks-c-5601", "난방이 안 됩니다. 똠방각하", None),
        ("utf-16-with-byte-order-mark", "No heat since Monday.", None),
        ("html-without-charset-but-meta", "Нет отопления", None),
        ("body-is-base64-with-holes", "The elevator is broken.", None),
        ("plain-part-is-a-stub", "The elevator is broken again.", None),
        ("plain-and-html-say-the-same", "The elevator is broken again.", None),
        ("photo-between-two-texts", "This pothole\n\nis at Oak and 5th.", None),
        ("text-message-as-a-file", "Street light out at Oak", "the text was read from the attached file text_0.txt"),
        ("old-mac-line-ends", "No heat.\nSince Monday.", None),
        ("header-line-without-colon", "The text.", "a line in the header that is no field was passed over"),
        ("no-header-at-all", "Dear Mayor,\nthere is no heat in my building.", None),
        ("winmail-dat-beside-text", "Could we meet about the library?", "of one part, what it holds is packed in winmail.dat"),
    ],
)
def test_the_text_of_an_odd_mail_is_found_and_oddities_are_noted(name: str, text: str, note: str | None) -> None:
    letter = message(name)
    assert letter.text == text
    assert letter.unreadable == ""
    assert any(one.startswith(note) for one in letter.notes) if note else not letter.notes


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("encrypted-pgp-mime", "it is encrypted (PGP)"),
        ("encrypted-smime", "it is encrypted (S/MIME)"),
        ("winmail-dat-only", "what it holds is packed in winmail.dat (Outlook's own format)"),
    ],
)
def test_a_closed_mail_says_why_and_keeps_its_headers(name: str, why: str) -> None:
    letter = message(name)
    assert (letter.unreadable, letter.text) == (why, "")
    assert letter.sender.address == "rosa@example.org"
    assert letter.subject


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "the mail is empty"),
        (b"X: y\n\n \n", "it holds no text, no subject and no attachment"),
        (b"Subject: x\n\n" + b"\x00\x01" * 500, "it holds no text that can be read, only binary octets"),
        (b"Subject: x\n\n-----BEGIN PGP MESSAGE-----\n\nabc\n", "it is encrypted (PGP)"),
        (
            b"Content-Type: application/x-pkcs7-mime; smime-type=signed-data\n\nabc",
            "it is signed with S/MIME in a form that hides its text",
        ),
    ],
)
def test_what_no_person_can_read_is_unreadable(octets: bytes, why: str) -> None:
    assert read(octets).unreadable == why


def test_a_subject_alone_is_a_letter() -> None:
    letter = message("nothing-but-a-subject")
    assert (letter.text, letter.subject, letter.unreadable) == ("", "Please fix the light at 5th and Oak", "")


def test_a_photo_alone_is_a_letter() -> None:
    letter = read(b"Content-Type: image/jpeg; name=hole.jpg\nContent-Transfer-Encoding: base64\n\n/9j/4AAQ\n")
    assert letter.unreadable == ""
    assert letter.attachments == (Attachment("hole.jpg", "image/jpeg", 6),)


def test_repeated_fields_are_read_together_and_noted() -> None:
    assert message("two-subject-fields").subject == "No heat and no water"
    assert message("two-from-fields").notes == ("2 From fields",)
    assert message("two-from-fields").sender.address == "rosa@example.org"


def test_a_sender_without_address_keeps_the_name() -> None:
    assert message("from-without-address").sender == Address("Rosa Diaz", "")


def test_a_date_that_never_was_is_none() -> None:
    assert message("date-that-never-was").date is None


@pytest.mark.parametrize(("raw", "path"), [("<>", ""), ("<a@example.org>", "a@example.org"), ("", None)])
def test_a_null_return_path_is_told_from_a_missing_one(raw: str, path: str | None) -> None:
    assert mail(Return_Path=raw).return_path == path


def test_attachments_of_an_enclosed_mail_are_listed_and_its_text_is_quoted() -> None:
    letter = message("citizen-attaches-a-bounce")
    assert [attachment.content_type for attachment in letter.attachments] == ["message/rfc822"]
    assert "Undelivered Mail Returned to Sender" in letter.quoted
    assert letter.text.startswith("I wrote to the office")


def test_a_form_whose_free_text_ends_with_a_signature_is_split_too() -> None:
    letter = mail("Name: Ana\nEmail: ana@example.org\nMessage: No heat.\nThanks,\nAna")
    assert (letter.text, letter.signature) == ("No heat.", "Thanks,\nAna")


def test_a_form_that_says_nothing_keeps_its_text() -> None:
    assert mail("Name: Ana\nEmail: ana@example.org\nPhone: 555").text.startswith("Name: Ana")


def test_html_in_a_plain_part_is_read_as_html() -> None:
    assert mail("<!DOCTYPE html><html><body><p>No heat.</p></body></html>").text == "No heat."


def test_a_nearly_empty_plain_twin_gives_way_to_the_html() -> None:
    body = (
        "--b\n\nGet Outlook\n--b\nContent-Type: text/html\n\n<p>" + "There is no heat in our building. " * 5 + "</p>\n--b--\n"
    )
    letter = mail(body, Content_Type="multipart/alternative; boundary=b")
    assert letter.text.startswith("There is no heat")


def test_the_root_of_a_related_mail_may_stand_anywhere() -> None:
    image = "--b\nContent-Type: image/png; name=a.png\n\nx\n"
    body = image + "--b\nContent-Type: text/html\nContent-ID: <root>\n\n<p>No heat.</p>\n--b--\n"
    letter = mail(body, Content_Type='multipart/related; boundary=b; start="<root>"')
    assert letter.text == "No heat."
    assert [attachment.filename for attachment in letter.attachments] == ["a.png"]


def strings(letter: Message) -> list[str]:
    people = (letter.sender, *letter.to, *letter.cc, *letter.reply_to)
    return [
        letter.subject,
        letter.message_id,
        letter.return_path or "",
        *(value for values in letter.headers.values() for value in values),
        *(part for one in people for part in (one.name, one.address)),
        *(attachment.filename for attachment in letter.attachments),
        *letter.references,
        *letter.notes,
    ]


def holds(letter: Message) -> None:
    """What is true of every message."""
    for line in strings(letter):
        assert not [character for character in line if unicodedata.category(character) in ("Cc", "Zl", "Zp")]
        line.encode()
    for text in (letter.text, letter.quoted, letter.signature):
        assert not set(text) & set("\x00\r\x1b")
        text.encode()


FIELDS = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "References",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Return-Path",
]
VALUES = [
    "multipart/mixed; boundary=b",
    "message/rfc822",
    "text/html",
    "base64",
    "quoted-printable",
    "=?utf-8?B?4pi6?=",
    "<a@b>",
    "<>",
    '"',
]
PIECE = st.one_of(
    st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES) | st.text(max_size=30)).map(
        lambda pair: f"{pair[0]}: {pair[1]}\n".encode()
    ),
    st.sampled_from(
        [b"\n", b"\r\n", b"--b\n", b"--b--\n", b"> x\n", b"<div>", b"From x\n", b"Name: x\n", b"<APP>", b"BEGIN:VEVENT\n"]
    ),
    st.binary(max_size=20),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.lists(PIECE, max_size=30).map(b"".join)))
def test_any_octets_become_a_message_without_control_characters(octets: bytes) -> None:
    holds(read(octets))


@pytest.mark.parametrize("path", sorted(MAILS.glob("*.eml")), ids=lambda path: path.stem)
def test_every_odd_mail_and_any_beginning_of_it_is_read(path: Path) -> None:
    octets = path.read_bytes()
    for end in range(0, len(octets) + 1, max(1, len(octets) // 40)):
        holds(read(octets[:end]))

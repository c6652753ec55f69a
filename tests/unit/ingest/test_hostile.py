"""Mail that was made to break its reader: each is read in time that grows with its length, and says what was left out."""

import time
from collections.abc import Callable

import pytest

from tests.unit.ingest.letters import TRUST
from triaged.ingest.mime import read
from triaged.ingest.screen import screen
from triaged.message import Kind

HEAD = b"From: a@example.org\nTo: mayor@example.gov\nSubject: x\n"
SECONDS = 2.0  # most need a few hundredths, the slowest half a second here


def nested(levels: int, tail: bytes = b"") -> bytes:
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(levels))
    return HEAD + opening + b"\nhi\n" + tail + b"".join(b"--b%d--\n" % level for level in reversed(range(levels)))


def typed(media_type: bytes, body: bytes) -> bytes:
    return HEAD + b"Content-Type: " + media_type + b"\n\n" + body


MIXED = b"multipart/mixed; boundary=b"
HOSTILE: dict[str, Callable[[], bytes]] = {
    "10,000 parts": lambda: typed(MIXED, b"--b\n\nx\n" * 10_000),
    "10,000 HTML parts": lambda: typed(MIXED, b"--b\nContent-Type: text/html\n\n<p>x\n" * 10_000),
    "2,000 nested multiparts": lambda: nested(2_000),
    "30 nested multiparts around 20 MB": lambda: nested(30, (b"x" * 70 + b"\n") * 280_000),
    "2,000 nested mails": lambda: HEAD + b"Content-Type: message/rfc822\n\n" * 2_000,
    "a header of 1 MB": lambda: b"X: " + b"a" * 1_000_000 + b"\n\nx",
    "200,000 fields": lambda: b"X: a\n" * 200_000 + b"\nx",
    "2,000,000 almost-delimiters": lambda: typed(MIXED, b"--bx\n" * 2_000_000),
    "46 MB of base64": lambda: typed(
        MIXED, b"--b\n\nhi\n--b\nContent-Type: a/b\nContent-Transfer-Encoding: base64\n\n" + b"A" * 46_000_000
    ),
    "100,000 nested <div>": lambda: typed(b"text/html", b"<div>" * 100_000),
    "300,000 unfinished tags": lambda: typed(b"text/html", b"<a " * 300_000),
    "400,000 unfinished quotes": lambda: typed(b"text/html", b'<a "' * 400_000),
    "200,000 unfinished comments": lambda: typed(b"text/html", b"<!--" * 200_000),
    "500,000 times </": lambda: typed(b"text/html", b"</" * 500_000),
    "100,000 unclosed scripts": lambda: typed(b"text/html", b"<script>" * 100_000),
    "50,000 nested tables": lambda: typed(b"text/html", b"<table><tr><td>" * 50_000 + b"x</td>" * 100_000),
    "80,000 nested quotations": lambda: typed(b"text/html", b"<blockquote type=cite>x" * 80_000),
    "an attribute of 2 MB": lambda: typed(b"text/html", b"<a " + b"a" * 1_900_000 + b">"),
    "a million quoted lines": lambda: HEAD + b"\n" + b"> \n" * 1_000_000,
    "a million lines": lambda: HEAD + b"\n" + b"a\n" * 1_000_000,
    "two million empty lines": lambda: HEAD + b"\n" + b"\n" * 2_000_000,
    "600,000 colons": lambda: HEAD + b"\n" + b"a:\n" * 600_000,
    "240,000 From lines": lambda: HEAD + b"\n" + b"From: x\n" * 240_000,
    "60,000 lines of underscores": lambda: HEAD + b"\n" + b"________________________________\n" * 60_000,
    "50,000 attributions": lambda: HEAD + b"\n" + b"On 12:30 2020-01-02 a@example.org wrote:\n>\n" * 50_000,
    "500,000 signature marks": lambda: HEAD + b"\n" + b"-- \n" * 500_000,
    "50,000 notices": lambda: HEAD + b"\n" + b"intended recipient is confidential\n\n" * 50_000,
    "200,000 tags of an IQ mail": lambda: HEAD + b"\n<APP>X\n" + b"".join(b"<A%d>" % number for number in range(200_000)),
    "10,000 open encoded words": lambda: b"Subject: " + b"=?utf-8?q?" * 9_000 + b"\n\nx",
    "99,000 quotes in To": lambda: b"To: " + b'"' * 99_000 + b"@\n\nx",
    "99,000 brackets in To": lambda: b"To: " + b"<(" * 49_000 + b"@\n\nx",
    "an address of 99,000 letters": lambda: b"From: " + b"a" * 99_000 + b"@\n\nx",
    "90,000 nested comments in Auto-Submitted": lambda: HEAD + b"Auto-Submitted: " + b"(" * 90_000 + b"\n\nx",
    "nested comments in Authentication-Results": lambda: (
        HEAD + b"Authentication-Results: mx.example.gov; a=b " + b"(" * 90_000 + b"\n\nx"
    ),
    "a calendar of open quotes": lambda: typed(b"text/calendar", b"BEGIN:VEVENT\n" + b'A;B="' * 400_000),
    "3 MB of NUL": lambda: HEAD + b"\n" + b"\0" * 3_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_read_and_screened_in_time(name: str) -> None:
    octets = HOSTILE[name]()
    begun = time.process_time()
    message = read(octets)
    screen(message, TRUST)
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("10,000 parts", "it has more than 1,000 parts"),
        ("2,000 nested multiparts", "its parts are nested more than 30 deep"),
        ("2,000 nested mails", "its parts are nested more than 30 deep"),
        ("a header of 1 MB", "its header is longer than 100 KB"),
        ("200,000 fields", "its header is longer than 100 KB"),
    ],
)
def test_what_goes_over_a_limit_is_shown_to_people(name: str, why: str) -> None:
    message = read(HOSTILE[name]())
    assert message.unreadable == why
    assert screen(message, TRUST).kind is Kind.UNREADABLE


def test_a_text_over_the_limit_is_cut_and_it_is_said() -> None:
    message = read(HEAD + b"\n" + (b"x" * 79 + b"\n") * 40_000)
    assert message.notes == ("only the first 2 MB of text were read",)
    assert sum(len(part) for part in (message.text, message.quoted)) <= 2_000_000

"""Acknowledgements as mails."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from html import unescape
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases import LETTERHEAD, NOW, SIGNER, a_case, a_delivery
from triaged.message import Address, Message
from triaged.route.acknowledge import acknowledgement
from triaged.route.handoff import Case
from triaged.route.wording import Facts, Wordings

FIELDS = ["From", "To", "Subject", "Date", "Message-ID", "X-Triaged-Loop", "X-Triaged-Delivery", "In-Reply-To", "References",
          "Auto-Submitted", "X-Auto-Response-Suppress", "Content-Language", "MIME-Version", "Content-Type",
          "Content-Transfer-Encoding"]  # fmt: skip
TO = a_delivery("acknowledge", "writer@example.org")


@cache
def wordings(languages: tuple[str, ...]) -> Wordings:
    """Return the texts that ship; read once for all tests."""
    return Wordings(languages)


def compose(case: Case, languages: tuple[str, ...] = ("en", "es")) -> EmailMessage:
    """Compose an acknowledgement and read it as another program does."""
    facts = Facts(case.record.reference, case.office, case.record.due, "+1 212 555 0100")
    octets = acknowledgement(case, TO, LETTERHEAD, wordings(languages).choose(case.record.language, facts), NOW)
    assert octets.isascii()
    return message_from_bytes(octets, policy=default)


def text_of(mail: EmailMessage) -> str:
    """Return the text part."""
    return str(cast(EmailMessage, mail.get_body(("plain",))).get_content()).replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    """Return the HTML part."""
    return str(cast(EmailMessage, mail.get_body(("html",))).get_content()).replace("\r\n", "\n")


def test_it_says_to_every_machine_that_a_machine_wrote_it() -> None:
    mail = compose(a_case())
    assert mail.keys() == FIELDS
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["In-Reply-To"] == "<letter@example.org>"
    assert mail["References"] == "<first@example.org> <letter@example.org>"
    assert mail["Message-ID"] == mail["X-Triaged-Delivery"] == TO.message_id
    assert SIGNER.is_own_loop_header(mail["X-Triaged-Loop"])
    assert not mail.defects


def test_a_draft_follows_the_default_and_is_marked_in_both_languages() -> None:
    mail = compose(a_case())
    text = text_of(mail)
    assert mail["Subject"] == "We have your message / Hemos recibido su mensaje [MAY-2026-000123]"
    assert mail["Content-Language"] == "en, es"
    default_text, draft = text.split("————————————————————")
    assert default_text.startswith("Thank you for your message.")
    assert "December 1, 2026" in default_text
    assert draft.strip().startswith("Esta es una traducción provisional.")
    assert "This is a draft translation." in draft
    assert "1 de diciembre de 2026" in draft


def test_an_english_writer_gets_english_only() -> None:
    mail = compose(a_case(language="en"))
    assert mail["Subject"] == "We have your message [MAY-2026-000123]"
    assert "draft" not in text_of(mail)


@pytest.mark.parametrize("language", ["es", "ar", "ur", "zh-Hans", "en"])
def test_text_and_html_have_the_same_words(language: str) -> None:
    mail = compose(a_case(language=language), ("en", language))
    body = html_of(mail).partition("<body>")[2].replace("<hr>", "—" * 20)
    words = unescape(re.sub(r"<[^>]+>", " ", body)).split()
    assert words == re.sub("[\u2068\u2069]", " ", text_of(mail)).split()


def test_html_names_language_and_direction_and_loads_nothing() -> None:
    page = html_of(compose(a_case(language="ar"), ("en", "ar")))
    assert '<html lang="en" dir="ltr">' in page
    assert '<div lang="ar" dir="rtl">' in page
    assert "<bdi>MAY-2026-000123</bdi>" in page
    assert not re.search(r"(?i)<(img|script|link|style|form|iframe)|https?:|url\(", page)


@given(
    subject=st.text(max_size=200),
    text=st.text(min_size=6, max_size=200),
    name=st.text(max_size=80),
    message_id=st.text(max_size=80),
    references=st.lists(st.text(max_size=40), max_size=40),
)
def test_nothing_of_the_writers_words_comes_back(
    subject: str, text: str, name: str, message_id: str, references: list[str]
) -> None:
    message = Message(message_id=message_id, references=tuple(references), subject=subject, text=text)
    hostile = a_case(message=message, subject=subject, sender=Address(name, "writer@example.org"))
    plain = a_case(message=Message(message_id=message_id, references=tuple(references)))
    assert text_of(compose(hostile)) == text_of(compose(plain))
    assert compose(hostile)["Subject"] == compose(plain)["Subject"]
    assert set(compose(hostile).keys()) <= set(FIELDS)


def test_many_references_are_cut_to_the_latest() -> None:
    message = Message(message_id="<last@x>", references=tuple(f"<{n}@x>" for n in range(500)))
    assert compose(a_case(message=message))["References"].split() == [*(f"<{n}@x>" for n in range(480, 500)), "<last@x>"]


def test_without_a_date_none_is_promised() -> None:
    assert "We will get back to you." in text_of(compose(a_case(due=None, language="en")))

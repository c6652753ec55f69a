import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import SHARED, message
from triaged.ingest.form import fields, letter, writer_of_form
from triaged.message import Address, Message


@pytest.mark.parametrize(
    ("name", "writer", "text"),
    [
        (
            "web-form-english",
            Address("John O'Neil", "john@example.org"),
            "Rats\n\nThere are rats in the basement.\nThey come at night: every night.\n\nPlease send someone.",
        ),
        ("web-form-spanish-table", Address("Ana López", "ana@example.org"), "No hay agua caliente desde el lunes."),
        (
            "web-form-french-letter-without-key",
            Address("Marie Côté", "marie@example.org"),
            "Madame,\nmon propriétaire coupe le chauffage.",
        ),
        ("iq-tagged", Address("Lena Beispiel", "lena@example.org"), "Water & heat are out <again>."),
    ],
)
def test_a_form_names_its_writer_and_its_free_text_is_the_letter(name: str, writer: Address, text: str) -> None:
    form = message(name)
    assert writer_of_form(form) == writer
    assert form.text == text


@pytest.mark.shared
@pytest.mark.parametrize("name", ["custom_template.txt", "sccmail_sample.txt"])
def test_the_published_iq_samples_are_read(name: str) -> None:
    path = SHARED / "handoff/iq" / name
    if not path.exists():
        pytest.skip(f"../shared/handoff/iq/{name} is not there")
    form = fields(path.read_text(encoding="utf-8"))
    keys = [key for key, _ in form]
    assert {"APP", "FIRST", "LAST", "EMAIL", "MSG"} <= set(keys)
    assert dict(form)["MSG"] in letter(form)
    assert writer_of_form(Message(form=form)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Dear Mayor,\nI need: heat\nalso: rats\nand: noise",
        "Dear Mayor,\n\nthe heat is off.\n\nName: John Doe\nAddress: 5 Elm\nPhone: 555",
        "From: Ana\nTo: Office\nSubject: x\nDate: today\n\nhello",
        "Monday: no heat\nTuesday: no heat\nWednesday: no heat",
        "NAME: ________\nCOMPANY: _______\nADDRESS: ______",
        "The heat is off.",
        "",
    ],
)
def test_a_letter_with_colons_is_no_form(text: str) -> None:
    assert fields(text) == ()


def test_a_form_without_free_text_tells_what_is_not_about_the_writer() -> None:
    form = fields("Name: Ana\nEmail: ana@example.org\nStreet light: broken\nPole number: 12\nPhone: 555")
    assert letter(form) == "Street light: broken\nPole number: 12"


def test_a_form_whose_fields_say_nothing_keeps_its_whole_text() -> None:
    text = "Name: Ana\nEmail: ana@example.org\nPhone: 555"
    assert letter(fields(text)) == ""


def test_values_run_over_lines() -> None:
    form = fields("Name: Ana\nAddress: 22 Oak\nApt 3\nEmail: a@example.org\nPlease describe:\n\nno heat\nat all")
    assert form == (
        ("Name", "Ana"),
        ("Address", "22 Oak\nApt 3"),
        ("Email", "a@example.org"),
        ("Please describe", "no heat\nat all"),
    )


@pytest.mark.parametrize("text", ["<APP>X", "<APP>X\n<A>1</A>", "<APP><APP><APP>", "<APP>X\n<A>1<B>2</A></B>"])
def test_broken_tags_are_no_form(text: str) -> None:
    assert fields(text) == ()


def test_a_form_without_an_address_names_nobody() -> None:
    assert writer_of_form(Message(form=(("Name", "Ana"), ("Email", "none")))) is None
    assert writer_of_form(Message()) is None


@given(st.text(alphabet="Name:\n <AP>/EmailM@\t", max_size=120))
def test_any_text_is_looked_at_without_raising(text: str) -> None:
    letter(fields(text))

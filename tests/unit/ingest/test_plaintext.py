import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import message
from triaged.ingest.plaintext import clean, is_stub, unflow


def test_softly_broken_lines_are_joined_and_hard_ones_kept() -> None:
    flowed = "one \ntwo\nthree\n> quoted \n> on\n>> deeper \n> less\n-- \nRosa \nDiaz"
    assert unflow(flowed) == "one two\nthree\n> quoted on\n>> deeper \n> less\n-- \nRosa Diaz"


def test_stuffed_spaces_and_deleted_spaces_are_no_part_of_the_text() -> None:
    assert unflow(" From here\n  two") == "From here\n two"
    assert unflow("col \nlected", delete_space=True) == "collected"
    assert message("format-flowed-delsp").text == "The garbage was not collected on Monday."


@given(st.lists(st.text(alphabet="> ab-", max_size=8), max_size=10))
def test_unflowing_loses_no_letter(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert [letter for letter in unflow(text) if letter in "ab-"] == [letter for letter in text if letter in "ab-"]


@pytest.mark.parametrize(
    ("raw", "text", "odd"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd", ""),
        ("a\tb\x1b[31mc\ufeff", "a\tb[31mc", ""),
        ("a\x00b", "ab", "a few NUL characters were dropped"),
        ("\x00a" * 10, "", "a text part is binary"),
    ],
)
def test_control_characters_are_dropped_and_binary_is_no_text(raw: str, text: str, odd: str) -> None:
    assert clean(raw) == (text, odd)


@pytest.mark.parametrize(
    ("text", "stub"),
    [
        ("", True),
        (" \n", True),
        ("Your email client does not support HTML.", True),
        ("This message is in HTML format", True),
        ("View this email in your browser: https://example.org", True),
        ("The elevator is broken.", False),
        ("The library's web site shows bare HTML to everybody since Monday. " * 6, False),
    ],
)
def test_a_stub_only_points_to_the_html(text: str, stub: bool) -> None:
    assert is_stub(text) is stub

"""Acknowledgement texts."""

import re
from datetime import date
from pathlib import Path

import pytest

from triaged.route.wording import SHIPPED, Facts, WordingError, Wordings, direction, in_words

CODES = ("en", "es", "zh-Hans", "zh-Hant", "ru", "bn", "ht", "ko", "ar", "ur", "fr", "pl", "fr-CA")
FACTS = Facts("MAY-2026-000123", "Office of the Mayor", date(2026, 12, 1), "+1 212 555 0100")
SHARED = Path(__file__).parents[3] / "../shared/handoff/languages.yaml"


def own(folder: Path, name: str, text: str) -> Path:
    """Write an office's own text."""
    file = folder / f"{name}.txt.j2"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("code", CODES)
def test_every_language_says_reference_date_and_danger_line_in_latin_digits(code: str) -> None:
    (wording,) = Wordings((code,)).choose(code, FACTS)
    for said in ("MAY-2026-000123", "Office of the Mayor", "911", "+1 212 555 0100", "2026"):
        assert said in wording.text
    assert all(letter in "0123456789" for letter in wording.text if letter.isdigit())
    assert wording.subject
    assert wording.draft
    assert ".." not in wording.text


@pytest.mark.parametrize("code", CODES)
def test_every_language_has_a_sentence_for_no_date_and_is_silent_about_no_phone(code: str) -> None:
    (wording,) = Wordings((code,)).choose(code, Facts("MAY-2026-000123", "Office", None))
    (dated,) = Wordings((code,)).choose(code, Facts("MAY-2026-000123", "Office", date(2026, 12, 1)))
    assert "2026" not in wording.text.replace("MAY-2026-000123", "")
    assert wording.text.count("\n\n") == dated.text.count("\n\n") == 4
    assert "\n\n\n" not in wording.text


@pytest.mark.parametrize("code", CODES)
def test_no_shipped_text_claims_a_review(code: str) -> None:
    (wording,) = Wordings((code,)).choose(code, FACTS)
    assert wording.reviewed_by == ""


@pytest.mark.shared
def test_the_languages_that_ship_are_those_of_the_office() -> None:
    if not SHARED.exists():
        pytest.skip("the data kept beside the project (languages.yaml) is not here")
    codes = re.findall(r"code: ([A-Za-z-]+)", SHARED.read_text("utf-8"))
    assert sorted(codes) == sorted(CODES) == sorted(file.name.removesuffix(".txt.j2") for file in SHIPPED.iterdir())


def test_a_draft_comes_second_after_the_default() -> None:
    assert [wording.language for wording in Wordings(("en", "es")).choose("es", FACTS)] == ["en", "es"]


@pytest.mark.parametrize("language", ["en", "und", "", "fi", "fr", "../../etc/passwd"])
def test_the_default_alone_serves_its_own_readers_and_languages_that_the_office_does_not_send(language: str) -> None:
    assert [wording.language for wording in Wordings(("en", "es")).choose(language, FACTS)] == ["en"]


@pytest.mark.parametrize(
    ("language", "offered", "chosen"),
    [("fr", "fr-CA", "fr-CA"), ("fr-CA", "fr", "fr"), ("zh", "zh-Hant", "zh-Hant"), ("zh-Hans", "zh-Hant", None)],
)
def test_a_language_is_served_by_one_that_is_less_or_more_exact(language: str, offered: str, chosen: str | None) -> None:
    chosen_ones = [wording.language for wording in Wordings(("en", offered)).choose(language, FACTS)]
    assert chosen_ones == (["en", chosen] if chosen else ["en"])


def test_a_reviewed_text_of_the_office_goes_out_alone(tmp_path: Path) -> None:
    text = "---\nreviewed_by: M. Ruiz, 2026-11-02\nsubject: Gracias\ndraft: borrador\n---\nGracias. {{ reference }}\n"
    (wording,) = Wordings(("en", "es"), own(tmp_path, "es", text)).choose("es", FACTS)
    assert (wording.subject, wording.text, wording.reviewed_by) == (
        "Gracias",
        "Gracias. MAY-2026-000123",
        "M. Ruiz, 2026-11-02",
    )


def test_a_text_that_a_rule_names_is_taken_from_its_folder(tmp_path: Path) -> None:
    own(tmp_path, "scheduling/en", "---\nreviewed_by: null\nsubject: Your invitation\ndraft:\n---\nWe will look at it.\n")
    (wording,) = Wordings(("en", "es"), tmp_path).choose("es", FACTS, "scheduling")
    assert wording.subject == "Your invitation"


@pytest.mark.parametrize("name", ["gone", "../secret", "a/b", "."])
def test_a_named_text_that_is_not_there_is_an_error_and_not_another_text(tmp_path: Path, name: str) -> None:
    with pytest.raises(WordingError):
        Wordings(("en",), tmp_path).choose("en", FACTS, name)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("Hello", 1, "does not begin with a line ---"),
        ("---\nsubject: x\n", 1, "another"),
        ("---\nreviewed_by: null\nsubject: x\nlanguage: en\n---\n", 4, "'language: en'"),
        ("---\nreviewed_by: null\ndraft: x\n---\n", 1, "lack subject"),
        ("---\nreviewed_by:\nsubject:\ndraft:\n---\n", 1, "lack subject"),
        ("---\nreviewed_by: null\nsubject: x\ndraft:\n---\nfine\n{% if by %}", 7, "Unexpected end"),
        ("---\nreviewed_by: null\nsubject: x\ndraft:\n---\n{{ topic }}", 0, "'topic' is undefined"),
        ("---\nreviewed_by: null\nsubject: x\ndraft:\n---\n{{ ''.__class__.__mro__ }}", 0, "unsafe"),
        ("---\nreviewed_by: null\nsubject: x\ndraft:\n---\n{{ 1 / 0 }}", 0, "division by zero"),
    ],
)
def test_a_broken_text_names_file_line_and_fault(tmp_path: Path, text: str, line: int, why: str) -> None:
    wordings = Wordings(("en",), own(tmp_path, "en", text))
    with pytest.raises(WordingError, match=re.escape(why)) as caught:
        wordings.choose("en", FACTS)
    assert (caught.value.file, caught.value.line) == (tmp_path / "en.txt.j2", line)
    assert wordings.check()[0].startswith(str(tmp_path / "en.txt.j2"))


def test_a_text_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "en.txt.j2").write_bytes(b"---\n\xff")
    with pytest.raises(WordingError, match="cannot be read"):
        Wordings(("en",), tmp_path).choose("en", FACTS)


def test_the_check_fills_in_every_text() -> None:
    assert Wordings(CODES).check() == []
    assert len(Wordings(("en", "fi")).check()) == 1


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("en", "December 1, 2026"), ("es", "1 de diciembre de 2026"), ("fr", "1er décembre 2026"), ("ht", "1 desanm 2026"),
        ("zh-Hans", "2026年12月1日"), ("pl", "1 grudnia 2026"), ("xx", "2026-12-01"),
    ],
)  # fmt: skip
def test_dates_are_written_as_the_language_does(code: str, written: str) -> None:
    assert in_words(date(2026, 12, 1), code) == written


def test_arabic_and_urdu_run_from_right_to_left_and_keep_the_reference_whole() -> None:
    for code in ("ar", "ur"):
        (wording,) = Wordings((code,)).choose(code, FACTS)
        assert wording.direction == direction(code) == "rtl"
        assert "\u2068MAY-2026-000123\u2069" in wording.text
    (english,) = Wordings(("en",)).choose("en", FACTS)
    assert english.direction == "ltr"
    assert "\u2068" not in english.text

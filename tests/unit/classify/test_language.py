"""Languages: short texts, near neighbours, and the answer "unknown"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.classify.language import identify, parts


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("There is no heat in my building", "en"),
        ("No hay calefacción en mi edificio", "es"),
        ("Il n'y a pas de chauffage chez moi", "fr"),
        ("Pa gen chofaj lakay mwen", "ht"),
        ("Nie ma ogrzewania w moim mieszkaniu", "pl"),
        ("В моей квартире нет отопления", "ru"),
        ("我的公寓没有暖气", "zh-Hans"),
        ("我的公寓沒有暖氣", "zh-Hant"),
        ("우리 집에 난방이 안 됩니다", "ko"),
        ("لا توجد تدفئة في شقتي", "ar"),
        ("میرے اپارٹمنٹ میں ہیٹنگ نہیں ہے", "ur"),
        ("আমার বাসায় হিটিং নেই", "bn"),
    ],
)
def test_each_language_is_known(text: str, code: str) -> None:
    assert identify(text)[0] == code


@pytest.mark.parametrize(
    "text", ["", "12345", "ok", "https://example.org/a/b", "Στην πόλη μας δεν υπάρχει θέρμανση", "暖房がありません"]
)
def test_unknown_is_an_answer(text: str) -> None:
    assert identify(text)[0] == "und"


def test_a_letter_in_two_languages_has_two_parts() -> None:
    found = parts("There is no heat in my apartment since Monday.\n\nNo hay calefacción en mi apartamento desde el lunes.")
    assert [part.language for part in found] == ["en", "es"]


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    code, probability = identify(text)
    assert code
    assert 0 <= probability <= 1

"""Comparing texts as a clerk reads them."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triaged.rules.words import fold, has_word, spell

WORD = st.text(st.characters(categories=("Ll", "Lu", "Nd")), min_size=1, max_size=8).filter(lambda word: spell(word).strip())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("An EVICTION Notice came", "eviction notice"),
        ("eviction\nnotice", "eviction notice"),
        ("eviction-notice", "eviction notice"),
        ("l’avis d’expulsion", "avis d'expulsion"),
        ("l’avis d’expulsion", "expulsion"),
        ("violencia doméstica", "VIOLENCIA DOMESTICA"),
        ("violencia dome\u0301stica", "doméstica"),
        ("the marshal's van", "marshal"),
        ("Straße", "STRASSE"),
        ("sans abri", "sans-abri"),
        ("evic\u00adtion", "eviction"),
        ("Свет отключён", "отключен"),
        ("رسالة عن الإخلاء", "الاخلاء"),
        ("call ٩١١ now", "911"),
        ("我收到了驱逐通知怎么办", "驱逐通知"),
        ("강제퇴거를 당했습니다", "강제퇴거"),
        ("\u1100\u1161\u11bc제퇴거", "강제퇴거"),
        ("โดนไล่ออกจากบ้าน", "ไล่ออก"),
        ("MTA-Bus", "bus"),
    ],
)
def test_a_word_is_found_as_people_write_it(text: str, word: str) -> None:
    assert has_word(spell(text), spell(word))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("marshalling yard", "marshal"),
        ("unheated", "heat"),
        ("notice of eviction", "eviction notice"),
        ("the busy street", "bus"),
        ("9110", "911"),
        ("ordenado", "orden"),
        ("驱逐的通知", "驱逐通知"),
    ],
)
def test_a_part_of_a_word_is_not_the_word(text: str, word: str) -> None:
    assert not has_word(spell(text), spell(word))


@given(WORD, WORD, WORD)
def test_a_word_between_others_is_always_found(before: str, word: str, after: str) -> None:
    assert has_word(spell(f"{before} {word}, {after}"), spell(word))
    assert has_word(spell(f"({word})"), spell(word))


@given(st.text(st.characters(categories=("Lu", "Ll", "Lt", "Zs", "Po"))))
@example("ǰ")
def test_capitals_make_no_difference(text: str) -> None:
    assert fold(text.upper()) == fold(text.upper().lower())


@given(st.text())
@example("㉮ﾡￂ")
def test_folding_twice_changes_nothing_and_leaves_one_blank_between_words(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert "  " not in folded
    assert folded == folded.strip()


@pytest.mark.parametrize("marks", ["\u0591\u05c1\u0301", "\u0323\u0301", "\u064b\u0670\u0655", "\ufdfa", "a\u0301 "])
def test_no_text_takes_longer_than_its_length_explains(marks: str) -> None:
    """`unicodedata.normalize` needs half a minute for some of these."""
    text = "a" + marks * (150_000 // len(marks))
    started = time.process_time()
    spell(text)
    assert time.process_time() - started < 3

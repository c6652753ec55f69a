import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triaged.ingest.charset import codec, decode


@pytest.mark.parametrize(
    ("named", "text"),
    [
        ("utf-8", "naïve — 市長"),
        ("UTF8", "naïve"),
        ("iso-8859-1", "“quoted” – in fact cp1252"),
        ("latin1", "“quoted”"),
        ("gb2312", "朱镕基，市長"),
        ("ks_c_5601-1987", "똠방각하"),
        ("euc-kr", "똠방각하"),
        ("big5", "市長先生"),
        ("windows-1251", "Нет отопления"),
        ("koi8-r", "Нет отопления"),
        ("windows-1256", "لا توجد تدفئة"),
        ("iso-8859-2", "Brak ogrzewania, źle"),
    ],
)
def test_a_declared_charset_is_read_also_by_its_other_names(named: str, text: str) -> None:
    python_name = codec(named)
    assert python_name is not None
    assert decode(text.encode(python_name), named) == (text, "")


def test_octets_that_belie_their_charset_are_read_as_utf_8_then_as_cp1252_and_it_is_said() -> None:
    assert decode("café".encode(), "us-ascii") == ("café", "charset us-ascii was wrong, read as utf-8")
    assert decode("“café”".encode("cp1252"), "us-ascii") == ("“café”", "charset us-ascii was wrong, read as cp1252")
    assert decode("café".encode(), "x-martian") == ("café", "charset x-martian is not known, read as utf-8")
    assert decode("café".encode()) == ("café", "no charset was named, read as utf-8")


def test_a_few_broken_letters_do_not_make_a_whole_text_another_charset() -> None:
    text = "Отопление не работает уже неделю. " * 4
    decoded, odd = decode(text.encode() + b"\xd0", "utf-8")
    assert decoded.startswith(text)
    assert odd == "some letters were not utf-8 and are lost"


@given(st.binary(max_size=100))
def test_what_stands_below_does_not_garble_the_lines_above(below: bytes) -> None:
    for named in ("utf-8", ""):
        assert decode("D’accord, répondu à la dame\n".encode() + below, named)[0].startswith("D’accord, répondu à la dame\n")


@pytest.mark.parametrize(
    "named", ["unicode_escape", "punycode", "idna", "hex", "rot13", "raw_unicode_escape", "undefined", "\0", "mbcs"]
)
def test_codecs_of_python_that_are_no_charsets_of_mail_are_refused(named: str) -> None:
    assert codec(named) is None
    assert decode(b"\\u0041", named)[0] == "\\u0041"


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_byte_order_mark_outranks_the_declared_charset(mark: bytes) -> None:
    encoding = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}[mark]
    assert decode(mark + "heat".encode(encoding), "us-ascii") == ("heat", "")


@given(
    st.binary(max_size=300),
    st.one_of(st.text(max_size=30), st.sampled_from(["utf-7", "utf-16", "hz", "iso-2022-kr", "gb18030"])),
)
def test_any_octets_under_any_name_become_text_that_can_be_stored(octets: bytes, named: str) -> None:
    decode(octets, named)[0].encode("utf-8")

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import message
from triaged.ingest import headers
from triaged.message import Address


def ignore(_: str) -> None: ...


def addresses(raw: str) -> list[tuple[str, str]]:
    return [(one.name, one.address) for one in headers.addresses(raw, ignore)]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?Q?caf=C3=A9?=", "café"),
        ("=?UTF-8?B?Y2Fmw6k=?= noise", "café noise"),
        ("=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        ("=?utf-8?Q?a?=\n =?iso-8859-1?Q?=E9?=", "aé"),
        ("=?utf-8?Q?a?= and =?utf-8?Q?b?=", "a and b"),
        ("x=?utf-8?Q?=C3=A9?=y", "xéy"),
        ("=?utf-8*en?Q?hi?=", "hi"),
        ("=?utf-8?Q?with space?=", "with space"),
        ("=?utf-8?Q?What?_now?=", "What? now"),
        ("=?utf-8?B?@@@@?=", ""),
        ("=?utf-8?X?a?=", "=?utf-8?X?a?="),
        ("=?nonsense?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?Q?broken", "=?utf-8?Q?broken"),
    ],
)
def test_encoded_words_are_decoded_wherever_mailers_put_them(raw: str, text: str) -> None:
    assert headers.decode_words(raw) == text


def test_a_letter_cut_in_two_between_encoded_words_is_made_whole() -> None:
    assert message("encoded-word-cut-inside-a-letter").subject == "Pas de chauffé depuis"


def test_a_line_break_hidden_in_an_encoded_word_makes_no_new_field() -> None:
    subject = message("encoded-word-hides-a-line-break").subject
    assert subject == "No heat Bcc: victim@example.org"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("rosa@example.org", [("", "rosa@example.org")]),
        ("Rosa Diaz <rosa@example.org>", [("Rosa Diaz", "rosa@example.org")]),
        ('"Diaz, Rosa" <rosa@example.org>, b@example.org', [("Diaz, Rosa", "rosa@example.org"), ("", "b@example.org")]),
        ('"Rosa \\"R\\" Diaz" <rosa@example.org>', [('Rosa "R" Diaz', "rosa@example.org")]),
        ("rosa@example.org (Rosa Diaz)", [("Rosa Diaz", "rosa@example.org")]),
        ("Block: a@example.org, b@example.org;", [("", "a@example.org"), ("", "b@example.org")]),
        ("undisclosed-recipients:;", []),
        ("<@relay.example,@other.example:rosa@example.org>", [("", "rosa@example.org")]),
        ("=?utf-8?Q?Mayor_=3Cmayor=40example.gov=3E?= <e@example.org>", [("Mayor <mayor@example.gov>", "e@example.org")]),
        ('"=?iso-8859-1?Q?D=EDaz?=" <rosa@example.org>', [("Díaz", "rosa@example.org")]),
        ("=?utf-8?Q?Rosa_=3Crosa=40example.org=3E?=", [("Rosa", "rosa@example.org")]),
        ('Rosa "R <rosa@example.org>', [("", "rosa@example.org")]),
        ("Rosa (unclosed <rosa@example.org>", [("", "rosa@example.org")]),
        ('"odd local"@example.org', [("", '"odd local"@example.org')]),
        ("Rosa; b@example.org", [("", "b@example.org")]),
        ("nobody", []),
        ('"', []),
        ("<>", []),
        ("", []),
    ],
)
def test_address_lists_are_read_as_their_writers_meant_them(raw: str, expected: list[tuple[str, str]]) -> None:
    assert addresses(raw) == expected


def test_a_name_never_forges_an_address() -> None:
    assert message("encoded-name-holds-another-address").sender.address == "rosa@example.org"


def test_at_most_a_thousand_addresses_are_read_and_it_is_said() -> None:
    notes: list[str] = []
    found = headers.addresses("a@example.org, " * 1_500, notes.append)
    assert (len(found), notes) == (1_000, ["1500 addresses in one field, the first 1000 were read"])


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("Mon, 23 Nov 2026 09:00:00 -0500", datetime(2026, 11, 23, 14, tzinfo=UTC)),
        ("23 Nov 2026 09:00:00 GMT", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 09:00:00 -0000", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("Mon, 23 Nov 2026 09:00", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("Thu, 31 Feb 2026 25:61:00 +9900", None),
        ("yesterday", None),
        ("", None),
        ("Mon, 23 Nov 9026 09:00:00 +0000", None),
        ("Thu, 01 Jan 1900 00:00:00 +0000", None),
    ],
)
def test_dates_come_out_in_utc_or_not_at_all(raw: str, moment: datetime | None) -> None:
    assert headers.date(raw) == moment


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        ("<a@b> <c@d>", ("<a@b>", "<c@d>")),
        ("<a@b>\n <a@b>", ("<a@b>",)),
        ("a@b", ("<a@b>",)),
        ("<[x@y]>", ("<[x@y]>",)),
        ("no id", ()),
        ("", ()),
    ],
)
def test_message_ids_come_out_in_brackets_and_once(raw: str, ids: tuple[str, ...]) -> None:
    assert headers.message_ids(raw) == ids


@pytest.mark.parametrize(("raw", "path"), [("<>", ""), ("<a@b>", "a@b"), ("a@b", "a@b"), (" <a@b> (x)", "a@b"), ("", "")])
def test_a_null_return_path_is_told_from_an_address(raw: str, path: str) -> None:
    assert headers.return_path(raw) == path


@given(st.text())
def test_one_line_has_no_control_characters(text: str) -> None:
    line = headers.one_line(text)
    assert not [letter for letter in line if unicodedata.category(letter) in ("Cc", "Zl", "Zp")]


@given(st.text(alphabet='<>@,;:()"\\ ab=?qQ.é', max_size=80))
def test_any_address_field_is_read_without_raising(raw: str) -> None:
    for one in headers.addresses(raw, ignore):
        assert isinstance(one, Address)
        assert "@" in one.address
        assert not set(one.address) & set("\r\n<> ") or one.address.startswith('"')
    headers.date(raw)
    headers.message_ids(raw)
    headers.return_path(raw)

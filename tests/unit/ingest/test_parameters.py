import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ingest.letters import message
from triaged.ingest.parameters import media_type, parse


@pytest.mark.parametrize(
    ("raw", "value", "name", "text"),
    [
        ("text/plain; charset=utf-8", "text/plain", "charset", "utf-8"),
        ('Text/Plain; CHARSET="utf-8"', "text/plain", "charset", "utf-8"),
        ('a/b; boundary="x;y=z"', "a/b", "boundary", "x;y=z"),
        ("a/b; boundary = x ; c=d", "a/b", "boundary", "x"),
        ("attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf", "attachment", "filename", "résumé.pdf"),
        ("attachment; filename*1=b.pdf; filename*0=a", "attachment", "filename", "ab.pdf"),
        ("attachment; filename*0*=utf-8'fr'%C3; filename*1*=%A9.pdf", "attachment", "filename", "é.pdf"),
        ("attachment; filename*=nonsense''caf%C3%A9", "attachment", "filename", "café"),
        ("attachment; filename=plain.pdf; filename*=utf-8''%C3%A9.pdf", "attachment", "filename", "é.pdf"),
        ('attachment; filename="=?utf-8?Q?l=C3=B6sung.pdf?="', "attachment", "filename", "lösung.pdf"),
        ('attachment; filename="a\\"b.pdf"', "attachment", "filename", 'a"b.pdf'),
        ('attachment; filename="never closed', "attachment", "filename", "never closed"),
        ("attachment; filename=first.pdf; filename=second.pdf", "attachment", "filename", "first.pdf"),
        ("text/plain", "text/plain", "charset", ""),
    ],
)
def test_parameters_are_read_in_every_spelling(raw: str, value: str, name: str, text: str) -> None:
    field = parse(raw)
    assert (field.value, field[name]) == (value, text)


def test_file_names_lose_their_folders_and_control_characters() -> None:
    names = [attachment.filename for attachment in message("file-names-of-all-kinds").attachments]
    assert names == ["réclamation finale.pdf", "lösung.pdf", "evil.png"]


@pytest.mark.parametrize(
    ("value", "expected"), [("text/html", "text/html"), ("text/plain charset=x", "text/plain"), ("text", "a/b"), ("", "a/b")]
)
def test_a_broken_media_type_falls_back(value: str, expected: str) -> None:
    assert media_type(value, "a/b") == expected


@given(st.text(alphabet=";=*\"'\\ a0%\n", max_size=60))
def test_any_value_is_read_without_raising(raw: str) -> None:
    parse(raw)

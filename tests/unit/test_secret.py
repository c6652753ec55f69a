from pathlib import Path

import pytest

from triaged import secret
from triaged.config import Secret
from triaged.secret import SecretError


def test_a_systemd_credential_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "mayor-imap").write_text("s3cret")
    assert secret.read(Secret("credential", "mayor-imap"), Path("/"), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "s3cret"


def test_an_environment_variable_is_read() -> None:
    assert secret.read(Secret("env", "IMAP_PASSWORD"), Path("/"), {"IMAP_PASSWORD": "s3cret"}) == "s3cret"


def test_a_file_is_looked_for_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret")
    assert secret.read(Secret("file", "password"), tmp_path, {}) == "s3cret"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("word\n", "word"),
        ("word\r\n", "word"),
        (" two  words \n", " two  words "),
        ("ünï\u3000çödé\u00a0", "ünï\u3000çödé\u00a0"),
    ],
)
def test_one_line_end_is_taken_off_and_nothing_else(tmp_path: Path, written: str, read: str) -> None:
    (tmp_path / "password").write_bytes(written.encode())
    assert secret.read(Secret("file", "password"), tmp_path, {}) == read


@pytest.mark.parametrize("written", [b"", b"\n", b"one\ntwo\n", b"one\n\n", b"a\r\nb", b"nul\0", b"\xff\xfe", b"x" * 65_537])
def test_what_can_be_no_password_is_refused_and_not_repeated(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "password").write_bytes(written)
    with pytest.raises(SecretError) as caught:
        secret.read(Secret("file", "password"), tmp_path, {})
    assert str(tmp_path / "password") in str(caught.value)
    assert "one" not in str(caught.value).replace("more than one line", "")


@pytest.mark.parametrize(
    ("wanted", "environ", "looked_at"),
    [
        (Secret("env", "IMAP_PASSWORD"), {}, "environment variable IMAP_PASSWORD"),
        (Secret("file", "nothing/here"), {}, "nothing/here"),
        (Secret("credential", "mayor"), {}, "$CREDENTIALS_DIRECTORY"),
        (Secret("credential", "mayor"), {"CREDENTIALS_DIRECTORY": "/run/credentials/none"}, "/run/credentials/none/mayor"),
        (Secret("credential", "../shadow"), {"CREDENTIALS_DIRECTORY": "/run/credentials/x"}, "/run/credentials/x"),
    ],
)
def test_the_error_says_where_it_was_looked_for(wanted: Secret, environ: dict[str, str], looked_at: str) -> None:
    with pytest.raises(SecretError) as caught:
        secret.read(wanted, Path("/srv"), environ)
    assert looked_at in str(caught.value)
    assert caught.value.name == wanted.name

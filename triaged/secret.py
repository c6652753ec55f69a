"""Passwords and tokens, read at the moment of use from where the administrator put them; never kept, never logged."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from triaged.config import Secret

MAX_OCTETS: Final = 65_536


class SecretError(Exception):
    """A secret is not where the settings say.

    Attributes:
        name: The credential's, variable's or file's name.
        looked_at: Where we looked, in words for the administrator.
    """

    def __init__(self, name: str, looked_at: str, found: str) -> None:
        super().__init__(f"secret {name!r}: looked at {looked_at}: {found}")
        self.name = name
        self.looked_at = looked_at


def read(secret: "Secret", base: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Return the secret, without the one newline that editors and `echo` put at its end.

    Args:
        secret: Where it lies: a systemd credential, an environment variable, or a file.
        base: The folder that a relative file name starts from.
        environ: The environment.

    Raises:
        SecretError: It is missing, unreadable, empty, too long, not UTF-8, or has more than one line.
    """
    looked_at, text = _look(secret, base, environ)
    return _one_line(secret.name, looked_at, text)


def read_text(secret: "Secret", base: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Return a secret of several lines: a key, a certificate, a JSON key file.

    Raises:
        SecretError: It is missing, unreadable, empty, too long, or not UTF-8.
    """
    looked_at, text = _look(secret, base, environ)
    if not text.strip():
        raise SecretError(secret.name, looked_at, "it is empty")
    if len(text) > MAX_OCTETS:
        raise SecretError(secret.name, looked_at, f"it is longer than {MAX_OCTETS} octets")
    return text


def _look(secret: "Secret", base: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return where we looked, in words, and what stands there."""
    if secret.source == "env":
        looked_at = f"the environment variable {secret.name}"
        if secret.name not in environ:
            raise SecretError(secret.name, looked_at, "it is not set")
        return looked_at, environ[secret.name]
    path = _credential(secret.name, environ) if secret.source == "credential" else base / secret.name
    try:
        with path.open("rb") as file:
            return str(path), file.read(MAX_OCTETS + 1).decode("utf-8")
    except OSError as error:
        raise SecretError(secret.name, str(path), error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise SecretError(secret.name, str(path), "it is not UTF-8 text") from error


def _credential(name: str, environ: Mapping[str, str]) -> Path:
    """systemd.exec(5): LoadCredential= puts files into the folder that $CREDENTIALS_DIRECTORY names."""
    folder = environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        found = "it is not set; the unit needs LoadCredential=, or use { env = … } or { file = … }"
        raise SecretError(name, "$CREDENTIALS_DIRECTORY", found)
    if "/" in name or name in {"", ".", ".."}:
        raise SecretError(name, folder, "a credential's name is a plain file name")
    return Path(folder) / name


def _one_line(name: str, looked_at: str, text: str) -> str:
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise SecretError(name, looked_at, "it is empty")
    if len(text) > MAX_OCTETS:
        raise SecretError(name, looked_at, f"it is longer than {MAX_OCTETS} octets")
    # A second line is another file put there by mistake; CR, LF and NUL would also break out of an IMAP or SMTP command.
    if any(character < " " or character == "\x7f" for character in value):
        raise SecretError(name, looked_at, "it has more than one line, or control characters")
    return value

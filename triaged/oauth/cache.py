"""Where tokens are kept between restarts: one file an account in the state folder, readable by nobody else."""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from triaged.oauth.tokens import TokenError


class TokenFile:
    """One account's file. Refresh tokens change when they are used, so whoever changes it holds its lock."""

    def __init__(self, folder: Path, account: str, *identity: str) -> None:
        slug = re.sub(r"[^a-z0-9]+", "-", account.lower()).strip("-")[:60]
        digest = hashlib.sha256("\0".join((account.lower(), *identity)).encode()).hexdigest()[:12]
        self.path = folder / f"{slug}-{digest}.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the file against other threads and processes.

        Raises:
            TokenError: The folder cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            words = f"tokens cannot be kept in {self.path.parent}: {error.strerror or error}"
            raise TokenError(words, permanent=True) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def read(self) -> str:
        """Return what is kept; empty if there is nothing, or if others may read it, since then it is no secret any more."""
        try:
            with self.path.open("rb") as file:
                private = not os.fstat(file.fileno()).st_mode & 0o077
                return file.read(1_000_000).decode("utf-8") if private else ""
        except (OSError, UnicodeDecodeError):
            return ""

    def write(self, text: str) -> None:
        """Keep this instead, whole or not at all.

        Raises:
            TokenError: It cannot be kept.
        """
        written = self.path.with_suffix(".part")
        try:
            with open(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - the mode counts
                os.fchmod(file.fileno(), 0o600)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            written.replace(self.path)
        except OSError as error:
            raise TokenError(f"tokens cannot be kept in {self.path.parent}: {error.strerror or error}") from error

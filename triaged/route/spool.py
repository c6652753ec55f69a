"""Kind "spool": mail goes into a folder, one .eml file a mail, for a demonstration or for another program to carry on."""

import hashlib
import os
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final

from triaged.route.sender import Accepts, Envelope, Sender, SendError, check_addresses
from triaged.route.wire import header_of, wire_form

if TYPE_CHECKING:
    from triaged.config import SenderSettings

_MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s*(<[^<>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
_NAME: Final = re.compile(r"\d{8}T\d{12}Z-([0-9a-f]{32})\.eml")


class Spool:
    """A folder of .eml files, named for when they were written and for what they are.

    A mail with the same Message-ID to the same recipients is one file, however often it is sent. The envelope stands on top
    as Return-Path (RFC 5321 §4.4) and Delivered-To lines, so that any mail program opens the file.
    """

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._written: set[str] | None = None  # what the folder holds, by identity; None until it is looked at

    def accepts(self) -> Accepts:
        """A folder takes anything."""
        return Accepts()

    def send(self, envelope: Envelope) -> str:
        """Write the file, unless it is there."""
        check_addresses(envelope)
        octets = wire_form(envelope.octets)
        identity = _identity(envelope, octets)
        with self._lock:
            try:
                return self._write(identity, _with_envelope(envelope, octets))
            except OSError as error:
                raise SendError(f"{self._folder}: {error.strerror or error}") from error

    def check(self) -> str:
        """Tell whether files can be written."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = sum(1 for _ in self._folder.glob("*.eml"))
            TemporaryFile(dir=self._folder).close()
        except OSError as error:
            raise SendError(f"{self._folder}: {error.strerror or error}") from error
        return f"{self._folder}: a folder with {found} mails; nothing leaves this machine"

    def close(self) -> None:
        """Nothing is held open."""

    def _write(self, identity: str, octets: bytes) -> str:
        if self._written is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._written = {found[1] for file in self._folder.iterdir() if (found := _NAME.fullmatch(file.name))}
        if identity in self._written:
            return f"was written before, as …-{identity}.eml"
        name = f"{self._clock().astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{identity}.eml"
        temporary = self._folder / f".{name}.part"
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123 - the mode counts
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._written.add(identity)
        return f"written as {name}"


def _identity(envelope: Envelope, octets: bytes) -> str:
    found = _MESSAGE_ID.search(header_of(octets))
    parts = [found[1] if found else octets, *(address.encode("utf-8") for address in sorted(envelope.recipients))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def _with_envelope(envelope: Envelope, octets: bytes) -> bytes:
    lines = [f"Return-Path: <{envelope.sender}>", *(f"Delivered-To: {address}" for address in envelope.recipients)]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8") + octets


def open_sender(settings: "SenderSettings", password: Callable[[], str] | None) -> Sender:
    """Open the folder of the settings; it is made when the first mail is written."""
    if settings.path is None:
        raise ValueError('a sender of kind "spool" needs a path')
    return Spool(settings.path, lambda: datetime.now(UTC))

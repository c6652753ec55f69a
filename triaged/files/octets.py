"""Reads the files that people write: whole, bounded, UTF-8; anything else is a `Problem` with its place."""

import stat
from pathlib import Path
from typing import Final, NoReturn

from triaged.files.problem import Problem, WrongFile

_UTF_8: Final = "text saved as UTF-8"
_BOM: Final = b"\xef\xbb\xbf"  # Windows editors write it; it says nothing
_UTF_16_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")
_C0, _C1 = (*range(9), 11, 12, *range(14, 32)), (*range(0x7F, 0x85), *range(0x86, 0xA0))
_CONTROLS: Final = frozenset(map(chr, (*_C0, *_C1, 0xFFFE, 0xFFFF)))


def read_octets(path: Path, at_most: int) -> bytes:
    """Return a regular file's bytes.

    Args:
        path: The file.
        at_most: Octets it may have.

    Raises:
        WrongFile: It is missing, may not be read, is no regular file, or is larger.
    """
    try:
        regular = stat.S_ISREG(path.stat().st_mode)  # a pipe would keep us waiting
        octets = _head(path, at_most + 1) if regular else b""
    except OSError as error:
        _refuse(path, f"cannot be read: {(error.strerror or type(error).__name__).lower()}")
    except ValueError:
        _refuse(path, "cannot be a file's name")
    if not regular:
        _refuse(path, "is not a file")
    if len(octets) > at_most:
        _refuse(path, f"is larger than {at_most:,} bytes")
    return octets


def _head(path: Path, octets: int) -> bytes:
    with path.open("rb") as file:
        return file.read(octets)


def _refuse(path: Path, why: str) -> NoReturn:
    raise WrongFile([Problem(path.name, 0, 0, f"{path} {why}")])


def decode(octets: bytes, file: str) -> str:
    """Return the text of a file's bytes, its byte order mark left out.

    Raises:
        WrongFile: It is not UTF-8, or holds control characters as no text does.
    """
    if octets.startswith(_UTF_16_BOMS):
        raise WrongFile([Problem(file, 1, 1, "the file is saved as UTF-16", _UTF_8)])
    octets = octets.removeprefix(_BOM)
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        line, column = _position(octets[: error.start].decode())
        found = f"byte 0x{octets[error.start]:02X} is not UTF-8"
        raise WrongFile([Problem(file, line, column, found, _UTF_8)]) from None
    control = next((index for index, char in enumerate(text) if char in _CONTROLS), None)
    if control is not None:
        line, column = _position(text[:control])
        found = f"the control character U+{ord(text[control]):04X} stands here, as in no text file"
        raise WrongFile([Problem(file, line, column, found, _UTF_8)])
    return text


def _position(before: str) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")

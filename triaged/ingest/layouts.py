"""How a folder keeps one mail a file: maildir(5) with Maildir++, or plain .eml files. What is new there, maildir.py finds."""

import base64
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final, Protocol

SUBS: Final = ("new", "cur")  # in this order: a mail is moved from new to cur, and so is seen in at least one
COMMON_FLAGS: Final = ("", ":2,", ":2,S", ":2,RS", ":2,FS", ":2,F", ":2,T", ":2,ST")
_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e]+")


class Layout(Protocol):
    """Where the mail of a folder lies. Methods raise `OSError`."""

    kind: str

    def files(self) -> dict[str, Path]:
        """Return every mail that is there now, by the name that stays the same when its flags change."""

    def find(self, uid: str) -> Path | None:
        """Return where a mail lies now, None if it is gone."""

    def order(self, uid: str, modified_ns: int) -> tuple[int, str]:
        """Return what mails are sorted by, oldest first."""

    def stamp(self) -> tuple[int, ...]:
        """Return numbers that change when mail comes."""

    def place(self, parts: Sequence[str], found: Path) -> Path:
        """Make another folder, and return where a mail from here, lying at `found`, belongs in it."""

    def answered(self, path: Path) -> bool:
        """Tell whether a mail program says that somebody replied to the mail lying there."""

    def draft(self, parts: Sequence[str]) -> tuple[Path, Path]:
        """Make another folder, and return where to write a draft and where to move it once it is whole."""


class Maildir:
    """maildir(5), with folders beside it as Maildir++ names them: ".Triaged.Done"."""

    kind = "maildir"

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self) -> dict[str, Path]:
        """Return the mails of new/ and cur/ by unique name."""
        found = {unique_name(path): path for sub in self._subs() for path in plain_files(self._path / sub)}
        return {uid: path for uid, path in found.items() if not uid.startswith(".")}

    def find(self, uid: str) -> Path | None:
        """Look where it most likely is before listing the folder."""
        if "/" in uid:
            return None
        likely = [self._path / "new" / uid, *(self._path / "cur" / (uid + flags) for flags in COMMON_FLAGS)]
        return next((path for path in likely if path.is_file()), None) or self.files().get(uid)

    def order(self, uid: str, modified_ns: int) -> tuple[int, str]:
        """By time of delivery: a rename keeps it."""
        return modified_ns, uid

    def stamp(self) -> tuple[int, ...]:
        """Return when names last changed in new/ and cur/."""
        return tuple((self._path / sub).stat().st_mtime_ns for sub in self._subs())

    def place(self, parts: Sequence[str], found: Path) -> Path:
        """Keep name, flags, and whether anybody has seen it (new/ or cur/)."""
        base, mark, flags = found.name.partition(":")
        folder = self._folder(parts) / found.parent.name
        return first_free(folder / (base + extra + mark + flags) for extra in serials())

    def answered(self, path: Path) -> bool:
        """maildir(5): the flag R."""
        return "R" in path.name.partition(":2,")[2]

    def draft(self, parts: Sequence[str]) -> tuple[Path, Path]:
        """Write in tmp/, keep in cur/ with the flag D."""
        folder, name = self._folder(parts), fresh_name()
        return folder / "tmp" / name, folder / "cur" / f"{name}:2,D"

    def _subs(self) -> list[str]:
        """Return which of new and cur exist; raise if neither does: a folder that is not mounted is not an empty folder."""
        subs = [sub for sub in SUBS if (self._path / sub).is_dir()]
        if not subs:
            raise FileNotFoundError(2, "it has neither new/ nor cur/ any more", str(self._path))
        return subs

    def _folder(self, parts: Sequence[str]) -> Path:
        levels = parts[1:] if parts[0].upper() == "INBOX" else parts
        encoded = [modified_utf7(level) for level in levels]
        folder = self._path / ("." + ".".join(encoded)) if encoded else self._path
        for sub in ("tmp", *SUBS):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        if encoded:
            (folder / "maildirfolder").touch()  # Maildir++: this is a folder of the maildir above
        return folder


class EmlFolder:
    """A plain folder of .eml files; folders in it are other folders. What still is being written has another ending."""

    kind = "eml"

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self) -> dict[str, Path]:
        """Return the .eml files by name."""
        return {uid_of(path.name): path for path in plain_files(self._path) if is_eml(path.name)}

    def find(self, uid: str) -> Path | None:
        """Return the file of that name."""
        likely = self._path / uid
        return likely if "/" not in uid and likely.is_file() else self.files().get(uid)

    def order(self, uid: str, modified_ns: int) -> tuple[int, str]:
        """By name: people number such files, and copying them sets their times anew."""
        return 0, uid

    def stamp(self) -> tuple[int, ...]:
        """Return when names last changed in the folder."""
        return (self._path.stat().st_mtime_ns,)

    def place(self, parts: Sequence[str], found: Path) -> Path:
        """Keep the name, with a number if it is taken there."""
        folder = self._folder(parts)
        return first_free(folder / (found.stem + extra + found.suffix) for extra in serials())

    def answered(self, path: Path) -> bool:
        """A plain file does not tell."""
        return False

    def draft(self, parts: Sequence[str]) -> tuple[Path, Path]:
        """Write under a hidden name."""
        folder, name = self._folder(parts), fresh_name()
        return folder / f".{name}.tmp", folder / f"{name}.eml"

    def _folder(self, parts: Sequence[str]) -> Path:
        folder = self._path.joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def plain_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder, not what lies deeper; no pipe and no device, which could hold a reader up for ever."""
    with os.scandir(folder) as entries:
        yield from (Path(entry.path) for entry in entries if entry.is_file())


def serials() -> Iterator[str]:
    """Yield "", ".1", ".2" …"""
    yield ""
    yield from (f".{serial}" for serial in count(1))


def first_free(paths: Iterable[Path]) -> Path:
    """Return the first path where nothing is: a rename would overwrite the mail of another day that has the same name."""
    return next(path for path in paths if not path.exists())


def modified_utf7(text: str) -> str:
    """Return a folder's name as Maildir++ and IMAP (RFC 3501 §5.1.3) write it."""

    def encode(found: re.Match[str]) -> str:
        return "&" + base64.b64encode(found[0].encode("utf-16-be")).decode("ascii").rstrip("=").replace("/", ",") + "-"

    return _NOT_ASCII.sub(encode, text.replace("&", "&-"))


def is_eml(name: str) -> bool:
    """Whether a file is a mail, and wholly written."""
    return name.lower().endswith(".eml") and not name.startswith(".")


def unique_name(path: Path) -> str:
    """Return a maildir file's name without its flags (":2,S"), which change."""
    return uid_of(path.name.partition(":")[0])


def uid_of(name: str) -> str:
    """Return a file's name as text that can be stored: bytes that are not UTF-8 are written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def fresh_name(now: Callable[[], float] = time.time) -> str:
    """Return a name that nobody else uses (maildir(5))."""
    host = socket.gethostname().replace("/", "_").replace(":", "_")
    return f"{int(now())}.R{secrets.token_hex(8)}.{host}"


def write_whole(octets: bytes, draft: Path, target: Path) -> None:
    """Write a file so that nobody ever sees a part of it, and so that it outlives a power cut."""
    with draft.open("xb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make what was renamed in a folder outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

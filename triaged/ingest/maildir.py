"""Mail from files: a maildir(5), a folder of .eml files (here), or an mbox (mbox.py). What lies at the path decides.

File names carry no safe order, so the cursor is the set of names already taken, 8 octets each, without those that are gone.
"""

import base64
import hashlib
import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from triaged.ingest.layouts import EmlFolder, Layout, Maildir, sync_folder, write_whole
from triaged.ingest.mailbox import (
    BATCH_MAILS,
    BATCH_OCTETS,
    MAX_MAIL_OCTETS,
    Batch,
    Mailbox,
    MailboxError,
    Refused,
    folder_parts,
    pause,
)
from triaged.ingest.mbox import Mbox
from triaged.message import RawMail

if TYPE_CHECKING:
    from triaged import config

ATTEMPTS: Final = 3  # a file that fails this often, when others do not, is set aside
HASH_OCTETS: Final = 8  # among 100,000 names two are alike once in 4 thousand million folders
_CURSOR: Final = re.compile(r"(maildir|eml):([A-Za-z0-9+/]*={0,2})")


def open_mailbox(name: str, settings: "config.Maildir", base: Path) -> Mailbox:
    """Return the mailbox; what lies at its path is looked at on each call, since a folder may come later or change."""
    return LocalMailbox(name, base / settings.path)


class LocalMailbox:
    """Whatever kind of mailbox lies at a path now."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._mailbox: FileMailbox | Mbox | None = None

    def fetch(self, since: str) -> Batch:
        """Return the next batch."""
        return self._now().fetch(since)

    def latest(self) -> str:
        """Return the cursor after all mail present now."""
        return self._now().latest()

    def wait(self, at_most: timedelta, stopped: Callable[[], bool]) -> None:
        """Return when files changed."""
        self._now().wait(at_most, stopped)

    def move(self, uid: str, folder: str) -> bool:
        """Move one mail."""
        return self._now().move(uid, folder)

    def mark(self, uid: str, labels: Sequence[str]) -> None:
        """Files carry no labels that mail programs agree on."""
        raise MailboxError(f"{self._path}: mail in files has no labels", permanent=True)

    def save_draft(self, octets: bytes, folder: str) -> None:
        """Put a mail into a folder."""
        self._now().save_draft(octets, folder)

    def check(self) -> str:
        """Count the mails and name the kind."""
        return self._now().check()

    def close(self) -> None:
        """Nothing is held open."""

    def _now(self) -> "FileMailbox | Mbox":
        kind = kind_at(self._path)
        if self._mailbox is None or self._mailbox.kind != kind:
            if kind == "mbox":
                self._mailbox = Mbox(self.name, self._path)
            else:
                layout = Maildir(self._path) if kind == "maildir" else EmlFolder(self._path)
                self._mailbox = FileMailbox(self.name, self._path, layout)
        return self._mailbox


def kind_at(path: Path) -> str:
    """Return "maildir" for a folder with cur/ or new/, "eml" for any other, "mbox" for a file.

    Raises:
        MailboxError: Nothing is there; permanent.
    """
    try:
        if path.is_dir():
            return "maildir" if (path / "cur").is_dir() or (path / "new").is_dir() else "eml"
        if path.is_file():
            return "mbox"
    except PermissionError as error:
        raise MailboxError(f"{path}: {error.strerror}", permanent=True) from error
    raise MailboxError(f"{path}: no maildir, no folder of .eml files and no mbox file is there", permanent=True)


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    """A mail listed and not yet read."""

    order: tuple[int, str]
    uid: str
    path: Path


class FileMailbox:
    """A folder in which each mail is a file."""

    def __init__(self, name: str, path: Path, layout: Layout) -> None:
        self.name = name
        self.kind = layout.kind
        self._path = path
        self._layout = layout
        self._waiting: deque[_Waiting] = deque()  # of one listing, so that 20,000 files are not listed 100 times
        self._taken: set[bytes] = set()
        self._cursor = ""  # after which `_waiting` and `_taken` hold
        self._stamp: tuple[int, ...] = ()
        self._attempts: Counter[str] = Counter()

    def fetch(self, since: str) -> Batch:
        """Return the next mails; a file that moves or goes between being listed and read is no error."""
        with self._errors():
            if not self._waiting or since != self._cursor:
                self._list(since)
            mails: list[RawMail] = []
            refused: list[Refused] = []
            gone = octets = 0
            failed: dict[str, OSError] = {}
            while self._waiting and len(mails) + len(refused) < BATCH_MAILS and octets < BATCH_OCTETS:
                waiting = self._waiting.popleft()
                try:
                    read = self._read(waiting)
                except OSError as error:
                    failed[waiting.uid] = error
                    continue
                if read is None:
                    gone += 1
                elif isinstance(read, RawMail):
                    mails.append(read)
                    octets += len(read.octets)
                else:
                    refused.append(read)
            refused += self._poisoned(failed, proven=bool(mails or refused))
            self._taken.update(hash_of(mail.uid) for mail in mails)
            self._taken.update(hash_of(mail.uid) for mail in refused)
            self._cursor = write_cursor(self.kind, self._taken)
            return Batch(tuple(mails), self._cursor, more=bool(self._waiting), refused=tuple(refused), gone=gone)

    def latest(self) -> str:
        """Return the cursor after all mail present now."""
        with self._errors():
            return write_cursor(self.kind, {hash_of(uid) for uid in self._layout.files()})

    def wait(self, at_most: timedelta, stopped: Callable[[], bool]) -> None:
        """Look every second whether the folder changed since it was last listed."""
        with self._errors():
            before = self._stamp or self._layout.stamp()
            pause(at_most, stopped, lambda: self._layout.stamp() != before)

    def move(self, uid: str, folder: str) -> bool:
        """Rename a mail's file into another folder, its flags kept."""
        parts = folder_parts(folder)
        with self._errors():
            for _ in range(3):  # somebody else may be renaming it too, to set flags
                found = self._layout.find(uid)
                if found is None:
                    return False
                target = self._layout.place(parts, found)
                try:
                    found.rename(target)
                except FileNotFoundError:
                    continue
                sync_folder(target.parent)
                sync_folder(found.parent)
                return True
        return False

    def save_draft(self, octets: bytes, folder: str) -> None:
        """Write a mail into another folder of the same layout; a maildir flags it as a draft."""
        parts = folder_parts(folder)
        with self._errors():
            write_whole(octets, *self._layout.draft(parts))

    def check(self) -> str:
        """Count the mails."""
        with self._errors():
            words = {"maildir": "maildir", "eml": "folder of .eml files"}
            return f"{len(self._layout.files())} mails in {self._path}, a {words[self.kind]}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._waiting.clear()
            permanent = isinstance(error, PermissionError | FileNotFoundError | NotADirectoryError)
            raise MailboxError(f"{error.filename or self._path}: {error.strerror or error}", permanent=permanent) from error

    def _list(self, since: str) -> None:
        taken = read_cursor(self.kind, since)
        self._stamp = self._layout.stamp()
        files = self._layout.files()
        hashes = {hash_of(uid): uid for uid in files}
        if taken - hashes.keys():
            # A listing can miss a file that is renamed meanwhile; forgotten, it would be taken twice. So look once more.
            files = self._layout.files() | files
            hashes = {hash_of(uid): uid for uid in files}
        self._taken = taken & hashes.keys()
        waiting = []
        for key in hashes.keys() - taken:
            uid = hashes[key]
            try:
                modified_ns = files[uid].stat().st_mtime_ns
            except FileNotFoundError:  # renamed or gone: the next listing will tell
                continue
            waiting.append(_Waiting(self._layout.order(uid, modified_ns), uid, files[uid]))
        self._waiting = deque(sorted(waiting))

    def _poisoned(self, failed: Mapping[str, OSError], *, proven: bool) -> list[Refused]:
        """Return which of the files that could not be read are set aside; raise if nothing proves that the disk is well."""
        self._attempts.update(failed.keys())
        if failed and not proven:
            raise next(iter(failed.values()))
        return [
            Refused(uid, f"{error.filename or uid}: {error.strerror or error}")
            for uid, error in failed.items()
            if self._attempts[uid] >= ATTEMPTS
        ]

    def _read(self, waiting: _Waiting) -> RawMail | Refused | None:
        """Read one file; None if it is gone."""
        path: Path | None = waiting.path
        for _ in range(3):
            if path is None:
                return None
            try:
                with path.open("rb") as file:
                    octets = file.read(MAX_MAIL_OCTETS + 1)
                    modified = path.stat().st_mtime
            except FileNotFoundError:
                path = self._layout.find(waiting.uid)  # a mail program may have set a flag, which is in the name
                continue
            if len(octets) > MAX_MAIL_OCTETS:
                return Refused(waiting.uid, f"above the limit of {MAX_MAIL_OCTETS:,} octets")
            at = datetime.fromtimestamp(modified, UTC)
            return RawMail(self.name, waiting.uid, octets, at, self._layout.answered(path))
        return None


def hash_of(uid: str) -> bytes:
    """Return the few octets that stand for a name in the cursor."""
    return hashlib.blake2b(uid.encode("utf-8"), digest_size=HASH_OCTETS).digest()


def write_cursor(kind: str, taken: set[bytes]) -> str:
    """Return the cursor: 20,000 names are 210 KB."""
    return f"{kind}:{base64.b64encode(b''.join(sorted(taken))).decode('ascii')}"


def read_cursor(kind: str, cursor: str) -> set[bytes]:
    """Return the names taken.

    Raises:
        MailboxError: The cursor is of another kind of mailbox, or none of ours; permanent. A maildir whose disk is not mounted
            looks like an empty folder: to go on would forget all that was taken.
    """
    if not cursor:
        return set()
    found = _CURSOR.fullmatch(cursor)
    octets = base64.b64decode(found[2]) if found and len(found[2]) % 4 == 0 else b"?"
    if not found or len(octets) % HASH_OCTETS:
        raise MailboxError(f"cursor {cursor[:40]!r} is no set of names", permanent=True)
    if octets and found[1] != kind:
        raise MailboxError(f"this was of kind {found[1]!r} before, and is of kind {kind!r} now", permanent=True)
    return {octets[start : start + HASH_OCTETS] for start in range(0, len(octets), HASH_OCTETS)}

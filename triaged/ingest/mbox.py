"""Mail from an mbox file (RFC 4155, quoted the "mboxrd" way). Read only: an mbox has no other folders.

The cursor is "mbox:OFFSET:PRINT": where the next mail begins, and a hash of octets before it, so that a file that another
program wrote anew is noticed. It is then read again from its start: "mbox:OFFSET:PRINT:SIZE" says up to where its mail is old.
"""

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO, Final

from triaged.ingest.mailbox import BATCH_MAILS, BATCH_OCTETS, MAX_MAIL_OCTETS, Batch, MailboxError, Refused, pause
from triaged.message import RawMail

LINE_OCTETS: Final = 65_536  # longer lines are read in pieces
HEAD_OCTETS: Final = 4_096
TAIL_OCTETS: Final = 65_536  # hashing all that came before would read the whole file again for each batch
STALE_LOCK_SECONDS: Final = 500  # Postfix's stale_lock_time
# RFC 4155: "From ", an address, a date as asctime(3) writes it; writers add zones and leave seconds out.
_DATE: Final = re.compile(rb"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ \t]+(?=[A-Z0-9])[^\r\n]{0,20}\b\d{1,2}:\d\d[^\r\n]{0,60}")
_YEAR: Final = re.compile(rb"\b(?:19|20)\d\d\b")
_CURSOR: Final = re.compile(r"mbox:(\d{1,20}):([0-9a-f]*)(?::(\d{1,20}))?")
_QUOTED: Final = re.compile(rb">+From ")


@dataclass(frozen=True, slots=True)
class Position:
    """How far the file was read."""

    offset: int = 0
    before: str = ""  # print of what came before
    old_up_to: int = 0  # the file was written anew, and held mail up to here

    @classmethod
    def parse(cls, cursor: str) -> "Position":
        """Read a cursor; "" is before all mail.

        Raises:
            MailboxError: It is not one of ours; permanent.
        """
        if not cursor:
            return cls()
        found = _CURSOR.fullmatch(cursor)
        if not found:
            raise MailboxError(f"cursor {cursor[:60]!r} is not that of an mbox", permanent=True)
        return cls(int(found[1]), found[2], int(found[3] or 0))

    @property
    def rebuilt(self) -> bool:
        """Whether the next mail may be known from before the file was written anew."""
        return self.offset < self.old_up_to

    def __str__(self) -> str:
        return f"mbox:{self.offset}:{self.before}" + (f":{self.old_up_to}" if self.rebuilt else "")


@dataclass(frozen=True, slots=True)
class Entry:
    """One mail in the file; `octets` is None if it is above our limit."""

    start: int
    end: int
    from_line: bytes
    octets: bytes | None


def is_from_line(line: bytes) -> bool:
    """Whether a line begins a mail, and is no sentence that begins with "From "."""
    return line.startswith(b"From ") and bool(_DATE.search(line[:300])) and bool(_YEAR.search(line[:300]))


def entries(file: BinaryIO, start: int) -> Iterator[Entry]:
    """Yield the mails from an offset on, holding one at a time; octets that no From_ line begins have an empty `from_line`."""
    file.seek(start)
    begin = offset = start
    from_line, lines, size = b"", list[bytes](), 0
    fresh_line = after_blank = True
    while line := file.readline(LINE_OCTETS):
        if fresh_line and after_blank and is_from_line(line):
            if offset > begin:
                yield Entry(begin, offset, from_line, _mail(lines, size))
            begin, from_line, lines, size = offset, line, [], 0
        else:
            kept = line[1:] if fresh_line and _QUOTED.match(line) else line
            size += len(kept)
            if size <= MAX_MAIL_OCTETS + 2:
                lines.append(kept)
            else:
                lines.clear()
        after_blank = fresh_line and line in (b"\n", b"\r\n")
        fresh_line = line.endswith(b"\n")
        offset += len(line)
    if offset > begin:
        yield Entry(begin, offset, from_line, _mail(lines, size))


def _mail(lines: list[bytes], size: int) -> bytes | None:
    """Return a mail without the blank line that ends it in the file; None if it is above our limit."""
    if lines and lines[-1] in (b"\n", b"\r\n"):
        size -= len(lines.pop())
    return b"".join(lines) if size <= MAX_MAIL_OCTETS else None


class Mbox:
    """One mbox file."""

    kind = "mbox"

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._stamp: tuple[int, ...] = ()

    def fetch(self, since: str) -> Batch:
        """Return the next mails in the file's order, under the locks that delivery agents honour."""
        position = Position.parse(since)
        with self._opened() as file:
            self._stamp = stamp(os.fstat(file.fileno()))
            made_anew = position.offset > 0 and print_of(file, position.offset) != position.before
            if made_anew:
                position = Position(0, "", os.fstat(file.fileno()).st_size)
            return self._batch(file, position, made_anew)

    def latest(self) -> str:
        """Return the cursor at the end of the file."""
        with self._opened() as file:
            size = os.fstat(file.fileno()).st_size
            return str(Position(size, print_of(file, size)))

    def wait(self, at_most: timedelta, stopped: Callable[[], bool]) -> None:
        """Look every second whether the file changed since it was last read."""
        with self._errors():
            before = self._stamp or stamp(self._path.stat())
            pause(at_most, stopped, lambda: stamp(self._path.stat()) != before)

    def move(self, uid: str, folder: str) -> bool:
        """Refuse: taking a mail out would write the whole file anew under other programs' feet."""
        raise MailboxError(f"{self._path}: mail cannot be moved out of an mbox file; use a maildir", permanent=True)

    def save_draft(self, octets: bytes, folder: str) -> None:
        """Refuse: there are no other folders."""
        raise MailboxError(f"{self._path}: an mbox file has no folder for drafts; use a maildir", permanent=True)

    def check(self) -> str:
        """Count the mails."""
        with self._opened() as file:
            return f"{sum(1 for entry in entries(file, 0) if entry.from_line)} mails in {self._path}, an mbox file"

    def _batch(self, file: BinaryIO, position: Position, made_anew: bool) -> Batch:
        mails: list[RawMail] = []
        refused: list[Refused] = []
        octets, offset, more = 0, position.offset, False
        modified = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
        for entry in entries(file, offset):
            full = len(mails) + len(refused) >= BATCH_MAILS or octets >= BATCH_OCTETS
            if full or (position.rebuilt and entry.start >= position.old_up_to):
                more = True
                break
            offset = entry.end
            if entry.octets is None:
                refused.append(Refused(f"{entry.start}-large", f"above the limit of {MAX_MAIL_OCTETS:,} octets"))
            elif entry.from_line:
                mails.append(RawMail(self.name, uid_of(entry), entry.octets, delivered_at(entry.from_line) or modified))
                octets += len(entry.octets)
            elif entry.octets.strip():
                refused.append(
                    Refused(uid_of(entry), f"{len(entry.octets):,} octets at {entry.start} that no From_ line begins")
                )
        return Batch(
            tuple(mails),
            str(Position(offset, print_of(file, offset), position.old_up_to)),
            more=more,
            refused=tuple(refused),
            rebuilt=position.rebuilt or made_anew,
        )

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """Open the file, and see that nobody is writing to it."""
        with self._errors():
            dot_lock = self._path.with_name(self._path.name + ".lock")
            if dot_lock.exists() and time.time() - dot_lock.stat().st_mtime < STALE_LOCK_SECONDS:
                raise MailboxError(f"{self._path}: {dot_lock.name} is there: a delivery agent is writing")
            with self._path.open("rb") as file:
                try:
                    fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise MailboxError(f"{self._path}: locked: a delivery agent is writing") from error
                yield file

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            permanent = isinstance(error, PermissionError | FileNotFoundError)
            raise MailboxError(f"{self._path}: {error.strerror or error}", permanent=permanent) from error


def uid_of(entry: Entry) -> str:
    """Return a name that a mail keeps as long as it stays where it is, and that no other mail there can have."""
    return f"{entry.start}-{hashlib.blake2b(entry.octets or b'', digest_size=8).hexdigest()}"


def delivered_at(from_line: bytes) -> datetime | None:
    """Return the date of a From_ line, as UTC unless it has a zone (RFC 4155: it is UTC); None if it makes no sense."""
    found = _DATE.search(from_line[:300])
    try:
        date = parsedate_to_datetime(found[0].decode("ascii")) if found else None
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC) if date else None
    except (ValueError, TypeError, LookupError, OverflowError):  # python/cpython: parsing odd dates raises any of them
        return None


def print_of(file: BinaryIO, offset: int) -> str:
    """Return a hash of the first octets and of the last ones before an offset; "" for a file that has become shorter."""
    if os.fstat(file.fileno()).st_size < offset:
        return ""
    digest = hashlib.blake2b(digest_size=8)
    for start, octets in ((0, min(HEAD_OCTETS, offset)), (max(0, offset - TAIL_OCTETS), min(TAIL_OCTETS, offset))):
        file.seek(start)
        digest.update(file.read(octets))
    return digest.hexdigest()


def stamp(status: os.stat_result) -> tuple[int, ...]:
    """Return numbers that change when the file does."""
    return status.st_ino, status.st_size, status.st_mtime_ns

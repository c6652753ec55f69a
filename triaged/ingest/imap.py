"""Mail from an IMAP folder (RFC 9051, RFC 3501). Flags, dates and SINCE are never state: staff read this mail too."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imapclient import SocketTimeout

from triaged.ingest.imap_errors import FAULTS, LiteralTooLargeError, explain, is_refusal, refusal_code
from triaged.ingest.imap_plan import Listed, Listing, Position, allowed_octets, batch, groups, label_changes, listing
from triaged.ingest.imap_session import Opened, Session, open_session
from triaged.ingest.mailbox import MAX_MAIL_OCTETS, Batch, Mailbox, MailboxError, Refused, folder_parts, pause
from triaged.message import RawMail
from triaged.oauth.tokens import Tokens, open_tokens

if TYPE_CHECKING:
    from triaged.config import Imap

TIMEOUT: Final = SocketTimeout(connect=30, read=60)  # IMAPClient has none of its own
LISTED_MAILS: Final = 500  # imaplib gives up on a line of 1,000,000 octets
SEARCHED_MAILS: Final = 80_000  # … which the answer to a SEARCH stays below for that many
ATTEMPTS: Final = 3  # a mail that fails this often, asked for alone, is set aside
IDLE_FOR: Final = timedelta(minutes=9)  # RFC 2177 §3: less than 29; firewalls forget us sooner


def open_mailbox(name: str, settings: "Imap", base: Path) -> Mailbox:
    """Return the mailbox; it connects when first used, and again after every error."""
    return ImapMailbox(name, settings, base)


@dataclass(slots=True)
class _Taken:
    """What one fetch has gathered so far."""

    mails: list[RawMail] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    gone: int = 0
    done: int = 0  # how many of the listed mails are dealt with


class _GroupFailedError(Exception):
    """Mails asked for together could not be had; each alone may."""


class ImapMailbox:
    """One folder of one account, over one connection."""

    def __init__(
        self, name: str, settings: "Imap", base: Path, *, timeout: SocketTimeout = TIMEOUT, idle_for: timedelta = IDLE_FOR
    ) -> None:
        self.name = name
        self._settings = settings
        self._base = base
        self._timeout = timeout
        self._idle_for = idle_for
        self._idle_works = True
        self._tokens: Tokens | None = None
        self._session: Session | None = None
        self._opened: Opened | None = None
        self._writable = False
        self._listing: Listing | None = None  # listed and not yet fetched, so that 20,000 mails are not listed 100 times
        self._alone_up_to = 0
        self._attempts: Counter[int] = Counter()

    def fetch(self, since: str) -> Batch:
        """Return the next mails by UID. If the connection breaks half way, those that came whole are returned."""
        position = Position.parse(since)
        try:
            return self._fetch(position)
        except _GroupFailedError:
            return self._fetch(position)

    def latest(self) -> str:
        """Return the cursor after all mail present now."""
        with self._connected() as session:
            opened = self._open(session, again=True)
            return str(Position(opened.validity, self._last_uid(session, opened)))

    def wait(self, at_most: timedelta, stopped: Callable[[], bool]) -> None:
        """IDLE where offered, else only wait: the caller polls afterwards either way."""
        with self._connected() as session:
            if self._idle_works and session.has("IDLE"):
                self._idle(session, at_most, stopped)
                return
        pause(at_most, stopped)

    def move(self, uid: str, folder: str) -> bool:
        """Move one mail: by MOVE, else by COPY and an EXPUNGE of that UID only, else not at all."""
        parts, wanted = folder_parts(folder), Position.parse(uid)
        with self._connected() as session:
            if self._open(session, writable=True).validity != wanted.validity:
                return False  # the folder was made anew: that mail is gone, and its UID may be another's
            way = session.move if session.has("MOVE") else session.copy_and_expunge if session.has("UIDPLUS") else None
            if way is None:
                raise MailboxError(f"{self._where}: moves no mail: it offers neither MOVE nor UIDPLUS", permanent=True)
            if not session.exists(wanted.uid):
                return False
            self._put(session, parts, lambda name: way(wanted.uid, name))
            return True

    def mark(self, uid: str, labels: Sequence[str]) -> None:
        """Set Gmail labels where the server has them, else keywords, each by itself: what staff set meanwhile stays."""
        wanted = Position.parse(uid)
        with self._connected() as session:
            opened = self._open(session, writable=True)
            if opened.validity != wanted.validity:
                return
            gmail = session.has("X-GM-EXT-1")
            if not gmail and not opened.keywords:
                raise MailboxError(f"{self._where}: folder {self._settings.folder} takes no keywords of ours", permanent=True)
            there = session.labels(wanted.uid, gmail=gmail)
            if there is not None:
                session.change_labels(wanted.uid, *label_changes(there, labels), gmail=gmail)

    def save_draft(self, octets: bytes, folder: str) -> None:
        """Append a mail marked \\Draft; IMAP makes its line ends CRLF."""
        parts = folder_parts(folder)
        with self._connected() as session:
            self._put(session, parts, lambda name: session.append_draft(name, octets))

    def check(self) -> str:
        """Connect and open the folder read-only."""
        with self._connected() as session:
            opened = self._open(session, again=True)
            offered = [capability for capability in ("IDLE", "MOVE", "UIDPLUS") if session.has(capability)]
            return ", ".join([f"{opened.exists} mails in {self._settings.folder}", *offered])

    def close(self) -> None:
        """Log out."""
        if self._session:
            self._session.log_out()
        self._drop()

    @property
    def _where(self) -> str:
        return f"{self._settings.user} at {self._settings.host}:{self._settings.port}"

    @contextmanager
    def _connected(self) -> Iterator[Session]:
        """Give a logged-in session. After any error it is dropped: nobody knows what state it is in."""
        kept = False
        try:
            if self._session is None:
                if self._settings.oauth and self._tokens is None:
                    self._tokens = open_tokens(self._settings.oauth, self._settings.user, "imap", self._base)
                self._session = open_session(self._settings, self._base, self._timeout, self._tokens)
            yield self._session
            kept = True
        except FAULTS as error:
            raise explain(self._where, error) from error
        finally:
            if not kept:
                self._drop()

    def _drop(self) -> None:
        if self._session:
            self._session.drop()
        self._session = self._opened = self._listing = None
        self._writable = False

    def _open(self, session: Session, *, writable: bool = False, again: bool = False) -> Opened:
        """Open the folder, unless it is open. Reading uses EXAMINE, under which no flag can change."""
        if self._opened and not again and (self._writable or not writable):
            return self._opened
        try:
            name = session.folder_name(folder_parts(self._settings.folder))
            opened = session.open_folder(name, read_only=not writable)
        except FAULTS as error:
            raise explain(f"{self._where}, folder {self._settings.folder}", error, final=True) from error
        if self._listing and self._listing.position.validity != opened.validity:
            self._listing = None
        self._opened, self._writable = opened, writable
        return opened

    @staticmethod
    def _last_uid(session: Session, opened: Opened) -> int:
        if opened.next_uid is not None:
            return opened.next_uid - 1
        return session.list_mails([opened.exists])[0].uid if opened.exists else 0

    def _fetch(self, since: Position) -> Batch:
        with self._connected() as session:
            known = self._listing
            listed = known if known and known.position == since else self._list(session, since)
            taken = self._take(session, listed.position.validity, batch(listed.mails))
        rest = listed.after(taken.done)
        self._listing = rest if rest.mails and self._session else None
        return Batch(
            mails=tuple(taken.mails),
            cursor=str(rest.position),
            more=rest.more or bool(rest.mails),
            refused=tuple(taken.refused),
            rebuilt=listed.position.rebuilt or listed.made_anew,
            gone=taken.gone,
        )

    def _list(self, session: Session, since: Position) -> Listing:
        """List at most `LISTED_MAILS` mails after a position."""
        opened = self._open(session, again=True)
        made_anew = since.validity not in (0, opened.validity)
        if made_anew:
            since = Position(opened.validity, 0, self._last_uid(session, opened))
            self._alone_up_to = 0
            self._attempts.clear()
        since = replace(since, validity=opened.validity)
        sequence: list[int] = []
        for low in range(1, opened.exists + 1, SEARCHED_MAILS):
            sequence = session.sequence_after(since.uid, low, min(low + SEARCHED_MAILS - 1, opened.exists))[:LISTED_MAILS]
            if sequence:
                break
        mails = session.list_mails(sequence) if sequence else []
        return listing(since, mails, more=bool(sequence) and sequence[-1] < opened.exists, made_anew=made_anew)

    def _take(self, session: Session, validity: int, wanted: Sequence[Listed]) -> _Taken:
        """Fetch bodies until all are there or the connection breaks; raise only if nothing was dealt with."""
        taken = _Taken(done=self._poisoned(session, wanted))
        for mail in wanted[: taken.done]:
            taken.refused.append(
                Refused(f"{validity}:{mail.uid}", f"it could not be fetched {ATTEMPTS} times, other mail could")
            )
        for group in groups(wanted[taken.done :], self._alone_up_to):
            try:
                bodies = self._bodies(session, group)
            except (*FAULTS, _GroupFailedError):
                if not taken.done:
                    raise
                self._drop()
                break
            for mail in group:
                body, uid = bodies.get(mail.uid), f"{validity}:{mail.uid}"
                if isinstance(body, bytes):
                    taken.mails.append(RawMail(self.name, uid, body, mail.received_at, mail.answered))
                elif body:
                    taken.refused.append(Refused(uid, body))
                else:
                    taken.gone += 1
                taken.done += 1
            if self._session is None:  # what was refused took the connection with it
                break
        return taken

    def _bodies(self, session: Session, group: Sequence[Listed]) -> dict[int, bytes | str]:
        """Return each mail, or why it is refused; nothing for one that is gone."""
        if group[0].too_large:
            return {group[0].uid: _above_limit(group[0].size_octets or 0)}
        try:
            return dict(session.bodies([mail.uid for mail in group], allowed_octets(group)))
        except FAULTS as error:
            self._alone_up_to = max(self._alone_up_to, group[-1].uid)
            if len(group) > 1:
                raise _GroupFailedError from error
            return self._failed_alone(group[0].uid, error)

    def _failed_alone(self, uid: int, error: Exception) -> dict[int, bytes | str]:
        """Decide on one mail that could not be had: gone, refused, or (raising the error) to be tried again later."""
        if refusal_code(error) == "EXPUNGEISSUED":  # RFC 5530 §3
            return {}
        if isinstance(error, LiteralTooLargeError):
            self._drop()
            return {uid: _above_limit(error.octets)}
        self._attempts[uid] += 1
        raise error

    def _poisoned(self, session: Session, wanted: Sequence[Listed]) -> int:
        """Return how many of the first mails are to be refused: they failed `ATTEMPTS` times, and another mail does not.

        That other mail is the proof: on a line that lets no body through, each letter would fail, and none may be lost.
        """
        suspects = list(takewhile(lambda mail: self._attempts[mail.uid] >= ATTEMPTS, wanted))
        other = next((mail for mail in wanted[len(suspects) :] if not mail.too_large), None)
        if not suspects or other is None or other.uid not in self._bodies(session, [other]):
            return 0
        return len(suspects)

    def _put(self, session: Session, parts: Sequence[str], put: Callable[[str], None]) -> None:
        """Put something into a folder; make the folder if the server says that it is missing."""
        name = session.folder_name(parts)
        try:
            put(name)
        except FAULTS as error:
            if not is_refusal(error) or refusal_code(error) not in {"TRYCREATE", "NONEXISTENT", ""}:
                raise
            session.create(name)
            put(name)

    def _idle(self, session: Session, at_most: timedelta, stopped: Callable[[], bool]) -> None:
        self._open(session)
        end = time.monotonic() + at_most.total_seconds()
        while not stopped() and (left := end - time.monotonic()) > 0:
            try:
                if session.idle(min(timedelta(seconds=left), self._idle_for), stopped):
                    return
            except FAULTS as error:
                if not is_refusal(error):
                    raise
                # It refuses, or talks before its "+", which IMAPClient 4.1 takes for an error: look now, poll from now on.
                self._idle_works = False
                self._drop()
                return


def _above_limit(octets: int) -> str:
    return f"{octets:,} octets, above the limit of {MAX_MAIL_OCTETS:,}"

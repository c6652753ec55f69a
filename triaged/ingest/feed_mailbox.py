"""A mailbox over a feed: order, batches, cursor, restarts.

A server tells everything once and has no order of its own. So what it told is put in order of arrival and handed out batch by
batch; the cursor names the state before and after that telling, and which of it is still to be handed out.
"""

import base64
import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from triaged.ingest.feed import Feed, Listed, StateExpiredError, Told
from triaged.ingest.mailbox import BATCH_MAILS, BATCH_OCTETS, Batch, MailboxError, Refused, folder_parts, pause
from triaged.message import RawMail

LOOK_EVERY: Final = timedelta(seconds=10)  # while waiting; costs one small request
ATTEMPTS: Final = 3  # a mail that fails this often, while others do not, is set aside
ATTEMPTS_ALONE: Final = 10  # … and this often where there is no other mail to compare with
HASH_OCTETS: Final = 8
MAX_CURSOR: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder was read; as text it is the cursor.

    Attributes:
        folder: Its id; "" before the first look.
        state: What was told after this state is handed out, or is being.
        after: The state after that; "" when nothing is pending.
        pending: Hashes of what was told and is still to be handed out.
        old: The folder was made anew, or the server forgot the state: what is pending may be known.
    """

    folder: str = ""
    state: str = ""
    after: str = ""
    pending: frozenset[bytes] = frozenset()
    old: bool = False

    @classmethod
    def parse(cls, kind: str, text: str) -> "Position":
        """Read a cursor.

        Raises:
            MailboxError: It is none of this kind's; permanent.
        """
        if not text:
            return cls()
        begin, _, rest = text.partition(":")
        wrong = MailboxError(f"cursor {text[:40]!r} is none of kind {kind}", permanent=True)
        if begin != kind or len(text) > MAX_CURSOR:
            raise wrong
        try:
            folder, state, after, pending, old = json.loads(rest)
            octets = base64.b64decode(pending, validate=True)
        except (ValueError, TypeError, RecursionError) as error:
            raise wrong from error
        if not all(isinstance(field, str) for field in (folder, state, after)) or len(octets) % HASH_OCTETS:
            raise wrong
        hashes = frozenset(octets[start : start + HASH_OCTETS] for start in range(0, len(octets), HASH_OCTETS))
        return cls(folder, state, after, hashes, bool(old))

    def text(self, kind: str) -> str:
        """Return the cursor."""
        pending = base64.b64encode(b"".join(sorted(self.pending))).decode("ascii")
        fields = [self.folder, self.state, self.after, pending, int(self.old)]
        return f"{kind}:{json.dumps(fields, separators=(',', ':'))}"


class FeedMailbox:
    """A mailbox over a feed: order, batches, cursor, restarts, mails that cannot be had."""

    def __init__(self, name: str, feed: Feed) -> None:
        self.name = name
        self._feed = feed
        self._waiting: deque[Listed] = deque()
        self._position = Position()
        self._cursor: str | None = None  # after which `_waiting` holds
        self._failures: Counter[str] = Counter()

    def fetch(self, since: str) -> Batch:
        """Return the next mails. If the connection breaks half way, those that came whole are returned."""
        position = Position.parse(self._feed.kind, since)
        gone = 0
        try:
            if since != self._cursor or not self._waiting:
                gone = self._list(position)
            return self._take(gone)
        except MailboxError:
            self._forget()
            raise

    def latest(self) -> str:
        """Return the cursor after all mail present now: the server is asked for everything, and nothing of it is fetched."""
        self._forget()
        folder = self._feed.folder()
        return Position(folder, self._told(folder, "").state).text(self._feed.kind)

    def wait(self, at_most: timedelta, stopped: Callable[[], bool]) -> None:
        """Look every few seconds whether something came."""
        folder, known = self._feed.folder(), self._position
        asked = monotonic()

        def news() -> bool:
            nonlocal asked
            if folder != known.folder or monotonic() - asked < LOOK_EVERY.total_seconds():
                return False
            asked = monotonic()
            try:
                return bool(self._feed.told_since(folder, known.state).mails)
            except StateExpiredError:
                return True

        pause(at_most, stopped, news)

    def move(self, uid: str, folder: str) -> bool:
        """Move one mail, if it still is where it came in."""
        return self._feed.move(uid, folder_parts(folder))

    def mark(self, uid: str, labels: Sequence[str]) -> None:
        """Make these our labels of a mail."""
        self._feed.mark(uid, labels)

    def save_draft(self, octets: bytes, folder: str) -> None:
        """Put a draft into a folder."""
        self._feed.save_draft(octets, folder_parts(folder))

    def check(self) -> str:
        """Sign in and look at the folder."""
        return self._feed.check()

    def close(self) -> None:
        """Let go of the connection."""
        self._feed.close()

    def _forget(self) -> None:
        self._waiting.clear()
        self._cursor = None

    def _told(self, folder: str, state: str) -> Told:
        try:
            return self._feed.told_since(folder, state)
        except StateExpiredError as error:
            raise MailboxError(f"the server takes its own state for expired: {error}") from error

    def _list(self, position: Position) -> int:
        """Ask what came after a position; return how much of what was pending is gone."""
        folder = self._feed.folder()
        if position.folder not in ("", folder):
            position = Position(folder, old=True)
        position = replace(position, folder=folder)
        try:
            told = self._feed.told_since(folder, position.state)
            news = self._feed.told_since(folder, position.after) if position.after and not position.old else None
        except StateExpiredError:
            position = Position(folder, old=True)
            told, news = self._told(folder, ""), None
        mails = {hash_of(mail.uid): mail for mail in told.mails}
        gone = 0
        if position.after:  # what is neither pending nor news was handed out
            gone = len(position.pending - mails.keys())
            mails = {key: mail for key, mail in mails.items() if key in position.pending}
        else:
            position = replace(position, after=told.state)
        if news:  # so that a mail that cannot be had holds up nobody who came later
            mails |= {hash_of(mail.uid): mail for mail in news.mails}
            position = replace(position, after=news.state)
        self._position = replace(position, pending=frozenset(mails))
        first = datetime.min.replace(tzinfo=UTC)
        self._waiting = deque(sorted(mails.values(), key=lambda mail: mail.received_at or first))  # stable: as told
        return gone

    def _take(self, gone: int) -> Batch:
        """Hand out mails until the batch is full; raise only if none could be dealt with."""
        mails: list[RawMail] = []
        refused: list[Refused] = []
        failed: dict[str, str] = {}
        broken: MailboxError | None = None
        dealt: set[bytes] = set()
        octets = 0
        wanted = [self._waiting[index] for index in range(min(BATCH_MAILS, len(self._waiting)))]
        received = {mail.uid: mail.received_at for mail in wanted}
        try:
            for content in self._feed.contents(self._position.folder, wanted):
                self._waiting.popleft()
                if content.why and not content.final:
                    failed[content.uid] = content.why
                    self._failures[content.uid] += 1
                    continue
                dealt.add(hash_of(content.uid))
                if content.why:
                    refused.append(Refused(content.uid, content.why))
                elif content.octets is None:
                    gone += 1
                else:
                    at = received[content.uid]
                    mails.append(RawMail(self.name, content.uid, content.octets, at, content.answered))
                    octets += len(content.octets)
                if octets >= BATCH_OCTETS:
                    break
        except MailboxError as error:
            broken = error
        enough = ATTEMPTS if mails else ATTEMPTS_ALONE
        for uid, why in failed.items():
            if self._failures[uid] >= enough:
                refused.append(Refused(uid, why))
                dealt.add(hash_of(uid))
        if failed and not broken and not dealt:
            broken = MailboxError(next(iter(failed.values())))
        if broken and not dealt and not gone:
            raise broken
        return self._batch(mails, refused, gone, dealt, broken=broken is not None)

    def _batch(self, mails: list[RawMail], refused: list[Refused], gone: int, dealt: set[bytes], *, broken: bool) -> Batch:
        pending = self._position.pending - dealt
        rebuilt = self._position.old
        if pending:
            self._position = replace(self._position, pending=pending)
        else:
            self._position = Position(self._position.folder, self._position.after)
        cursor = self._position.text(self._feed.kind)
        self._cursor = cursor
        if broken:
            self._forget()
        more = bool(self._waiting) or (broken and bool(pending))
        return Batch(tuple(mails), cursor, more=more, refused=tuple(refused), rebuilt=rebuilt, gone=gone)


def hash_of(uid: str) -> bytes:
    """Return the few octets that stand for a mail in the cursor."""
    return hashlib.blake2b(uid.encode("utf-8"), digest_size=HASH_OCTETS).digest()

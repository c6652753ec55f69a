"""Raw mail and mailbox cursors: kept together, or not at all."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, case, func, insert, select, update

from triaged.message import RawMail
from triaged.store.tables import MAILBOXES, MAILS

# Built once: these run for every mail, and building a statement costs more than running it.
_ONE: Final = select(MAILS).where(MAILS.c.id == bindparam("mail_id"))
_FINISH: Final = (
    update(MAILS)
    .where(MAILS.c.id == bindparam("mail_id"), MAILS.c.state == "new")
    .values(state=bindparam("to_state"), fault=case((bindparam("why") != "", bindparam("why")), else_=MAILS.c.fault))
)
ATTEMPTS: Final = 3  # a mail that stopped us this often is set aside unread
DAMAGED: Final = "its copy in the database is damaged; it may still stand in the mailbox"


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail as the store holds it."""

    id: int
    mailbox: str
    uid: str
    fingerprint: str
    octets: bytes  # empty where it could not be kept whole, or what was kept is damaged
    received_at: datetime
    backfill: bool
    fault: str = ""  # why it was refused or set aside, or cannot be read any more
    answered: bool = False  # a person had replied to it before we came


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What we know of a mailbox between two polls."""

    name: str
    cursor: str
    watched_since: datetime
    last_success: datetime | None
    failures: int
    problem: str
    problem_since: datetime | None


def mailbox_state(db: Connection, name: str) -> MailboxState | None:
    """Return what we know of a mailbox; None before its first successful poll."""
    row = db.execute(select(MAILBOXES).where(MAILBOXES.c.name == name)).mappings().one_or_none()
    return MailboxState(**row) if row else None


def start_watching(db: Connection, name: str, cursor: str, at: datetime) -> None:
    """Note the first successful look at a mailbox, and where reading starts."""
    db.execute(insert(MAILBOXES).values(name=name, cursor=cursor, watched_since=at, failures=0, problem=""))


def keep(
    db: Connection, mailbox: str, cursor: str, mails: Sequence[tuple[RawMail, str]], *, backfill: bool, at: datetime
) -> list[int]:
    """Keep new mail and move the cursor in the caller's transaction.

    Args:
        db: The transaction.
        mailbox: Its name; `start_watching` was called for it.
        cursor: The cursor that lies after `mails`.
        mails: Each mail with its fingerprint.
        backfill: The mail was there before we watched.
        at: Now.

    Returns:
        The ids of those that were not known yet.
    """
    db.execute(update(MAILBOXES).where(MAILBOXES.c.name == mailbox).values(cursor=cursor))
    prints = [fingerprint for _, fingerprint in mails]
    known = set(db.scalars(select(MAILS.c.fingerprint).where(MAILS.c.mailbox == mailbox, MAILS.c.fingerprint.in_(prints))))
    rows = []
    for mail, fingerprint in mails:
        if fingerprint in known:  # the same message seen twice in one mailbox is one message
            continue
        known.add(fingerprint)
        rows.append(
            {
                "mailbox": mailbox,
                "uid": mail.uid,
                "fingerprint": fingerprint,
                "raw": zlib.compress(mail.octets, 1),
                "size_octets": len(mail.octets),
                "received_at": mail.received_at or at,
                "kept_at": at,
                "backfill": backfill,
                "attempts": 0,
                "state": "new",
                "fault": "",
                "answered": mail.answered,
            }
        )
    if not rows:
        return []
    return list(db.scalars(insert(MAILS).returning(MAILS.c.id, sort_by_parameter_order=True), rows))


def keep_refused(db: Connection, mailbox: str, uid: str, why: str, at: datetime) -> int | None:
    """Keep the fact that a mail could not be taken whole, so that people see it; None if that is known."""
    stub = RawMail(mailbox, uid, b"")
    cursor = db.scalar(select(MAILBOXES.c.cursor).where(MAILBOXES.c.name == mailbox)) or ""
    ids = keep(db, mailbox, cursor, [(stub, f"refused:{uid}"[:64])], backfill=False, at=at)
    for mail_id in ids:
        db.execute(update(MAILS).where(MAILS.c.id == mail_id).values(fault=why))
    return ids[0] if ids else None


def unprocessed(db: Connection, limit: int) -> list[int]:
    """Return ids of mail to process, oldest first; those that have stopped us before come last."""
    order = select(MAILS.c.id).where(MAILS.c.state == "new").order_by(MAILS.c.attempts, MAILS.c.id).limit(limit)
    return list(db.scalars(order))


def begin_attempt(db: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Count one more attempt for each, before anything is read; return the counts now."""
    counted = update(MAILS).where(MAILS.c.id.in_(ids), MAILS.c.state == "new").values(attempts=MAILS.c.attempts + 1)
    return {row.id: row.attempts for row in db.execute(counted.returning(MAILS.c.id, MAILS.c.attempts))}


def forgive_attempt(db: Connection, ids: Sequence[int]) -> None:
    """Take back the attempts of mail that never got its turn (a clean stop in the middle of a batch)."""
    db.execute(update(MAILS).where(MAILS.c.id.in_(ids), MAILS.c.state == "new").values(attempts=MAILS.c.attempts - 1))


def load(db: Connection, mail_id: int) -> KeptMail:
    """Return one mail whole; one whose bytes are damaged says so in its fault."""
    return _kept(db.execute(_ONE, {"mail_id": mail_id}).mappings().one())


def first_since(db: Connection, since: datetime) -> int:
    """Return the lowest id among mails received since a moment, 0 if there are none: where reading them by id may start."""
    lowest = func.min(MAILS.c.id + 0)  # of the bare id SQLite would walk the table from its start
    return int(db.scalar(select(lowest).where(MAILS.c.received_at >= since)) or 0)


def mailbox_of(db: Connection, mail_id: int) -> str:
    """Return the name of the mailbox that a mail came to."""
    return str(db.execute(select(MAILS.c.mailbox).where(MAILS.c.id == mail_id)).scalar_one())


def unpacked(raw: bytes) -> bytes | None:
    """Return the bytes of a mail as it came; None where the database holds them damaged (zlib's checksum tells)."""
    try:
        return zlib.decompress(raw)
    except zlib.error:
        return None


def was_there_before(db: Connection, mail_id: int) -> bool:
    """Tell whether a mail was in its mailbox before we watched: it alarms nobody and is never acknowledged."""
    return bool(db.scalar(select(MAILS.c.backfill).where(MAILS.c.id == mail_id)))


def finish(db: Connection, mail_id: int, *, state: str = "done", why: str = "") -> bool:
    """Mark a mail processed (or set aside, with why); False when another worker was first."""
    return db.execute(_FINISH, {"mail_id": mail_id, "to_state": state, "why": why}).rowcount == 1


def same_elsewhere(db: Connection, mail_id: int, fingerprint: str) -> list[int]:
    """Return ids of the same mail in other mailboxes."""
    return list(db.scalars(select(MAILS.c.id).where(MAILS.c.fingerprint == fingerprint, MAILS.c.id != mail_id)))


def count_waiting(db: Connection) -> tuple[int, datetime | None]:
    """Return how many mails wait to be processed, and since when the oldest does."""
    row = db.execute(select(func.count(), func.min(MAILS.c.kept_at)).where(MAILS.c.state == "new")).one()
    return int(row[0]), row[1]


def _kept(row: RowMapping) -> KeptMail:
    octets = unpacked(row["raw"])
    return KeptMail(
        row["id"],
        row["mailbox"],
        row["uid"],
        row["fingerprint"],
        octets or b"",
        row["received_at"],
        row["backfill"],
        row["fault"] or (DAMAGED if octets is None else ""),
        row["answered"],
    )

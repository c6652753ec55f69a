"""What the daemon leaves behind so that `triaged status` can tell how it is, and small facts that outlive a restart."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from triaged.store.mails import MailboxState
from triaged.store.tables import FACTS, MAILBOXES


def polled(db: Connection, name: str, at: datetime) -> None:
    """Note that a mailbox was read."""
    db.execute(
        update(MAILBOXES).where(MAILBOXES.c.name == name).values(last_success=at, failures=0, problem="", problem_since=None)
    )


def failed(db: Connection, name: str, problem: str, at: datetime) -> int:
    """Note that a mailbox could not be read; return how often in a row. Unknown mailboxes are kept as a fact."""
    state = db.execute(select(MAILBOXES).where(MAILBOXES.c.name == name)).mappings().one_or_none()
    if state is None:
        known = fact(db, f"unreached {name}")
        failures = (known["failures"] if known else 0) + 1
        since = known["since"] if known else at.isoformat()
        remember(db, f"unreached {name}", {"failures": failures, "problem": problem, "since": since}, at)
        return failures
    failures = state["failures"] + 1
    since_at = state["problem_since"] or at
    values = {"failures": failures, "problem": problem, "problem_since": since_at}
    db.execute(update(MAILBOXES).where(MAILBOXES.c.name == name).values(**values))
    return int(failures)


def mailboxes(db: Connection) -> dict[str, MailboxState]:
    """Return the state of every mailbox that was ever read."""
    return {row["name"]: MailboxState(**row) for row in db.execute(select(MAILBOXES)).mappings()}


def unreached(db: Connection, name: str) -> tuple[int, str, datetime] | None:
    """Return failures, problem and since when, of a mailbox that was never read."""
    known = fact(db, f"unreached {name}")
    return (known["failures"], known["problem"], datetime.fromisoformat(known["since"])) if known else None


def fact(db: Connection, name: str) -> Any:
    """Return a remembered value; None if there is none."""
    return db.scalar(select(FACTS.c.value).where(FACTS.c.name == name))


def remember(db: Connection, name: str, value: Any, at: datetime) -> None:
    """Keep a small JSON value."""
    if db.execute(update(FACTS).where(FACTS.c.name == name).values(value=value, at=at)).rowcount == 0:
        db.execute(insert(FACTS).values(name=name, value=value, at=at))


def signing_key(db: Connection, at: datetime) -> bytes:
    """Return the key that signs our loop headers; made once, at the first start."""
    known = fact(db, "signing key")
    if known is None:
        known = secrets.token_hex(32)
        remember(db, "signing key", known, at)
    return bytes.fromhex(known)

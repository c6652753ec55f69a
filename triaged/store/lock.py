"""One daemon a database: two would send what the other is sending."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, text

from triaged.store.engine import StoreError

_ADVISORY_LOCK: Final = 7_311_947_283  # any number, the same for ever
_BUSY: Final = "another triaged works with this database; stop it first (systemctl stop triaged) or let it do the work"


@contextmanager
def only_one(engine: Engine) -> Iterator[None]:
    """Hold the database for this process until the block ends; the operating system lets go when we die.

    Raises:
        StoreError: Another process holds it.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as db:
            if not db.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": _ADVISORY_LOCK}):
                raise StoreError(_BUSY)
            db.commit()  # the lock is the session's; an open transaction would keep vacuum from its work
            try:
                yield
            finally:  # the connection goes back to the pool with its session, and the lock with it
                db.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _ADVISORY_LOCK})
        return
    name = engine.url.database
    if not name or name == ":memory:":
        yield
        return
    with Path(f"{name}.lock").open("w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise StoreError(_BUSY) from busy
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield

"""Opening the database: SQLite (WAL, every commit on disk) or PostgreSQL, the same code for both."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url

_READING: Final = "triaged_reading"
BUSY_SECONDS: Final = 30
_READ_TEXT: Final = partial(str, encoding="utf-8", errors="replace")  # sqlite3 raises at a damaged text, and the page is lost


class StoreError(Exception):
    """The database can't be used; the text says what to do."""


def open_engine(url: str) -> Engine:
    """Open the database at an SQLAlchemy URL; connects only on first use.

    Raises:
        StoreError: The URL's driver is not installed.
    """
    try:
        engine = create_engine(url, pool_pre_ping=make_url(url).get_backend_name() != "sqlite")
    except ModuleNotFoundError as missing:
        raise StoreError(
            f"the database driver {missing.name} is not installed; for PostgreSQL: pip install 'triaged[postgres]'"
        ) from missing
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not begin on its own: we say IMMEDIATE below
        connection.text_factory = _READ_TEXT
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # NORMAL may lose the last commits at power loss
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred writer that meets another writer fails at once, without waiting: so writers say so first.
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Read one consistent state without holding up any writer."""
    with engine.connect().execution_options(**{_READING: True}) as db:
        yield db


def migrate(engine: Engine) -> None:
    """Bring the tables to this version; a no-op when they are. Safe to call at every start.

    Raises:
        StoreError: The database was made by a newer version.
    """
    from alembic import command  # 600 ms: only at start-up
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.begin() as db:
        config.attributes["connection"] = db
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"the database is of a newer triaged than this one ({error}); install that version again"
            ) from error

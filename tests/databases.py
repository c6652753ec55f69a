"""Databases for tests: SQLite in a file, and a real PostgreSQL started for the session where its programs are installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from triaged.store.engine import migrate, open_engine


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _postgresql_programs() -> Path | None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    found = installed[-1] if installed else shutil.which("pg_ctl")
    return Path(found).resolve().parent if found else None


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server of our own, without a database's name."""
    programs = _postgresql_programs()
    if programs is None or not (programs / "initdb").exists():
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="triaged-pg-", dir="/tmp"))  # sockets need a short path that postgres may enter
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    cluster, port = folder / "cluster", free_port()
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(
        _as_postgres([str(programs / "initdb"), "-A", "trust", "-U", "triaged", "-E", "UTF8", "-D", str(cluster)]), **quiet
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    control = [str(programs / "pg_ctl"), "-D", str(cluster), "-w", "-l", str(folder / "log")]
    subprocess.run(_as_postgres([*control, "-o", options, "start"]), **quiet)
    try:
        yield f"postgresql+psycopg://triaged@127.0.0.1:{port}/"
    finally:
        subprocess.run(_as_postgres([*control, "-m", "immediate", "stop"]), **quiet)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database of a test's own."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    admin = create_engine(postgresql_server + "postgres", isolation_level="AUTOCOMMIT")
    with admin.connect() as db:
        db.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        db.execute(text(f"CREATE DATABASE {name}"))
    yield postgresql_server + name
    with admin.connect() as db:
        db.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database's URL, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'triaged.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """A migrated database, of each kind in turn."""
    opened = open_engine(store_url)
    migrate(opened)
    yield opened
    opened.dispose()

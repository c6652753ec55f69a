"""A real Dovecot on loopback, unprivileged whoever runs the tests, with TLS by a throw-away CA. A pytest plugin."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from grp import getgrgid
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trustme
from imapclient import IMAPClient, SocketTimeout

from triaged.config import Imap, Secret

PROGRAM = shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
PASSWORD = "the öld clock"
ASCII_USER, ASCII_PASSWORD = "ascii", 'a "quoted" \\ word'
START_SECONDS = 10.0
USERS = 2_000


@dataclass
class Account:
    """One user's mail on the server, seen from the side of the disk."""

    user: str
    maildir: Path
    server: "Dovecot"
    serial: Iterator[int] = field(default_factory=lambda: count(1))

    def folder(self, name: str = "INBOX") -> Path:
        """Return where a folder lies (name as on the server's disk)."""
        return self.maildir if name == "INBOX" else self.maildir / f".{name}"

    def deliver(self, octets: bytes, folder: str = "INBOX") -> str:
        """Drop a mail as a delivery agent does; return its unique name."""
        for sub in ("tmp", "new", "cur"):
            self.server.make_folder(self.folder(folder) / sub)
        name = f"{next(self.serial):010d}.test"
        written = self.folder(folder) / "tmp" / name
        written.write_bytes(octets)
        self.server.give(written)
        written.rename(self.folder(folder) / "new" / name)
        return name

    def client(self) -> IMAPClient:
        """Return another mail program's connection; the caller logs out."""
        client = IMAPClient("127.0.0.1", self.server.plain_port, ssl=False, timeout=SocketTimeout(5, 20))
        client.plain_login(self.user, PASSWORD)
        return client

    def settings(self, **changes: Any) -> Imap:
        """Return what triaged.toml would hold for this account."""
        known: dict[str, Any] = {
            "host": "localhost",
            "port": self.server.tls_port,
            "user": self.user,
            "password": Secret("file", str(self.server.root / "password")),
            "tls_ca": self.server.root / "ca.pem",
        }
        return Imap(**(known | changes))


@dataclass
class Dovecot:
    """The running server."""

    root: Path
    owner: pwd.struct_passwd
    plain_port: int
    tls_port: int
    serial: Iterator[int] = field(default_factory=lambda: count(1))

    def give(self, path: Path) -> None:
        """Let the server's user own a file that a test made."""
        if os.getuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def make_folder(self, path: Path) -> None:
        """Make a folder and its parents for the server."""
        for folder in (*reversed(path.parents), path):
            if not folder.exists():
                folder.mkdir()
                self.give(folder)

    def account(self) -> Account:
        """Return a user that no other test has, with an empty inbox."""
        user = f"user{next(self.serial)}"
        return Account(user, self.root / "mail" / user, self)

    def log(self) -> str:
        """Return all that the server logged."""
        return (self.root / "dovecot.log").read_text()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def configuration(server: Dovecot, extra: str) -> str:
    """Return a dovecot.conf under which no part of the server needs another user, a chroot, or a privilege."""
    owner, group, root = server.owner, getgrgid(server.owner.pw_gid).gr_name, server.root
    return f"""
        base_dir = {root}/run
        state_dir = {root}/state
        log_path = {root}/dovecot.log
        protocols = imap
        listen = 127.0.0.1
        default_internal_user = {owner.pw_name}
        default_internal_group = {group}
        default_login_user = {owner.pw_name}
        first_valid_uid = 1
        first_valid_gid = 1
        ssl = yes
        ssl_cert = <{root}/cert.pem
        ssl_key = <{root}/key.pem
        auth_failure_delay = 0
        mail_location = maildir:{root}/mail/%u
        mail_max_userip_connections = 100
        service anvil {{
          chroot =
          unix_listener anvil-auth-penalty {{
            mode = 0
          }}
        }}
        service stats {{
          chroot =
        }}
        service imap-login {{
          chroot =
          service_count = 0
          process_min_avail = 1
          inet_listener imap {{
            port = {server.plain_port}
          }}
          inet_listener imaps {{
            port = {server.tls_port}
            ssl = yes
          }}
        }}
        passdb {{
          driver = passwd-file
          args = {root}/users
        }}
        userdb {{
          driver = static
          args = uid={owner.pw_uid} gid={owner.pw_gid} home={root}/mail/%u
        }}
        {extra}
    """


def prepare(root: Path, owner: pwd.struct_passwd, extra: str) -> Dovecot:
    """Write certificates, users and the configuration."""
    server = Dovecot(root, owner, free_port(), free_port())
    ca = trustme.CA()
    certificate = ca.issue_cert("localhost")
    ca.cert_pem.write_to_path(str(root / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(root / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(root / "cert.pem"))
    trustme.CA().cert_pem.write_to_path(str(root / "other-ca.pem"))
    (root / "password").write_text(PASSWORD + "\n")
    # All at once: Dovecot looks at most once a second whether this file has changed.
    passwords = {f"user{number}": PASSWORD for number in range(1, USERS + 1)} | {ASCII_USER: ASCII_PASSWORD}
    (root / "users").write_text("".join(f"{user}:{{PLAIN}}{password}::::::\n" for user, password in passwords.items()))
    (root / "mail").mkdir()
    (root / "dovecot.conf").write_text("\n".join(line.strip() for line in configuration(server, extra).splitlines()))
    root.chmod(0o755)
    for path in (root, *root.iterdir()):
        server.give(path)
    return server


@contextmanager
def running(extra: str = "") -> Iterator[Dovecot]:
    """Run a Dovecot with some more lines of configuration; skip the test where there is none."""
    if PROGRAM is None:
        pytest.skip("Dovecot is not installed (Debian: dovecot-imapd)")
    # As root, all of Dovecot runs as the user its package made: Dovecot serves no mail as root, and pytest's own
    # temporary folders are closed to everybody else.
    owner = pwd.getpwnam("dovecot") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    as_owner: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    root = Path(tempfile.mkdtemp(prefix="dovecot-"))
    try:
        server = prepare(root, owner, extra)
        command = [PROGRAM, "-F", "-c", str(root / "dovecot.conf")]
        with (root / "stderr").open("wb") as stderr, subprocess.Popen(command, stderr=stderr, **as_owner) as process:
            try:
                wait_for_port(server, process)
                yield server
            finally:
                process.terminate()
    finally:
        shutil.rmtree(root)


def wait_for_port(server: Dovecot, process: "subprocess.Popen[bytes]") -> None:
    """Return when the server listens; fail with its own words if it ends instead."""
    waiting = True
    while waiting:
        try:
            socket.create_connection(("127.0.0.1", server.tls_port), START_SECONDS).close()
            waiting = False
        except ConnectionRefusedError:
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            pytest.fail(f"dovecot ended: {(server.root / 'stderr').read_text()}")


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """The server that most tests share; each takes an account of its own."""
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def dovecot_with() -> Iterator[Callable[[str], Dovecot]]:
    """Start further servers with lines of configuration of their own."""
    with ExitStack() as stack:
        yield lambda extra: stack.enter_context(running(extra))


@pytest.fixture
def account(dovecot: Dovecot) -> Account:
    """A user with an empty inbox."""
    return dovecot.account()

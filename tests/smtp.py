"""SMTP servers on loopback: one that keeps what it gets, one that misbehaves on command, a real Postfix. A pytest plugin."""

import os
import pwd
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from aiosmtpd.smtp import Envelope as Received

from triaged.config import SenderSettings
from triaged.route.smtp import Smtp
from triaged.route.smtp_session import Timeouts

USER, PASSWORD = "triage@example.gov", "the öld clock"
QUICK = Timeouts(connect=10, command=10, final=10)
WAIT_SECONDS = 30.0


def attached(octets: bytes) -> bytes:
    """Return the bytes of a mail's last part as they stand between boundaries, without any decoding."""
    boundary = message_from_bytes(octets).get_boundary("").encode()
    part = octets.split(b"\r\n--" + boundary)[-2]
    return part.partition(b"\r\n\r\n")[2]


def wait_until(holds: Callable[[], Any], what: str) -> Any:
    """Return what `holds` gives as soon as that is something; fail after a while."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if found := holds():
            return found
        threading.Event().wait(0.02)
    return pytest.fail(f"after {WAIT_SECONDS:.0f} s still not: {what}")


@dataclass
class Sink:
    """A well-behaved server, and what it got."""

    tls: str
    port: int = 0
    mails: list[Received] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    ca: Path | None = None

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Received) -> str:  # noqa: N802
        """Keep one mail (aiosmtpd's hook)."""
        self.mails.append(envelope)
        self.sessions.add(id(session))
        return "250 2.0.0 kept"

    def settings(self, **changes: Any) -> SenderSettings:
        """Return what triaged.toml would hold for this server."""
        known: dict[str, Any] = {
            "kind": "smtp",
            "sender": USER,
            "host": "localhost",
            "port": self.port,
            "tls": self.tls,
            "tls_ca": self.ca,
        }
        return SenderSettings(**(known | changes))


def _authenticate(server: SMTP, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    known = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[trustme.CA, Path]:
    """A throw-away CA, and its certificate's file."""
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return ca, path


@contextmanager
def sink(
    authority: tuple[trustme.CA, Path], tls: str = "none", *, auth: bool = False, size: int = 33_554_432
) -> Iterator[Sink]:
    """Run a well-behaved server."""
    ca, path = authority
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    kept = Sink(tls, free_port(), ca=path if tls != "none" else None)
    options: dict[str, Any] = {"enable_SMTPUTF8": True, "data_size_limit": size, "server_hostname": "localhost"}
    if auth:
        options |= {"authenticator": _authenticate, "auth_required": True, "auth_require_tls": False}
    if tls == "implicit":
        options["ssl_context"] = context
    elif tls == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    controller = Controller(kept, hostname="127.0.0.1", port=kept.port, **options)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Rude:
    """A server that does at each step what a test says, on plain sockets.

    Attributes:
        answers: What to answer to a command, by how the command begins ("RCPT TO:<b@", "DATA", "." for the final dot);
            "" closes the connection, None keeps silent.
        extensions: What EHLO announces.
        commands: All commands that came, of all connections.
        mails: The contents that came up to a final dot, as they stood on the wire.
        cut_after: Close with a reset after so many octets of content.
    """

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = {}
        self.extensions: tuple[str, ...] = ("8BITMIME", "SIZE 10240000", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES")
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        self.cut_after: int | None = None
        self.connections = 0
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def sender(self, **timeouts: float) -> Smtp:
        """Return a sender for this server."""
        known = {"connect": 10.0, "command": 10.0, "final": 10.0} | timeouts
        return Smtp(SenderSettings("smtp", USER, "127.0.0.1", self.port, "none"), None, Timeouts(**known))

    def close(self) -> None:
        """Stop, and let go of every connection."""
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as stream, suppress(ConnectionError):
            self._talk(connection, stream)

    def _talk(self, connection: socket.socket, stream: Any) -> None:
        if not self._answer(stream, "greeting", "220 rude ESMTP"):
            return
        while line := stream.readline():
            command = line.decode().rstrip("\r\n")
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            usual = {"DATA": "354 go on", "QUIT": "221 2.0.0 bye"}.get(verb, "250 2.0.0 fine")
            if verb == "EHLO":
                usual = "\r\n".join((*(f"250-{name}" for name in ("rude", *self.extensions)), "250 HELP"))
            answer = self._answer(stream, command, usual)
            if not answer or verb == "QUIT":
                return
            if verb == "DATA" and answer.startswith("354"):
                if self.cut_after is not None:
                    stream.read(self.cut_after)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                content = []
                while (text := stream.readline()) not in (b".\r\n", b""):
                    content.append(text)
                if not text:
                    return
                self.mails.append(b"".join(content))
                if not self._answer(stream, ".", "250 2.0.0 taken"):
                    return

    def _answer(self, stream: Any, command: str, usual: str) -> str:
        told = [begin for begin in self.answers if command.upper().startswith(begin.upper())]
        answer = self.answers[told[0]] if told else usual
        if answer is None:
            self._over.wait()
            return ""
        if answer:
            stream.write(answer.encode() + b"\r\n")
            stream.flush()
        return answer


@pytest.fixture
def rude() -> Iterator[Rude]:
    """A server that misbehaves on command."""
    server = Rude()
    try:
        yield server
    finally:
        server.close()


@dataclass
class Postfix:
    """A running Postfix of our own that delivers into maildirs."""

    root: Path
    port: int
    log_start: int = 0  # what was logged before the test began

    def settings(self) -> SenderSettings:
        """Return what triaged.toml would hold for it."""
        return SenderSettings("smtp", USER, "127.0.0.1", self.port, "none")

    def mails(self, address: str) -> list[bytes]:
        """Return what lies in an address's maildir."""
        local, _, domain = address.partition("@")
        return [file.read_bytes() for file in sorted((self.root / "mail" / domain / local / "new").glob("*"))]

    def arrived(self, address: str) -> bytes:
        """Return the one mail of an address as soon as it is there."""
        mails = wait_until(lambda: self.mails(address), f"a mail for {address}; Postfix says:\n{self.log()}")
        assert len(mails) == 1
        found: bytes = mails[0]
        return found

    def is_idle(self) -> bool:
        """Tell whether no mail is under way."""
        queues = (self.root / "queue" / name for name in ("maildrop", "incoming", "active", "deferred"))
        return not any(path.is_file() for queue in queues for path in queue.rglob("*"))

    def log(self) -> str:
        """Return what the server logged during the test."""
        log = self.root / "postfix.log"
        return log.read_text()[self.log_start :] if log.exists() else ""


_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
# Unknown recipients are taken and bounced, as a relay further on would do.
_MAIN = """
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
maillog_file = {root}/postfix.log
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example.gov
mydestination =
local_transport = error:no local mail
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
virtual_mailbox_domains = example.gov example.org
virtual_mailbox_base = {root}/mail
virtual_mailbox_maps = texthash:{root}/config/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_reject_unlisted_recipient = no
smtpd_recipient_restrictions = check_recipient_access inline:{{{{refused@example.gov = 550 5.1.1 left the office}}}}
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
"""
MAILBOXES = ("housing@example.gov", "triage@example.gov", "writer@example.org")


@contextmanager
def postfix_running() -> Iterator[Postfix]:
    """Run a Postfix; skip the test where that cannot be."""
    program = shutil.which("postfix", path="/usr/sbin:" + os.environ.get("PATH", ""))
    if program is None:
        pytest.skip("Postfix is not installed (Debian: postfix)")
    if os.getuid() != 0:
        pytest.skip("Postfix's master needs to be started by root")
    owner = pwd.getpwnam("postfix")
    root = Path(tempfile.mkdtemp(prefix="postfix-"))  # pytest's own temporary folders are closed to Postfix's user
    try:
        root.chmod(0o755)
        server = Postfix(root, free_port())
        for name in ("config", "queue", "data", "mail"):
            (root / name).mkdir()
        for name in ("data", "mail"):
            os.chown(root / name, owner.pw_uid, owner.pw_gid)
        (root / "config/main.cf").write_text(_MAIN.format(root=root, uid=owner.pw_uid, gid=owner.pw_gid))
        (root / "config/master.cf").write_text(_MASTER.format(port=server.port))
        lines = (f"{address} {address.partition('@')[2]}/{address.partition('@')[0]}/\n" for address in MAILBOXES)
        (root / "config/mailboxes").write_text("".join(lines))
        command = [program, "-c", str(root / "config")]
        done = subprocess.run([*command, "start"], capture_output=True, text=True, timeout=60)
        if done.returncode:
            pytest.fail(f"postfix did not start: {done.stdout}{done.stderr}{server.log()}")
        try:
            yield server
        finally:
            subprocess.run([*command, "stop"], capture_output=True, timeout=60, check=False)
    finally:
        shutil.rmtree(root)


@pytest.fixture(scope="session")
def postfix_server() -> Iterator[Postfix]:
    """One Postfix for all tests."""
    with postfix_running() as server:
        yield server


@pytest.fixture
def postfix(postfix_server: Postfix) -> Postfix:
    """A Postfix with nothing under way, empty maildirs and, as far as can be seen, an empty log."""
    wait_until(postfix_server.is_idle, "Postfix is idle")
    for folder in (postfix_server.root / "mail").iterdir():
        shutil.rmtree(folder)
    postfix_server.log_start = 0
    postfix_server.log_start = len(postfix_server.log())
    return postfix_server


@pytest.fixture
def sinks(authority: tuple[trustme.CA, Path]) -> Iterator[Callable[..., Sink]]:
    """Start well-behaved servers: `sinks("starttls", auth=True)`."""
    with ExitStack() as stack:
        yield lambda tls="none", **options: stack.enter_context(sink(authority, tls, **options))

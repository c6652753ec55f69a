"""A TCP proxy on loopback that misbehaves on command: it cuts, dribbles, falls silent, or changes words. A pytest plugin."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

import pytest

CHUNK_OCTETS = 65_536


@dataclass
class Proxy:
    """Passes octets between a client and a server, and does to the server's what it is told."""

    target: int
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    cut_after: int | None = None  # octets from the server, counted over all connections from when it is set
    cut_at: bytes = b""  # cut before a chunk that holds these
    silent_after: int | None = None
    silent_at: bytes = b""
    octets_a_second: int | None = None
    replace: tuple[bytes, bytes] = (b"", b"")
    replace_asked: Callable[[bytes], bytes] = bytes  # what becomes of the client's words
    passed: int = 0
    heard: bytes = b""  # the last of what the server said, not yet waited for
    connections: int = 0
    _open: list[socket.socket] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _news: threading.Condition = field(default_factory=threading.Condition)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.listener.getsockname()[1]
        return port

    def start(self) -> None:
        """Begin to listen."""
        self._run(self._accept)

    def cut(self) -> None:
        """Cut every connection that is open now."""
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def wait_for(self, said: bytes, seconds: float = 10) -> None:
        """Return when the server has said these words since they were last waited for."""
        with self._news:
            if not self._news.wait_for(lambda: said in self.heard, seconds):
                pytest.fail(f"the server never said {said!r}, but {self.heard[-300:]!r}")
            self.heard = self.heard.partition(said)[2]

    def mend(self) -> None:
        """Behave again."""
        self.cut_after = self.silent_after = self.octets_a_second = None
        self.cut_at = self.silent_at = b""
        self.passed = 0

    def close(self) -> None:
        """End; no thread and no socket stays behind."""
        self._stopped.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        for thread in list(self._threads):
            thread.join(10)
        for sock in self._open:
            sock.close()

    def _run(self, function: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self._open += [client, server]
            self.connections += 1
            self._run(self._pass_on, client, server, False)
            self._run(self._pass_on, server, client, True)

    def _pass_on(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK_OCTETS):
                if from_server and not self._let_through(chunk, sink):
                    break
                if not from_server:
                    sink.sendall(self.replace_asked(chunk))
        for sock in (source, sink):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _let_through(self, chunk: bytes, sink: socket.socket) -> bool:
        before, after = self.replace
        if before:
            chunk = chunk.replace(before, after)
        with self._news:
            self.heard = (self.heard + chunk)[-CHUNK_OCTETS:]
            self._news.notify_all()
        if self.silent_at and self.silent_at in chunk:
            self.silent_after = self.passed
        if self.cut_at and self.cut_at in chunk:
            return False
        if self.cut_after is not None and self.passed + len(chunk) > self.cut_after:
            with suppress(OSError):
                sink.sendall(chunk[: max(0, self.cut_after - self.passed)])
            return False
        self.passed += len(chunk)
        if self.silent_after is not None and self.passed > self.silent_after:
            return True  # swallowed
        if self.octets_a_second is None:
            sink.sendall(chunk)
            return True
        for start in range(0, len(chunk), max(1, self.octets_a_second // 20)):
            sink.sendall(chunk[start : start + max(1, self.octets_a_second // 20)])
            if self._stopped.wait(0.05):
                return False
        return True


@pytest.fixture
def proxy_to() -> Iterator[Callable[[int], Proxy]]:
    """Start a proxy before a port of loopback."""
    with ExitStack() as stack:

        def start(target: int) -> Proxy:
            proxy = Proxy(target)
            stack.callback(proxy.close)
            proxy.start()
            return proxy

        yield start

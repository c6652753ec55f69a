"""HTTPS servers on loopback, with certificates of the tests' own authority. What they say, each kind defines by itself."""

import json
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass
class Asked:
    """One request."""

    method: str
    path: str  # with the query
    headers: dict[str, str]  # lower-case names
    body: bytes


@dataclass
class Said:
    """One answer. `cut_after`: hang up after so many octets of the body; None: say it whole."""

    status: int = 200
    body: bytes | str | dict[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    @property
    def octets(self) -> bytes:
        if isinstance(self.body, dict):
            return json.dumps(self.body).encode()
        return self.body.encode() if isinstance(self.body, str) else self.body


class Web:
    """A server; a kind overrides `answer`. Keeps what it was asked."""

    def __init__(self, authority: tuple[trustme.CA, Path]) -> None:
        self.asked: list[Asked] = []
        self.lock = threading.RLock()
        self.ca = authority[1]
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65_536

            def handle(self) -> None:
                with suppress(OSError, ssl.SSLError):
                    super().handle()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body)
                said = web.hear(asked, self)
                if said is None:
                    self.close_connection = True
                    with suppress(OSError):
                        self.connection.shutdown(socket.SHUT_RDWR)
                    return
                octets = said.octets
                self.send_response(said.status)
                for name, value in {"Content-Type": "application/json", **said.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets if said.cut_after is None else octets[: said.cut_after])
                self.wfile.flush()
                if said.cut_after is not None:
                    self.close_connection = True
                    with suppress(OSError):
                        self.connection.shutdown(socket.SHUT_RDWR)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 50

            def handle_error(self, *_: Any) -> None:
                """A client hung up: some tests do."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority[0].issue_cert("localhost", "127.0.0.1").configure_cert(context)
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        self.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def hear(self, asked: Asked, handler: BaseHTTPRequestHandler) -> Said | None:
        """Note a request and answer it; None hangs up."""
        with self.lock:
            self.asked.append(asked)
        return self.answer(asked)

    def answer(self, asked: Asked) -> Said | None:
        """Answer a request; None hangs up."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

"""A local SMTP server that keeps what it gets, for looking at."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from triaged.message import LOOP_HEADER

_FOLDERS: Final = {"auto-replied": "acknowledgements", "auto-generated": "alerts"}
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.@+-]+")


class _Keep:
    """Writes each mail into a folder by what it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep one mail (aiosmtpd's hook)."""
        octets = envelope.original_content or b""
        mail = message_from_bytes(octets)
        kind = _FOLDERS.get(mail.get("Auto-Submitted", "no"), "hand-offs")
        if mail.get(LOOP_HEADER, "").startswith("digest "):
            kind = "digests"
        self._count += 1
        to = _UNSAFE.sub("_", ",".join(envelope.rcpt_tos))[:80]
        folder = self._folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self._count:03d}-{to}.eml").write_bytes(octets)
        return "250 2.0.0 kept"


@contextmanager
def sink(folder: Path) -> Iterator[int]:
    """Run the server on a free loopback port while the block lasts; give its port.

    Args:
        folder: Where mails are kept, in the sub-folders acknowledgements, hand-offs, digests, alerts.
    """
    port = _free_port()  # aiosmtpd's own port 0 does not work: it connects to the port it was told (1.4.6)
    controller = Controller(_Keep(folder), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True, data_size_limit=60_000_000)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

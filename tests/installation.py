"""A whole installation in a folder: configuration, rules, maildirs, a spool that stands for the outside."""

import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from triaged import cli

PATIENCE = 60.0  # seconds until a condition must hold
RULES = """\
version: 1
departments:
  housing: {name: Housing, to: housing@example.gov, respond_within: 14 days}
  parks: {name: Parks, to: parks@example.gov}
topics:
  heat: {department: housing, urgency: high, description: No heat at home}
  trees: {department: parks, description: Trees}
rules:
  - name: Heat
    when: {subject: {words: [heat]}}
    then: {topic: heat}
  - name: Trees
    when: {subject: {words: [tree]}}
    then: {topic: trees}
  - name: Somebody must read gifts
    when: {subject: {words: [gift]}}
    then: {hold: gifts are logged by hand}
"""
SETTINGS = """\
[office]
name = "Office of the Mayor"
prefix = "MAY"
timezone = "America/New_York"
rules = "rules.yaml"
languages = ["en", "es", "fr"]
encoder = false

[store]
url = "{store}"

{mailboxes}

[sender]
{sender}
from = "correspondence@example.gov"

[review]
to = ["reviewer@example.gov"]
reply_to = "triage@example.gov"
authserv_id = "mx.example.gov"
"""
MAILDIRS = """\
[[mailbox]]
name = "mayor"
kind = "maildir"
path = "mayor"

[[mailbox]]
name = "leader"
kind = "maildir"
path = "leader"
office = "Office of the Leader"
prefix = "LEA"
"""


def letter(number: int = 1, subject: str = "No heat", text: str = "It is cold here.", **headers: str) -> bytes:
    """A citizen's letter; `headers` replace or add (underscores for hyphens; an empty value leaves one out)."""
    fields = {
        "Return-Path": f"<writer{number}@example{number}.org>",
        "From": f"Writer {number} <writer{number}@example{number}.org>",
        "To": "mayor@example.gov",
        "Subject": subject,
        "Message-ID": f"<{number}@example.org>",
        "Date": "Mon, 23 Nov 2026 10:00:00 -0500",
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    header = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{header}MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


class Installation:
    """What an administrator set up, and the commands."""

    def __init__(
        self, folder: Path, *, store: str = "sqlite:///triaged.db", mailboxes: str = MAILDIRS, sender: str = ""
    ) -> None:
        self.folder = folder
        self.config = folder / "triaged.toml"
        sender = sender or 'kind = "spool"\npath = "out"'
        self.config.write_text(SETTINGS.format(store=store, mailboxes=mailboxes, sender=sender))
        self.rules = folder / "rules.yaml"
        self.rules.write_text(RULES)
        for name in ("mayor", "leader"):
            for sub in ("cur", "new", "tmp"):
                (folder / name / sub).mkdir(parents=True, exist_ok=True)
        self._serial = 0

    def receive(self, octets: bytes, mailbox: str = "mayor") -> None:
        """Let a mail arrive."""
        self._serial += 1
        name = f"{self._serial:06d}.host"
        (self.folder / mailbox / "tmp" / name).write_bytes(octets)
        (self.folder / mailbox / "tmp" / name).rename(self.folder / mailbox / "new" / name)

    def triaged(self, *arguments: str, status: int = 0) -> str:
        """Run a command (in this process: it starts quicker) that must end with a status; return what it printed."""
        out, err, ended = io.StringIO(), io.StringIO(), 0
        with (
            patch.object(sys, "argv", ["triaged", *arguments, "--config", str(self.config)]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                cli.main()
            except SystemExit as end:
                ended = int(end.code or 0)
        assert ended == status, f"{arguments}: {ended}\n{out.getvalue()}\n{err.getvalue()}"
        return out.getvalue() + (err.getvalue() if status else "")

    def run_once(self) -> None:
        self.triaged("run", "--once")

    def started(self) -> "Installation":
        """Take the first look, at empty mailboxes."""
        self.run_once()
        return self

    def export(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.triaged("export").splitlines()]

    def only(self) -> dict[str, Any]:
        """The record of the only message there is."""
        (record,) = self.export()
        return record

    def sent(self, to: str = "") -> list[EmailMessage]:
        """What the outside got, oldest first; to one recipient if named."""
        files = sorted(self.folder.glob("out/**/*.eml"))
        mails = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [mail for mail in mails if to in str(mail["Delivered-To"] or mail["To"])]  # type: ignore[misc]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """An installation with two maildirs and a spool, after its first look."""
    return Installation(tmp_path).started()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Return when a condition holds; fail when it does not within `PATIENCE`."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} s for: {what}"
        time.sleep(0.05)


class Service:
    """`triaged run` under what looks to it like systemd: it hears all that is said, at once."""

    def __init__(self, process: "subprocess.Popen[bytes]", channel: socket.socket, log: Path) -> None:
        self.process = process
        self._channel = channel
        self._log = log
        self.heard: list[str] = []
        self._ended = threading.Event()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([self._channel], [], [], 0.2)
            if ready:
                self.heard.append(self._channel.recv(4096).decode())

    def hang_up(self) -> None:
        """Listen no more."""
        self._ended.set()
        self._listener.join()

    def hears(self, state: str) -> None:
        """Wait for a state such as READY=1."""
        end = time.monotonic() + PATIENCE
        while not any(state in said for said in list(self.heard)):
            ended = self.process.poll() is not None
            time.sleep(0.3 if ended else 0.02)  # what it said last may be on its way
            assert not ended or any(state in said for said in list(self.heard)), f"it ended without {state}:\n{self.log()}"
            assert time.monotonic() < end, f"never heard {state}; heard {self.heard}\n{self.log()}"

    def log(self) -> str:
        return self._log.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@contextmanager
def service(installation: Installation) -> Iterator[Service]:
    """Run the daemon while the block lasts."""
    address = installation.folder / "notify"
    address.unlink(missing_ok=True)
    log = installation.folder / "log"
    environment = {**os.environ, "NOTIFY_SOCKET": str(address)}
    command = [sys.executable, "-m", "triaged", "run", "--config", str(installation.config)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, log.open("ab") as stderr:
        channel.bind(str(address))
        process = subprocess.Popen(command, stderr=stderr, env=environment, cwd=installation.folder)
        daemon = Service(process, channel, log)
        try:
            yield daemon
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            daemon.hang_up()

"""How quick the whole pipeline is: `triaged run --once` on a real Dovecot beside the bare IMAPClient fetch of the same folder.

    .venv/bin/python -m benchmarks.ingest                       # 5,000 messages
    .venv/bin/python -m benchmarks.ingest --messages 1000 20000 # peak memory must stay flat

Needs Debian's dovecot-imapd. Letters are the starter model's own examples, filled up to about 10 KB as mail programs do: an
HTML twin, a quoted letter below, a small attachment. Prints figures; judges nothing.
"""

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from tests.dovecot import Account, free_port, running

ROOT = Path(__file__).parent.parent
OCTETS = 10_000
_SETTINGS = """\
[office]
name = "Office of the Mayor"
prefix = "MAY"
timezone = "America/New_York"
rules = "{root}/rules.yaml"
model = "{root}/models/starter"
languages = ["en", "es", "fr"]
encoder = {encoder}

[store]
url = "sqlite:///{folder}/triaged.db"

[[mailbox]]
name = "mayor"
kind = "imap"
host = "localhost"
port = {imap}
tls_ca = "{ca}"
user = "{user}"
password = {{ file = "{password}" }}

[sender]
kind = "smtp"
host = "127.0.0.1"
port = {smtp}
tls = "none"
from = "correspondence@example.gov"

[review]
to = ["reviewer@example.gov"]
"""


def letters() -> list[dict[str, str]]:
    files = sorted((ROOT / "models" / "starter" / "examples").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def mail(number: int, letter: dict[str, str], rng: random.Random) -> bytes:
    """One mail of about `OCTETS`: text, HTML twin, a quoted older mail, an attachment that fills it up."""
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Writer {number} <writer{number}@host{number % 997}.example.org>"
    message["To"] = "mayor@example.gov"
    message["Subject"] = letter.get("subject") or "A letter"
    message["Date"] = "Mon, 23 Nov 2026 10:00:00 -0500"
    message["Message-ID"] = f"<{number}.{rng.getrandbits(64):x}@example.org>"
    quoted = "\n".join(f"> line {line} of an older mail, kept as mail programs do" for line in range(20))
    text = f"{letter['body']}\n\nOn Mon, 16 Nov 2026 at 09:12, Somebody <somebody@example.org> wrote:\n{quoted}\n"
    message.set_content(text, charset="utf-8")
    message.add_alternative(
        f"<html><body><p>{letter['body']}</p><blockquote>{quoted}</blockquote></body></html>", subtype="html"
    )
    room = max(0, OCTETS - len(bytes(message)) - 300) * 3 // 4
    message.add_attachment(rng.randbytes(room), maintype="image", subtype="jpeg", filename="photo.jpg")
    return bytes(message)


def _count(port: Any, taken: Any) -> None:
    from aiosmtpd.controller import Controller

    class Counter:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            taken.value += 1
            return "250 2.0.0 counted"

    chosen = free_port()
    Controller(Counter(), hostname="127.0.0.1", port=chosen, data_size_limit=60_000_000).start()
    port.value = chosen
    while True:
        time.sleep(3600)


@contextmanager
def sink() -> Iterator[tuple[int, Any]]:
    """A counting SMTP server in a process of its own."""
    port, taken = multiprocessing.Value("i", 0), multiprocessing.Value("i", 0)
    process = multiprocessing.Process(target=_count, args=(port, taken), daemon=True)
    process.start()
    while not port.value and process.is_alive():
        time.sleep(0.01)
    try:
        yield port.value, taken
    finally:
        process.terminate()


def bare_fetch(account: Account) -> float:
    """Seconds that IMAPClient alone takes for the folder, 100 bodies a command."""
    client = account.client()
    client.select_folder("INBOX", readonly=True)
    started = time.perf_counter()
    uids = client.search("ALL")
    octets = 0
    for first in range(0, len(uids), 100):
        for fetched in client.fetch(uids[first : first + 100], ["BODY.PEEK[]"]).values():
            octets += len(fetched[b"BODY[]"])
    seconds = time.perf_counter() - started
    client.logout()
    return seconds


def run_once(config: Path) -> tuple[float, float, float]:
    """Run the command; return wall seconds, CPU seconds, peak memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "triaged", "run", "--once", "--config", str(config)], stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    log = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        sys.exit(f"triaged run --once failed:\n{log[-3000:].decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(count: int, *, encoder: bool) -> None:
    rng = random.Random(7)
    pool = letters()
    with running() as server, sink() as (smtp, taken), tempfile.TemporaryDirectory() as folder:
        account = server.account()
        account.deliver(mail(0, pool[0], rng))  # so that the folder exists
        config = Path(folder) / "triaged.toml"
        config.write_text(
            _SETTINGS.format(
                encoder=str(encoder).lower(),
                root=ROOT,
                folder=folder,
                imap=server.tls_port,
                ca=server.root / "ca.pem",
                user=account.user,
                password=server.root / "password",
                smtp=smtp,
            )
        )
        (Path(folder) / "lists").symlink_to(ROOT / "lists") if (ROOT / "lists").exists() else None
        idle, idle_cpu, idle_memory = run_once(config)  # the first look leaves what is there alone
        size = 0
        for number in range(1, count + 1):
            octets = mail(number, rng.choice(pool), rng)
            size += len(octets)
            account.deliver(octets)
        print(
            f"encoder {'on' if encoder else 'off'}, {count} messages of {size / count:,.0f} octets "
            f"on Dovecot, {os.cpu_count()} cores"
        )
        fetch = bare_fetch(account)
        print(f"  bare IMAPClient fetch   {count / fetch:8.0f} messages/s  ({fetch:.1f} s)")
        wall, cpu, memory = run_once(config)
        work, work_cpu = wall - idle, cpu - idle_cpu
        print(
            f"  triaged run --once      {count / work:8.0f} messages/s  "
            f"({wall:.1f} s, of it {idle:.1f} s start-up and an empty poll)"
        )
        print(f"                          {count / work_cpu:8.0f} messages a CPU second")
        print(f"  ratio                   {fetch / work:8.2f} of the bare fetch's speed")
        print(f"  peak memory             {memory:8.0f} MB  (an empty run: {idle_memory:.0f} MB)")
        print(f"  mails at the sink       {taken.value:8d}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, nargs="+", default=[5000])
    arguments.add_argument("--encoder", action="store_true", help="with sentence vectors, as an office runs it")
    chosen = arguments.parse_args()
    for count in chosen.messages:
        measure(count, encoder=chosen.encoder)


if __name__ == "__main__":
    main()

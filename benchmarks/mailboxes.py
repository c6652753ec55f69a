"""How quick each kind of mailbox is, and how much memory it takes: 10,000 messages through each.

    .venv/bin/python -m benchmarks.mailboxes                     # 10,000 messages of 4 KB through each kind
    .venv/bin/python -m benchmarks.mailboxes --messages 1000 10000 --kinds graph exchange

Fetching alone, batch by batch as the daemon does, without the store. IMAP is a real Dovecot; Graph and Exchange are the
servers of the tests, in a process of their own, over TLS on loopback: their figures show what the client costs, not what
Microsoft's servers allow (Graph: 10,000 requests in 10 minutes, about 16 messages/s). Prints figures; judges nothing.
"""

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import trustme

from tests.dovecot import running
from tests.ews import EwsServer
from tests.graph import GraphServer
from tests.issuer import Issuer
from triaged import config
from triaged.ingest.mailbox import open_mailbox

OCTETS = 4_000
KINDS = ("maildir", "imap", "graph", "exchange")


def letter(number: int) -> bytes:
    head = (
        f"From: writer{number}@example.org\r\nMessage-ID: <{number}@example.org>\r\nSubject: letter {number}\r\n\r\n".encode()
    )
    return head + (b"y" * 76 + b"\r\n") * ((OCTETS - len(head)) // 78)


def _serve(kind: str, count: int, folder: str, pipe: Any) -> None:
    """Run a server with its mails until told to end."""
    authority = trustme.CA()
    ca = Path(folder) / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    issuer = Issuer((authority, ca), Path(folder))
    server: Any = (GraphServer if kind == "graph" else EwsServer)((authority, ca), issuer)
    for number in range(count):
        server.deliver(letter(number), "inbox-id")
    pipe.send(server.settings() if kind == "graph" else server.by_token())
    pipe.recv()


@contextmanager
def account(kind: str, count: int) -> Iterator[Any]:
    """Give the settings of a mailbox that holds the mails."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if kind == "maildir":
            for sub in ("cur", "new", "tmp"):
                (Path(folder) / sub).mkdir()
            for number in range(count):
                (Path(folder) / "new" / f"17{number:08d}.M1P2.host").write_bytes(letter(number))
            yield config.Maildir(Path(folder))
        elif kind == "imap":
            user = stack.enter_context(running()).account()
            for number in range(count):
                user.deliver(letter(number))
            yield user.settings()
        else:
            ours, theirs = multiprocessing.Pipe()
            process = multiprocessing.Process(target=_serve, args=(kind, count, folder, theirs), daemon=True)
            process.start()
            stack.callback(process.terminate)
            yield ours.recv()


def _fetch(kind: str, settings: Any, pipe: Any) -> None:
    """Fetch all there is in a process of its own, so that its peak memory is its own; a first, empty start is taken off."""
    mailbox = open_mailbox(kind, "mayor", settings, Path("/"))
    mailbox.check()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cursor, mails, octets, more, longest = "", 0, 0, True, 0
    started = time.perf_counter()
    while more:
        batch = mailbox.fetch(cursor)
        cursor, more = batch.cursor, batch.more
        mails += len(batch.mails)
        octets += sum(len(mail.octets) for mail in batch.mails)
        longest = max(longest, len(cursor))
    seconds = time.perf_counter() - started
    mailbox.close()
    pipe.send((mails, octets, seconds, before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, longest))


def measure(kind: str, count: int) -> None:
    spawning = multiprocessing.get_context("spawn")
    with account(kind, count) as settings:
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=_fetch, args=(kind, settings, theirs))
        process.start()
        theirs.close()
        try:
            mails, octets, seconds, before, peak, longest = ours.recv()
        except EOFError:
            sys.exit(f"{kind}: the fetch ended early")
        process.join()
    print(
        f"{kind:9} {mails:6d} messages {octets / 1e6:6.1f} MB  {mails / seconds:7.0f} messages/s  peak {peak / 1024:5.0f} MB "
        f"({before / 1024:.0f} MB after check)  longest cursor {longest / 1000:.1f} KB",
        flush=True,
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, nargs="+", default=[10_000])
    arguments.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    given = arguments.parse_args()
    for kind in given.kinds:
        for count in given.messages:
            measure(kind, count)


if __name__ == "__main__":
    main()

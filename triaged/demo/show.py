"""The demo: sets up a folder, lets the daemon's own `run --once` work on it, shows what came out."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from importlib.resources import as_file, files
from itertools import count
from os import utime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from triaged import daemon
from triaged.demo.sink import sink
from triaged.message import Record
from triaged.office import Office, open_office
from triaged.people import asking
from triaged.settings.file import load_settings
from triaged.store import outbox, records
from triaged.store.engine import migrate, open_engine, reading

CLOCK: Final = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)  # the sample mail was written for that day
MARKER: Final = ".triaged-demo"
_SAID_EVERY: Final = 10  # mails
_MAILBOXES: Final = ("mayor", "leader")
_SETTINGS: Final = """\
# The demo's configuration; docs/administrator.md has one for real mailboxes.
[office]
name = "Office of the Mayor"
prefix = "MAY"
timezone = "America/New_York"
holidays = "US-NY"
rules = "rules.yaml"
languages = ["en", "es", "fr"]
phone = "311"

[store]
url = "sqlite:///triaged.db"

[[mailbox]]
name = "mayor"
kind = "maildir"
path = "mail/mayor"
addresses = ["mayor@example.gov"]

[[mailbox]]
name = "leader"
kind = "maildir"
path = "mail/leader"
addresses = ["leader@example.org"]
office = "Office of the Leader"
prefix = "LEA"

[sender]
kind = "smtp"
host = "127.0.0.1"
port = {port}
tls = "none"
from = "correspondence@example.gov"

[review]
to = ["reviewer@example.gov"]
reply_to = "triage@example.gov"
authserv_id = "mx.example.gov"
"""


class NotOurFolder(Exception):
    """The folder holds something that is not a demo's; nothing was touched."""


def play(folder: Path, say: Callable[[str], None]) -> list[Record]:
    """Run the whole job on the sample mail in a folder; return what became of each mail.

    Args:
        folder: Made anew; an earlier demo in it is replaced.
        say: Told what happens while it happens.

    Raises:
        NotOurFolder: The folder exists and no demo made it.
    """
    _prepare(folder)
    with sink(folder / "sent") as port:
        (folder / "triaged.toml").write_text(_SETTINGS.format(port=port), encoding="utf-8")
        settings = load_settings(folder / "triaged.toml")
        engine = open_engine(settings.store_url)
        migrate(engine)
        say("Loading rules and model …")
        office = open_office(settings, engine, lambda: CLOCK)
        say("First look at two empty mailboxes …")
        _run(office, engine)
        arrived = _mail_arrives(folder)
        say(f"{arrived} mails arrive. Reading, understanding, deciding, sending …")
        _run(office, engine, say)
        say("Making the digest for the people who decide what triaged is not sure of …")
        _make_digest(folder, office, engine)
        with reading(engine) as db:
            found = list(records.search(db, records.Search()))
        office.close()
        engine.dispose()
    return found


def tallies(engine_url: str) -> dict[str, int]:
    """Return how many deliveries ended how."""
    engine = open_engine(engine_url)
    with reading(engine) as db:
        counted = {state.value: count for state, count in outbox.count_states(db).items()}
    engine.dispose()
    return counted


def _prepare(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise NotOurFolder(f"{folder} holds other things; name an empty or new folder with --keep")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    for name in _MAILBOXES:
        for part in ("cur", "new", "tmp"):
            (folder / "mail" / name / part).mkdir(parents=True)
    with as_file(files("triaged") / "starter" / "rules.yaml") as rules:
        shutil.copyfile(rules, folder / "rules.yaml")
        for extra in rules.parent.glob("lists/*"):
            (folder / "lists").mkdir(exist_ok=True)
            shutil.copyfile(extra, folder / "lists" / extra.name)


def _run(office: Office, engine: Engine, say: Callable[[str], None] = lambda _: None) -> None:
    done = count(1)

    def processed() -> None:
        if (so_far := next(done)) % _SAID_EVERY == 0:
            say(f"  {so_far} mails understood and decided")

    problems = daemon.run_once(office, engine, lambda: CLOCK, processed)
    if problems:
        raise RuntimeError("; ".join(problems))


def _mail_arrives(folder: Path) -> int:
    arrived = 0
    for name in _MAILBOXES:
        for octets, file_name in _samples(name):
            target = folder / "mail" / name / "new" / file_name
            target.write_bytes(octets)
            sent = _sent_at(octets)
            utime(target, (sent.timestamp(), sent.timestamp()))
            arrived += 1
    return arrived


def _samples(mailbox: str) -> Iterator[tuple[bytes, str]]:
    with as_file(files("triaged") / "demo" / "mail" / mailbox) as sample_folder:
        for file in sorted(sample_folder.glob("*.eml")):
            yield file.read_bytes(), file.name


def _sent_at(octets: bytes) -> datetime:
    try:
        sent = parsedate_to_datetime(str(message_from_bytes(octets, policy=policy.compat32)["Date"]))
    except (TypeError, ValueError):
        return CLOCK
    return sent if sent.tzinfo else sent.replace(tzinfo=UTC)


def _make_digest(folder: Path, office: Office, engine: Engine) -> None:
    with reading(engine) as db:
        digest = asking.build(db, office, CLOCK)
    if digest is None:
        return
    (folder / "digest.html").write_text(digest.html, encoding="utf-8")
    (folder / "digest.txt").write_text(digest.text, encoding="utf-8")
    asking.ask(office, engine, office.sender, "demo", CLOCK)

"""The process dies at every step of the pipeline: after a restart nothing is lost, and nothing visible happens twice.

A child process works through the whole job and kills itself (no clean-up, as SIGKILL does) just before or just after its n-th
commit or the n-th mail that its sender takes. A second child, not killed, is the restart. All n are tried.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from triaged import pipeline, turns
from triaged.classify import starter
from triaged.classify.assess import assess
from triaged.ingest.mailbox import open_mailbox
from triaged.learning import in_use
from triaged.message import Message, State
from triaged.office import Office, open_office
from triaged.route.sender import Envelope, Sender
from triaged.settings.file import load_settings
from triaged.store import outbox, records
from triaged.store.engine import migrate, open_engine, reading

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
KILLED = 77
SETTINGS = """
[office]
name = "Office of the Mayor"
prefix = "MAY"
timezone = "America/New_York"
rules = "rules.yaml"
encoder = false

[store]
url = "sqlite:///triaged.db"

[[mailbox]]
name = "mayor"
kind = "maildir"
path = "inbox"
after = { processed = "Done" }

[sender]
kind = "spool"
path = "out"
from = "correspondence@example.gov"
"""
RULES = """
version: 1
departments:
  housing: {name: Housing, to: housing@example.gov}
  parks: {name: Parks, to: parks@example.gov}
topics:
  heat: {department: housing, description: No heat}
rules:
  - name: Heat
    when: {subject: {words: [heat]}}
    then: {topic: heat, departments: [housing, parks]}
"""


def letter(number: int) -> bytes:
    return (
        f"From: Writer {number} <writer{number}@example.org>\r\nTo: mayor@example.gov\r\nSubject: No heat, {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\nDate: Mon, 23 Nov 2026 10:00:00 -0500\r\n\r\nIt is cold, {number}.\r\n"
    ).encode()


@pytest.fixture(autouse=True)
def model_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every child inherits the model and the language tables instead of reading them."""
    load = cache(in_use.load)
    monkeypatch.setattr(in_use, "load", load)
    model = load(starter.folder(), with_encoder=False, ceiling=0.02, level=0.95)
    assess(Message(subject="No heat, 1", text="It is cold here."), model, NOW)


class Killer:
    """Counts the points at which the process may die, and kills it at one of them."""

    def __init__(self, at: int | None, *, only_sends: bool = False) -> None:
        self.at = at
        self.only_sends = only_sends
        self.passed = 0

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os._exit(KILLED)

    def watch(self, engine: Engine) -> None:
        if self.only_sends:
            return
        event.listen(engine, "commit", lambda _: self.point())  # just before the database commits
        original = engine.dialect.do_commit

        def commit(connection: object) -> None:
            original(connection)  # type: ignore[arg-type]
            self.point()  # just after

        engine.dialect.do_commit = commit  # type: ignore[method-assign]


class Watched:
    """A sender beside whose `send` the process may die; keeps a line for each mail that the outside took."""

    def __init__(self, sender: Sender, killer: Killer, ledger: Path) -> None:
        self._sender = sender
        self._killer = killer
        self._ledger = ledger
        self.accepts = sender.accepts
        self.check = sender.check
        self.close = sender.close

    def send(self, envelope: Envelope) -> str:
        self._killer.point()
        said = self._sender.send(envelope)
        with self._ledger.open("a") as ledger:
            ledger.write(f"{','.join(envelope.recipients)}\n")
        self._killer.point()
        return said


def folder_with_mail(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "triaged.toml").write_text(SETTINGS)
    (folder / "rules.yaml").write_text(RULES)
    for sub in ("cur", "new", "tmp"):
        (folder / "inbox" / sub).mkdir(parents=True)
    work(folder, Killer(None))  # the first look, at an empty mailbox
    for number in range(count):
        (folder / "inbox" / "new" / f"{number}.host").write_bytes(letter(number))


def work(folder: Path, killer: Killer) -> None:
    """The whole job, step by step, in this process."""
    settings = load_settings(folder / "triaged.toml")
    engine = open_engine(settings.store_url)
    migrate(engine)
    office = open_office(settings, engine, lambda: NOW)
    watch_sender(office, killer, folder / "ledger")
    killer.watch(engine)
    with engine.begin() as db:
        outbox.doubt_interrupted(db, NOW)
    mailbox = open_mailbox(settings.mailboxes[0].kind, "mayor", settings.mailboxes[0].access, folder)
    never: Callable[[], bool] = lambda: False  # noqa: E731
    while pipeline.accept(mailbox, engine, office, lambda: NOW):
        pass
    while turns.process_waiting(office, engine, lambda: NOW, never, lambda: None, batch=2):
        pass
    pipeline.deliver_due(office, engine, lambda: NOW, never, lambda: None)
    mailbox.close()
    office.close()
    engine.dispose()


def watch_sender(office: Office, killer: Killer, ledger: Path) -> None:
    for kind in ("forward", "acknowledge"):
        handoff = office.handoffs[kind]
        handoff._sender = Watched(office.sender, killer, ledger)  # type: ignore[attr-defined]


def in_a_child(folder: Path, killer: Killer) -> int:
    """Work in a child process; return how it ended: 0, or KILLED."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work(folder, killer)
            (folder / "points").write_text(str(killer.passed))
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check(folder: Path, mails: int) -> None:
    """All is there, once."""
    engine = open_engine(f"sqlite:///{folder / 'triaged.db'}")
    with reading(engine) as db:
        found = list(records.search(db, records.Search()))
    engine.dispose()
    assert sorted(record.message_id for record in found) == [f"<{number}@example.org>" for number in range(mails)]
    assert len({record.reference for record in found}) == mails
    sent = Counter((folder / "ledger").read_text().splitlines())
    assert not [
        item.delivery for record in found for item in record.deliveries if item.delivery.state in (State.PLANNED, State.SENDING)
    ]
    for record in found:
        states = {item.delivery.kind + item.delivery.department: item.delivery.state for item in record.deliveries}
        assert states["forwardhousing"] is states["forwardparks"] is State.SENT
        writer = record.sender.address
        assert sent[writer] <= 1, "a citizen was acknowledged twice"
        assert states["move"] is State.SENT
        if states["acknowledge"] is State.SENT:
            assert sent[writer] == 1
        else:  # the one doubt that nothing can lift: shown to people, never sent again
            assert states["acknowledge"] is State.IN_DOUBT
    acknowledged = sum(sent[record.sender.address] for record in found)
    spooled = list((folder / "out").glob("**/*.eml"))
    assert len(spooled) == 2 * mails + acknowledged, "a hand-off sent again has the same Message-ID: one file"


def test_wherever_the_process_dies_nothing_is_lost_or_acknowledged_twice(tmp_path: Path) -> None:
    mails = 2
    prepared = tmp_path / "prepared"
    folder_with_mail(prepared, mails)
    undisturbed = shutil.copytree(prepared, tmp_path / "undisturbed")
    assert in_a_child(undisturbed, Killer(None)) == 0
    check(undisturbed, mails)
    total = int((undisturbed / "points").read_text())
    assert total > 30
    for point in range(1, total + 1):
        folder = shutil.copytree(prepared, tmp_path / str(point))
        assert in_a_child(folder, Killer(point)) == KILLED, f"point {point} was not reached"
        assert in_a_child(folder, Killer(None)) == 0
        check(folder, mails)


def test_dying_at_a_send_again_and_again_still_ends_well(tmp_path: Path) -> None:
    folder_with_mail(tmp_path, 2)
    for _ in range(5):
        assert in_a_child(tmp_path, Killer(2, only_sends=True)) == KILLED
    assert in_a_child(tmp_path, Killer(None)) == 0
    check(tmp_path, 2)

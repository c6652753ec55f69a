"""The process dies at every step while mail comes from, and goes out by, Graph or Exchange: nothing lost, nothing twice.

The servers live in the parent process, so what they hold at the end is what the world outside saw. One letter is enough here:
what may go wrong between letters is no matter of where they lie, and test_pipeline.py tries it with several.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests.crash import test_pipeline
from tests.crash.test_pipeline import KILLED, RULES, Killer, in_a_child, letter, work
from tests.issuer import CLIENT, TENANT
from triaged.message import State
from triaged.store import records
from triaged.store.engine import open_engine, reading

model_loaded_once = test_pipeline.model_loaded_once
MAILS = 1
INBOX = "inbox-id"
HELD: dict[str, tuple[str, ...]] = {
    "graph": ("folders", "mails", "left", "sent", "changes", "_change", "listings"),
    "exchange": ("folders", "mails", "left", "sent", "changes"),
}


def settings(kind: str, server: Any) -> str:
    """Return a triaged.toml whose mailbox and sender are of this kind."""
    oauth = (
        f'oauth = {{ provider = "microsoft", tenant = "{TENANT}", client = "{CLIENT}", login = "{server.issuer.url}", '
        f'tls_ca = "{server.ca}", secret = {{ file = "{server.issuer.folder / "secret"}" }} }}'
    )
    server.issuer.application()  # writes the secret
    where = f'url = "{server.url if kind == "graph" else server.endpoint}"\ntls_ca = "{server.ca}"\n{oauth}'
    head = test_pipeline.SETTINGS.partition("[[mailbox]]")[0]
    mailbox = (
        f'[[mailbox]]\nname = "mayor"\nkind = "{kind}"\nuser = "mayor@example.gov"\nlabels = true\n'
        f'after = {{ processed = "Done" }}\n{where}\n'
    )
    sender = f'[sender]\nkind = "{kind}"\nfrom = "correspondence@example.gov"\nuser = "mayor@example.gov"\n{where}\n'
    return f"{head}{mailbox}\n{sender}"


@pytest.fixture(params=["graph", "exchange"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> "World":
    server = request.getfixturevalue({"graph": "graph", "exchange": "ews"}[request.param])
    return World(request.param, server, tmp_path / "prepared")


class World:
    """A server with some letters in its inbox, and an installation that has looked at it once; can be put back to that."""

    def __init__(self, kind: str, server: Any, folder: Path) -> None:
        self.server = server
        self.folder = folder
        folder.mkdir()
        (folder / "triaged.toml").write_text(settings(kind, server))
        (folder / "rules.yaml").write_text(RULES)
        work(folder, Killer(None))  # the first look, at an empty mailbox
        for number in range(MAILS):
            server.deliver(letter(number), INBOX)
        self._held = {name: deepcopy(getattr(server, name)) for name in HELD[kind]}

    def anew(self, folder: Path) -> Path:
        """Put the server back to the beginning; return a copy of the installation of then."""
        for name, value in self._held.items():
            setattr(self.server, name, deepcopy(value))
        return Path(shutil.copytree(self.folder, folder))

    def check(self, folder: Path) -> None:
        """All is there, once."""
        engine = open_engine(f"sqlite:///{folder / 'triaged.db'}")
        with reading(engine) as db:
            found = list(records.search(db, records.Search()))
        engine.dispose()
        assert sorted(record.message_id for record in found) == [f"<{number}@example.org>" for number in range(MAILS)]
        sent = Counter(to for mail in self.server.sent for to in recipients(mail))
        for record in found:
            states = {item.delivery.kind + item.delivery.department: item.delivery.state for item in record.deliveries}
            assert states["forwardhousing"] is states["forwardparks"] is states["label"] is states["move"] is State.SENT
            assert sent[record.sender.address] <= 1, "a citizen was acknowledged twice"
            if states["acknowledge"] is State.SENT:
                assert sent[record.sender.address] == 1
            else:
                assert states["acknowledge"] is State.IN_DOUBT
        keys = {message_from_bytes(octets(mail))["X-Triaged-Delivery"] for mail in self.server.sent}
        acknowledged = sum(sent[record.sender.address] for record in found)
        assert len(keys) == 2 * MAILS + acknowledged, "a hand-off that went twice says by its key that it is the same"
        assert self.server.inside(INBOX) == []
        done = self.server.inside(self.server.find("Done").id)
        assert [mail.categories for mail in done] == [("Triaged/heat", "Triaged/handed-off")] * MAILS


def recipients(mail: Any) -> list[str]:
    """Whom a mail went to, as either server keeps it."""
    return list(mail[1] if isinstance(mail, tuple) else mail.recipients)


def octets(mail: Any) -> bytes:
    """The mail itself."""
    kept: bytes = mail[2] if isinstance(mail, tuple) else mail.octets
    return kept


def test_wherever_the_process_dies_nothing_is_lost_or_acknowledged_twice(world: World, tmp_path: Path) -> None:
    undisturbed = world.anew(tmp_path / "undisturbed")
    assert in_a_child(undisturbed, Killer(None)) == 0
    world.check(undisturbed)
    assert len(world.server.sent) == 3 * MAILS
    total = int((undisturbed / "points").read_text())
    assert total > 20
    for point in range(1, total + 1):
        folder = world.anew(tmp_path / str(point))
        assert in_a_child(folder, Killer(point)) == KILLED, f"point {point} was not reached"
        assert in_a_child(folder, Killer(None)) == 0
        world.check(folder)


def test_a_connection_that_is_cut_at_any_request_loses_and_doubles_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request in turn is carried out by the server, which then hangs up without an answer."""
    answer: Callable[[Any], Any] = world.server.answer
    for step in range(1, 100):
        folder = world.anew(tmp_path / str(step))
        heard = iter(range(1, 1_000_000))

        def cut(asked: Any, heard: Any = heard, step: int = step) -> Any:
            said = answer(asked)
            return None if next(heard) == step else said

        monkeypatch.setattr(world.server, "answer", cut)
        in_a_child(folder, Killer(None))  # it may give up: the next poll comes
        cut_off = next(heard) > step
        monkeypatch.setattr(world.server, "answer", answer)
        with monkeypatch.context() as later:
            later.setattr(test_pipeline, "NOW", test_pipeline.NOW + timedelta(hours=1))  # what failed is due again by then
            assert in_a_child(folder, Killer(None)) == 0
        sent = Counter(to for mail in world.server.sent for to in recipients(mail))
        for number in range(MAILS):
            assert sent[f"writer{number}@example.org"] == 1, f"cut at request {step}"
        assert sent["housing@example.gov"] >= MAILS
        if not cut_off:
            assert step > 12
            return
    pytest.fail("there are more requests than were cut")

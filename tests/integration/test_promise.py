"""The promise in force: what people say of letters decides what the model may do alone, and is told to them."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.installation import RULES, Installation, letter
from triaged.classify import modelfile
from triaged.classify.promise import Standing
from triaged.classify.topicfile import load, store
from triaged.classify.train import train
from triaged.learning import in_use, promised
from triaged.settings.file import load_settings
from triaged.store import cases, digests
from triaged.store.engine import migrate, open_engine, reading

SAID = {"heat": "the boiler is loud and a radiator leaks", "trees": "a branch of the tree fell on the path"}


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the test rules' two topics, which is quickly read."""
    rows, folder = tmp_path_factory.mktemp("rows") / "rows.jsonl", tmp_path_factory.mktemp("models") / "starter"
    lines = [{"text": f"{said} {number}", "topic": topic} for topic, said in SAID.items() for number in range(20)]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    train([rows], folder, with_encoder=False)
    return folder


@pytest.fixture
def office(tmp_path: Path, small_model: Path) -> Installation:
    installation = Installation(tmp_path)
    text = installation.config.read_text().replace("encoder = false", f'encoder = false\nmodel = "{small_model}"')
    installation.config.write_text(text)
    return installation.started()


def people_said(installation: Installation, *, right: int, wrong: int = 0, spot_checks: bool = False) -> None:
    """Let people have decided so many letters that the model had judged."""
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        now = datetime.now(UTC)
        (first,) = db.execute("select coalesce(max(id), 0) + 1 from mails").fetchone()
        for number, is_right in enumerate([True] * right + [False] * wrong, start=first):
            at = (now + timedelta(microseconds=number)).strftime("%Y-%m-%d %H:%M:%S.%f")
            db.execute(
                "insert into mails (id, mailbox, uid, fingerprint, raw, size_octets, received_at, kept_at, backfill, attempts,"
                " state, fault, answered) values (?, 'mayor', ?, ?, x'', 0, ?, ?, 0, 0, 'done', '', 0)",
                (number, f"u{number}", f"f{number}", at, at),
            )
            db.execute(
                "insert or ignore into cases values (?, ?, 'mayor', 'a@example.org', ?, null)", (number, f"T-{number}", at)
            )
            values = (number, number, at, "heat", 0.3)
            db.execute(
                "insert into messages (mail_id, case_id, message_id, from_name, from_address, subject, excerpt, kind, language,"
                " topic, confidence, alternatives, urgency, flags, departments, status, reasons, notes, acknowledge_to,"
                " follow_up, processed_at) select ?, ?, '', '', '', '', '', 'letter', 'en', ?4, ?5, '[]', 'normal', '[]', '[]',"
                " 'routed', '[]', '[]', '', 0, ?3",
                values,
            )
            before = json.dumps({"topic": "heat", "confidence": 0.3})
            db.execute(
                "insert into lessons (mail_id, by, at, status, topic, departments, urgency, proposed, spot_check, model, rules,"
                " before) values (?, 'a', ?, 'routed', ?, '[]', 'normal', 'heat', ?, 'm', 'r', ?)",
                (number, at, "heat" if is_right else "trees", spot_checks, before),
            )


def status(installation: Installation, ended: int = 0) -> dict[str, object]:
    found: dict[str, object] = json.loads(installation.triaged("status", "--json", status=ended))
    return found


def test_the_model_acts_alone_once_enough_letters_prove_it_and_stops_at_once_when_spot_checks_break_it(
    office: Installation,
) -> None:
    office.receive(letter(1, subject="hello", text=SAID["heat"]))
    office.run_once()
    assert office.export()[-1]["status"] == "review"
    assert "at least 149 more letters" in " ".join(status(office)["promise_said"])  # type: ignore[arg-type]

    people_said(office, right=200)
    office.receive(letter(2, subject="hello", text=SAID["heat"]))
    office.run_once()
    assert office.export()[-1]["status"] == "routed"
    assert status(office)["promise"]["standing"] == "kept"  # type: ignore[index]

    people_said(office, right=1, wrong=2, spot_checks=True)
    office.receive(letter(3, subject="hello", text=SAID["heat"]))
    office.run_once()
    assert office.export()[-1]["status"] == "review"
    said = status(office, ended=1)
    assert said["promise"]["standing"] == "broken"  # type: ignore[index]
    assert "Spot checks have broken it" in " ".join(said["problems"])  # type: ignore[arg-type]

    office.triaged("digest", "--send")
    (digest, *_) = office.sent("reviewer@example.gov")
    part = digest.get_body(("plain",))
    assert part is not None
    assert "Spot checks have broken it" in " ".join(part.get_content().split())


def test_letters_that_a_rule_sent_are_neither_counted_nor_drawn_nor_labels(office: Installation) -> None:
    """A rule says who answers, the model only guesses the topic: that proves nothing of the model, for or against it."""
    office.rules.write_text(RULES + "  - {name: Boilers, when: {body: {words: [boiler]}}, then: {department: parks}}\n")
    people_said(office, right=200)
    office.run_once()
    before = status(office)["promise"]
    for number in (1, 2, 3):
        office.receive(letter(number, subject="hello", text=SAID["heat"]))
    office.receive(letter(4, subject="A gift", text=SAID["heat"]))
    office.run_once()
    *sent, held = office.export()[-4:]
    assert {(one["status"], one["topic"], one["topic_confidence"]) for one in sent} == {("routed", "heat", None)}
    assert held["topic_confidence"] is None
    engine = open_engine(load_settings(office.config).store_url)
    sent_alone = [one["reference"] for one in sent]
    with reading(engine) as db:
        drawn = digests.automatic_since(db, datetime.now(UTC) - timedelta(days=1))
        assert not {cases.reference_of(db, mail_id) for mail_id in drawn} & set(sent_alone)
    for reference in [*sent_alone, str(held["reference"])]:
        office.triaged("resolve", reference, "--topic", "trees")
    office.run_once()
    after = status(office)["promise"]
    assert (after["labels"], after["alone_in_30_days"]) == (before["labels"], before["alone_in_30_days"])  # type: ignore[index]
    assert after["standing"] == "kept"  # type: ignore[index]


def test_a_lesson_that_comes_in_is_seen_by_the_running_daemon(office: Installation) -> None:
    settings = load_settings(office.config)
    engine = open_engine(settings.store_url)
    migrate(engine)
    from triaged.office import open_office

    def clock() -> datetime:
        return datetime.now(UTC)

    opened = open_office(settings, engine, clock)
    watcher = in_use.Watcher(engine, clock)
    opened = watcher.look(opened) or opened
    assert watcher.look(opened) is None
    people_said(office, right=200)
    changed = watcher.look(opened)
    assert changed is not None
    assert changed.promise is not None
    assert changed.promise.standing is Standing.KEPT
    assert watcher.look(changed) is None


def test_what_invented_examples_prove_counts_for_nothing_and_an_offices_own_rows_do(
    office: Installation, small_model: Path, tmp_path: Path
) -> None:
    engine = open_engine(load_settings(office.config).store_url)
    model = load(small_model, with_encoder=False)
    with reading(engine) as db:
        shipped = promised.under_promise(db, model, "v", shipped=True, ceiling=0.5, level=0.95)
        own = promised.under_promise(db, model, "v", shipped=False, ceiling=0.5, level=0.95)
    assert shipped.promise is not None
    assert shipped.promise.labels == 0
    assert own.promise is not None
    assert own.promise.labels == len(model.plain.evidence.confidence)
    modelfile.save(tmp_path / "copy", store(model))
    assert in_use.is_shipped(small_model)
    assert not in_use.is_shipped(tmp_path / "copy")

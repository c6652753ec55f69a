"""Bytes on the disk go bad: the row is set aside or left out with a plain reason, and the rows behind it go on."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.installation import RULES, Installation, letter
from triaged.learning.lessons import taught
from triaged.store.engine import open_engine, reading

DAMAGED = "its copy in the database is damaged"
FLIPPED = "UPDATE mails SET raw = CAST(substr(raw, 1, 40) || x'00' || substr(raw, 42) AS BLOB) WHERE id = 1"
CUT = "UPDATE mails SET raw = substr(raw, 1, 40) WHERE id = 1"
GONE = "UPDATE mails SET raw = x'' WHERE id = 1"
NOT_READ_YET = ("DELETE FROM deliveries", "DELETE FROM messages", "UPDATE mails SET state = 'new'")
LISTS = ("alternatives", "flags", "departments", "reasons", "notes")
READS_AS_NOTHING = {"no JSON": "'[{'", "no UTF-8": "CAST(x'5bff' AS TEXT)", "another shape": "'{\"a\": 1}'"}


def change(installation: Installation, *statements: str) -> None:
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        for statement in statements:
            db.execute(statement)


def received(installation: Installation, *subjects: str) -> None:
    for number, subject in enumerate(subjects, 1):
        installation.receive(letter(number, subject))
    installation.run_once()


def preview(installation: Installation) -> str:
    installation.triaged("digest", "--preview", str(installation.folder / "d"))
    return (installation.folder / "d" / "digest.txt").read_text()


@pytest.mark.parametrize("damage", [FLIPPED, CUT, GONE], ids=["flipped", "cut", "gone"])
def test_a_mail_damaged_before_it_is_read_is_set_aside_and_the_others_go_on(installation: Installation, damage: str) -> None:
    received(installation, "No heat", "No heat, still")
    change(installation, *NOT_READ_YET, damage)
    installation.run_once()
    found = {record["status"]: record for record in installation.export()}
    assert found.keys() == {"set_aside", "routed"}
    assert DAMAGED in found["set_aside"]["reasons"][0]["because"]
    assert DAMAGED in preview(installation)
    assert DAMAGED in installation.triaged("queue")
    assert "no rule can be asked again" in installation.triaged("explain", found["set_aside"]["reference"]).lower()
    assert "1 mails were set aside unread" in installation.triaged("status", status=1)


def test_what_a_person_sends_on_of_a_damaged_mail_says_so(installation: Installation) -> None:
    received(installation, "A gift")
    change(installation, *NOT_READ_YET, GONE)
    installation.run_once()
    reference = json.loads(installation.triaged("queue", "--json"))[0]["reference"]
    installation.triaged("resolve", reference, "--department", "housing")
    installation.run_once()
    (handoff,) = installation.sent("housing@example.gov")
    assert DAMAGED in handoff.as_string().replace("=\n", "").replace("\n", " ")


def test_a_letter_damaged_after_it_was_decided_is_handed_off_with_what_is_known_of_it(installation: Installation) -> None:
    received(installation, "A gift", "No heat")
    change(installation, CUT)
    (waiting,) = json.loads(installation.triaged("queue", "--json"))
    assert "damaged" in installation.triaged("explain", waiting["reference"])
    installation.triaged("resolve", waiting["reference"], "--topic", "trees")
    installation.run_once()
    (handoff,) = installation.sent("parks@example.gov")
    assert DAMAGED in handoff.as_string().replace("=\n", "").replace("\n", " ")
    assert "It is cold here." in handoff.as_string()


def test_rules_are_tried_on_the_letters_that_are_whole(installation: Installation, tmp_path: Path) -> None:
    received(installation, "No heat", "A tree fell")
    change(installation, FLIPPED)
    new = tmp_path / "new.yaml"
    new.write_text(RULES.replace("{topic: trees}", "{topic: heat}"))
    said = installation.triaged("rules", "diff", str(new), "--days", "3650")
    assert "1 of 1 letters" in said
    assert "1 more are left out: their copies in the database are damaged" in said
    assert json.loads(installation.triaged("rules", "diff", str(new), "--days", "3650", "--json"))["damaged"] == 1


@pytest.mark.parametrize("column", LISTS)
@pytest.mark.parametrize("damage", READS_AS_NOTHING.values(), ids=READS_AS_NOTHING.keys())
def test_a_damaged_part_of_a_record_is_named_and_hides_no_other(installation: Installation, column: str, damage: str) -> None:
    received(installation, "A gift", "A gift, too")
    change(installation, f"UPDATE messages SET {column} = {damage} WHERE mail_id = 1")
    first, second = installation.export()
    assert first["reasons"][-1]["because"].endswith(f"left out: {column}")
    assert "damaged" not in str(second["reasons"])
    assert f"damaged and left out: {column}" in installation.triaged("show", first["reference"])
    assert f"damaged and left out: {column}" in preview(installation)
    assert len(json.loads(installation.triaged("queue", "--json"))) == 2
    installation.triaged("resolve", first["reference"], "--topic", "trees")
    installation.receive(letter(3, f"More of it {first['reference']}", From="Writer 1 <writer1@example1.org>"))
    installation.run_once()
    assert len(installation.export()) == 3


@pytest.mark.parametrize("damage", READS_AS_NOTHING.values(), ids=READS_AS_NOTHING.keys())
def test_where_the_models_say_is_damaged_it_is_asked_again(installation: Installation, tmp_path: Path, damage: str) -> None:
    received(installation, "No heat", "A tree fell")
    change(installation, f"UPDATE messages SET assessment = {damage} WHERE mail_id = 1")
    new = tmp_path / "new.yaml"
    new.write_text(RULES.replace("{topic: trees}", "{topic: heat}"))
    compared = json.loads(installation.triaged("rules", "diff", str(new), "--days", "3650", "--json"))
    assert (compared["compared"], compared["asked_anew"], compared["changed"]) == (2, 1, 1)


def test_nothing_is_learnt_from_a_damaged_letter(installation: Installation) -> None:
    received(installation, "A gift", "A gift, too")
    for waiting in json.loads(installation.triaged("queue", "--json")):
        installation.triaged("resolve", waiting["reference"], "--topic", "trees")
    change(installation, CUT)
    engine = open_engine(f"sqlite:///{installation.folder / 'triaged.db'}")
    with reading(engine) as db:
        assert [row.text.subject for row in taught(db, frozenset({"trees"})).rows] == ["A gift, too"]
    engine.dispose()

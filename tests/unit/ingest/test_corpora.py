"""Levels measured on real mail kept beside the project. They may rise; when one falls, something broke."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.ingest.letters import SHARED
from triaged.ingest.mime import read
from triaged.ingest.screen import Trust, screen
from triaged.message import Kind, Message

pytestmark = pytest.mark.shared
BOUNCES = SHARED / "corpora/bounces"
PEOPLE = SHARED / "corpora/spamassassin"
MESSAGES_A_SECOND = 150  # 2,000 on an idle core of 2026; the floor leaves room for busy ones


def kinds(messages: dict[str, Message]) -> dict[str, Kind]:
    return {name: screen(message, Trust()).kind for name, message in messages.items()}


def read_all(paths: list[Path]) -> dict[str, Message]:
    return {path.name: read(path.read_bytes()) for path in paths}


@pytest.fixture(scope="module")
def reports() -> dict[str, str]:
    expected = BOUNCES / "expected.jsonl"
    if not expected.exists():
        pytest.skip("../shared/corpora/bounces is not there: no real bounces to measure on")
    rows = [json.loads(line) for line in expected.read_text(encoding="utf-8").splitlines()]
    return {row["file"]: row["kind"] for row in rows}


@pytest.fixture(scope="module")
def letters() -> list[Path]:
    if not PEOPLE.exists():
        pytest.skip("../shared/corpora/spamassassin is not there: no real letters to measure on")
    return sorted(path for path in PEOPLE.glob("*/*") if path.is_file())


def test_real_bounces_and_automatic_answers_are_told(reports: dict[str, str]) -> None:
    found = kinds(read_all([BOUNCES / name for name in reports]))
    came_back = [name for name, kind in reports.items() if kind in ("bounce", "feedback_report")]
    missed = [name for name in came_back if found[name] is not Kind.BOUNCE]
    assert len(missed) <= 4, missed  # a forwarded one, a loop warning, two of Amazon's JSON notices: 288 of 292 found
    assert [name for name, kind in reports.items() if kind == "auto_reply" and found[name] is not Kind.AUTO_REPLY] == []
    assert [name for name, kind in reports.items() if kind == "not_bounce" and found[name] is not Kind.LETTER] == []


def test_nothing_a_person_wrote_is_called_automatic(letters: list[Path]) -> None:
    """Three of the 2,500 are reports of mail servers that went through a list."""
    messages = read_all([path for path in letters if path.parent.name.startswith("easy-ham")])
    found = kinds(messages)
    assert set(found.values()) <= {Kind.LETTER, Kind.LIST, Kind.BOUNCE}
    bounced = [messages[name].sender.address.partition("@")[0].lower() for name, kind in found.items() if kind is Kind.BOUNCE]
    assert set(bounced) <= {"mailer-daemon", "postmaster"}
    assert len(bounced) <= 3


def test_all_real_mail_is_read_and_quickly(letters: list[Path]) -> None:
    octets = [path.read_bytes() for path in letters]
    begun = time.process_time()
    messages = [read(one) for one in octets]
    spent = time.process_time() - begun
    assert len(octets) / spent > MESSAGES_A_SECOND
    unreadable = Counter(message.unreadable for message in messages)
    assert unreadable[""] == len(messages) - 1  # one is encrypted
    assert sum(not message.text for message in messages) <= 3

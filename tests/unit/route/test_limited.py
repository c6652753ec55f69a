"""A sender that keeps to what its provider allows."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.installation import Installation, letter
from triaged.message import State
from triaged.route.limited import Limited
from triaged.route.sender import Accepts, Envelope, SendError, post
from triaged.store import outbox
from triaged.store.engine import open_engine, reading

MAIL = Envelope("c@example.gov", ("a@example.org", "b@example.org"), b"Subject: x\r\n\r\n")


class Kept:
    """A sender that keeps when it was used."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sent: list[float] = []

    def accepts(self) -> Accepts:
        return Accepts(5)

    def send(self, envelope: Envelope) -> str:
        self.sent.append(self.now)
        return "sent"

    def check(self) -> str:
        return "fine"

    def close(self) -> None:
        self.sent.clear()

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def limited(kept: Kept, minute: int = 0, day: int = 0, sent: int = 0) -> Limited:
    return Limited(
        kept, mails_per_minute=minute, recipients_per_day=day, sent_today=lambda: sent, sleep=kept.sleep, clock=lambda: kept.now
    )


def test_mails_are_spread_over_the_minute() -> None:
    kept = Kept()
    sender = limited(kept, minute=30)
    for _ in range(31):
        sender.send(MAIL)
    assert kept.sent[0] == 1000.0, "the first does not wait"
    assert kept.sent[-1] - kept.sent[0] == pytest.approx(60.0)


def test_after_a_pause_nothing_waits() -> None:
    kept = Kept()
    sender = limited(kept, minute=1)
    sender.send(MAIL)
    kept.now += 100
    sender.send(MAIL)
    assert kept.sent == [1000.0, 1100.0]


def test_beyond_the_recipients_of_the_day_mail_waits_and_is_not_lost() -> None:
    kept = Kept()
    assert post(limited(kept, day=100, sent=98), MAIL).state is State.SENT
    outcome = post(limited(kept, day=100, sent=99), MAIL)
    assert outcome.state is State.PLANNED
    assert "99 recipients in the last 24 hours, and recipients_per_day is 100" in outcome.detail
    assert len(kept.sent) == 1


def test_the_check_shows_the_limits_and_what_is_used() -> None:
    said = limited(Kept(), minute=30, day=10_000, sent=812).check()
    assert said == "fine, at most 30 mails a minute, 812 of 10,000 recipients in the last 24 hours"


def test_the_rest_is_the_senders_own() -> None:
    kept = Kept()
    sender = limited(kept, minute=1)
    assert sender.accepts() == Accepts(5)
    sender.send(MAIL)
    sender.close()
    assert kept.sent == []


def test_limits_of_the_settings_hold_over_restarts(tmp_path: Path) -> None:
    """Each run is a process of its own; the database counts."""
    sender = 'kind = "spool"\npath = "out"\nmails_per_minute = 10000\nrecipients_per_day = 3'
    office = Installation(tmp_path, sender=sender).started()
    for number in range(3):
        office.receive(letter(number))  # a hand-off and an acknowledgement each
        office.run_once()
    assert len(office.sent()) == 3
    assert "3 of 3 recipients" in office.triaged("check", "--connect")
    status = json.loads(office.triaged("status", "--json", status=1))
    assert (status["recipients_in_24_hours"], status["recipients_per_day"], status["mails_per_minute"]) == (3, 3, 10_000)
    assert any("mail waits: 3 of 3 recipients in the last 24 hours" in problem for problem in status["problems"])
    waiting = [item for record in office.export() for item in record["deliveries"] if item["state"] == "planned"]
    assert len([item for item in waiting if item["kind"] in ("forward", "acknowledge")]) == 3


def test_only_what_went_out_within_the_day_is_counted(tmp_path: Path) -> None:
    office = Installation(tmp_path).started()
    office.receive(letter(1))
    office.run_once()
    engine = open_engine(f"sqlite:///{tmp_path / 'triaged.db'}")
    now = datetime.now(UTC)
    with reading(engine) as db:
        assert outbox.recipients_since(db, now - timedelta(days=1)) == 2
        assert outbox.recipients_since(db, now + timedelta(seconds=1)) == 0
    engine.dispose()


@pytest.mark.parametrize("limit", ["mails_per_minute = 0", 'recipients_per_day = "many"', "mails_per_minute = 1.5"])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, limit: str) -> None:
    office = Installation(tmp_path, sender=f'kind = "spool"\npath = "out"\n{limit}')
    assert "a whole number from 1" in office.triaged("status", status=2)


def test_an_error_of_the_sender_goes_through() -> None:
    class Refusing(Kept):
        def send(self, envelope: Envelope) -> str:
            raise SendError("no", permanent=True)

    with pytest.raises(SendError, match="no") as caught:
        limited(Refusing(), minute=1).send(MAIL)
    assert caught.value.permanent

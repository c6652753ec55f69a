"""What the daemon's own jobs do as time goes by, under a clock of ours: critical mail, the undo window, the digest's hours."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.installation import Installation, letter
from tests.integration.test_answers import codes_of, reply, text_of
from triaged.daemon import Daemon, run_once
from triaged.office import Office, open_office
from triaged.settings.file import load_settings
from triaged.store.engine import open_engine

DUTY, CHIEF, REVIEWER = "duty@example.gov", "chief@example.gov", "reviewer@example.gov"
NIGHT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)  # a Sunday, three o'clock: no digest for 29 hours
DANGER = letter(1, subject="Danger! a gift", text="He has a knife.")
RULES = """
  - name: Danger
    when: {subject: {words: [danger]}}
    then: {urgency: critical}
  - name: A knife in a letter about trees
    when: {subject: {words: [knife]}}
    then: {topic: trees, urgency: critical}
  - name: What sounds like danger
    when: {subject: {words: [crib]}}
    then: {topic: trees, add_flag: possible_danger}
  - name: A crib is for sale
    when: {subject: {words: [sale]}}
    then: {close: "nothing to do"}
"""


@dataclass
class Watch:
    """An office under a clock."""

    installation: Installation
    office: Office
    engine: Engine
    now: datetime = NIGHT

    def receive(self, octets: bytes) -> None:
        self.installation.receive(octets)
        self.work()

    def work(self) -> None:
        """Let the daemon's jobs take their turn, as each minute."""
        Daemon(lambda: self.office, self.office, self.engine, lambda: self.now)._digest()
        assert run_once(self.office, self.engine, lambda: self.now) == []

    def pass_minutes(self, minutes: int) -> None:
        """Let minutes pass, one by one."""
        for _ in range(minutes):
            self.now += timedelta(minutes=1)
            self.work()

    def rota(self, **changed: tuple[str, ...]) -> None:
        """Name others in [review], as a reload does."""
        self.office = replace(
            self.office, settings=replace(self.office.settings, review=replace(self.office.settings.review, **changed))
        )

    def sent(self, to: str = "") -> list[EmailMessage]:
        return self.installation.sent(to)

    def alerts(self, to: str = DUTY) -> list[EmailMessage]:
        return [mail for mail in self.sent(to) if mail["Subject"].startswith("CRITICAL")]

    def status_of(self, subject: str) -> str:
        return next(str(record["status"]) for record in self.installation.export() if record["subject"] == subject)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    """An office with somebody on duty, somebody above them, and rules that find danger."""
    installation = Installation(tmp_path)
    text = installation.config.read_text()
    people = f'on_duty = ["{DUTY}"]\nescalate_to = ["{CHIEF}"]\nrepeat = "15m"\n'
    installation.config.write_text(text.replace("authserv_id =", f"{people}authserv_id ="))
    installation.rules.write_text(installation.rules.read_text().rstrip() + RULES)
    installation.started()
    settings = load_settings(installation.config)
    engine = open_engine(settings.store_url)
    office = open_office(settings, engine, lambda: NIGHT)
    yield Watch(installation, office, engine)
    office.close()
    engine.dispose()


def test_critical_mail_goes_at_once_whatever_the_hour_and_is_answered_like_a_digest(watch: Watch) -> None:
    watch.receive(DANGER)
    (alert,) = watch.alerts()
    assert watch.sent(REVIEWER) == []
    assert "He has a knife." in text_of(alert)
    watch.receive(reply(alert, f"{codes_of(alert)[0]} housing", sender=DUTY))
    assert watch.status_of("Danger! a gift") == "routed"
    watch.pass_minutes(60)
    assert len(watch.alerts()) == 1
    assert len(watch.sent("housing@")) == 1


def test_it_is_said_again_until_somebody_answers_and_then_to_somebody_above(watch: Watch) -> None:
    watch.receive(DANGER)
    watch.pass_minutes(14)
    assert len(watch.alerts()) == 1
    watch.pass_minutes(1)
    assert len(watch.alerts()) == 2
    assert watch.alerts(CHIEF) == []
    watch.pass_minutes(15)
    assert len(watch.alerts()) == 3
    (told,) = watch.alerts(CHIEF)
    assert "nobody has answered" in told["Subject"]
    watch.receive(reply(told, f"{codes_of(told)[0]} parks", sender=CHIEF))
    watch.pass_minutes(60)
    assert len(watch.alerts()) == 3
    assert len(watch.alerts(CHIEF)) == 1
    watch.receive(reply(watch.alerts()[0], f"{codes_of(watch.alerts()[0])[0]} spam", sender=DUTY, number=2))
    assert f"by {CHIEF}" in text_of(watch.sent(DUTY)[-1])
    assert watch.status_of("Danger! a gift") == "routed"


def test_to_look_at_the_letter_is_no_answer(watch: Watch) -> None:
    watch.receive(DANGER)
    (alert,) = watch.alerts()
    watch.receive(reply(alert, f"{codes_of(alert)[0]} show", sender=DUTY))
    watch.pass_minutes(15)
    assert len(watch.alerts()) == 2


def test_critical_mail_that_a_rule_has_routed_is_told_too_and_ok_ends_it(watch: Watch) -> None:
    """Nobody may read the department's mailbox at night."""
    watch.receive(letter(2, subject="A knife"))
    assert len(watch.sent("parks@")) == 1
    (alert,) = watch.alerts()
    assert alert["Subject"].startswith("CRITICAL: a letter was sent on")
    assert "Decided:  trees → Parks" in text_of(alert)
    watch.pass_minutes(15)
    assert len(watch.alerts()) == 2
    watch.receive(reply(alert, f"{codes_of(alert)[0]} ok", sender=DUTY))
    watch.pass_minutes(60)
    assert len(watch.alerts()) == 2
    assert len(watch.sent("parks@")) == 1
    with sqlite3.connect(watch.installation.folder / "triaged.db") as db:
        assert db.execute("select topic, by, spot_check from lessons").fetchall() == [("trees", DUTY, 0)]


def test_a_routed_one_can_still_be_sent_elsewhere(watch: Watch) -> None:
    watch.receive(letter(2, subject="A knife"))
    (alert,) = watch.alerts()
    watch.receive(reply(alert, f"{codes_of(alert)[0]} housing", sender=DUTY))
    watch.pass_minutes(11)
    assert len(watch.sent("housing@")) == 1
    assert len(watch.alerts()) == 1


def test_whoever_comes_on_duty_hears_of_what_is_still_open(watch: Watch) -> None:
    watch.receive(DANGER)
    watch.rota(on_duty=("night@example.gov",))
    watch.pass_minutes(15)
    assert len(watch.alerts("night@example.gov")) == 1
    assert len(watch.alerts(DUTY)) == 1


def test_without_anybody_on_duty_the_reviewers_hear_of_it(watch: Watch) -> None:
    watch.rota(on_duty=())
    watch.receive(DANGER)
    assert len(watch.alerts(REVIEWER)) == 1


def test_if_nobody_at_all_is_named_the_log_and_status_say_so_and_who_is_named_later_hears_of_it(
    watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    named = watch.office.settings.review
    watch.rota(on_duty=(), to=(), escalate_to=())
    watch.receive(DANGER)
    assert "[review] names nobody" in caplog.text
    assert watch.sent() == []
    text = watch.installation.config.read_text()
    watch.installation.config.write_text(text.replace('to = ["reviewer@example.gov"]', ""))
    assert "names nobody who is told" in watch.installation.triaged("status", status=1)
    watch.office = replace(watch.office, settings=replace(watch.office.settings, review=named))
    watch.pass_minutes(1)
    assert len(watch.alerts()) == 1


def test_what_sounds_like_danger_is_told_at_once_but_only_once(watch: Watch) -> None:
    watch.receive(letter(2, subject="A crib"))
    assert len(watch.sent("parks@")) == 1
    watch.pass_minutes(60)
    (told,) = watch.sent(DUTY)
    assert told["Subject"].startswith("POSSIBLE DANGER: please read this letter now")
    assert "HIGH   [possible_danger]" in text_of(told)
    watch.receive(reply(told, f"{codes_of(told)[0]} housing", sender=DUTY))
    watch.pass_minutes(11)
    assert len(watch.sent("housing@")) == 1


def test_what_sounds_like_danger_is_never_closed_unseen(watch: Watch) -> None:
    watch.receive(letter(2, subject="A crib for sale"))
    assert watch.status_of("A crib for sale") == "review"
    assert len(watch.sent(DUTY)) == 1


def test_without_the_encoder_status_and_check_say_that_words_judge_alone(watch: Watch) -> None:
    assert not watch.office.settings.office.encoder
    assert "sentence vectors in use: no" in watch.installation.triaged("status")
    assert "judged by words alone" in watch.installation.triaged("check")


@pytest.mark.parametrize("subject", ["A gift", "A tree"])
def test_a_letter_that_is_not_critical_alarms_nobody(watch: Watch, subject: str) -> None:
    watch.receive(letter(1, subject=subject))
    watch.pass_minutes(20)
    assert watch.alerts() == []


def test_what_an_answer_sends_waits_ten_minutes_and_not_longer(watch: Watch) -> None:
    watch.receive(DANGER)
    (alert,) = watch.alerts()
    watch.receive(reply(alert, f"{codes_of(alert)[0]} housing", sender=DUTY))
    watch.pass_minutes(9)
    assert watch.sent("housing@") == []
    watch.pass_minutes(1)
    assert len(watch.sent("housing@")) == 1


def test_undo_within_the_ten_minutes_sends_nothing_ever_and_the_alarm_goes_on(watch: Watch) -> None:
    watch.receive(DANGER)
    (alert,) = watch.alerts()
    watch.receive(reply(alert, f"{codes_of(alert)[0]} housing", sender=DUTY))
    watch.pass_minutes(9)
    watch.receive(reply(alert, "undo", sender=DUTY, number=2))
    watch.pass_minutes(20)
    assert watch.sent("housing@") == []
    assert watch.status_of("Danger! a gift") == "review"
    assert len(watch.alerts()) > 1


def test_the_digest_comes_at_its_hours_on_business_days_once_and_not_when_nothing_waits(watch: Watch) -> None:
    watch.now = datetime(2026, 11, 23, 13, 29, tzinfo=UTC)  # Monday 08:29 in New York
    watch.pass_minutes(3)
    assert watch.sent(REVIEWER) == []
    watch.receive(letter(3, subject="A gift"))
    watch.now = datetime(2026, 11, 23, 18, 28, tzinfo=UTC)
    watch.pass_minutes(1)
    assert watch.sent(REVIEWER) == []
    watch.pass_minutes(5)
    assert [mail["Subject"] for mail in watch.sent(REVIEWER)] == ["1 letter waits for you — Office of the Mayor"]
    watch.now = datetime(2026, 11, 28, 13, 31, tzinfo=UTC)  # Saturday
    watch.pass_minutes(2)
    assert len(watch.sent(REVIEWER)) == 1

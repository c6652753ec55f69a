"""The daemon as systemd runs it: ready, working, reloaded, stopped, killed."""

import json
import signal
import socket
import sqlite3
from contextlib import suppress

from tests.installation import RULES, Installation, letter, service, wait_until


def test_it_says_ready_feeds_the_watchdog_and_stops_cleanly(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        daemon.hears("WATCHDOG=1")
        assert daemon.stop() == 0
        daemon.hears("STOPPING=1")
        assert "stopped" in daemon.log()


def test_mail_that_comes_while_it_runs_is_handed_off_and_acknowledged(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        installation.receive(letter())
        wait_until(lambda: len(installation.sent()) == 2, "hand-off and acknowledgement")
        assert daemon.stop() == 0
    assert installation.only()["status"] == "routed"


def test_no_word_of_a_letter_stands_in_the_log(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        installation.receive(letter(subject="No heat for Wilhelmina", text="Zanzibar"))
        wait_until(lambda: len(installation.sent()) == 2, "hand-off and acknowledgement")
        daemon.stop()
        log = daemon.log()
    assert "MAY-2026-000001" in log
    for secret in ("Wilhelmina", "Zanzibar", "writer1", "Writer"):
        assert secret not in log


def test_a_changed_rules_file_is_taken_into_use_on_reload(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        installation.rules.write_text(RULES.replace("words: [heat]", "words: [boiler]"))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.hears("RELOADING=1")
        wait_until(lambda: "reloaded" in daemon.log(), "the reload")
        installation.receive(letter(subject="The boiler is broken"))
        wait_until(lambda: len(installation.sent("housing")) == 1, "the hand-off by the new rule")
        assert daemon.stop() == 0


def test_a_broken_rules_file_leaves_the_last_good_one_in_use(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        installation.rules.write_text("version: 1\nrules: [\n")
        daemon.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload refused" in daemon.log(), "the refusal")
        installation.receive(letter())
        wait_until(lambda: len(installation.sent("housing")) == 1, "the hand-off by the old rule")
        assert daemon.stop() == 0


def test_a_mailbox_that_cannot_be_read_delays_no_other(installation: Installation) -> None:
    text = installation.config.read_text()
    installation.config.write_text(text.replace('path = "leader"', 'path = "nowhere/at/all"'))
    with service(installation) as daemon:
        daemon.hears("READY=1")
        wait_until(lambda: "mailbox not read" in daemon.log(), "the trouble being noticed")
        installation.receive(letter())
        wait_until(lambda: len(installation.sent()) == 2, "hand-off and acknowledgement")
        health = json.loads(installation.triaged("status", "--json", status=1))
        assert health["mailboxes"]["leader"]["failures"] >= 1
        assert any("leader" in problem for problem in health["problems"])
        assert health["daemon_running"]
        assert daemon.stop() == 0


def test_a_second_daemon_on_the_same_database_is_refused(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        assert "another triaged" in installation.triaged("run", "--once", status=1)
        daemon.stop()


def test_killed_and_started_again_it_goes_on(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        installation.receive(letter(1))
        wait_until(lambda: len(installation.sent()) == 2, "the first letter's mails")
        daemon.process.kill()
        daemon.process.wait()
    installation.receive(letter(2))
    with service(installation) as daemon:
        wait_until(lambda: len(installation.sent()) == 4, "the second letter's mails")
        assert daemon.stop() == 0
    assert len({record["reference"] for record in installation.export()}) == 2


def test_a_mail_that_stops_the_process_three_times_is_set_aside_unread(installation: Installation) -> None:
    """Attempts are counted before reading: whatever kills us is known after the restart."""
    installation.receive(letter(1))
    installation.run_once()
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        db.execute("UPDATE mails SET state = 'new', attempts = 3")
        for table in ("deliveries", "messages"):
            db.execute(f"DELETE FROM {table}")
    installation.receive(letter(2))
    installation.run_once()
    by_status = {record["status"]: record for record in installation.export()}
    assert by_status.keys() == {"set_aside", "routed"}
    assert "3 times" in by_status["set_aside"]["reasons"][0]["because"]


def test_a_mail_that_cannot_be_written_down_is_set_aside_and_those_written_with_it_are_not(installation: Installation) -> None:
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        db.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.subject = 'Poison' BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    for number, subject in enumerate(("No heat", "Poison", "Heat again"), 1):
        installation.receive(letter(number, subject=subject))
    installation.run_once()
    found = {record["subject"]: record for record in installation.export()}
    assert {subject: record["status"] for subject, record in found.items()} == {
        "No heat": "routed",
        "Heat again": "routed",
        "(could not be read)": "set_aside",
    }
    assert "could not process it: IntegrityError" in found["(could not be read)"]["reasons"][0]["because"]
    assert len(installation.sent("housing")) == 2


def test_status_is_healthy_after_a_clean_run(installation: Installation) -> None:
    assert json.loads(installation.triaged("status", "--json"))["healthy"]


def test_it_stops_however_many_signals_come(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        for _ in range(200):
            daemon.process.send_signal(signal.SIGHUP)
        assert daemon.stop() == 0


def test_it_stops_though_nobody_reads_what_it_tells_systemd(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        daemon.hang_up()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, suppress(BlockingIOError):
            other.setblocking(False)
            while True:  # some ten messages fill the queue
                other.sendto(b"STATUS=full", str(installation.folder / "notify"))
        wait_until(lambda: "systemd was not told" in daemon.log(), "the queue being full")
        assert daemon.stop() == 0

"""rules.yaml edited while the daemon runs: taken when right, refused when wrong, also across a restart."""

import os
import sqlite3

from tests.installation import RULES, Installation, letter, service, wait_until

BOILER = RULES.replace("words: [heat]", "words: [boiler]")
WRONG = RULES.replace("topic: heat}", "topic: heet}")


def changed(installation: Installation) -> list[str]:
    """What the database says of each state of the rules, oldest first."""
    with sqlite3.connect(installation.folder / "triaged.db") as db:
        return [row[0] for row in db.execute("SELECT changed FROM rulebooks ORDER BY id")]


def told(installation: Installation) -> int:
    return len(installation.sent("editor@example.gov"))


def with_editor(rules: str) -> str:
    return rules.replace("version: 1", "version: 1\neditors: [editor@example.gov]")


def test_an_edit_is_taken_into_use_without_a_reload_and_its_difference_is_kept(installation: Installation) -> None:
    with service(installation) as daemon:
        daemon.hears("READY=1")
        installation.rules.write_text(BOILER)
        wait_until(lambda: "rules taken into use" in daemon.log(), "the new rules")
        installation.receive(letter(subject="The boiler is broken"))
        wait_until(lambda: len(installation.sent("housing")) == 1, "the hand-off by the new rule")
        assert daemon.stop() == 0
    _, latest = changed(installation)
    assert latest.startswith("rule “Heat” changed\n")
    assert "-    when: {subject: {words: [heat]}}" in latest
    assert "+    when: {subject: {words: [boiler]}}" in latest


def test_a_file_renamed_over_the_old_one_is_seen_even_with_the_same_time_and_size(installation: Installation) -> None:
    same_size = RULES.replace("words: [heat]", "words: [gale]")
    with service(installation) as daemon:
        daemon.hears("READY=1")
        before = installation.rules.stat()
        new = installation.folder / ".rules.yaml.swp"
        new.write_text(same_size)
        os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
        new.replace(installation.rules)
        wait_until(lambda: "rules taken into use" in daemon.log(), "the new rules")
        assert daemon.stop() == 0


def test_a_list_in_a_file_of_its_own_is_watched_too(installation: Installation) -> None:
    (installation.folder / "friends.txt").write_text("ana@example.org\n")
    listed = RULES.replace("rules:\n", "lists:\n  friends: {file: friends.txt}\nrules:\n", 1)
    listed += "  - name: Friends\n    when: {from: {in: friends}}\n    then: {topic: trees}\n"
    installation.rules.write_text(listed)
    with service(installation) as daemon:
        daemon.hears("READY=1")
        (installation.folder / "friends.txt").write_text("ana@example.org\nwriter1@example1.org\n")
        wait_until(lambda: "1 added, 0 removed" in daemon.log(), "the longer list")
        installation.receive(letter(subject="Hello"))
        wait_until(lambda: len(installation.sent("parks")) == 1, "the hand-off by the list")
        assert daemon.stop() == 0
    assert changed(installation)[-1].startswith("list “friends”: 1 added, 0 removed")


def test_a_wrong_file_is_told_to_the_editors_once_and_stays_out_of_use_across_restarts(installation: Installation) -> None:
    installation.rules.write_text(with_editor(RULES))
    with service(installation) as daemon:
        daemon.hears("READY=1")
        installation.rules.write_text(with_editor(WRONG))
        wait_until(lambda: told(installation) == 1, "the mail to the editor")
        daemon.process.kill()
        daemon.process.wait()
    with service(installation) as daemon:
        daemon.hears("READY=1")
        assert "the last good ones stay in use" in daemon.log()
        installation.receive(letter())
        wait_until(lambda: len(installation.sent("housing")) == 1, "the hand-off by the last good rules")
        status = installation.triaged("status", status=1)
        assert "the rules are wrong since" in status
        assert 'unknown topic "heet"' in status
        assert "stay in use" in status
        installation.rules.write_text(with_editor(BOILER))
        wait_until(lambda: "rule “Heat” changed" in daemon.log(), "the mended rules")
        assert daemon.stop() == 0
    (mail,) = installation.sent("editor@example.gov")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Triaged-Loop"].startswith("rules ")
    text = mail.get_content()
    assert 'unknown topic "heet"' in text
    assert "Did you mean heat?" in text
    assert "stay in use" in text
    assert "the rules are wrong" not in installation.triaged("status", "--json", status=1)  # it was stopped


def test_run_once_with_a_wrong_file_goes_on_with_the_last_good_rules(installation: Installation) -> None:
    installation.rules.write_text("version: 1\nrules: [\n")
    installation.receive(letter())
    installation.run_once()
    assert installation.only()["departments"] == ["housing"]


def test_a_file_whose_own_test_fails_is_not_taken_into_use(installation: Installation) -> None:
    red = "tests:\n  - name: Heat is trees\n    message: {subject: heat, topic: heat}\n    expect: {topic: trees}\n"
    installation.rules.write_text(RULES + red)
    installation.run_once()
    assert "Heat is trees" in installation.triaged("status", status=1)
    assert len(changed(installation)) == 1


def test_the_first_start_with_a_wrong_file_says_what_is_wrong(tmp_path: object) -> None:
    installation = Installation(tmp_path)  # type: ignore[arg-type]
    installation.rules.write_text(WRONG)
    assert 'unknown topic "heet"' in installation.triaged("run", "--once", status=2)


def test_a_person_can_decide_while_the_file_is_wrong(installation: Installation) -> None:
    installation.receive(letter(subject="A gift"))
    installation.run_once()
    installation.rules.write_text(WRONG)
    (record,) = installation.export()
    assert "parks" in installation.triaged("resolve", record["reference"], "--topic", "trees")

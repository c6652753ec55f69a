"""The whole job from the mailbox to the outside, by the commands that people use."""

import json
import re

import pytest

from tests.installation import Installation, letter


def acknowledgements(installation: Installation) -> list[str]:
    return [str(mail["Delivered-To"] or mail["To"]) for mail in installation.sent() if mail["Auto-Submitted"] == "auto-replied"]


def test_a_letter_reaches_its_department_whole_and_its_writer_hears_of_it(installation: Installation) -> None:
    original = letter()
    installation.receive(original)
    installation.run_once()
    (handoff,) = installation.sent("housing@example.gov")
    assert handoff["Auto-Submitted"] is None
    assert "writer1@example1.org" in handoff["Reply-To"]
    assert "MAY-2026-000001" in handoff["Subject"]
    assert original.rstrip() in handoff_octets(installation).replace(b"\n", b"\r\n").replace(b"\r\r\n", b"\r\n")
    (answer,) = installation.sent("writer1@example1.org")
    assert answer["Auto-Submitted"] == "auto-replied"
    assert answer["In-Reply-To"] == "<1@example.org>"
    assert "MAY-2026-000001" in answer.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    record = installation.only()
    assert (record["topic"], record["urgency"], record["departments"], record["status"]) == (
        "heat",
        "high",
        ["housing"],
        "routed",
    )
    assert {delivery["state"] for delivery in record["deliveries"]} == {"sent"}


def handoff_octets(installation: Installation) -> bytes:
    """The hand-off as it left."""
    found = [file.read_bytes() for file in installation.folder.glob("out/**/*.eml")]
    return next(octets for octets in found if b"message/rfc822" in octets)


def test_old_mail_is_left_alone_by_default(tmp_path_factory: pytest.TempPathFactory) -> None:
    installation = Installation(tmp_path_factory.mktemp("backfill"))
    installation.receive(letter(1))
    installation.run_once()
    assert installation.export() == []
    installation.receive(letter(2))
    installation.run_once()
    assert installation.only()["message_id"] == "<2@example.org>"


def test_backfilled_mail_is_taken_in_and_never_acknowledged(tmp_path_factory: pytest.TempPathFactory) -> None:
    installation = Installation(tmp_path_factory.mktemp("backfill"))
    text = installation.config.read_text()
    installation.config.write_text(text.replace('path = "mayor"', 'path = "mayor"\nbackfill = "read-only"'))
    for number in range(1, 4):
        installation.receive(letter(number))
    installation.run_once()
    assert len(installation.export()) == 3
    assert acknowledgements(installation) == []
    assert len(installation.sent("housing")) == 3
    installation.receive(letter(4))
    installation.run_once()
    assert len(acknowledgements(installation)) == 1


def test_running_again_changes_nothing(installation: Installation) -> None:
    installation.receive(letter())
    installation.run_once()
    before = installation.export()
    installation.run_once()
    assert installation.export() == before
    assert len(installation.sent()) == 2


def test_the_same_mail_twice_in_one_mailbox_is_one_message(installation: Installation) -> None:
    installation.receive(letter())
    installation.receive(b"Received: by other; x\r\n" + letter())
    installation.run_once()
    assert len(installation.export()) == 1


def test_one_message_id_used_for_two_letters_is_two_cases(installation: Installation) -> None:
    installation.receive(letter(1, Message_ID="<same@x>"))
    installation.receive(letter(2, Message_ID="<same@x>"))
    installation.run_once()
    assert len({record["reference"] for record in installation.export()}) == 2


def test_the_same_mail_to_two_offices_is_two_cases_that_know_of_each_other(installation: Installation) -> None:
    installation.receive(letter(), "mayor")
    installation.receive(letter(), "leader")
    installation.run_once()
    mayor, leader = sorted(installation.export(), key=lambda record: record["mailbox"], reverse=True)
    assert (mayor["reference"], leader["reference"]) == ("MAY-2026-000001", "LEA-2026-000001")
    assert (mayor["related"], leader["related"]) == (["LEA-2026-000001"], ["MAY-2026-000001"])


def test_a_later_mail_joins_its_case_and_is_not_acknowledged_again(installation: Installation) -> None:
    installation.receive(letter(1))
    installation.run_once()
    again = letter(1, subject="Re: No answer yet", Message_ID="<1b@example.org>", In_Reply_To="<1@example.org>")
    installation.receive(again)
    installation.run_once()
    first, second = installation.export()
    assert first["reference"] == second["reference"]
    assert second["follow_up"]
    assert second["departments"] == ["housing"]
    assert len(acknowledgements(installation)) == 1


def test_a_stranger_cannot_join_a_case(installation: Installation) -> None:
    installation.receive(letter(1))
    installation.run_once()
    installation.receive(letter(2, subject="Re: [MAY-2026-000001] heat", In_Reply_To="<1@example.org>"))
    installation.run_once()
    assert len({record["reference"] for record in installation.export()}) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "Auto-Generated (vacation); owner=x"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<news.example.org>"},
        {"X_Spam_Flag": "YES"},
        {"From": "noreply@example.org", "Return_Path": "<noreply@example.org>"},
        {"Precedence": "bulk"},
        {"X_Auto_Response_Suppress": "All"},
    ],
)
def test_machines_are_never_acknowledged(installation: Installation, headers: dict[str, str]) -> None:
    installation.receive(letter(**headers))
    installation.run_once()
    assert acknowledgements(installation) == []
    assert len(installation.export()) == 1, "all is stored"


def test_our_own_mail_that_comes_back_ends_there(installation: Installation) -> None:
    installation.receive(letter())
    installation.run_once()
    for mail in installation.sent():
        installation.receive(mail.as_bytes())
    installation.run_once()
    assert [record["kind"] for record in installation.export()] == ["letter", "own", "own"]
    assert len(installation.sent()) == 2


def test_a_bounce_of_a_hand_off_is_shown_to_people(installation: Installation) -> None:
    installation.receive(letter())
    installation.run_once()
    (handoff,) = installation.sent("housing")
    installation.receive(bounce_of(str(handoff["Message-ID"]), "housing@example.gov"))
    installation.run_once()
    letters = [record for record in installation.export() if record["kind"] == "letter"]
    assert [item["state"] for item in letters[0]["deliveries"] if item["kind"] == "forward"] == ["failed"]
    assert "housing@example.gov" in installation.triaged("outbox", "--failed")
    assert json.loads(installation.triaged("status", "--json", status=1))["problems"]
    installation.triaged("outbox", "--release", "all")
    installation.run_once()
    assert json.loads(installation.triaged("status", "--json"))["healthy"]


def bounce_of(message_id: str, recipient: str) -> bytes:
    return (
        "Return-Path: <>\r\nFrom: Mail Delivery System <MAILER-DAEMON@mx.example.gov>\r\nTo: correspondence@example.gov\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <b1@mx.example.gov>\r\nAuto-Submitted: auto-replied\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=B\r\n\r\n"
        "--B\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.gov\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--B\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\nbody\r\n--B--\r\n"
    ).encode()


def test_what_is_held_waits_until_a_person_resolves_it(installation: Installation) -> None:
    installation.receive(letter(subject="A gift for you"))
    installation.run_once()
    (waiting,) = json.loads(installation.triaged("queue", "--json"))
    assert waiting["status"] == "review"
    assert any("gifts are logged by hand" in reason["because"] for reason in waiting["reasons"])
    assert installation.sent("parks") == []
    installation.triaged("resolve", waiting["reference"], "--topic", "trees", "--by", "Ana")
    installation.run_once()
    assert len(installation.sent("parks")) == 1
    assert json.loads(installation.triaged("queue", "--json")) == []
    shown = json.loads(installation.triaged("show", waiting["reference"], "--json"))
    assert shown["status"] == "routed"
    assert any(reason["by"] == "staff" for reason in shown["reasons"])
    assert any(entry["by"] == "Ana" for entry in shown["history"])


@pytest.mark.parametrize(("flag", "status"), [("--close", "closed"), ("--spam", "ignored")])
def test_a_person_may_close_or_discard(installation: Installation, flag: str, status: str) -> None:
    installation.receive(letter(subject="A gift for you"))
    installation.run_once()
    installation.triaged("resolve", "MAY-2026-000001", flag)
    installation.run_once()
    assert installation.only()["status"] == status
    assert installation.sent("housing") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resolve", "MAY-2026-000001", "--topic", "heet"), "did you mean heat?"),
        (("resolve", "MAY-2026-000001", "--department", "park"), "did you mean parks?"),
        (("resolve", "MAY-2026-999999", "--close"), "no case"),
        (("resolve", "MAY-2026-000001"), "say one thing"),
        (("resolve", "MAY-2026-000001", "--close", "--spam"), "say one thing"),
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(
    installation: Installation, arguments: tuple[str, ...], said: str
) -> None:
    installation.receive(letter(subject="A gift for you"))
    installation.run_once()
    assert said in installation.triaged(*arguments, status=2)
    assert installation.only()["status"] == "review"


def test_a_mail_that_breaks_is_shown_and_stops_nobody(installation: Installation) -> None:
    installation.receive(b"\x00\xff" * 4000)
    installation.receive(letter(2))
    installation.run_once()
    kinds = {record["kind"] for record in installation.export()}
    assert kinds == {"unreadable", "letter"}
    assert len(json.loads(installation.triaged("queue", "--json"))) == 1


def test_explaining_a_file_changes_nothing(installation: Installation) -> None:
    file = installation.folder / "mail.eml"
    file.write_bytes(letter())
    foreseen = json.loads(installation.triaged("explain", str(file), "--json"))
    assert (foreseen["topic"], foreseen["departments"]) == ("heat", ["housing"])
    assert [delivery["kind"] for delivery in foreseen["deliveries"]] == ["forward", "acknowledge"]
    assert installation.export() == []


def test_the_digest_shows_what_waits_and_is_not_built_for_nothing(installation: Installation) -> None:
    assert "no digest" in installation.triaged("digest", "--preview", str(installation.folder / "d"))
    installation.receive(letter(subject="A gift for you"))
    installation.run_once()
    installation.triaged("digest", "--preview", str(installation.folder / "d"))
    assert "MAY-2026-000001" in (installation.folder / "d" / "digest.txt").read_text()
    assert "A gift for you" in (installation.folder / "d" / "digest.html").read_text()
    installation.triaged("digest", "--send")
    (mail,) = installation.sent("reviewer@example.gov")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"triage\+[a-z2-7]{40}@example.gov", mail["Reply-To"])


def test_handled_mail_moves_after_success_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    installation = Installation(tmp_path_factory.mktemp("moves"))
    text = installation.config.read_text()
    installation.config.write_text(text.replace('path = "mayor"', 'path = "mayor"\nafter = { processed = "Done" }'))
    installation.started()
    installation.receive(letter(1))
    installation.receive(letter(2, subject="A gift"))
    installation.run_once()
    left = [file.read_bytes() for sub in ("new", "cur") for file in (installation.folder / "mayor" / sub).iterdir()]
    assert left == [letter(2, subject="A gift")]
    installation.run_once()
    assert len(installation.export()) == 2


def test_the_breaker_holds_acknowledgements_and_stores_all(installation: Installation) -> None:
    for number in range(1, 26):
        address = f"robot{number}@machine.example"
        installation.receive(letter(number, text=f"number {number}", From=address, Return_Path=f"<{address}>"))
    installation.run_once()
    states = [
        item["state"] for record in installation.export() for item in record["deliveries"] if item["kind"] == "acknowledge"
    ]
    assert (states.count("sent"), states.count("held")) == (20, 5)
    assert len(installation.sent("housing")) == 25


def test_a_writer_gets_at_most_two_acknowledgements_a_week_however_many_letters(installation: Installation) -> None:
    for number, subject in enumerate(["No heat", "A tree fell", "A gift", "No heat again", "Another tree"], 1):
        installation.receive(letter(1, subject=subject, Message_ID=f"<n{number}@x>", text=f"{number}"))
    installation.run_once()
    assert len(acknowledgements(installation)) == 2
    assert len({record["reference"] for record in installation.export()}) == 5


def test_a_spam_mark_that_may_be_another_servers_goes_to_a_person(installation: Installation) -> None:
    """A wrong "not a letter" loses a citizen; an acknowledgement to a spammer helps nobody."""
    installation.receive(
        letter(Received="from a.example by relay.elsewhere.example; Mon, 23 Nov 2026 10:00:00 -0500", X_Spam_Flag="YES")
    )
    installation.run_once()
    assert (installation.only()["kind"], installation.only()["status"]) == ("letter", "review")
    assert acknowledgements(installation) == []

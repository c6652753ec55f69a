"""The whole job with mail on Graph and Exchange, by the commands; what a revoked sign-in does to other mailboxes: nothing."""

import sqlite3
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, letter
from tests.integration.test_answers import codes_of, let_time_pass, reply
from tests.issuer import CLIENT, CLIENT_SECRET, TENANT

INBOX = "inbox-id"
OTHER = """
[[mailbox]]
name = "leader"
kind = "maildir"
path = "leader"
prefix = "LEA"
"""


class Office:
    """An installation whose first mailbox and sender are at a provider; the second mailbox is a maildir."""

    def __init__(self, kind: str, server: Any, folder: Path) -> None:
        self.server = server
        server.issuer.application()  # writes the secret
        signing = (
            f'provider = "microsoft", tenant = "{TENANT}", client = "{CLIENT}", login = "{server.issuer.url}", '
            f'tls_ca = "{server.ca}", secret = {{ file = "{server.issuer.folder / "secret"}" }}'
        )
        url = server.url if kind == "graph" else server.endpoint
        where = f'url = "{url}"\nuser = "mayor@example.gov"\ntls_ca = "{server.ca}"\noauth = {{ {signing} }}'
        mailbox = f'[[mailbox]]\nname = "mayor"\nkind = "{kind}"\nlabels = true\nmust_refuse = "clerk@example.gov"\n{where}\n'
        self.installation = Installation(folder, mailboxes=mailbox + OTHER, sender=f'kind = "{kind}"\n{where}').started()

    def outside(self) -> list[str]:
        """Return whom mail went to."""
        return sorted(to for mail in self.server.sent for to in (mail[1] if isinstance(mail, tuple) else mail.recipients))

    def digest(self) -> EmailMessage:
        """Ask the reviewer; return the mail as it came."""
        self.installation.triaged("digest", "--send")
        sent = self.server.sent[-1]
        octets = sent[2] if isinstance(sent, tuple) else sent.octets
        return message_from_bytes(octets, policy=policy.default)  # type: ignore[return-value]


@pytest.fixture(params=["graph", "exchange"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    return Office(request.param, request.getfixturevalue({"graph": "graph", "exchange": "ews"}[request.param]), tmp_path)


def test_a_letter_is_routed_acknowledged_and_counted(office: Office) -> None:
    office.server.deliver(letter(1), INBOX)
    office.installation.run_once()
    record = office.installation.only()
    assert (record["status"], record["departments"]) == ("routed", ["housing"])
    assert office.outside() == ["housing@example.gov", "writer1@example1.org"]
    assert {item["state"] for item in record["deliveries"]} == {"sent"}


def test_check_connects_and_proves_what_is_closed_to_us(office: Office) -> None:
    said = office.installation.triaged("check", "--connect")
    assert "✓ mailbox mayor: 0 mails in INBOX" in said
    assert "clerk@example.gov is refused" in said
    assert CLIENT_SECRET not in said
    office.server.open_to.add("clerk@example.gov")
    said = office.installation.triaged("check", "--connect", status=1)
    assert "✗ mailbox mayor: our rights open clerk@example.gov too" in said


def test_a_revoked_sign_in_is_one_incident_of_one_mailbox(office: Office) -> None:
    office.server.issuer.secrets.clear()
    office.server.issuer.revoke()
    office.installation.receive(letter(2, subject="A tree fell"), "leader")
    office.installation.triaged("run", "--once", status=1)
    assert office.installation.only()["mailbox"] == "leader"
    said = office.installation.triaged("status", status=1)
    assert said.count("mailbox mayor can't be read") == 1
    assert "invalid_client" in said
    assert "leader can't" not in said


def test_what_is_kept_of_tokens_is_readable_by_nobody_else(office: Office) -> None:
    folder = office.installation.folder / "tokens"
    assert list(folder.glob("*.json"))
    assert not any(path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir()))


def test_our_own_mail_that_comes_back_is_known_without_its_message_id(office: Office) -> None:
    """Exchange sent it under another; X-Triaged-Loop survives."""
    office.server.deliver(letter(1), INBOX)
    office.installation.run_once()
    for mail in list(office.server.sent):
        office.server.deliver(mail[2] if isinstance(mail, tuple) else mail.octets, INBOX)
    before = len(office.outside())
    office.installation.run_once()
    kinds = sorted(record["kind"] for record in office.installation.export())
    assert kinds == ["letter", "own", "own"]
    assert len(office.outside()) == before


@pytest.mark.parametrize(("verb", "acknowledged"), [(0, True), (102, False), (103, False), (104, True)])
def test_a_letter_that_a_person_has_answered_is_not_acknowledged_and_says_so(
    office: Office, verb: int, acknowledged: bool
) -> None:
    """To the sender, to all; a forward is no answer."""
    office.server.deliver(letter(1), INBOX).last_verb = verb
    office.installation.run_once()
    record = office.installation.only()
    assert (record["status"], record["departments"]) == ("routed", ["housing"])
    assert ("writer1@example1.org" in office.outside()) is acknowledged
    assert any("a person had answered it" in reason["because"] for reason in record["reasons"]) is not acknowledged


def test_topic_and_state_show_in_the_mailbox_and_follow_what_people_decide(office: Office) -> None:
    heat, gift = (
        office.server.deliver(letter(number, subject=text), INBOX) for number, text in ((1, "No heat"), (2, "A gift"))
    )
    gift.categories = ("Urgent",)
    office.installation.run_once()
    assert heat.categories == ("Triaged/heat", "Triaged/handed-off")
    assert gift.categories[0] == "Urgent"
    assert gift.categories[-1] == "Triaged/waits-for-a-person"
    digest = office.digest()
    office.server.deliver(reply(digest, f"{codes_of(digest)[0]} trees"), INBOX)
    office.installation.run_once()
    assert gift.categories[-1] == "Triaged/waits-for-a-person", "it may be undone, and is not handed off yet"
    let_time_pass(office.installation)
    office.installation.run_once()
    assert gift.categories == ("Urgent", "Triaged/trees", "Triaged/handed-off")


def test_labels_follow_what_people_take_back(office: Office) -> None:
    gift = office.server.deliver(letter(1, subject="A gift"), INBOX)
    office.installation.run_once()
    before = gift.categories
    digest = office.digest()
    office.server.deliver(reply(digest, f"{codes_of(digest)[0]} close"), INBOX)
    office.installation.run_once()
    assert gift.categories[-1] == "Triaged/closed"
    office.server.deliver(reply(digest, "undo", number=2), INBOX)
    office.installation.run_once()
    assert gift.categories == before


def test_a_label_that_a_person_took_off_stays_off(office: Office) -> None:
    mail = office.server.deliver(letter(1), INBOX)
    office.installation.run_once()
    mail.categories = ()
    office.installation.run_once()
    assert mail.categories == ()


def test_labels_are_no_mail_to_count(office: Office) -> None:
    office.server.deliver(letter(1), INBOX)
    office.installation.run_once()
    assert office.outside() == ["housing@example.gov", "writer1@example1.org"]
    assert "label" in {item["kind"] for item in office.installation.only()["deliveries"]}


def test_mail_that_a_person_takes_away_while_it_is_read_is_noted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, taken = (office.server.deliver(letter(number), INBOX) for number in (1, 2))
    answer = office.server.answer

    def take_away(asked: Any) -> Any:
        if taken.number in office.server.mails and ("$batch" in asked.path or b"GetItem" in asked.body):
            office.server.take_away(taken)
        return answer(asked)

    monkeypatch.setattr(office.server, "answer", take_away)
    office.installation.run_once()
    assert office.installation.only()["message_id"] == "<1@example.org>"
    assert kept.number in office.server.mails
    with sqlite3.connect(office.installation.folder / "triaged.db") as db:
        (noted,) = db.execute("select what from events where case_id is null").fetchall()
    assert noted == ("mayor: 1 mails left the folder before they could be read",)

"""The whole job with mail on Graph and Exchange, by the commands; what a revoked sign-in does to other mailboxes: nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, letter
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
        mailbox = f'[[mailbox]]\nname = "mayor"\nkind = "{kind}"\nmust_refuse = "clerk@example.gov"\n{where}\n'
        self.installation = Installation(folder, mailboxes=mailbox + OTHER, sender=f'kind = "{kind}"\n{where}').started()

    def outside(self) -> list[str]:
        """Return whom mail went to."""
        return sorted(to for mail in self.server.sent for to in (mail[1] if isinstance(mail, tuple) else mail.recipients))


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

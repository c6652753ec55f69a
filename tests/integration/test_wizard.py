"""`triaged init --wizard`: questions, a trial, a triaged.toml without secrets."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.dovecot import PASSWORD, Account
from tests.ews import ACCOUNT, OTHER, EwsServer
from tests.ews import PASSWORD as EXCHANGE_PASSWORD
from triaged import wizard
from triaged.cli import triaged
from triaged.config import Exchange, Graph, Imap
from triaged.settings.file import load_settings, read_settings

OFFICE = ["Office of the Mayor", "MAY", "America/New_York", "mayor", "mayor@example.gov"]
SENDING = ["127.0.0.1:25", "reviewer@example.gov"]


def answer(folder: Path, *lines: str) -> Result:
    return CliRunner().invoke(triaged, ["init", str(folder), "--wizard"], input="\n".join(lines) + "\n")


def test_an_imap_mailbox_is_tried_and_written_without_its_password(account: Account, tmp_path: Path) -> None:
    account.deliver(b"Subject: x\n\n")
    office = [*OFFICE[:4], f"{account.user}@localhost"]
    server = ["localhost", str(account.server.tls_port), "INBOX", str(account.server.root / "ca.pem")]
    said = answer(tmp_path / "new", "imap", *office, *server, *SENDING, PASSWORD)
    assert said.exit_code == 0, said.output
    assert "✗" in said.output, (
        "Dovecot knows the user without a domain: what does not work is said and keeps nobody from going on"
    )
    text = (tmp_path / "new" / "triaged.toml").read_text()
    assert PASSWORD not in text
    assert PASSWORD not in said.output
    settings = load_settings(tmp_path / "new" / "triaged.toml")
    assert isinstance(settings.mailboxes[0].access, Imap)
    assert "LoadCredential=mayor:/etc/triaged/credentials/mayor" in said.output
    assert (tmp_path / "new" / "rules.yaml").exists()


def test_an_exchange_mailbox_is_tried_and_other_mailboxes_are_proved_closed(ews: EwsServer, tmp_path: Path) -> None:
    ews.deliver(b"Subject: x\r\n\r\n", "inbox-id")
    server = [ews.endpoint, ACCOUNT, "ntlm", "delegate", "INBOX", str(ews.ca), OTHER]
    said = answer(tmp_path, "exchange", *OFFICE, *server, *SENDING, EXCHANGE_PASSWORD)
    assert said.exit_code == 0, said.output
    assert f"✓ 1 mails in INBOX, EWS, {OTHER} is refused" in said.output
    text = (tmp_path / "triaged.toml").read_text()
    assert EXCHANGE_PASSWORD not in text + said.output
    access = load_settings(tmp_path / "triaged.toml").mailboxes[0].access
    assert isinstance(access, Exchange)
    assert (access.account, access.must_refuse) == (ACCOUNT, OTHER)


def test_a_secret_can_be_tried_later(tmp_path: Path) -> None:
    said = answer(tmp_path, "microsoft365", *OFFICE, "contoso.example", "1-2-3", "secret", "INBOX", "", *SENDING, "")
    assert said.exit_code == 0, said.output
    access = load_settings(tmp_path / "triaged.toml").mailboxes[0].access
    assert isinstance(access, Graph)
    assert access.oauth.secret is not None
    assert "the application's secret" in said.output


def test_a_person_may_sign_in_later(tmp_path: Path) -> None:
    said = answer(tmp_path, "microsoft365-imap", *OFFICE, "contoso.example", "1-2-3", "person", "INBOX", *SENDING, "n")
    assert said.exit_code == 0, said.output
    access = load_settings(tmp_path / "triaged.toml").mailboxes[0].access
    assert isinstance(access, Imap)
    assert access.oauth is not None
    assert access.oauth.secret is None
    assert "LoadCredential" not in said.output


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "triaged.toml").write_text("mine")
    said = answer(tmp_path, "imap")
    assert said.exit_code != 0
    assert "is there already" in said.output
    assert (tmp_path / "triaged.toml").read_text() == "mine"


def test_an_answer_that_is_wrong_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    said = answer(
        tmp_path, "imap", "Office", "may", "America/Atlantis", "mayor", "mayor@example.gov", "h", "993", "INBOX", "", *SENDING
    )
    assert said.exit_code != 0
    assert "prefix" in str(said.exception)
    assert "time zone" in str(said.exception)
    assert not (tmp_path / "triaged.toml").exists()


@pytest.mark.parametrize("provider", wizard.PROVIDERS)
def test_what_every_provider_needs_is_read_by_the_loader(provider: str) -> None:
    answers = {question.key: question.default or "x" for question in wizard.PROVIDERS[provider].questions}
    answers |= dict(zip((question.key for question in wizard.OFFICE), OFFICE, strict=True))
    answers |= dict(zip((question.key for question in wizard.SENDING), SENDING, strict=True))
    answers |= {"url": "https://mail.example.gov/EWS", "must_refuse": OTHER} if "url" in answers else {}
    answers["must_refuse"] = OTHER
    odd = answers | {"office": 'The "Mayor\'s" \\ Büro', "folder": 'A "b" \\c'}
    for each in (answers, odd):
        settings = read_settings(wizard.settings_text(provider, each, '{ env = "X" }').encode(), "triaged.toml", Path("/etc"))
        assert settings.office.name == each["office"]
        assert json.dumps(each["folder"])
        assert settings.mailboxes[0].access.folder == each["folder"]  # type: ignore[union-attr]

"""OAUTHBEARER and XOAUTH2 on a real Dovecot that asks the provider about each token, and on SMTP servers."""

import base64
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.dovecot import Account, Dovecot
from tests.issuer import Issuer
from tests.proxy import Proxy
from tests.smtp import QUICK, USER, Rude
from triaged.config import Imap, SenderSettings
from triaged.ingest.imap import ImapMailbox
from triaged.ingest.mailbox import MailboxError
from triaged.message import State
from triaged.route.sender import Envelope, SendError, post
from triaged.route.smtp import Smtp

MAIL = Envelope(USER, ("a@example.org",), b"Subject: x\r\n\r\ny\r\n")
PASSDB = """
auth_mechanisms = plain oauthbearer xoauth2
auth_cache_size = 0
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = {file}
}}
"""


class Office:
    """A Dovecot, the provider it asks, and one account."""

    def __init__(self, issuer: Issuer, server: Dovecot) -> None:
        self.issuer = issuer
        self.account: Account = server.account()
        issuer.user = self.account.user
        self.port = server.tls_port
        self.settings: Imap = self.account.settings(password=None, oauth=issuer.google())

    def mailbox(self, **changes: Any) -> ImapMailbox:
        return ImapMailbox("mayor", replace(self.settings, **changes), self.account.server.root)


@pytest.fixture(scope="module")
def asking_dovecot(
    issuers: Callable[[], Issuer], dovecot_with: Callable[[str], Dovecot], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Issuer, Dovecot]:
    issuer = issuers()
    file = tmp_path_factory.mktemp("dovecot") / "oauth2.conf"
    file.write_text(
        f"introspection_url = {issuer.url}/introspect\nintrospection_mode = post\nusername_attribute = username\n"
        f"active_attribute = active\nactive_value = true\ntls_ca_cert_file = {issuer.ca}\n"
        f"openid_configuration_url = {issuer.url}/openid\n"
    )
    for path in (file, issuer.ca):
        path.chmod(0o644)
        for folder in list(path.parents)[:-2]:
            folder.chmod(folder.stat().st_mode | 0o011)
    return issuer, dovecot_with(PASSDB.format(file=file))


@pytest.fixture
def office(asking_dovecot: tuple[Issuer, Dovecot]) -> Office:
    issuer, server = asking_dovecot
    issuer.lifetime = 3600
    return Office(issuer, server)


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_mail_is_fetched_with_a_token(office: Office, proxy_to: Callable[[int], Proxy], mechanism: str) -> None:
    office.account.deliver(b"Subject: letter\n\nx\n")
    mailbox = office.mailbox()
    if mechanism == "XOAUTH2":
        proxy = proxy_to(office.account.server.plain_port)
        proxy.replace = (b"AUTH=OAUTHBEARER", b"AUTH=SOMETHINGX")
        mailbox = office.mailbox(host="127.0.0.1", port=proxy.port, tls="none", tls_ca=None)
    with closing(mailbox):
        assert len(mailbox.fetch("").mails) == 1
        assert mailbox.check().startswith("1 mails")


def test_a_token_refused_though_it_should_be_good_is_asked_for_anew_once(office: Office) -> None:
    with closing(office.mailbox()) as mailbox:
        mailbox.check()
    office.issuer.revoke()
    with closing(office.mailbox()) as mailbox:
        assert mailbox.check()


def test_a_connection_that_broke_comes_back_with_a_token_that_is_good_then(
    office: Office, proxy_to: Callable[[int], Proxy]
) -> None:
    """The token of the first login has ended meanwhile."""
    office.account.deliver(b"Subject: letter\n\nx\n")
    proxy = proxy_to(office.port)
    with closing(office.mailbox(port=proxy.port)) as mailbox:
        cursor = mailbox.fetch("").cursor
        office.issuer.revoke()
        proxy.cut()
        with pytest.raises(MailboxError) as caught:
            mailbox.latest()
        assert not caught.value.permanent
        assert mailbox.fetch(cursor).mails == ()


def test_a_user_whom_the_provider_no_longer_knows_is_one_clear_permanent_error(office: Office) -> None:
    office.issuer.user = "nobody@example.gov"
    with closing(office.mailbox()) as mailbox, pytest.raises(MailboxError, match="unauthorized_client") as caught:
        mailbox.fetch("")
    assert caught.value.permanent
    assert "\n" not in str(caught.value)


def test_a_token_of_another_account_is_refused_for_good_and_not_shown(office: Office) -> None:
    other = office.account.server.account()
    with (
        closing(office.mailbox(oauth=office.issuer.application(), user=other.user)) as mailbox,
        pytest.raises(MailboxError) as caught,
    ):
        mailbox.fetch("")
    assert caught.value.permanent
    assert "token-" not in str(caught.value)
    assert len([one for one in office.issuer.requests() if one == "client_credentials"]) >= 2, "once more with a fresh one"


def test_a_provider_that_is_not_reached_is_tried_again_later(office: Office) -> None:
    oauth = replace(office.issuer.google(), login="https://127.0.0.1:1/token", client="x")
    with closing(office.mailbox(oauth=oauth)) as mailbox, pytest.raises(MailboxError, match="not reached") as caught:
        mailbox.fetch("")
    assert not caught.value.permanent


def test_a_server_that_takes_no_tokens_says_so(office: Office, account: Account) -> None:
    office.issuer.user = account.user
    settings = account.settings(password=None, oauth=office.issuer.google())
    with closing(ImapMailbox("mayor", settings, account.server.root)) as mailbox:
        with pytest.raises(MailboxError, match="offers neither") as caught:
            mailbox.fetch("")
        assert caught.value.permanent


def test_a_connection_cut_at_sign_in_is_not_a_refusal(office: Office, proxy_to: Callable[[int], Proxy]) -> None:
    proxy = proxy_to(office.account.server.plain_port)
    proxy.cut_at = b"+ "
    with (
        closing(office.mailbox(host="127.0.0.1", port=proxy.port, tls="none", tls_ca=None)) as mailbox,
        pytest.raises(MailboxError) as caught,
    ):
        mailbox.fetch("")
    assert not caught.value.permanent


# SMTP ----------------------------------------------------------------------------------------------------------------


def sender(rude: Rude, issuer: Issuer) -> Smtp:
    issuer.user = USER
    return Smtp(SenderSettings("smtp", USER, "127.0.0.1", rude.port, "none", user=USER, oauth=issuer.google()), None, QUICK)


def said(rude: Rude) -> list[bytes]:
    """The tokens that came, taken out of base64."""
    return [base64.b64decode(command) for command in rude.commands if command.startswith(("bixhPX", "dXNlcj"))]


@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_mail_is_sent_with_a_token(rude: Rude, issuer: Issuer, mechanism: str) -> None:
    rude.extensions = (f"AUTH PLAIN {mechanism}",)
    rude.answers = {f"AUTH {mechanism}": "334 ", "bixhPX": "235 2.7.0 in", "dXNlcj": "235 2.7.0 in"}
    with closing(sender(rude, issuer)) as smtp:
        assert post(smtp, MAIL).state is State.SENT
    (first,) = said(rude)
    assert f"Bearer {issuer.issued[0].token}".encode() in first


def test_a_refused_token_is_asked_for_anew_and_the_servers_reason_is_kept(rude: Rude, issuer: Issuer) -> None:
    challenge = base64.b64encode(json.dumps({"status": "401", "schemes": "Bearer"}).encode()).decode()
    rude.extensions = ("AUTH OAUTHBEARER",)
    rude.answers = {"AUTH": "334 ", "bixhPX": f"334 {challenge}", "AQ==": "535 5.7.3 Authentication unsuccessful"}
    with closing(sender(rude, issuer)) as smtp, pytest.raises(SendError, match=r"5\.7\.3.*\(401\)") as caught:
        smtp.send(MAIL)
    assert not caught.value.permanent, "our trouble, not the mail's"
    assert len(issuer.issued) == 2
    assert "token-" not in str(caught.value)


def test_a_provider_that_gives_none_is_our_trouble_and_not_the_mails(rude: Rude, issuer: Issuer) -> None:
    rude.extensions = ("AUTH OAUTHBEARER",)
    smtp = sender(rude, issuer)
    issuer.user = "somebody.else@example.gov"
    outcome = post(smtp, MAIL)
    assert outcome.state is State.PLANNED
    assert "unauthorized_client" in outcome.detail
    assert rude.mails == []


def test_an_smtp_server_that_takes_no_tokens_says_so(rude: Rude, issuer: Issuer, tmp_path: Path) -> None:
    rude.extensions = ("AUTH PLAIN LOGIN",)
    with closing(sender(rude, issuer)) as smtp, pytest.raises(SendError, match="neither AUTH OAUTHBEARER nor AUTH XOAUTH2"):
        smtp.check()

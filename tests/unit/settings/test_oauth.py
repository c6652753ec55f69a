"""The `oauth` table of triaged.toml, and `triaged auth`."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.installation import Installation
from tests.issuer import CLIENT, TENANT, Issuer
from triaged.config import Exchange, Graph, Imap, OAuth, Secret, Settings
from triaged.files.problem import WrongFile
from triaged.ingest.mailbox import MailboxError, open_mailbox
from triaged.route.sender import SendError, open_sender
from triaged.settings.file import read_settings

FILE = """
[office]
name = "Office"
prefix = "MAY"
timezone = "UTC"
{store}
[[mailbox]]
name = "mayor"
kind = "imap"
host = "outlook.office365.com"
user = "mayor@example.gov"
{credential}
[sender]
kind = "spool"
path = "out"
from = "c@example.gov"
"""
MICROSOFT = 'oauth = { provider = "microsoft", tenant = "t", client = "c" }'


def read(credential: str, store: str = "") -> OAuth | None:
    settings = read_settings(FILE.format(credential=credential, store=store).encode(), "triaged.toml", Path("/etc/triaged"))
    access = settings.mailboxes[0].access
    assert isinstance(access, Imap)
    return access.oauth


def test_tokens_are_kept_beside_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert read(MICROSOFT) == OAuth("microsoft", Path("/etc/triaged/tokens"), client="c", tenant="t")
    kept = read(MICROSOFT, '[store]\nurl = "sqlite:////var/lib/triaged/triaged.db"')
    assert kept is not None
    assert kept.folder == Path("/var/lib/triaged/tokens")
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/triaged")
    kept = read(MICROSOFT, '[store]\nurl = "postgresql+psycopg://db/triaged"')
    assert kept is not None
    assert kept.folder == Path("/var/lib/triaged/tokens")


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        ("", "password is missing"),
        ('password = { env = "P" }\n' + MICROSOFT, "password and oauth are both given"),
        ('oauth = { provider = "microsoft", client = "c" }', "tenant is missing"),
        ('oauth = { provider = "microsoft", tenant = "t" }', "client is missing"),
        ('oauth = { provider = "micro", client = "c" }', "Did you mean microsoft"),
        ('oauth = { provider = "google" }', "neither is given"),
        ('oauth = { provider = "google", refresh_token = { env = "R" } }', "client is missing"),
        ('oauth = { provider = "google", tenant = "t", service_account = { env = "R" } }', "tenant is for microsoft"),
        (
            MICROSOFT.replace(" }", ', secret = { env = "S" }, certificate = { env = "C" } }'),
            "both given",
        ),
        ('oauth = { provider = "microsoft", tenant = "t", client = "c", secret = "s3cret" }', "must not stand in this file"),
        ('oauth = { provider = "microsoft", tenant = "t", client = "c", login = "http://x" }', "https://"),
    ],
)
def test_what_does_not_fit_is_said(credential: str, said: str) -> None:
    with pytest.raises(WrongFile) as caught:
        read(credential)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def office(tmp_path: Path, issuer: Issuer) -> Callable[[str], Installation]:
    def install(oauth: str) -> Installation:
        mailbox = f'[[mailbox]]\nname = "mayor"\nkind = "imap"\nhost = "127.0.0.1"\nuser = "mayor@example.gov"\n{oauth}\n'
        return Installation(tmp_path, mailboxes=mailbox)

    return install


def test_auth_signs_a_person_in(office: Callable[[str], Installation], issuer: Issuer) -> None:
    here = f'client = "{CLIENT}", login = "{issuer.url}", tls_ca = "{issuer.ca}"'
    installation = office(f'oauth = {{ provider = "microsoft", tenant = "{TENANT}", {here} }}')
    said = installation.triaged("auth", "mayor")
    assert "ABC-123" in said
    assert "Signed in as mayor@example.gov" in said
    (kept,) = (installation.folder / "tokens").glob("*.json")
    assert not kept.stat().st_mode & 0o077


def test_auth_names_the_mailboxes_there_are(office: Callable[[str], Installation]) -> None:
    said = office('password = { env = "P" }').triaged("auth", "major", status=2)
    assert "Allowed: mayor, sender" in said


def test_auth_of_a_mailbox_with_a_password_has_nothing_to_do(office: Callable[[str], Installation]) -> None:
    assert "without OAuth" in office('password = { env = "P" }').triaged("auth", "mayor", status=1)


GRAPH = 'kind = "graph"\nuser = "mayor@example.gov"\n'


@pytest.mark.parametrize(
    ("mailbox", "said"),
    [
        (GRAPH, "oauth is missing"),
        (GRAPH + 'oauth = { provider = "google", service_account = { env = "R" } }', "Google's"),
        (GRAPH + MICROSOFT + '\nhost = "x.y"', "unknown key"),
        (GRAPH + MICROSOFT + '\nurl = "http://graph.example"', "https://"),
        (GRAPH.replace("@", "") + MICROSOFT, '"@"'),
    ],
)
def test_what_does_not_fit_a_graph_mailbox_is_said(mailbox: str, said: str) -> None:
    with pytest.raises(WrongFile) as caught:
        read_graph(mailbox)
    assert said in str(caught.value)


def read_graph(mailbox: str, sender: str = 'kind = "spool"\npath = "out"') -> Settings:
    head = FILE.format(credential="", store="").partition("[[mailbox]]")[0]
    text = f'{head}[[mailbox]]\nname = "mayor"\n{mailbox}\n[sender]\n{sender}\nfrom = "c@example.gov"\n'
    return read_settings(text.encode(), "triaged.toml", Path("/etc/triaged"))


def test_a_graph_mailbox_and_sender_are_read() -> None:
    options = 'folder = "Büro/Post"\nmust_refuse = "clerk@example.gov"\n'
    settings = read_graph(GRAPH + options + MICROSOFT, f'kind = "graph"\n{MICROSOFT}')
    oauth = OAuth("microsoft", Path("/etc/triaged/tokens"), client="c", tenant="t")
    assert settings.mailboxes[0].access == Graph("mayor@example.gov", oauth, "Büro/Post", must_refuse="clerk@example.gov")
    assert settings.mailboxes[0].addresses == ("mayor@example.gov",)
    assert (settings.sender.kind, settings.sender.oauth) == ("graph", oauth)


@pytest.mark.parametrize(
    "sender", ['kind = "graph"', 'kind = "graph"\noauth = { provider = "google", service_account = { env = "R" } }']
)
def test_a_graph_sender_without_microsofts_tokens_is_refused(sender: str) -> None:
    with pytest.raises(WrongFile, match="graph needs oauth"):
        read_graph(GRAPH + MICROSOFT, sender)


EXCHANGE = 'kind = "exchange"\nuser = "mayor@example.gov"\nurl = "https://mail.example.gov/EWS/Exchange.asmx"\n'
PASSWORD = 'password = { env = "P" }\n'


def test_an_exchange_mailbox_and_sender_are_read() -> None:
    options = 'account = "OFFICE\\\\triaged"\naccess = "impersonation"\nauth = "basic"\ntls_ca = "ca.pem"\n' + PASSWORD
    sender = 'kind = "exchange"\nurl = "https://mail.example.gov/EWS/Exchange.asmx"\n' + MICROSOFT
    settings = read_graph(EXCHANGE + options, sender)
    url, oauth = "https://mail.example.gov/EWS/Exchange.asmx", OAuth("microsoft", Path("/etc/triaged/tokens"), "c", "t")
    assert settings.mailboxes[0].access == Exchange(
        "mayor@example.gov",
        url,
        Secret("env", "P"),
        account="OFFICE\\triaged",
        auth="basic",
        access="impersonation",
        tls_ca=Path("/etc/triaged/ca.pem"),
    )
    assert settings.sender.exchange == Exchange("c@example.gov", url, oauth=oauth)


@pytest.mark.parametrize(
    ("mailbox", "said"),
    [
        (EXCHANGE, "password is missing"),
        (EXCHANGE + PASSWORD + MICROSOFT, "both given"),
        (EXCHANGE.replace("https", "http") + PASSWORD, "https://"),
        (EXCHANGE + PASSWORD + 'access = "deligate"', "Did you mean delegate"),
        ('kind = "exchange"\nuser = "mayor@example.gov"\n' + PASSWORD, "url is missing"),
    ],
)
def test_what_does_not_fit_an_exchange_mailbox_is_said(mailbox: str, said: str) -> None:
    with pytest.raises(WrongFile) as caught:
        read_graph(mailbox)
    assert said in str(caught.value)


def test_an_exchange_sender_without_its_server_is_refused() -> None:
    with pytest.raises(WrongFile, match="url is missing"):
        read_graph(EXCHANGE + PASSWORD, 'kind = "exchange"\n' + PASSWORD)


def test_a_kind_whose_libraries_are_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchangelib", None)
    for module in [
        name for name in sys.modules if name in ("triaged.ews", "triaged.ingest.exchange", "triaged.route.exchange")
    ]:
        monkeypatch.delitem(sys.modules, module)
    settings = read_graph(EXCHANGE + PASSWORD, EXCHANGE + PASSWORD)
    with pytest.raises(MailboxError, match=r"pip install .*triaged\[exchange\]") as caught:
        open_mailbox("exchange", "mayor", settings.mailboxes[0].access, Path("/"))
    assert caught.value.permanent
    with pytest.raises(SendError, match=r"triaged\[exchange\]"):
        open_sender("exchange", settings.sender)


def test_exchanges_word_on_senders_is_believed_only_where_the_file_says_so() -> None:
    assert not read_graph(GRAPH + MICROSOFT).mailboxes[0].trust_auth_as
    assert read_graph(GRAPH + "trust_auth_as = true\n" + MICROSOFT).mailboxes[0].trust_auth_as
    assert read_graph(EXCHANGE + "trust_auth_as = true\n" + PASSWORD).mailboxes[0].trust_auth_as


def test_no_other_kind_of_mailbox_can_be_told_to_believe_it() -> None:
    """Only in front of Exchange's own mailboxes stands the header firewall."""
    with pytest.raises(WrongFile, match=r'^triaged.toml:11:1: mailbox "mayor": unknown key "trust_auth_as"'):
        read_graph('kind = "maildir"\npath = "m"\ntrust_auth_as = true')
    with pytest.raises(WrongFile, match=r'^triaged.toml:13:1: mailbox "mayor": unknown key "trust_auth_as"'):
        read_graph('kind = "imap"\nhost = "imap.example.gov"\nuser = "mayor"\npassword = { env = "P" }\ntrust_auth_as = true')


def test_what_is_no_switch_is_said_with_its_place() -> None:
    with pytest.raises(WrongFile, match=r'^triaged.toml:11:17: mailbox "mayor": trust_auth_as is "Internal"'):
        read_graph(GRAPH + 'trust_auth_as = "Internal"\n' + MICROSOFT)

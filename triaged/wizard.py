"""What `triaged init --wizard` makes of the answers: a triaged.toml without secrets, and where its credential goes. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CREDENTIALS: Final = "/etc/triaged/credentials"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask.

    Attributes:
        key: The answer's name.
        words: The question.
        default: What an empty answer means; None: there must be one.
        choices: What may be answered; empty: anything.
    """

    key: str
    words: str
    default: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provider:
    """One kind of place where mail lies.

    Attributes:
        words: What a person calls it.
        questions: What to ask beside the address.
        mailbox: Lines of [[mailbox]] for the answers; {credential} is where the secret lies.
        secret: What the secret is called there; empty: none is needed.
        page: Its page in docs/providers.
        host: Of its SMTP server; empty: asked for.
    """

    words: str
    questions: tuple[Question, ...]
    mailbox: tuple[str, ...]
    secret: str
    page: str = ""


_TENANT: Final = Question("tenant", "Directory (tenant) ID or domain, as on the application's page in Entra")
_CLIENT: Final = Question("client", "Application (client) ID")
_SIGN_IN: Final = Question(
    "sign_in", "Sign in as an application with a secret, or as a person?", "secret", ("secret", "person")
)
_REFUSED: Final = Question("must_refuse", "A mailbox that triaged must not be able to open (empty: not tried)", "")
_CA: Final = Question("tls_ca", "File with the certificate authority to trust (empty: the system's)", "")
_FOLDER: Final = Question("folder", "Folder to read", "INBOX")

PROVIDERS: Final[Mapping[str, Provider]] = {
    "microsoft365": Provider(
        "Microsoft 365, by Graph",
        (_TENANT, _CLIENT, _SIGN_IN, _FOLDER, _REFUSED),
        ('kind = "graph"', "user = {address}", "folder = {folder}", "must_refuse = {must_refuse}", "oauth = {microsoft}"),
        "the application's secret",
        "docs/providers/microsoft365.md",
    ),
    "microsoft365-imap": Provider(
        "Microsoft 365, by IMAP",
        (_TENANT, _CLIENT, _SIGN_IN, _FOLDER),
        ('kind = "imap"', 'host = "outlook.office365.com"', "user = {address}", "folder = {folder}", "oauth = {microsoft}"),
        "the application's secret",
        "docs/providers/microsoft365.md",
    ),
    "google": Provider(
        "Google Workspace, by IMAP",
        (_FOLDER,),
        ('kind = "imap"', 'host = "imap.gmail.com"', "user = {address}", "folder = {folder}", "oauth = {google}"),
        "the service account's key file (JSON)",
        "docs/providers/google.md",
    ),
    "exchange": Provider(
        "Exchange on your own servers",
        (
            Question("url", "Address of EWS (https://mail.example.gov/EWS/Exchange.asmx)"),
            Question("account", "Who signs in (OFFICE\\triaged)"),
            Question("auth", "How the password is said", "ntlm", ("ntlm", "basic")),
            Question("access", "Its right to the mailbox", "delegate", ("delegate", "impersonation")),
            _FOLDER,
            _CA,
            _REFUSED,
        ),
        (
            'kind = "exchange"',
            "url = {url}",
            "user = {address}",
            "account = {account}",
            "auth = {auth}",
            "access = {access}",
            "folder = {folder}",
            "tls_ca = {tls_ca}",
            "must_refuse = {must_refuse}",
            "password = {credential}",
        ),
        "the account's password",
        "docs/providers/exchange.md",
    ),
    "imap": Provider(
        "Another IMAP server",
        (Question("host", "IMAP server"), Question("port", "Port", "993"), _FOLDER, _CA),
        (
            'kind = "imap"',
            "host = {host}",
            "port = {port:number}",
            "user = {address}",
            "folder = {folder}",
            "tls_ca = {tls_ca}",
            "password = {credential}",
        ),
        "the mailbox's password",
    ),
}
OFFICE: Final = (
    Question("office", "The office's name, as writers know it"),
    Question("prefix", "Prefix of case numbers (2 to 8 capital letters)"),
    Question("timezone", "Time zone", "America/New_York"),
    Question("name", "What to call the mailbox in reports and rules", "office"),
    Question("address", "Its e-mail address"),
)
SENDING: Final = (
    Question("relay", "SMTP relay that mail goes out by (host:port), without sign-in", "127.0.0.1:25"),
    Question("reviewer", "Who is asked when triaged is not sure (e-mail address)"),
)


def settings_text(provider: str, answers: Mapping[str, str], credential: str) -> str:
    """Return a triaged.toml; its only mailbox reads its secret from a credential.

    Args:
        provider: A key of `PROVIDERS`.
        answers: By the questions' keys.
        credential: Where the secret lies, as TOML: `{ credential = "mayor" }`.
    """
    host, _, port = answers["relay"].rpartition(":")
    tls = "none" if host in ("127.0.0.1", "localhost") else "starttls"
    filled = {key: json.dumps(value, ensure_ascii=False) for key, value in answers.items()}
    filled |= {"port:number": answers.get("port", ""), "credential": credential}
    filled |= {
        "microsoft": _microsoft(filled, credential),
        "google": f'{{ provider = "google", service_account = {credential} }}',
    }
    mailbox = [line for template in PROVIDERS[provider].mailbox if (line := _fill(template, filled))]
    lines: Sequence[str] = (
        "# triaged.toml, written by triaged init --wizard. Secrets never stand here, only where they lie.",
        "# What else may stand here: docs/administrator.md. After a change: triaged check --connect",
        "",
        "[office]",
        f"name = {filled['office']}",
        f"prefix = {filled['prefix']}",
        f"timezone = {filled['timezone']}",
        'rules = "rules.yaml"',
        "",
        "[store]",
        'url = "sqlite:///triaged.db"',
        "",
        "[[mailbox]]",
        f"name = {filled['name']}",
        *mailbox,
        "",
        "[sender]",
        'kind = "smtp"',
        f"host = {json.dumps(host)}",
        f"port = {port}",
        f'tls = "{tls}"',
        f"from = {filled['address']}",
        "",
        "[review]",
        f"to = [{filled['reviewer']}]",
        f"reply_to = {filled['address']}",
    )
    return "\n".join(lines) + "\n"


def needs_secret(provider: str, answers: Mapping[str, str]) -> str:
    """Return what the secret is called; empty if a person signs in instead."""
    return "" if answers.get("sign_in") == "person" else PROVIDERS[provider].secret


def where_it_goes(name: str, secret: str) -> list[str]:
    """Say what the administrator does with the secret."""
    return [
        f"Put {secret} into {CREDENTIALS}/{name}, readable by root alone:",
        f"  install -m 600 /dev/stdin {CREDENTIALS}/{name}     (then paste it, Enter, Ctrl-D)",
        "and tell the service (systemctl edit triaged):",
        f"  [Service]\n  LoadCredential={name}:{CREDENTIALS}/{name}",
    ]


def _microsoft(filled: Mapping[str, str], credential: str) -> str:
    if "tenant" not in filled:
        return ""
    secret = "" if filled.get("sign_in") == '"person"' else f", secret = {credential}"
    return f'{{ provider = "microsoft", tenant = {filled["tenant"]}, client = {filled["client"]}{secret} }}'


def _fill(template: str, filled: Mapping[str, str]) -> str:
    """Put an answer into a line; leave the line out where the answer is empty."""
    key, _, value = template.partition(" = ")
    if not value.startswith("{"):
        return template
    answer = filled[value.strip("{}")]
    return f"{key} = {answer}" if answer not in ("", '""') else ""

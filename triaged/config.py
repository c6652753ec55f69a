"""triaged.toml, the administrator's file → `Settings`. Read once at the edge; the rooms get plain values."""

from dataclasses import dataclass
from datetime import time, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret lies; it is read only when needed and never kept in a settings object."""

    source: Literal["credential", "env", "file"]
    name: str


@dataclass(frozen=True, slots=True)
class Office:
    """[office]: who writes, in which zone and language."""

    name: str
    prefix: str
    timezone: str
    rules: Path
    model: Path
    languages: tuple[str, ...] = ("en",)  # those whose acknowledgements the office sends; the first is the default
    holidays: str = ""  # the `holidays` package's names: "US-NY"
    phone: str = ""  # for help in other languages or an accessible format, in acknowledgements
    templates: Path | None = None  # the office's own acknowledgement texts, before the shipped ones
    encoder: bool = True  # sentence vectors beside words; False: words alone, quicker and less often right


@dataclass(frozen=True, slots=True)
class OAuth:
    """How to get access tokens in place of a password.

    Attributes:
        provider: Who gives them.
        folder: Where they are kept between restarts, in the state folder.
        client: The application's (client) id.
        tenant: Microsoft: the directory's id or domain.
        secret: The application's secret.
        certificate: Microsoft: the application's private key and certificate in one PEM text, instead of a secret.
        service_account: Google: the service account's JSON key; it acts for the account's user.
        refresh_token: Google: what a person's consent gave.
        cloud: Microsoft: which of its clouds.
        login: Another place to get tokens from than the provider's own.
        tls_ca: The certificate authority of `login`.
    """

    provider: Literal["microsoft", "google"]
    folder: Path
    client: str = ""
    tenant: str = ""
    secret: Secret | None = None
    certificate: Secret | None = None
    service_account: Secret | None = None
    refresh_token: Secret | None = None
    cloud: Literal["global", "usgov", "usgov-dod", "china"] = "global"
    login: str = ""
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Imap:
    """How to reach one IMAP account; by `password` or by `oauth`."""

    host: str
    user: str
    password: Secret | None
    port: int = 993
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    tls_ca: Path | None = None
    folder: str = "INBOX"
    oauth: OAuth | None = None


@dataclass(frozen=True, slots=True)
class Maildir:
    """A maildir(5) folder, a folder of .eml files, or an mbox file."""

    path: Path


@dataclass(frozen=True, slots=True)
class Graph:
    """How to reach one account's mail by Microsoft Graph."""

    user: str
    oauth: OAuth
    folder: str = "INBOX"
    url: str = ""  # default: the host of the cloud that `oauth` names
    tls_ca: Path | None = None
    must_refuse: str = ""  # a mailbox that our rights must not open; `check --connect` proves it


@dataclass(frozen=True, slots=True)
class Exchange:
    """How to reach one mailbox on an Exchange server by EWS; by `password` or by `oauth`."""

    user: str  # the mailbox's address, shared mailboxes among them
    url: str  # https://mail.example.gov/EWS/Exchange.asmx
    password: Secret | None = None
    oauth: OAuth | None = None
    account: str = ""  # who signs in: OFFICE\\triaged; default: `user`
    auth: Literal["ntlm", "basic"] = "ntlm"
    access: Literal["delegate", "impersonation"] = "delegate"
    folder: str = "INBOX"
    tls_ca: Path | None = None
    must_refuse: str = ""  # a mailbox that our rights must not open; `check --connect` proves it


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """One [[mailbox]]."""

    name: str
    kind: str
    access: Imap | Maildir | Graph | Exchange
    poll: timedelta = timedelta(seconds=60)
    backfill: Literal["none", "read-only"] = "none"
    processed: str = ""  # after = { processed = "Folder" }: where handled mail moves; empty: it stays
    addresses: tuple[str, ...] = ()  # addresses that this mailbox receives for; default: user, if it is an address
    office: str = ""  # the office's name if this mailbox belongs to another one than [office]
    prefix: str = ""  # the reference prefix likewise
    trust_auth_as: bool = False  # graph, exchange: X-MS-Exchange-Organization-AuthAs proves a reviewer's From
    labels: bool = False  # topic and state show as labels on the mail (categories, Gmail labels, IMAP keywords)


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """[sender]: how mail goes out."""

    kind: Literal["smtp", "exchange", "graph", "spool"]
    sender: str  # `from`: address of acknowledgements, hand-offs and digests
    host: str = "127.0.0.1"
    port: int = 25
    tls: Literal["implicit", "starttls", "none"] = "starttls"
    tls_ca: Path | None = None
    user: str = ""
    password: Secret | None = None
    path: Path | None = None  # kind = "spool"
    envelope: str = ""  # envelope sender of hand-offs and digests; default: `from`. Acknowledgements use <> (RFC 3834 §3.3)
    oauth: OAuth | None = None  # instead of `password`
    url: str = ""  # kind = "graph": default: the host of the cloud that `oauth` names
    exchange: Exchange | None = None  # kind = "exchange"
    mails_per_minute: int = 0  # what the provider lets the account send; 0: no limit
    recipients_per_day: int = 0


@dataclass(frozen=True, slots=True)
class Review:
    """[review]: who is asked, and when."""

    to: tuple[str, ...] = ()
    reply_to: str = ""
    plus_address: bool = True  # answers go to triage+TOKEN@; False: this server delivers no such address
    at: tuple[time, ...] = (time(8, 30), time(13, 30))
    authserv_id: str = ""
    key: Secret | None = None  # signs the digests' tokens; default: the installation's own key, kept in the database
    previous_key: Secret | None = None  # while digests signed with it are still out
    undo_window: timedelta = timedelta(minutes=10)  # how long hand-offs that an answer plans wait
    on_duty: tuple[str, ...] = ()  # who hears of critical mail at once; default: `to`
    escalate_to: tuple[str, ...] = ()  # who hears of it when nobody has answered
    repeat: timedelta = timedelta(minutes=15)  # how often critical mail is said again until somebody answers

    @property
    def people(self) -> tuple[str, ...]:
        """All whose answers count, each address once, in lower case."""
        return tuple(dict.fromkeys(address.lower() for address in (*self.to, *self.on_duty, *self.escalate_to)))


@dataclass(frozen=True, slots=True)
class Promise:
    """[promise]: the ceiling on misrouted automatic decisions."""

    misrouted: float = 0.02
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole of triaged.toml; every path is absolute."""

    file: Path
    office: Office
    store_url: str
    mailboxes: tuple[MailboxSettings, ...]
    sender: SenderSettings
    review: Review = Review()
    promise: Promise = Promise()
    webforms: tuple[str, ...] = ()  # addresses of web forms whose fields name the writer ([screen] webforms)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its very name: no look-up that could lie."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

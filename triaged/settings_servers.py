"""The servers of triaged.toml: [[mailbox]] and [sender]. See settings_file.py."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from triaged.block import Fields, Key, ListOf, Record, Several
from triaged.config import Exchange, Graph, Imap, MailboxSettings, Maildir, SenderSettings
from triaged.node import MapNode, Node, Scalar, seen
from triaged.problem import nearest, shown
from triaged.reading import Reading, Spot
from triaged.settings_oauth import HTTPS, OAUTH
from triaged.settings_values import DURATION, HOST, NAME, PREFIX, FilePath, SecretPlace, is_loopback
from triaged.shape import Choice, Json, Number, Switch
from triaged.texts import ADDRESS, LINE, address

Tls = Literal["implicit", "starttls", "none"]
SenderKind = Literal["smtp", "exchange", "graph", "spool"]
Auth = Literal["ntlm", "basic"]
Access = Literal["delegate", "impersonation"]
Backfill = Literal["none", "read-only"]
_TLS: Final[Mapping[str, Tls]] = {"implicit": "implicit", "starttls": "starttls", "none": "none"}
_BACKFILL: Final[Mapping[str, Backfill]] = {"none": "none", "read-only": "read-only"}
_AUTH: Final[Mapping[str, Auth]] = {"ntlm": "ntlm", "basic": "basic"}
_ACCESS: Final[Mapping[str, Access]] = {"delegate": "delegate", "impersonation": "impersonation"}

# how to reach a server: the same for IMAP and SMTP

PORT: Final = Key("port", Number(1, 65535, whole=True), "The port")
TLS: Final[Key[Tls]] = Key("tls", Choice(_TLS), "implicit from the first byte, starttls, or none (only on this machine)")
TLS_CA: Final = Key("tls_ca", FilePath(), "The certificate authority to trust instead of the system's")
PASSWORD: Final = Key("password", SecretPlace(), "Where the password lies")


def _check_tls(fields: Fields, host: str, tls: Tls, reading: Reading) -> None:
    if tls == "none" and not is_loopback(host):
        found = fields.spot.about(f"tls is none, but {shown(host)} is not this machine")
        reading.wrong(fields.at(TLS), found, "implicit, starttls; none only for 127.0.0.1, ::1, localhost")


# [[mailbox]]

MAILBOX_NAME: Final = Key("name", NAME, "How reports and rules call it", required=True)
MAILBOX_KIND: Final = Key("kind", LINE, "imap, exchange, graph or maildir", required=True)
POLL: Final = Key("poll", DURATION, "How often we look")
BACKFILL: Final[Key[Backfill]] = Key(
    "backfill",
    Choice(_BACKFILL),
    "Whether the first run takes old mail in; it is never acknowledged",
)
PROCESSED: Final = Key("processed", LINE, "The folder that handled mail moves to", required=True)
AFTER: Final = Key(
    "after", Record((PROCESSED,), lambda fields, _: fields.need(PROCESSED), words='{ processed = "Folder" }'), ""
)
ADDRESSES: Final = Key("addresses", Several(ADDRESS), "Addresses whose mail comes here")
MAILBOX_OFFICE: Final = Key("office", LINE, "The office's name, if it is another than [office]")
MAILBOX_PREFIX: Final = Key("prefix", PREFIX, "The prefix of references likewise")
IMAP_HOST: Final = Key("host", HOST, "The IMAP server", required=True)
IMAP_USER: Final = Key("user", LINE, "The account", required=True)
IMAP_PASSWORD: Final = Key("password", SecretPlace(), "Where its password lies; or oauth")
URL: Final = Key("url", HTTPS, "Where Graph answers; default: the host of the cloud that oauth names")
MUST_REFUSE: Final = Key("must_refuse", ADDRESS, "A mailbox that our rights must not open; check --connect proves it")
GRAPH_USER: Final = Key("user", ADDRESS, "The mailbox's address", required=True)
GRAPH_OAUTH: Final = Key("oauth", OAUTH.shape, OAUTH.about, required=True)
EWS_URL: Final = Key("url", HTTPS, "Where EWS answers: https://mail.example.gov/EWS/Exchange.asmx", required=True)
ACCOUNT: Final = Key("account", LINE, "Who signs in, such as OFFICE\\\\triaged; default: user")
AUTH: Final[Key[Auth]] = Key("auth", Choice(_AUTH), "How a password is said to Exchange")
ACCESS: Final[Key[Access]] = Key("access", Choice(_ACCESS), "The account's right to the mailbox")
_EXCHANGE_KEYS: Final = (GRAPH_USER, EWS_URL, ACCOUNT, IMAP_PASSWORD, OAUTH, AUTH, ACCESS, TLS_CA)
FOLDER: Final = Key("folder", LINE, "The folder to read")
MAILDIR_PATH: Final = Key("path", FilePath(), "A maildir, a folder of .eml files, or an mbox file", required=True)
LABELS: Final = Key("labels", Switch(), "Whether topic and state show on the mail, as categories, Gmail labels or keywords")
TRUST_AUTH_AS: Final = Key(
    "trust_auth_as", Switch(), "Whether Exchange's word that an account of the house sent a mail proves who answers a digest"
)
_EVERY_MAILBOX: Final = (
    MAILBOX_NAME,
    MAILBOX_KIND,
    POLL,
    BACKFILL,
    AFTER,
    ADDRESSES,
    MAILBOX_OFFICE,
    MAILBOX_PREFIX,
)


def _imap(fields: Fields, reading: Reading) -> MailboxSettings | None:
    tls: Tls = fields.get(TLS, "implicit")
    password, oauth = fields.find(IMAP_PASSWORD), fields.find(OAUTH)
    if password is None and oauth is None:
        allowed = f"password: {SecretPlace.words}; or oauth"
        reading.wrong(fields.node, fields.spot.about("password is missing"), allowed)
        return None
    if password is not None and oauth is not None:
        reading.wrong(fields.at(OAUTH), fields.spot.about("password and oauth are both given"), "one of them")
        return None
    access = Imap(
        host=fields.need(IMAP_HOST),
        user=fields.need(IMAP_USER),
        password=password,
        port=int(fields.get(PORT, 993 if tls == "implicit" else 143)),
        tls=tls,
        tls_ca=fields.find(TLS_CA),
        folder=fields.get(FOLDER, "INBOX"),
        oauth=oauth,
    )
    _check_tls(fields, access.host, tls, reading)
    return _mailbox(fields, access, _own_address(access.user))


def _graph(fields: Fields, reading: Reading) -> MailboxSettings | None:
    oauth = fields.need(GRAPH_OAUTH)
    if oauth.provider != "microsoft":
        reading.wrong(fields.at(GRAPH_OAUTH), fields.spot.about("Graph takes no tokens of Google's"), 'provider = "microsoft"')
        return None
    access = Graph(
        user=fields.need(GRAPH_USER),
        oauth=oauth,
        folder=fields.get(FOLDER, "INBOX"),
        url=fields.get(URL, ""),
        tls_ca=fields.find(TLS_CA),
        must_refuse=fields.get(MUST_REFUSE, ""),
    )
    return _mailbox(fields, access, (access.user,))


def _exchange(fields: Fields, reading: Reading) -> MailboxSettings | None:
    access = _exchange_access(fields, fields.need(GRAPH_USER), reading)
    return _mailbox(fields, access, (access.user,)) if access else None


def _exchange_access(fields: Fields, user: str, reading: Reading) -> Exchange | None:
    password, oauth = fields.find(IMAP_PASSWORD), fields.find(OAUTH)
    if (password is None) is (oauth is None):
        found = "password is missing" if password is None else "password and oauth are both given"
        reading.wrong(fields.node, fields.spot.about(found), f"password: {SecretPlace.words}; or oauth")
        return None
    auth: Auth = fields.get(AUTH, "ntlm")
    access: Access = fields.get(ACCESS, "delegate")
    return Exchange(
        user=user,
        url=fields.get(EWS_URL, ""),
        password=password,
        oauth=oauth,
        account=fields.get(ACCOUNT, ""),
        auth=auth,
        access=access,
        folder=fields.get(FOLDER, "INBOX"),
        tls_ca=fields.find(TLS_CA),
        must_refuse=fields.get(MUST_REFUSE, ""),
    )


def _own_address(user: str) -> tuple[str, ...]:
    try:
        return (address(user),)
    except ValueError:
        return ()


def _mailbox(fields: Fields, access: Imap | Maildir | Graph | Exchange, addresses: tuple[str, ...]) -> MailboxSettings:
    usual = MailboxSettings("", "", access)
    backfill: Backfill = fields.get(BACKFILL, "none")
    return MailboxSettings(
        name=fields.need(MAILBOX_NAME),
        kind=fields.need(MAILBOX_KIND),
        access=access,
        poll=fields.get(POLL, usual.poll),
        backfill=backfill,
        processed=fields.get(AFTER, ""),
        addresses=fields.get(ADDRESSES, addresses),
        office=fields.get(MAILBOX_OFFICE, ""),
        prefix=fields.get(MAILBOX_PREFIX, ""),
        trust_auth_as=fields.get(TRUST_AUTH_AS, False),
        labels=fields.get(LABELS, False),
    )


_MAILBOXES: Final[Mapping[str, Record[MailboxSettings]]] = {
    "imap": Record((*_EVERY_MAILBOX, IMAP_HOST, PORT, TLS, TLS_CA, IMAP_USER, IMAP_PASSWORD, OAUTH, FOLDER, LABELS), _imap),
    "exchange": Record((*_EVERY_MAILBOX, *_EXCHANGE_KEYS, FOLDER, LABELS, MUST_REFUSE, TRUST_AUTH_AS), _exchange),
    "graph": Record(
        (*_EVERY_MAILBOX, GRAPH_USER, GRAPH_OAUTH, FOLDER, LABELS, URL, TLS_CA, MUST_REFUSE, TRUST_AUTH_AS), _graph
    ),
    "maildir": Record(
        (*_EVERY_MAILBOX, MAILDIR_PATH), lambda fields, _: _mailbox(fields, Maildir(fields.need(MAILDIR_PATH)), ())
    ),
}


@dataclass(frozen=True, slots=True)
class MailboxShape:
    """A mailbox; its kind says which keys it has."""

    words: str = "[[mailbox]] with name, kind, …"

    def read(self, node: Node, spot: Spot, reading: Reading) -> MailboxSettings | None:
        """Return the mailbox."""
        if not isinstance(node, MapNode):
            reading.wrong(node, spot.says(f"is {seen(node)}"), self.words)
            return None
        kind = node.find("kind")
        if kind is None:
            reading.wrong(node, spot.about("kind is missing"), f"kind: {', '.join(_MAILBOXES)}")
            return None
        if not isinstance(kind, Scalar) or kind.text not in _MAILBOXES:
            _unknown_kind(kind, tuple(_MAILBOXES), spot, reading)
            return None
        return _MAILBOXES[kind.text].read(node, spot, reading)

    def schema(self) -> Json:
        """Return the kinds' schemas."""
        return {"anyOf": [record.schema() for record in _MAILBOXES.values()]}


def _unknown_kind(node: Node, kinds: tuple[str, ...], spot: Spot, reading: Reading) -> None:
    meant = nearest(node.text, kinds) if isinstance(node, Scalar) else ""
    reading.wrong(node, spot.about(f"kind is {seen(node)}"), ", ".join(kinds), meant)


MAILBOXES: Final = Key(
    "mailbox", ListOf(MailboxShape(), "mailbox", MailboxShape().words), "The mailboxes to read", required=True
)

# [sender]

SENDER_KIND: Final = Key("kind", LINE, "smtp, exchange, graph or spool", required=True)
SENDER_FROM: Final = Key("from", ADDRESS, "Whom our mail is from", required=True)
ENVELOPE: Final = Key("envelope", ADDRESS, "The envelope sender of hand-offs and digests; default: from")
SENDER_HOST: Final = Key("host", HOST, "The SMTP server")
SENDER_USER: Final = Key("user", LINE, "The account, if the server wants one")
MAILS_PER_MINUTE: Final = Key("mails_per_minute", Number(1, 10_000, whole=True), "How many mails a minute the provider takes")
RECIPIENTS_PER_DAY: Final = Key("recipients_per_day", Number(1, 10_000_000, whole=True), "How many recipients a day it takes")
SPOOL_PATH: Final = Key("path", FilePath(), 'Where kind = "spool" writes .eml files')
_SENDER_KINDS: Final[Mapping[str, SenderKind]] = {
    "smtp": "smtp",
    "exchange": "exchange",
    "graph": "graph",
    "spool": "spool",
}


def _limited_sender(fields: Fields, reading: Reading) -> SenderSettings | None:
    sender = _sender(fields, reading)
    if sender is None:
        return None
    minute, day = int(fields.get(MAILS_PER_MINUTE, 0)), int(fields.get(RECIPIENTS_PER_DAY, 0))
    return replace(sender, mails_per_minute=minute, recipients_per_day=day)


def _sender(fields: Fields, reading: Reading) -> SenderSettings | None:
    kind, user, password = fields.need(SENDER_KIND), fields.get(SENDER_USER, ""), fields.find(PASSWORD)
    if kind not in _SENDER_KINDS:
        _unknown_kind(fields.at(SENDER_KIND), tuple(_SENDER_KINDS), fields.spot, reading)
        return None
    if kind == "spool" and fields.find(SPOOL_PATH) is None:
        reading.wrong(fields.node, fields.spot.about("path is missing"), f"path: {FilePath().words}")
    oauth = fields.find(OAUTH)
    if kind == "exchange":
        return _exchange_sender(fields, user, reading)
    if kind == "graph":
        if oauth is None or oauth.provider != "microsoft":
            reading.wrong(
                fields.at(OAUTH), fields.spot.about("graph needs oauth"), f'oauth = {OAUTH.shape.words}, of "microsoft"'
            )
            return None
    elif bool(user) is not bool(password or oauth):
        lacks = "password" if user else "user"
        reading.wrong(fields.node, fields.spot.about(f"{lacks} is missing"), "user and password (or oauth), or neither")
    if password and oauth:
        reading.wrong(fields.at(OAUTH), fields.spot.about("password and oauth are both given"), "one of them")
    host: str = fields.get(SENDER_HOST, "127.0.0.1")
    tls: Tls = fields.get(TLS, "starttls")
    if kind == "smtp":
        _check_tls(fields, host, tls, reading)
    return SenderSettings(
        kind=_SENDER_KINDS[kind],
        sender=fields.need(SENDER_FROM),
        host=host,
        port=int(fields.get(PORT, 465 if tls == "implicit" else 25)),
        tls=tls,
        tls_ca=fields.find(TLS_CA),
        user=user,
        password=password,
        path=fields.find(SPOOL_PATH),
        envelope=fields.get(ENVELOPE, ""),
        oauth=oauth,
        url=fields.get(URL, ""),
    )


def _exchange_sender(fields: Fields, user: str, reading: Reading) -> SenderSettings | None:
    sender = fields.need(SENDER_FROM)
    if fields.find(URL) is None:
        reading.wrong(fields.node, fields.spot.about("url is missing"), f"url: {EWS_URL.about}")
        return None
    access = _exchange_access(fields, user or sender, reading)
    return SenderSettings("exchange", sender, envelope=fields.get(ENVELOPE, ""), exchange=access) if access else None


_SENDER_KEYS: Final = (
    SENDER_KIND,
    SENDER_FROM,
    ENVELOPE,
    SENDER_HOST,
    PORT,
    TLS,
    TLS_CA,
    SENDER_USER,
    PASSWORD,
    OAUTH,
    URL,
    ACCOUNT,
    AUTH,
    ACCESS,
    MAILS_PER_MINUTE,
    RECIPIENTS_PER_DAY,
    SPOOL_PATH,
)
SENDER: Final = Key(
    "sender",
    Record(_SENDER_KEYS, _limited_sender, words="[sender] with kind, from", label="[sender]"),
    "How mail goes out",
    required=True,
)

"""[[mailbox]] of triaged.toml. See file.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from triaged.config import Exchange, Graph, Imap, MailboxSettings, Maildir
from triaged.files.block import Fields, Key, ListOf, Record, Several
from triaged.files.node import MapNode, Node, Scalar, seen
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Choice, Json, Switch
from triaged.files.texts import ADDRESS, LINE, address
from triaged.settings.oauth import OAUTH
from triaged.settings.servers import (
    ACCESS,
    ACCOUNT,
    AUTH,
    EWS_URL,
    FOLDER,
    MUST_REFUSE,
    PORT,
    TLS,
    TLS_CA,
    URL,
    Tls,
    check_tls,
    exchange_access,
    unknown_kind,
)
from triaged.settings.values import DURATION, HOST, NAME, PREFIX, FilePath, SecretPlace

Backfill = Literal["none", "read-only"]
_BACKFILL: Final[Mapping[str, Backfill]] = {"none": "none", "read-only": "read-only"}
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
GRAPH_USER: Final = Key("user", ADDRESS, "The mailbox's address", required=True)
GRAPH_OAUTH: Final = Key("oauth", OAUTH.shape, OAUTH.about, required=True)
_EXCHANGE_KEYS: Final = (GRAPH_USER, EWS_URL, ACCOUNT, IMAP_PASSWORD, OAUTH, AUTH, ACCESS, TLS_CA)
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
    check_tls(fields, access.host, tls, reading)
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
    access = exchange_access(fields, fields.need(GRAPH_USER), reading)
    return _mailbox(fields, access, (access.user,)) if access else None


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
            unknown_kind(kind, tuple(_MAILBOXES), spot, reading)
            return None
        return _MAILBOXES[kind.text].read(node, spot, reading)

    def schema(self) -> Json:
        """Return the kinds' schemas."""
        return {"anyOf": [record.schema() for record in _MAILBOXES.values()]}


MAILBOXES: Final = Key(
    "mailbox", ListOf(MailboxShape(), "mailbox", MailboxShape().words), "The mailboxes to read", required=True
)

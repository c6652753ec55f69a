"""[sender] of triaged.toml. See file.py."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from triaged.config import SenderSettings
from triaged.files.block import Fields, Key, Record
from triaged.files.reading import Reading
from triaged.files.shape import Number
from triaged.files.texts import ADDRESS, LINE
from triaged.settings.oauth import OAUTH
from triaged.settings.servers import (
    ACCESS,
    ACCOUNT,
    AUTH,
    EWS_URL,
    PASSWORD,
    PORT,
    TLS,
    TLS_CA,
    URL,
    Tls,
    check_tls,
    exchange_access,
    unknown_kind,
)
from triaged.settings.values import HOST, FilePath

SenderKind = Literal["smtp", "exchange", "graph", "spool"]
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
        unknown_kind(fields.at(SENDER_KIND), tuple(_SENDER_KINDS), fields.spot, reading)
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
        check_tls(fields, host, tls, reading)
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
    access = exchange_access(fields, user or sender, reading)
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

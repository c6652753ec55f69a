"""Reads triaged.toml into `Settings`: every key once, with its shape. All problems come in one go, with line and column."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from triaged.config import Exchange, Graph, Imap, Maildir, Office, Promise, Review, SenderSettings, Settings
from triaged.files.block import Fields, Key, Record, Several
from triaged.files.node import ListNode, MapNode, Node
from triaged.files.octets import decode, read_octets
from triaged.files.problem import Problem, WrongFile, shown
from triaged.files.reading import Reading, Spot
from triaged.files.shape import Number, Switch
from triaged.files.texts import ADDRESS, LINE
from triaged.settings.mailboxes import MAILBOXES
from triaged.settings.sender import SENDER
from triaged.settings.toml_tree import parse
from triaged.settings.values import DURATION, HOLIDAYS, LANGUAGE, PREFIX, TIME, ZONE, FilePath, SecretPlace, StoreUrl

MOST_OCTETS: Final = 256_000
PLACES: Final = (Path("triaged.toml"), Path("/etc/triaged/triaged.toml"))
SHIPPED_MODEL: Final = Path(__file__).resolve().parents[2] / "models" / "starter"

Signed = TypeVar("Signed", Imap | Maildir | Graph | Exchange, SenderSettings)

# [office]

OFFICE_NAME: Final = Key("name", LINE, "Who writes, as citizens know it", required=True)
OFFICE_PREFIX: Final = Key("prefix", PREFIX, "Of references: MAY-2026-000123", required=True)
TIMEZONE: Final = Key("timezone", ZONE, "Where a day begins", required=True)
OFFICE_HOLIDAYS: Final = Key("holidays", HOLIDAYS, "Days off, by the holidays package's names")
RULES: Final = Key("rules", FilePath(), "rules.yaml")
MODEL: Final = Key("model", FilePath(), "The model's folder; default: the one that ships")
LANGUAGES: Final = Key("languages", Several(LANGUAGE), "Of acknowledgements; the first is the default")
PHONE: Final = Key("phone", LINE, "For help in other languages")
TEMPLATES: Final = Key("templates", FilePath(), "The office's own texts")
ENCODER: Final = Key("encoder", Switch(), "false: words alone, ten times quicker and less often right")


def _office(fields: Fields, reading: Reading) -> Office:
    languages = fields.get(LANGUAGES, ("en",))
    return Office(
        name=fields.need(OFFICE_NAME),
        prefix=fields.need(OFFICE_PREFIX),
        timezone=fields.need(TIMEZONE),
        rules=fields.get(RULES, reading.folder / "rules.yaml"),
        model=fields.get(MODEL, SHIPPED_MODEL),
        languages=tuple(dict.fromkeys(languages)),
        holidays=fields.get(OFFICE_HOLIDAYS, ""),
        phone=fields.get(PHONE, ""),
        templates=fields.find(TEMPLATES),
        encoder=fields.get(ENCODER, True),
    )


OFFICE: Final = Key(
    "office",
    Record(
        (OFFICE_NAME, OFFICE_PREFIX, TIMEZONE, OFFICE_HOLIDAYS, RULES, MODEL, LANGUAGES, PHONE, TEMPLATES, ENCODER),
        _office,
        words="[office] with name, prefix, timezone",
        label="[office]",
    ),
    "The office",
    required=True,
)

# [store]

URL: Final = Key("url", StoreUrl(), "The database", required=True)
_STORE: Final = Record((URL,), lambda fields, _: fields.need(URL), words="[store] with url", label="[store]")
STORE: Final = Key("store", _STORE, "Where mail is kept")


# [review], [promise], [screen]

REVIEW_TO: Final = Key("to", Several(ADDRESS), "Who is asked")
REPLY_TO: Final = Key("reply_to", ADDRESS, "Where answers go")
PLUS: Final = Key("plus_address", Switch(), "false: the server delivers no mail for triage+code@")
AT: Final = Key("at", Several(TIME), "When, on business days")
AUTHSERV: Final = Key("authserv_id", LINE, "Whose Authentication-Results we trust")
REVIEW_KEY: Final = Key("key", SecretPlace(), "Signs the digests; default: a key kept in the database")
PREVIOUS_KEY: Final = Key("previous_key", SecretPlace(), "The key before it, while digests signed with it are out")
UNDO_WINDOW: Final = Key("undo_window", DURATION, "How long what an answer decides can be undone")
ON_DUTY: Final = Key("on_duty", Several(ADDRESS), "Who hears of critical mail at once")
ESCALATE_TO: Final = Key("escalate_to", Several(ADDRESS), "Who hears of it when nobody answers")
REPEAT: Final = Key("repeat", DURATION, "How often critical mail is said again")


def _review(fields: Fields, _: Reading) -> Review:
    times = fields.get(AT, Review().at)
    return Review(
        to=fields.get(REVIEW_TO, ()),
        reply_to=fields.get(REPLY_TO, ""),
        plus_address=fields.get(PLUS, True),
        at=tuple(sorted(set(times))),
        authserv_id=fields.get(AUTHSERV, ""),
        key=fields.find(REVIEW_KEY),
        previous_key=fields.find(PREVIOUS_KEY),
        undo_window=fields.get(UNDO_WINDOW, Review().undo_window),
        on_duty=fields.get(ON_DUTY, ()),
        escalate_to=fields.get(ESCALATE_TO, ()),
        repeat=fields.get(REPEAT, Review().repeat),
    )


MISROUTED: Final = Key(
    "misrouted", Number(0.0001, 0.5), "The largest share of letters routed without a person that may go wrong"
)
CONFIDENCE: Final = Key("confidence", Number(0.5, 0.9999), "How sure that must be")
WEBFORMS: Final = Key("webforms", Several(ADDRESS), "Senders of web forms, whose fields name the writer")


def _promise(fields: Fields, _: Reading) -> Promise:
    return Promise(fields.get(MISROUTED, Promise().misrouted), fields.get(CONFIDENCE, Promise().confidence))


_ASKING: Final = (REVIEW_TO, REPLY_TO, PLUS, AT, AUTHSERV, REVIEW_KEY, PREVIOUS_KEY, UNDO_WINDOW)
_ALARM: Final = (ON_DUTY, ESCALATE_TO, REPEAT)
REVIEW: Final = Key("review", Record((*_ASKING, *_ALARM), _review, label="[review]"), "Who is asked, and when")
PROMISE: Final = Key("promise", Record((MISROUTED, CONFIDENCE), _promise, label="[promise]"), "What the office promises")
SCREEN: Final = Key(
    "screen", Record((WEBFORMS,), lambda fields, _: fields.get(WEBFORMS, ()), label="[screen]"), "What is a letter"
)


def _settings(fields: Fields, reading: Reading) -> Settings:
    mailboxes = fields.need(MAILBOXES)
    listed = fields.node.find(MAILBOXES.name)
    nodes = listed.items if isinstance(listed, ListNode) else ()
    for number, mailbox in enumerate(mailboxes):
        if mailbox.name in [earlier.name for earlier in mailboxes[:number]]:
            reading.wrong(_name_of(nodes[number]), f"mailbox {shown(mailbox.name)} stands twice", "each name once")
    if not mailboxes:
        reading.wrong(fields.node, "there is no mailbox", MAILBOXES.shape.words)
    store_url = fields.get(STORE, f"sqlite:///{reading.folder / 'triaged.db'}")
    tokens = _state_folder(store_url, reading.folder) / "tokens"
    return Settings(
        file=reading.folder / reading.file,
        office=fields.need(OFFICE),
        store_url=store_url,
        mailboxes=tuple(replace(mailbox, access=_keeping_tokens(mailbox.access, tokens)) for mailbox in mailboxes),
        sender=_keeping_tokens(fields.need(SENDER), tokens),
        review=fields.get(REVIEW, Review()),
        promise=fields.get(PROMISE, Promise()),
        webforms=fields.get(SCREEN, ()),
    )


def _state_folder(store_url: str, folder: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the daemon may write: beside its database, else where systemd.exec(5) says, else beside this file."""
    file = store_url.removeprefix("sqlite:///")
    if file not in (store_url, ":memory:"):
        return Path(file).parent
    return Path(environ.get("STATE_DIRECTORY", "").partition(":")[0] or folder)


def _keeping_tokens(access: Signed, folder: Path) -> Signed:
    """Return the same settings with tokens kept in a folder."""
    if isinstance(access, SenderSettings) and access.exchange and access.exchange.oauth:
        exchange = access.exchange
        return replace(access, exchange=replace(exchange, oauth=replace(access.exchange.oauth, folder=folder)))
    if isinstance(access, Maildir) or access.oauth is None:
        return access
    return replace(access, oauth=replace(access.oauth, folder=folder))


def _name_of(node: Node) -> Node:
    return (node.find("name") if isinstance(node, MapNode) else None) or node


FILE: Final = Record((OFFICE, STORE, MAILBOXES, SENDER, REVIEW, PROMISE, SCREEN), _settings)


def find_settings(given: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the path of triaged.toml: the one given, else $TRIAGED_CONFIG, ./triaged.toml, /etc/triaged/triaged.toml.

    Raises:
        WrongFile: None is given, and there is none.
    """
    named = given or environ.get("TRIAGED_CONFIG")
    if named:
        return Path(named)
    found = next((place for place in PLACES if place.is_file()), None)
    if found is None:
        looked = f"there is neither {PLACES[0]} here nor {PLACES[1]}, and $TRIAGED_CONFIG is not set"
        raise WrongFile([Problem("triaged.toml", 0, 0, looked, "--config FILE; triaged init DIR writes one to start from")])
    return found


def load_settings(path: Path) -> Settings:
    """Read triaged.toml; secrets are not read, and neither rules nor model.

    Raises:
        WrongFile: With every problem found.
    """
    octets = read_octets(path, MOST_OCTETS)
    return read_settings(octets, path.name, path.absolute().parent)


def read_settings(octets: bytes, file: str, folder: Path) -> Settings:
    """Read the bytes of a triaged.toml.

    Args:
        octets: The file.
        file: Its name.
        folder: Where relative paths start; absolute.

    Raises:
        WrongFile: With every problem found.
    """
    reading = Reading(file, folder=folder)
    tree = parse(decode(octets, file), reading)
    return reading.whole(FILE.read(tree, Spot(), reading) if tree else None)

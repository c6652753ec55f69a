"""`triaged learn`: years of letters that people have sorted into folders become examples. Reads only; no mail is touched."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from sqlalchemy import Engine

from triaged.classify.assess import text_of
from triaged.classify.topic import NONE
from triaged.config import MailboxSettings, Maildir
from triaged.ingest.fingerprint import fingerprint
from triaged.ingest.layouts import modified_utf7
from triaged.ingest.mailbox import Mailbox, MailboxError, folder_parts, open_mailbox
from triaged.ingest.maildir import kind_at
from triaged.ingest.mime import read
from triaged.ingest.screen import screen, written_by
from triaged.message import Kind, RawMail
from triaged.office import Clock, Office
from triaged.store import examples
from triaged.store.examples import Example


class WrongFolder(Exception):
    """A folder, its mailbox or its topic is not there; the text says what is."""


@dataclass(frozen=True, slots=True)
class Sorted:
    """A folder and the topic that it stands for."""

    mailbox: str
    folder: str
    topic: str

    @property
    def source(self) -> str:
        """Its name for people."""
        return f"{self.mailbox}:{self.folder}"


def parse(text: str, mailboxes: Sequence[str], topics: Sequence[str]) -> Sorted:
    """Read MAILBOX:FOLDER=TOPIC.

    Raises:
        WrongFolder: It has another form, or names an unknown mailbox or topic.
    """
    place, equals, topic = text.rpartition("=")
    mailbox, colon, folder = place.partition(":")
    if not (equals and colon and mailbox and folder and topic):
        raise WrongFolder(f"{text!r}: expected MAILBOX:FOLDER=TOPIC, such as mayor:Archive/Heat=city.heat_hotwater")
    if mailbox not in mailboxes:
        raise WrongFolder(f"{text!r}: there is no mailbox {mailbox!r}; {_nearest(mailbox, mailboxes)}")
    if topic not in topics and topic != NONE:
        raise WrongFolder(f"{text!r}: there is no topic {topic!r}; {_nearest(topic, topics)}")
    return Sorted(mailbox, folder, topic)


def _nearest(name: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(name, allowed, 1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(allowed)}"


def learn(
    folders: Sequence[Sorted],
    office: Office,
    engine: Engine,
    clock: Clock,
    progress: Callable[[str], None],
    *,
    dry_run: bool = False,
) -> Counter[str]:
    """Read folders whole; return how many letters were new, moved, known, empty, or no letters at all.

    Each batch is committed by itself; who is interrupted calls it again, and nothing is learnt twice.

    Raises:
        WrongFolder: A folder cannot be read; all are looked at before anything is learnt.
    """
    opened = [(one, _open(office.mailbox(one.mailbox), one, office.settings.file.parent)) for one in folders]
    counts = Counter[str]()
    try:
        for one, mailbox in opened:
            progress(f"{one.source}: {mailbox.check()}")
        for one, mailbox in opened:
            counts += _read_whole(one, mailbox, office, engine, clock, progress, dry_run=dry_run)
    except MailboxError as error:
        raise WrongFolder(str(error)) from error
    finally:
        for _, mailbox in opened:
            mailbox.close()
    return counts


def _read_whole(
    one: Sorted,
    mailbox: Mailbox,
    office: Office,
    engine: Engine,
    clock: Clock,
    progress: Callable[[str], None],
    *,
    dry_run: bool,
) -> Counter[str]:
    counts, cursor, more = Counter[str](), "", True
    while more:
        batch = mailbox.fetch(cursor)
        cursor, more = batch.cursor, batch.more
        found = [_example(mail, one, office) for mail in batch.mails]
        kept = [example for example in found if isinstance(example, Example)]
        counts.update(example for example in found if isinstance(example, str))
        counts["not read"] += len(batch.refused)
        if dry_run:
            counts["would be learnt"] += len(kept)
        else:
            with engine.begin() as db:
                counts += examples.learn(db, kept, clock())
        progress(f"{one.source}: {sum(counts.values())} mails read")
    return counts


def _example(mail: RawMail, one: Sorted, office: Office) -> Example | str:
    """Return what a mail teaches, or why it teaches nothing."""
    trust = office.trust(one.mailbox)
    message = read(mail.octets)
    if screen(message, trust).kind not in (Kind.LETTER, Kind.LIST):
        return "no letter"
    text = text_of(message)
    if not text.subject.strip() and not text.body.strip():
        return "empty"
    writer = written_by(message, trust).address.lower()
    subject, body = (part.replace("\0", "") for part in (text.subject, text.body))  # PostgreSQL's text takes no NUL
    return Example(fingerprint(mail.octets), one.source, one.topic, subject, body, writer, mail.received_at)


def _open(settings: MailboxSettings, one: Sorted, base: Path) -> Mailbox:
    try:
        access = settings.access
        if isinstance(access, Maildir):
            access = Maildir(_subfolder(base / access.path, one.folder))
        else:
            access = replace(access, folder=one.folder)
        return open_mailbox(settings.kind, settings.name, access, base)
    except MailboxError as error:
        raise WrongFolder(f"{one.source}: {error}") from error


def _subfolder(path: Path, folder: str) -> Path:
    """Return where a folder of a maildir or of a folder of .eml files lies; nothing is made.

    Raises:
        MailboxError: It is not there, or an mbox, which has none.
    """
    parts = folder_parts(folder)
    kind = kind_at(path)
    if kind == "mbox":
        raise MailboxError(f"{path} is an mbox file and has no folders", permanent=True)
    levels = parts[1:] if parts[0].upper() == "INBOX" else parts
    if not levels:
        return path
    below = path / ("." + ".".join(modified_utf7(level) for level in levels)) if kind == "maildir" else path.joinpath(*levels)
    if not below.is_dir():
        raise MailboxError(f"{below}: there is no such folder", permanent=True)
    return below

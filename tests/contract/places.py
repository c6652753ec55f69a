"""Where mail lies, one class a kind, as other programs see it: they deliver, take away, and look."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from imapclient import IMAPClient
from imapclient.imap_utf7 import encode as modified_utf7

from tests.dovecot import Account
from tests.ews import EwsServer
from tests.graph import GraphServer
from triaged import config
from triaged.ingest.mailbox import Mailbox, open_mailbox

# What the kinds may differ in, all in one place. Everything else holds for each.
MOVES_MAIL: Final = {"imap", "maildir", "eml", "graph", "exchange"}  # an mbox file has no other folder
SEES_A_FOLDER_MADE_ANEW: Final = {"imap", "mbox", "graph", "exchange"}  # file names tell by themselves which mail is new
NOTICES_MAIL_GOING: Final = {"imap", "maildir", "eml", "graph", "exchange"}  # an mbox is written anew when a mail is taken out
KEEPS_LINE_ENDS: Final = {"maildir", "eml", "mbox", "graph", "exchange"}  # IMAP has CRLF only (RFC 9051 §4.3)
KEEPS_A_MISSING_LINE_END: Final = {
    "imap",
    "maildir",
    "eml",
    "graph",
    "exchange",
}  # what follows in an mbox begins on a new line
TELLS_OF_REPLIES: Final = {"imap", "maildir", "graph", "exchange"}  # a plain file does not say what was done with it
KEEPS_LABELS: Final = {"imap", "graph", "exchange"}
KEEPS_NUL: Final = {"maildir", "eml", "mbox", "graph", "exchange"}  # IMAP4rev1 strings have no NUL (RFC 3501 §4.3)


class Place(Protocol):
    """A folder that mail comes into."""

    kind: str

    def mailbox(self) -> Mailbox:
        """Open it as triaged does."""

    def deliver(self, octets: bytes) -> None:
        """Put a mail in, after those that are there."""

    def remove(self, index: int) -> None:
        """Take away the mail delivered as number `index`, counted from 0."""

    def touch(self, index: int) -> None:
        """Do what a mail program does when somebody reads that mail."""

    def reply(self, index: int) -> None:
        """Do what a mail program does when somebody replies to that mail, and nothing else."""

    def labels(self, index: int) -> set[str]:
        """Return the labels that people see on that mail."""

    def label(self, index: int, name: str) -> None:
        """Put a label on that mail, as a person does."""

    def make(self) -> None:
        """Make the folder, empty."""

    def folder(self, name: str) -> list[bytes]:
        """Return the mails of another folder, whose levels are divided by "/"."""

    def drafts(self, name: str) -> int:
        """Return how many mails of another folder are flagged as drafts, as far as the kind knows such a flag."""

    def snapshot(self) -> object:
        """Return all that fetching must not change."""

    def unlink(self) -> None:
        """Take the whole folder away."""


def recreate(place: Place) -> None:
    """Delete the folder and make it anew."""
    place.unlink()
    place.make()


def as_given(kind: str, octets: bytes) -> bytes:
    """Return what a kind makes of a mail's octets."""
    if kind not in KEEPS_LINE_ENDS:
        return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if kind not in KEEPS_A_MISSING_LINE_END and octets and not octets.endswith(b"\n"):
        return octets + b"\n"
    return octets


class Files:
    """Files say nothing of replies and labels; see `TELLS_OF_REPLIES` and `KEEPS_LABELS`."""

    def reply(self, index: int) -> None:
        raise NotImplementedError

    def labels(self, index: int) -> set[str]:
        raise NotImplementedError

    def label(self, index: int, name: str) -> None:
        raise NotImplementedError


class MaildirPlace(Files):
    kind = "maildir"

    def __init__(self, path: Path) -> None:
        self.path = path / "maildir"
        self._names: list[str] = []
        self.make()

    def make(self) -> None:
        for sub in ("tmp", "new", "cur"):
            (self.path / sub).mkdir(parents=True)

    def mailbox(self) -> Mailbox:
        return open_mailbox("maildir", "leader", config.Maildir(self.path), self.path)

    def deliver(self, octets: bytes) -> None:
        name = f"17{len(self._names):08d}.M1P2.host"
        (self.path / "tmp" / name).write_bytes(octets)
        (self.path / "tmp" / name).rename(self.path / "new" / name)
        self._names.append(name)

    def remove(self, index: int) -> None:
        (self.path / "new" / self._names[index]).unlink()

    def touch(self, index: int) -> None:
        name = self._names[index]
        (self.path / "new" / name).rename(self.path / "cur" / f"{name}:2,RSa")

    def reply(self, index: int) -> None:
        self.touch(index)

    def folder(self, name: str) -> list[bytes]:
        path = self._folder(name)
        return [file.read_bytes() for sub in ("new", "cur") for file in sorted((path / sub).iterdir())]

    def drafts(self, name: str) -> int:
        return len(list(self._folder(name).glob("cur/*:2,*D*")))

    def _folder(self, name: str) -> Path:
        return self.path / ("." + ".".join(modified_utf7(level).decode() for level in name.split("/")))

    def snapshot(self) -> object:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in self.path.rglob("*")}

    def unlink(self) -> None:
        shutil.rmtree(self.path)


class EmlPlace(Files):
    kind = "eml"

    def __init__(self, path: Path) -> None:
        self.path = path / "letters"
        self._delivered = 0
        self.make()

    def make(self) -> None:
        self.path.mkdir()

    def mailbox(self) -> Mailbox:
        return open_mailbox("maildir", "leader", config.Maildir(Path("letters")), self.path.parent)

    def deliver(self, octets: bytes) -> None:
        written = self.path / f"{self._delivered:05d}.eml.tmp"
        written.write_bytes(octets)
        written.rename(self._path(self._delivered))
        self._delivered += 1

    def _path(self, index: int) -> Path:
        return self.path / f"{index:05d} lettre à la mairie.EML"

    def remove(self, index: int) -> None:
        self._path(index).unlink()

    def touch(self, index: int) -> None:
        os.utime(self._path(index))

    def folder(self, name: str) -> list[bytes]:
        return [file.read_bytes() for file in sorted((self.path / name).iterdir())]

    def drafts(self, name: str) -> int:
        return len(list((self.path / name).glob("*.eml")))

    def snapshot(self) -> object:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in self.path.rglob("*")}

    def unlink(self) -> None:
        shutil.rmtree(self.path)


class MboxPlace(Files):
    kind = "mbox"

    def __init__(self, path: Path) -> None:
        self.path = path / "mbox"
        self._mails: list[bytes] = []
        self.make()

    def make(self) -> None:
        self._mails.clear()
        self.path.touch()

    def mailbox(self) -> Mailbox:
        return open_mailbox("maildir", "leader", config.Maildir(self.path), self.path)

    @staticmethod
    def entry(octets: bytes) -> bytes:
        """Return a mail as an mboxrd delivery agent appends it."""
        head, *lines = octets.split(b"\n")
        quoted = [b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in (head, *lines)]
        now = datetime.now(UTC).strftime("%a %b %e %H:%M:%S %Y").encode()
        return (
            b"From writer@example.org "
            + now
            + b"\n"
            + b"\n".join(quoted)
            + b"\n"
            + (b"" if octets.endswith(b"\n") or not octets else b"\n")
        )

    def deliver(self, octets: bytes) -> None:
        self._mails.append(octets)
        with self.path.open("ab") as file:
            file.write(self.entry(octets))

    def remove(self, index: int) -> None:
        self._mails.pop(index)
        self.path.write_bytes(b"".join(self.entry(octets) for octets in self._mails))

    def touch(self, index: int) -> None:
        os.utime(self.path)

    def folder(self, name: str) -> list[bytes]:
        raise NotImplementedError

    def drafts(self, name: str) -> int:
        raise NotImplementedError

    def snapshot(self) -> object:
        return self.path.read_bytes(), self.path.stat().st_mtime_ns, sorted(self.path.parent.iterdir())

    def unlink(self) -> None:
        self.path.unlink()


class ImapPlace:
    kind = "imap"

    def __init__(self, account: Account, folder: str = "Büro/Post") -> None:
        self.account = account
        self.name = folder
        self._on_disk = ".".join(modified_utf7(level).decode() for level in folder.split("/"))
        self._on_server = folder.replace("/", ".")
        self._delivered: list[str] = []
        self.make()

    def make(self) -> None:
        self._as_staff(lambda client: client.create_folder(self._on_server))

    def _as_staff(self, action: Callable[[IMAPClient], object]) -> object:
        client = self.account.client()
        try:
            return action(client)
        finally:
            client.logout()

    def mailbox(self) -> Mailbox:
        return open_mailbox("imap", "mayor", self.account.settings(folder=self.name), self.account.server.root)

    def deliver(self, octets: bytes) -> None:
        self._delivered.append(self.account.deliver(octets, self._on_disk))

    def _uid(self, client: IMAPClient, index: int) -> int:
        """Staff see the mails in the order of delivery."""
        uid: int = client.search(["ALL"])[index]
        return uid

    def remove(self, index: int) -> None:
        def expunge(client: IMAPClient) -> None:
            client.select_folder(self._on_server)
            uid = self._uid(client, index)
            client.delete_messages([uid])
            client.uid_expunge([uid])

        self._as_staff(expunge)

    def touch(self, index: int) -> None:
        def read(client: IMAPClient) -> None:
            client.select_folder(self._on_server)
            client.add_flags([self._uid(client, index)], [b"\\Seen", b"\\Answered"])

        self._as_staff(read)

    def reply(self, index: int) -> None:
        self._flag(index, "\\Answered")

    def label(self, index: int, name: str) -> None:
        self._flag(index, name)

    def _flag(self, index: int, flag: str) -> None:
        def store(client: IMAPClient) -> None:
            client.select_folder(self._on_server)
            client.add_flags([self._uid(client, index)], [flag])

        self._as_staff(store)

    def labels(self, index: int) -> set[str]:
        def look(client: IMAPClient) -> set[str]:
            client.select_folder(self._on_server, readonly=True)
            uid = self._uid(client, index)
            return {flag.decode() for flag in client.get_flags([uid])[uid] if not flag.startswith(b"\\")}

        found = self._as_staff(look)
        assert isinstance(found, set)
        return found

    def folder(self, name: str) -> list[bytes]:
        def look(client: IMAPClient) -> list[bytes]:
            client.select_folder(name.replace("/", "."), readonly=True)
            found = client.fetch(client.search(["ALL"]), ["BODY.PEEK[]"])
            return [found[uid][b"BODY[]"] for uid in sorted(found)]

        mails = self._as_staff(look)
        assert isinstance(mails, list)
        return mails

    def drafts(self, name: str) -> int:
        def look(client: IMAPClient) -> int:
            client.select_folder(name.replace("/", "."), readonly=True)
            return len(client.search(["DRAFT"]))

        found = self._as_staff(look)
        assert isinstance(found, int)
        return found

    def snapshot(self) -> object:
        def look(client: IMAPClient) -> object:
            client.select_folder(self._on_server, readonly=True)
            flags = client.fetch(client.search(["ALL"]) or [1], ["FLAGS"])
            # RFC 9051 dropped \\Recent: the first who lists a folder takes it, and nobody decides by it.
            kept = {uid: set(item[b"FLAGS"]) - {b"\\Recent"} for uid, item in flags.items()}
            return kept, sorted(folder for _, _, folder in client.list_folders())

        return self._as_staff(look)

    def unlink(self) -> None:
        self._as_staff(lambda client: client.delete_folder(self._on_server))


class OnServerPlace:
    """Mailboxes of the tests' own Graph and Exchange servers, which staff see from the inside."""

    def __init__(self, kind: str, server: GraphServer | EwsServer, folder: str = "Büro/Post") -> None:
        self.kind = kind
        self.server: Any = server
        self.name = folder
        self._id = ""
        self._delivered: list[Any] = []
        self.make()

    def make(self) -> None:
        parent = "msgfolderroot"
        for level in range(1, len(self.name.split("/")) + 1):
            path = "/".join(self.name.split("/")[:level])
            parent = (self.server.find(path) or self.server.make(path.split("/")[-1], parent)).id
        self._id = parent
        self._delivered.clear()

    def mailbox(self) -> Mailbox:
        return open_mailbox(self.kind, "mayor", self.server.settings(folder=self.name), self.server.issuer.folder)

    def deliver(self, octets: bytes) -> None:
        self._delivered.append(self.server.deliver(octets, self._id))

    def remove(self, index: int) -> None:
        self.server.take_away(self._delivered[index])

    def touch(self, index: int) -> None:
        self._delivered[index].changed = self.server.bump()

    def reply(self, index: int) -> None:
        self._delivered[index].last_verb = 103  # to all
        self.touch(index)

    def labels(self, index: int) -> set[str]:
        return set(self._delivered[index].categories)

    def label(self, index: int, name: str) -> None:
        self._delivered[index].categories += (name,)
        self.touch(index)

    def _inside(self, name: str) -> list[Any]:
        inside: list[Any] = self.server.inside(self.server.find(name).id)
        return inside

    def folder(self, name: str) -> list[bytes]:
        return [mail.octets for mail in self._inside(name)]

    def drafts(self, name: str) -> int:
        return sum(mail.draft for mail in self._inside(name))

    def snapshot(self) -> object:
        return self.server.changes, sorted(self.server.folders)

    def unlink(self) -> None:
        self.server.unlink(self.server.find(self.name))

"""Microsoft Graph's mail API with state, on loopback over TLS: what its public documents say, and its moods. A pytest plugin.

Sources: Microsoft Graph REST API v1.0 reference (message: delta, list, get $value, move, create from MIME; user: sendMail;
mailFolder: list, create), "Get incremental changes to messages in a folder", "Obtain immutable identifiers", "Throttling
guidance", "JSON batching".
"""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_string
from email.utils import getaddresses
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import trustme

from tests.issuer import Issuer
from tests.web import Asked, Said, Web
from triaged import config
from triaged.config import SenderSettings

USER, OTHER = "mayor@example.gov", "clerk@example.gov"
PAGE_MAILS = 50
MAX_REQUEST_OCTETS = 4_000_000


@dataclass
class Folder:
    id: str
    name: str
    parent: str


@dataclass
class Mail:
    number: int
    folder: str
    octets: bytes
    received: str
    draft: bool = False
    came: int = 0  # the change that brought it into its folder
    changed: int = 0
    moves: int = 0  # an id that is not immutable changes with each
    last_verb: int = 0
    categories: tuple[str, ...] = ()


@dataclass
class Fault:
    """What to answer instead to requests whose method and path match, so many times, after letting some through."""

    pattern: str
    said: Said | None
    times: int = 1
    after: int = 0


@dataclass
class Sent:
    user: str
    recipients: list[str]
    octets: bytes


@dataclass
class Gone:
    """A mail that left a folder."""

    mail: int
    folder: str
    at: int
    moves: int


class GraphServer(Web):
    """Mailboxes of a tenant.

    Attributes:
        open_to: Whose mailboxes the application's rights open.
        states_from: Delta tokens given before this change are expired.
    """

    def __init__(self, authority: tuple[trustme.CA, Path], issuer: Issuer) -> None:
        self.issuer = issuer
        self.open_to = {USER}
        self.folders: dict[str, Folder] = {}
        self.mails: dict[int, Mail] = {}
        self.left: list[Gone] = []
        self.sent: list[Sent] = []
        self.faults: list[Fault] = []
        self.listings: dict[str, tuple[list[tuple[int, bool]], str, int]] = {}
        self.states_from = 0
        self._serial = count(1)
        self._change = count(1)
        self.changes = 0
        super().__init__(authority)
        self.make("Inbox", "msgfolderroot", "inbox-id")
        self.make("Drafts", "msgfolderroot", "drafts-id")

    # What staff and other servers do -------------------------------------------------------------------------------

    def make(self, name: str, parent: str = "msgfolderroot", known: str = "") -> Folder:
        with self.lock:
            folder = Folder(known or f"AAMkFolder{next(self._serial)}==", name, parent)
            self.folders[folder.id] = folder
            return folder

    def find(self, path: str) -> Folder | None:
        with self.lock:
            parent, found = "msgfolderroot", None
            for name in path.split("/"):
                inside = (folder for folder in self.folders.values() if folder.parent == parent)
                found = next((folder for folder in inside if folder.name.lower() == name.lower()), None)
                if found is None:
                    return None
                parent = found.id
            return found

    def deliver(self, octets: bytes, folder: str, *, draft: bool = False) -> Mail:
        with self.lock:
            received = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            mail = Mail(next(self._serial), folder, octets, received, draft)
            mail.came = mail.changed = self.bump()
            self.mails[mail.number] = mail
            return mail

    def bump(self) -> int:
        self.changes = next(self._change)
        return self.changes

    def take_away(self, mail: Mail) -> None:
        with self.lock:
            self.left.append(Gone(mail.number, mail.folder, self.bump(), mail.moves))
            del self.mails[mail.number]

    def move(self, mail: Mail, folder: str) -> None:
        with self.lock:
            self.left.append(Gone(mail.number, mail.folder, self.bump(), mail.moves))
            mail.folder, mail.came, mail.moves = folder, self.bump(), mail.moves + 1
            mail.changed = mail.came

    def unlink(self, folder: Folder) -> None:
        with self.lock:
            for child in [each for each in self.folders.values() if each.parent == folder.id]:
                self.unlink(child)
            for mail in [each for each in self.mails.values() if each.folder == folder.id]:
                self.take_away(mail)
            del self.folders[folder.id]

    def inside(self, folder: str) -> list[Mail]:
        return [mail for mail in self.mails.values() if mail.folder == folder]

    def fault(self, pattern: str, said: Said | None, times: int = 1, after: int = 0) -> None:
        self.faults.append(Fault(pattern, said, times, after))

    # What Graph does -----------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Said | None:
        with self.lock:
            for fault in self.faults:
                if re.search(fault.pattern, f"{asked.method} {asked.path}"):
                    if fault.after > 0:
                        fault.after -= 1
                    elif fault.times > 0:
                        fault.times -= 1
                        return fault.said
            scheme, _, token = asked.headers.get("authorization", "").partition(" ")
            if scheme != "Bearer" or not self.issuer.known(token):
                return refusal(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
            if len(asked.body) > MAX_REQUEST_OCTETS:
                return refusal(413, "RequestEntityTooLarge", "The request is too large.")
            parts = urlsplit(asked.path)
            if parts.path == "/v1.0/$batch":
                return self._batch(json.loads(asked.body))
            assert parts.path.startswith("/v1.0/"), parts.path
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return self._one(
                asked.method, parts.path.removeprefix("/v1.0/"), query, asked.headers.get("prefer", ""), asked.body
            )

    def _batch(self, said: dict[str, Any]) -> Said:
        if len(said["requests"]) > 20:
            return refusal(400, "BadRequest", "Number of batch request steps exceeds the maximum value of 20.")
        responses = []
        for one in said["requests"]:
            parts = urlsplit(one["url"])
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            answer = self._one(one["method"], parts.path.lstrip("/"), query, one.get("headers", {}).get("Prefer", ""), b"")
            responses.append(
                {"id": one["id"], "status": answer.status, "headers": {}, "body": json.loads(answer.octets or b"{}")}
            )
        return Said(body={"responses": responses[::-1]})  # the order is not promised

    def _one(self, method: str, path: str, query: dict[str, str], prefer: str, body: bytes) -> Said:
        users, user, *rest = (unquote(part) for part in path.split("/"))
        assert users == "users"
        if user not in (USER, OTHER):
            return refusal(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")
        if user not in self.open_to:
            return refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        immutable = 'IdType="ImmutableId"' in prefer
        if rest == ["sendMail"]:
            return self._send(user, base64.b64decode(body, validate=True))
        if rest[0] == "mailFolders":
            return self._in_folders(method, rest[1:], query, prefer, body)
        mail = self._mail(rest[1], immutable)
        if mail is None:
            return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        if rest[2:] == ["$value"]:
            return Said(body=mail.octets, headers={"Content-Type": "text/plain"})
        if rest[2:] == ["move"]:
            target = json.loads(body)["destinationId"]
            if target not in self.folders:
                return refusal(404, "ErrorItemNotFound", "The specified folder could not be found in the store.")
            self.move(mail, target)
            return Said(201, {"id": self.id_of(mail, immutable=immutable), "parentFolderId": mail.folder})
        if method == "PATCH":
            mail.categories = tuple(json.loads(body)["categories"])
            mail.changed = self.bump()
        return Said(body=self._message(mail, query, immutable=immutable))

    def _message(self, mail: Mail, query: dict[str, str], *, immutable: bool) -> dict[str, Any]:
        """An id, and what `$select` and `$expand` name."""
        known = {"id": self.id_of(mail, immutable=immutable), "parentFolderId": mail.folder, "categories": [*mail.categories]}
        said: dict[str, Any] = {name: known[name] for name in query.get("$select", "id").split(",")}
        verb = "singleValueExtendedProperties($filter=id eq 'Integer 0x1081')"
        assert query.get("$expand", verb) == verb
        if "$expand" in query and mail.last_verb:
            said["singleValueExtendedProperties"] = [{"id": "Integer 0x1081", "value": str(mail.last_verb)}]
        return said

    def _in_folders(self, method: str, rest: list[str], query: dict[str, str], prefer: str, body: bytes) -> Said:
        if not rest or rest[1:] == ["childFolders"]:
            parent = rest[0] if rest else "msgfolderroot"
            if method == "POST":
                name = json.loads(body)["displayName"]
                if any(folder.parent == parent and folder.name.lower() == name.lower() for folder in self.folders.values()):
                    return refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")
                return Said(201, self._folder(self.make(name, parent)))
            wanted = re.fullmatch(r"displayName eq '(.*)'", query["$filter"], re.DOTALL)
            assert wanted
            name = wanted[1].replace("''", "'").lower()
            found = [each for each in self.folders.values() if each.parent == parent and each.name.lower() == name]
            return Said(body={"value": [self._folder(folder) for folder in found]})
        folder = self.folders.get("inbox-id" if rest[0] == "inbox" else rest[0])
        if folder is None:
            return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        if rest[1:] == ["messages", "delta"]:
            return self._delta(folder, query, prefer)
        if rest[1:] == ["messages"]:
            mail = self.deliver(base64.b64decode(body, validate=True), folder.id, draft=True)
            return Said(201, {"id": self.id_of(mail, immutable="Immutable" in prefer), "isDraft": True})
        return Said(body=self._folder(folder))

    def _folder(self, folder: Folder) -> dict[str, Any]:
        return {"id": folder.id, "displayName": folder.name, "totalItemCount": len(self.inside(folder.id))}

    def _delta(self, folder: Folder, query: dict[str, str], prefer: str) -> Said:
        """List pages of what was there when the first was asked for; then give a token for what comes after."""
        if "$skiptoken" in query:
            listing, kind, until = self.listings[query["$skiptoken"]]
        else:
            since, kind = 0, query.get("changeType", "")
            if "$deltatoken" in query:
                number, kind = query["$deltatoken"].split(".")
                since = int(number)
                if since < self.states_from:
                    return refusal(410, "SyncStateNotFound", "The sync state generation is not found; reset the sync.")
            until = self.changes
            listing = [(mail.number, False) for mail in self.inside(folder.id) if self._is_told(mail, since, kind)]
            if since and kind != "created":
                listing += [(gone.mail, True) for gone in self.left if gone.folder == folder.id and gone.at > since]
        size = min(PAGE_MAILS, int((re.search(r"maxpagesize=(\d+)", prefer) or [0, PAGE_MAILS])[1]))
        page, rest = listing[:size], listing[size:]
        immutable = 'IdType="ImmutableId"' in prefer
        value: list[dict[str, Any]] = []
        for number, removed in page:
            mail = self.mails.get(number)
            if removed:
                value.append({"id": f"immutable-{number}", "@removed": {"reason": "deleted"}})
            elif mail and mail.folder == folder.id:
                value.append(
                    {"id": self.id_of(mail, immutable=immutable), "receivedDateTime": mail.received, "@odata.etag": "x"}
                )
        base = f"{self.url}/v1.0/users/{USER}/mailFolders/{folder.id}/messages/delta"
        if rest:
            token = f"skip-{next(self._serial)}"
            self.listings[token] = (rest, kind, until)
            return Said(body={"value": value, "@odata.nextLink": f"{base}?$skiptoken={token}"})
        return Said(body={"value": value, "@odata.deltaLink": f"{base}?$deltatoken={until}.{kind}"})

    @staticmethod
    def _is_told(mail: Mail, since: int, kind: str) -> bool:
        return (mail.came if kind == "created" else mail.changed) > since

    @staticmethod
    def id_of(mail: Mail, *, immutable: bool) -> str:
        return f"immutable-{mail.number}" if immutable else f"mutable-{mail.number}-{mail.moves}"

    def _mail(self, known: str, immutable: bool) -> Mail | None:
        number = re.match(r"(?:im)?mutable-(\d+)", known)
        mail = self.mails.get(int(number[1])) if number else None
        return mail if mail and self.id_of(mail, immutable=immutable) == known else None

    def _send(self, user: str, octets: bytes) -> Said:
        """Send to whom the header names; Exchange writes a Message-ID of its own and keeps of other fields only X- ones."""
        message = message_from_string(octets.decode("utf-8", "replace"))
        recipients = [
            address for _, address in getaddresses([str(v) for n in ("To", "Cc", "Bcc") for v in message.get_all(n, [])])
        ]
        if not recipients:
            return refusal(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
        header, _, body = octets.partition(b"\r\n\r\n")
        dropped = rb"(?im)^(?:bcc|auto-submitted|message-id|precedence|return-path):.*(?:\r\n[ \t].*)*(?:\r\n|\Z)"
        kept = re.sub(dropped, b"", header + b"\r\n")
        named = f"Message-ID: <{len(self.sent)}@PROD.OUTLOOK.EXAMPLE>\r\n".encode()
        self.sent.append(Sent(user, recipients, kept + named + b"\r\n" + body))
        return Said(202)

    # What triaged.toml would hold ------------------------------------------------------------------------------------

    def settings(self, **changes: Any) -> config.Graph:
        known: dict[str, Any] = {"user": USER, "oauth": self.issuer.application(), "url": self.url, "tls_ca": self.ca}
        return config.Graph(**(known | changes))

    def sender(self, **changes: Any) -> SenderSettings:
        known: dict[str, Any] = {"kind": "graph", "sender": USER, "user": USER, "oauth": self.issuer.application()}
        return SenderSettings(**(known | {"url": self.url, "tls_ca": self.ca} | changes))


def refusal(status: int, code: str, message: str, **headers: str) -> Said:
    body = {"error": {"code": code, "message": message, "innerError": {"request-id": "r", "date": "d"}}}
    return Said(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def graph(authority: tuple[trustme.CA, Path], issuer: Issuer) -> Iterator[GraphServer]:
    """A tenant that no other test has."""
    with closing(GraphServer(authority, issuer)) as running:
        yield running

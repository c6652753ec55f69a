"""Mail from Microsoft 365 by Graph: delta query, immutable ids, the MIME content as the server gives it."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from triaged.graph import IMMUTABLE, Graph, GraphError
from triaged.ingest.feed import Content, Listed, StateExpiredError, Told, above_limit
from triaged.ingest.feed_mailbox import FeedMailbox
from triaged.ingest.mailbox import MAX_MAIL_OCTETS, Mailbox, MailboxError, folder_parts, relabelled
from triaged.oauth.tokens import TokenError

if TYPE_CHECKING:
    from triaged import config

PAGE_MAILS: Final = 200
LAST_VERB: Final = "Integer 0x1081"  # [MS-OXOMSG] §2.2.1.20 PidTagLastVerbExecuted
REPLIED: Final = frozenset({"102", "103"})  # to the sender, to all
BATCHED: Final = 20  # requests in one JSON batch, the most that Graph takes
MAX_PAGES: Final = 10_000
DRAFT_OCTETS: Final = 3_000_000  # Graph takes 4 MB a request, and base64 adds a third
NOT_FOUND, CONFLICT, GONE = 404, 409, 410
_EXPIRED: Final = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired", "errorinvalidsyncstatedata"})


def open_mailbox(name: str, settings: "config.Graph", base: Path) -> Mailbox:
    """Return the mailbox; nothing is asked before it is used.

    Raises:
        MailboxError: A library is missing; permanent.
    """
    try:
        graph = Graph(settings.oauth, settings.user, base, url=settings.url, tls_ca=settings.tls_ca)
    except TokenError as error:
        raise MailboxError(str(error), permanent=True) from error
    return FeedMailbox(name, GraphFeed(graph, settings.folder, settings.must_refuse))


class GraphFeed:
    """One folder of one account."""

    kind = "graph"

    def __init__(self, graph: Graph, folder: str, must_refuse: str = "") -> None:
        self._graph = graph
        self._name = folder
        self._must_refuse = must_refuse

    def folder(self) -> str:
        """Return the folder's id."""
        with self._errors():
            return str(self._open()["id"])

    def told_since(self, folder: str, state: str) -> Told:
        """Follow the delta query to its end. Only what came in is told: read and answered marks are staff's affair."""
        listed: list[Listed] = []
        path = state or self._graph.path("mailFolders", folder, "messages", "delta")
        params = None if state else {"changeType": "created", "$select": "id,receivedDateTime"}
        with self._errors():
            for _ in range(MAX_PAGES):
                try:
                    page = self._graph.get(path, params, prefer=f"odata.maxpagesize={PAGE_MAILS}")
                except GraphError as error:
                    if error.status == GONE or error.code.lower() in _EXPIRED or (state and error.status == NOT_FOUND):
                        raise StateExpiredError(str(error)) from error
                    raise
                listed += [
                    Listed(str(item["id"]), _moment(item.get("receivedDateTime")))
                    for item in page.get("value", ())
                    if isinstance(item, dict) and "id" in item and "@removed" not in item
                ]
                if "@odata.deltaLink" in page:
                    return Told(tuple({mail.uid: mail for mail in listed}.values()), str(page["@odata.deltaLink"]))
                path, params = str(page.get("@odata.nextLink", "")), None
                if not path:
                    raise GraphError(f"{self._graph.where}: a page of the delta query names neither the next nor an end")
        raise MailboxError(f"{self._graph.where}: the delta query never ends")

    def contents(self, folder: str, mails: Sequence[Listed]) -> Iterator[Content]:
        """Fetch mails one by one, after asking where they are: an immutable id finds a mail wherever a person put it."""
        with self._errors():
            for start in range(0, len(mails), BATCHED):
                group = mails[start : start + BATCHED]
                there = self._which_are_in(folder, [mail.uid for mail in group])
                for mail in group:
                    answered = there.get(mail.uid)
                    yield Content(mail.uid) if answered is None else replace(self._content(mail.uid), answered=answered)

    def move(self, uid: str, parts: tuple[str, ...]) -> bool:
        """Move a mail, unless a person already did."""
        with self._errors():
            if uid not in self._which_are_in(str(self._open()["id"]), [uid]):
                return False
            target = self._ensure(parts)
            try:
                self._graph.post(self._graph.path("messages", uid, "move"), {"destinationId": target})
            except GraphError as error:
                if error.status == NOT_FOUND:
                    return False
                raise
            return True

    def mark(self, uid: str, labels: Sequence[str]) -> None:
        """Set categories, wherever the mail is by now. A category that a person sets between our two requests is lost."""
        path = self._graph.path("messages", uid)
        with self._errors():
            try:
                there = self._graph.get(path, {"$select": "id,categories"}).get("categories", ())
                wanted = relabelled(there, labels)
                if wanted != tuple(there):
                    self._graph.patch(path, {"categories": list(wanted)})
            except GraphError as error:
                if error.status != NOT_FOUND:
                    raise

    def save_draft(self, octets: bytes, parts: tuple[str, ...]) -> None:
        """Create a draft from MIME content."""
        if len(octets) > DRAFT_OCTETS:
            raise MailboxError(f"a draft of {len(octets):,} octets: Graph takes at most {DRAFT_OCTETS:,}", permanent=True)
        with self._errors():
            path = self._graph.path("mailFolders", self._ensure(parts), "messages")
            self._graph.post(path, base64.b64encode(octets))

    def check(self) -> str:
        """Count the mails; prove that the mailbox that we must not open is closed to us."""
        with self._errors():
            found = self._open()
            said = f"{found.get('totalItemCount', '?')} mails in {self._name}, Graph v1.0, immutable ids"
            if not self._must_refuse:
                return f"{said}; whether our rights reach other mailboxes was not tried (must_refuse is not set)"
            try:
                self._graph.get(self._graph.path("mailFolders", "inbox", user=self._must_refuse), {"$select": "id"})
            except GraphError as error:
                if error.status in (401, 403):
                    return f"{said}, {self._must_refuse} is refused"
                raise MailboxError(f"{self._must_refuse} was to be refused, and was not: {error}", permanent=True) from error
        words = f"our rights open {self._must_refuse} too: limit them to the mailboxes we need (docs/providers/microsoft365.md)"
        raise MailboxError(words, permanent=True)

    def close(self) -> None:
        """Let go of the connection."""
        self._graph.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except GraphError as error:
            self._graph.close()
            raise MailboxError(str(error), permanent=error.ours) from error
        except TokenError as error:
            raise MailboxError(f"{self._graph.where}: {error}", permanent=error.permanent) from error

    def _open(self) -> dict[str, Any]:
        """Return the folder that we read.

        Raises:
            GraphError: It is not there; status 404.
        """
        found = self._find(folder_parts(self._name))
        if found is None:
            raise GraphError(f"{self._graph.where}: there is no folder {self._name}", status=NOT_FOUND)
        return found

    def _find(self, parts: Sequence[str]) -> dict[str, Any] | None:
        """Return a folder by its path from the top of the mailbox; INBOX is the inbox, whatever its name there."""
        found: dict[str, Any] | None = None
        for number, name in enumerate(parts):
            if number == 0 and name.upper() == "INBOX":
                found = self._graph.get(self._graph.path("mailFolders", "inbox"), {"$select": "id,totalItemCount"})
            else:
                found = self._child(found, name)
            if found is None:
                return None
        return found

    def _child(self, parent: dict[str, Any] | None, name: str) -> dict[str, Any] | None:
        escaped = name.replace("'", "''")  # OData 4.01, URL conventions §5.1.1.14.1
        params = {"$filter": f"displayName eq '{escaped}'", "$select": "id,totalItemCount"}
        found = self._graph.get(self._children(parent), params).get("value", ())
        return dict(found[0]) if found else None

    def _children(self, parent: dict[str, Any] | None) -> str:
        levels = ("mailFolders", str(parent["id"]), "childFolders") if parent else ("mailFolders",)
        return self._graph.path(*levels)

    def _ensure(self, parts: Sequence[str]) -> str:
        """Return a folder's id; make it and those above it if missing."""
        found: dict[str, Any] | None = None
        for number in range(len(parts)):
            child = self._find(parts[:1]) if number == 0 else self._child(found, parts[number])
            if child is None:
                try:
                    child = self._graph.post(self._children(found), {"displayName": parts[number]})
                except GraphError as error:
                    if error.status != CONFLICT:
                        raise
                    child = self._child(found, parts[number])  # somebody else was first
            found = child
        if not found or "id" not in found:
            raise GraphError(f"{self._graph.where}: folder {'/'.join(parts)} could not be made")
        return str(found["id"])

    def _which_are_in(self, folder: str, uids: Sequence[str]) -> dict[str, bool]:
        """Return which mails are in a folder now, and whether a person has replied to each."""
        query = {"$select": "id,parentFolderId", "$expand": f"singleValueExtendedProperties($filter=id eq '{LAST_VERB}')"}
        requests = [
            {
                "id": str(number),
                "method": "GET",
                "url": f"/{self._graph.path('messages', uid)}?{urlencode(query, quote_via=quote, safe='$(),=')}",
                "headers": {"Prefer": IMMUTABLE},
            }
            for number, uid in enumerate(uids)
        ]
        there = {}
        for answer in self._graph.post("$batch", {"requests": requests}).get("responses", ()):
            uid, status = uids[int(answer["id"])], int(answer["status"])
            if status == NOT_FOUND:
                continue
            body = answer.get("body", {})
            if status != 200:  # a request in a batch is throttled by itself; so it is asked again by itself
                try:
                    body = self._graph.get(self._graph.path("messages", uid), query)
                except GraphError as error:
                    if error.status == NOT_FOUND:
                        continue
                    raise
            if body.get("parentFolderId") == folder:
                there[uid] = _is_answered(body)
        return there

    def _content(self, uid: str) -> Content:
        octets = bytearray()
        try:
            with self._graph.stream("GET", self._graph.path("messages", uid, "$value")) as answer:
                for chunk in answer.iter_bytes():
                    octets += chunk
                    if len(octets) > MAX_MAIL_OCTETS:
                        return Content(uid, why=above_limit(), final=True)
        except GraphError as error:
            if error.status == NOT_FOUND:
                return Content(uid)
            if error.status in (0, 401, 403, 429, 503) and not octets:
                raise
            return Content(uid, why=str(error))  # this mail's fault, perhaps: conversions fail, large ones break off
        return Content(uid, bytes(octets))


def _is_answered(message: Mapping[str, Any]) -> bool:
    properties = message.get("singleValueExtendedProperties") or ()
    return any(isinstance(each, dict) and str(each.get("value")) in REPLIED for each in properties)


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except ValueError:
        return None

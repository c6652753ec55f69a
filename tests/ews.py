"""Exchange Web Services with state, on loopback over TLS: what the public documents say, and its moods. A pytest plugin.

Sources: EWS XML reference (GetFolder, FindFolder, CreateFolder, SyncFolderItems, GetItem, MoveItem, CreateItem, ConvertId,
ResponseCode, ExchangeImpersonation), "EWS throttling in Exchange", [MS-OXWSSYNC], [MS-OXWSCORE]; NTLM by pyspnego's acceptor.
"""

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_string
from email.utils import getaddresses
from http.server import BaseHTTPRequestHandler
from itertools import count
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
import spnego
import trustme
from lxml import etree

from tests.issuer import Issuer
from tests.web import Asked, Said, Web
from triaged import config
from triaged.config import Secret, SenderSettings

USER, OTHER = "mayor@example.gov", "clerk@example.gov"
ACCOUNT, PASSWORD = "OFFICE\\triaged", "The-0ld-clock"
PAGE_MAILS = 50
MESSAGES, TYPES = (f"http://schemas.microsoft.com/exchange/services/2006/{name}" for name in ("messages", "types"))
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
M, T = f"{{{MESSAGES}}}", f"{{{TYPES}}}"


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
    came: int
    changed: int
    draft: bool = False
    moves: int = 0
    last_verb: int = 0
    categories: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """A move gives a mail another id."""
        return f"AAMk-{self.number}-{self.moves}"


@dataclass
class Fault:
    operation: str
    said: Said | None
    times: int = 1
    after: int = 0


class EwsServer(Web):
    """Mailboxes on one server.

    Attributes:
        open_to: Whose mailboxes the account may open as a delegate.
        may_impersonate: Whose it may open by impersonation.
        states_from: Sync states given before this change are void.
        broken: Numbers of mails that cannot be converted.
        state_in_refusals: Whether a refused sync state is answered with the (empty) elements of an accepted one.
    """

    def __init__(self, authority: tuple[trustme.CA, Path], issuer: Issuer) -> None:
        self.issuer = issuer
        self.open_to = {USER}
        self.may_impersonate: set[str] = set()
        self.folders: dict[str, Folder] = {}
        self.mails: dict[int, Mail] = {}
        self.left: list[tuple[int, str, str]] = []
        self.sent: list[tuple[str, list[str], bytes]] = []
        self.faults: list[Fault] = []
        self.broken: set[int] = set()
        self.states_from = 0
        self.state_in_refusals = True
        self.changes = 0
        self.operations: list[str] = []
        self._serial = count(1)
        self._talks: dict[int, Any] = {}
        (issuer.folder / "password").write_text(PASSWORD + "\n")
        super().__init__(authority)
        self.endpoint = f"{self.url}/EWS/Exchange.asmx"
        self.make("Inbox", "msgfolderroot", "inbox-id")
        self.make("Drafts", "msgfolderroot", "drafts-id")

    # What staff and other servers do -------------------------------------------------------------------------------

    def make(self, name: str, parent: str = "msgfolderroot", known: str = "") -> Folder:
        with self.lock:
            folder = Folder(known or f"AAMkF{next(self._serial)}", name, parent)
            self.folders[folder.id] = folder
            return folder

    def find(self, path: str) -> Folder | None:
        with self.lock:
            parent, found = "msgfolderroot", None
            for name in path.split("/"):
                found = next((each for each in self.folders.values() if each.parent == parent and each.name == name), None)
                if found is None:
                    return None
                parent = found.id
            return found

    def bump(self) -> int:
        self.changes += 1
        return self.changes

    def deliver(self, octets: bytes, folder: str, *, draft: bool = False) -> Mail:
        with self.lock:
            change = self.bump()
            received = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            mail = Mail(next(self._serial), folder, octets, received, change, change, draft)
            self.mails[mail.number] = mail
            return mail

    def take_away(self, mail: Mail) -> None:
        with self.lock:
            self.left.append((self.bump(), mail.folder, mail.id))
            del self.mails[mail.number]

    def move(self, mail: Mail, folder: str) -> None:
        with self.lock:
            self.left.append((self.bump(), mail.folder, mail.id))
            mail.folder, mail.moves = folder, mail.moves + 1
            mail.came = mail.changed = self.bump()

    def unlink(self, folder: Folder) -> None:
        with self.lock:
            for mail in self.inside(folder.id):
                self.take_away(mail)
            del self.folders[folder.id]

    def inside(self, folder: str) -> list[Mail]:
        return [mail for mail in self.mails.values() if mail.folder == folder]

    def fault(self, operation: str, said: Said | None, times: int = 1, after: int = 0) -> None:
        self.faults.append(Fault(operation, said, times, after))

    # What Exchange does ----------------------------------------------------------------------------------------------

    def hear(self, asked: Asked, handler: BaseHTTPRequestHandler) -> Said | None:
        with self.lock:
            self.asked.append(asked)
            refused = self._refused(asked, id(handler.connection))
            return refused or self.answer(asked)

    def _refused(self, asked: Asked, connection: int) -> Said | None:
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        offers = {"WWW-Authenticate": "NTLM" if scheme in ("NTLM", "") else scheme}
        if scheme == "Bearer":
            return None if self.issuer.known(rest) else Said(401, headers=offers)
        if scheme == "Basic":
            return None if base64.b64decode(rest).decode() == f"{ACCOUNT}:{PASSWORD}" else Said(401, headers=offers)
        if scheme == "NTLM":
            return self._ntlm(base64.b64decode(rest), connection)
        known = self._talks.get(connection)
        return None if known is not None and known.complete else Said(401, headers=offers)

    def _ntlm(self, token: bytes, connection: int) -> Said | None:
        if token[8] == 1:  # NTLMSSP_NEGOTIATE
            self._talks[connection] = spnego.server(protocol="ntlm")
        try:
            challenge = self._talks[connection].step(token)
        except spnego.exceptions.SpnegoError:
            return Said(401, headers={"WWW-Authenticate": "NTLM"})
        if challenge is None:
            return None
        return Said(401, headers={"WWW-Authenticate": f"NTLM {base64.b64encode(challenge).decode()}"})

    def answer(self, asked: Asked) -> Said | None:
        envelope = etree.fromstring(asked.body)
        body = envelope.find(f"{{{SOAP}}}Body")[0]
        operation = etree.QName(body).localname
        self.operations.append(operation)
        for fault in self.faults:
            if re.fullmatch(fault.operation, operation):
                if fault.after > 0:
                    fault.after -= 1
                elif fault.times > 0:
                    fault.times -= 1
                    return fault.said
        impersonated = envelope.findtext(f".//{T}PrimarySmtpAddress")
        if impersonated and impersonated not in self.may_impersonate:
            return self._say(operation, [error("ErrorImpersonateUserDenied", "The account does not have permission.")])
        method: Callable[[Any], list[str]] = getattr(self, f"_{operation}")
        return self._say(operation, method(body))

    def _say(self, operation: str, messages: list[str]) -> Said:
        inside = "".join(
            f'<m:{operation}ResponseMessage ResponseClass="{kind}">{text}</m:{operation}ResponseMessage>'
            for kind, text in (("Error" if "<m:MessageText>" in text else "Success", text) for text in messages)
        )
        return soap(f"<m:{operation}Response><m:ResponseMessages>{inside}</m:ResponseMessages></m:{operation}Response>")

    def _ConvertId(self, body: Any) -> list[str]:  # noqa: N802
        return [error("ErrorInvalidIdMalformed", "Id is malformed.")]

    def _GetFolder(self, body: Any) -> list[str]:  # noqa: N802
        return [self._folder_or_error(each) for each in body.find(f"{M}FolderIds")]

    def _folder_or_error(self, element: Any) -> str:
        address = element.findtext(f"{T}Mailbox/{T}EmailAddress") or USER
        if address not in self.open_to | self.may_impersonate:
            return error("ErrorItemNotFound" if address == OTHER else "ErrorNonExistentMailbox", "Not found in the store.")
        known = self._id(element)
        if known == "msgfolderroot":
            return fine("<m:Folders>" + folder_xml(Folder("msgfolderroot", "Top", "root"), 0) + "</m:Folders>")
        folder = self.folders.get(known)
        if folder is None:
            return error("ErrorFolderNotFound", "The specified folder could not be found in the store.")
        return fine("<m:Folders>" + folder_xml(folder, len(self.inside(folder.id))) + "</m:Folders>")

    @staticmethod
    def _id(element: Any) -> str:
        name = str(element.get("Id"))
        return "inbox-id" if element.tag == f"{T}DistinguishedFolderId" and name == "inbox" else name

    def _FindFolder(self, body: Any) -> list[str]:  # noqa: N802
        parent = self._id(body.find(f"{M}ParentFolderIds")[0])
        name = body.find(f".//{T}Constant").get("Value")
        found = [each for each in self.folders.values() if each.parent == parent and each.name == name]
        inside = "".join(folder_xml(each, len(self.inside(each.id))) for each in found)
        view = f'TotalItemsInView="{len(found)}" IncludesLastItemInRange="true"'
        return [fine(f"<m:RootFolder {view}><t:Folders>{inside}</t:Folders></m:RootFolder>")]

    def _CreateFolder(self, body: Any) -> list[str]:  # noqa: N802
        parent = self._id(body.find(f"{M}ParentFolderId")[0])
        name = body.findtext(f".//{T}DisplayName")
        if any(each.parent == parent and each.name == name for each in self.folders.values()):
            return [error("ErrorFolderExists", "A folder with the specified name already exists.")]
        return [fine("<m:Folders>" + folder_xml(self.make(name, parent), 0) + "</m:Folders>")]

    def _SyncFolderItems(self, body: Any) -> list[str]:  # noqa: N802
        folder = self._id(body.find(f"{M}SyncFolderId")[0])
        if folder not in self.folders:
            return [error("ErrorSyncFolderNotFound", "The folder to be synchronized could not be found.")]
        state = body.findtext(f"{M}SyncState") or ""
        since = int(base64.b64decode(state).decode().partition(":")[2]) if state else 0
        if state and since < self.states_from:
            empty = (
                "<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>" if self.state_in_refusals else ""
            )
            return [error("ErrorInvalidSyncStateData", "The sync state data is corrupted or otherwise invalid.") + empty]
        size = min(PAGE_MAILS, int(body.findtext(f"{M}MaxChangesReturned")))
        told = [
            (mail.came if mail.came > since else mail.changed, mail) for mail in self.inside(folder) if mail.changed > since
        ]
        gone = [(at, known) for at, where, known in self.left if where == folder and at > since and since]
        changes: list[tuple[int, Any]] = sorted([*told, *gone], key=lambda change: change[0])
        page = changes[:size]
        after = page[-1][0] if len(changes) > size else self.changes
        inside = "".join(change_xml(what, since) for _, what in page)
        last = "true" if len(changes) <= size else "false"
        new = base64.b64encode(f"state:{after}".encode()).decode()
        tail = f"<m:IncludesLastItemInRange>{last}</m:IncludesLastItemInRange><m:Changes>{inside}</m:Changes>"
        return [fine(f"<m:SyncState>{new}</m:SyncState>{tail}")]

    def _mail(self, known: str) -> Mail | None:
        number = re.match(r"AAMk-(\d+)-", known)
        mail = self.mails.get(int(number[1])) if number else None
        return mail if mail and mail.id == known else None

    def _GetItem(self, body: Any) -> list[str]:  # noqa: N802
        with_content = body.find(f".//{T}FieldURI[@FieldURI='item:MimeContent']") is not None
        said = []
        for element in body.find(f"{M}ItemIds"):
            mail = self._mail(element.get("Id"))
            if mail is None:
                said.append(error("ErrorItemNotFound", "The specified object was not found in the store."))
            elif with_content and mail.number in self.broken:
                said.append(error("ErrorMimeContentConversionFailed", "MIME content conversion failed."))
            else:
                octets = base64.b64encode(mail.octets).decode()
                content = f'<t:MimeContent CharacterSet="UTF-8">{octets}</t:MimeContent>' if with_content else ""
                rest = self._further(mail, {str(field.get("FieldURI")) for field in body.iter(f"{T}FieldURI")}, body)
                said.append(fine(f"<m:Items><t:Message>{content}{item_id(mail)}{rest}</t:Message></m:Items>"))
        return said

    @staticmethod
    def _further(mail: Mail, wanted: set[str], body: Any) -> str:
        """Return what else was asked for, as far as the mail has it."""
        strings = "".join(f"<t:String>{quoteattr(name)[1:-1]}</t:String>" for name in mail.categories)
        said = f"<t:Categories>{strings}</t:Categories>" if strings and "item:Categories" in wanted else ""
        asked = body.find(f".//{T}ExtendedFieldURI[@PropertyTag='0x1081']") is not None
        if asked and mail.last_verb:
            uri = '<t:ExtendedFieldURI PropertyTag="0x1081" PropertyType="Integer"/>'
            said += f"<t:ExtendedProperty>{uri}<t:Value>{mail.last_verb}</t:Value></t:ExtendedProperty>"
        return said

    def _UpdateItem(self, body: Any) -> list[str]:  # noqa: N802
        assert body.get("ConflictResolution") == "NeverOverwrite"
        change = body.find(f"{M}ItemChanges")[0]
        known = change.find(f"{T}ItemId")
        mail = self._mail(known.get("Id"))
        if mail is None:
            return [error("ErrorItemNotFound", "The specified object was not found in the store.")]
        if known.get("ChangeKey") != f"C{mail.changed}":
            return [error("ErrorIrresolvableConflict", "The send or update operation could not be performed.")]
        assert [field.get("FieldURI") for field in change.iter(f"{T}FieldURI")] == ["item:Categories"]
        mail.categories = tuple(each.text for each in change.iter(f"{T}String"))
        mail.changed = self.bump()
        return [
            fine(
                f"<m:Items><t:Message>{item_id(mail)}</t:Message></m:Items><m:ConflictResults><t:Count>0</t:Count></m:ConflictResults>"
            )
        ]

    def _MoveItem(self, body: Any) -> list[str]:  # noqa: N802
        target = self._id(body.find(f"{M}ToFolderId")[0])
        mail = self._mail(body.find(f"{M}ItemIds")[0].get("Id"))
        if mail is None:
            return [error("ErrorItemNotFound", "The specified object was not found in the store.")]
        if target not in self.folders:
            return [error("ErrorToFolderNotFound", "The specified folder could not be found in the store.")]
        self.move(mail, target)
        return [fine(f"<m:Items><t:Message>{item_id(mail)}</t:Message></m:Items>")]

    def _CreateItem(self, body: Any) -> list[str]:  # noqa: N802
        octets = base64.b64decode(body.findtext(f".//{T}MimeContent") or "")
        if body.get("MessageDisposition") == "SaveOnly":
            mail = self.deliver(octets, self._id(body.find(f"{M}SavedItemFolderId")[0]), draft=True)
            return [fine(f"<m:Items><t:Message>{item_id(mail)}</t:Message></m:Items>")]
        assert body.get("MessageDisposition") == "SendOnly"
        message = message_from_string(octets.decode("utf-8", "replace"))
        fields = [str(value) for name in ("To", "Cc", "Bcc") for value in message.get_all(name, [])]
        recipients = [address for _, address in getaddresses(fields)]
        if not recipients:
            return [error("ErrorInvalidRecipients", "At least one recipient is not valid.")]
        header, _, rest = octets.partition(b"\r\n\r\n")
        dropped = rb"(?im)^(?:bcc|message-id|return-path):.*(?:\r\n[ \t].*)*(?:\r\n|\Z)"
        named = f"Message-ID: <{len(self.sent)}@PROD.OUTLOOK.EXAMPLE>\r\n".encode()
        self.sent.append((USER, recipients, re.sub(dropped, b"", header + b"\r\n") + named + b"\r\n" + rest))
        return [fine("<m:Items/>")]

    # What triaged.toml would hold ------------------------------------------------------------------------------------

    def settings(self, **changes: Any) -> config.Exchange:
        password = Secret("file", str(self.issuer.folder / "password"))
        known: dict[str, Any] = {"user": USER, "url": self.endpoint, "password": password, "account": ACCOUNT, "auth": "basic"}
        return config.Exchange(**(known | {"tls_ca": self.ca} | changes))

    def by_token(self, **changes: Any) -> config.Exchange:
        return self.settings(**({"password": None, "oauth": self.issuer.application(), "account": ""} | changes))

    def sender(self, **changes: Any) -> SenderSettings:
        return SenderSettings("exchange", USER, exchange=self.settings(**changes))


def soap(inside: str, status: int = 200) -> Said:
    build = 'MajorVersion="15" MinorVersion="1" MajorBuildNumber="2507" MinorBuildNumber="6"'
    version = f'<t:ServerVersionInfo {build} Version="Exchange2016"/>'
    spaces = f'xmlns:s="{SOAP}" xmlns:m="{MESSAGES}" xmlns:t="{TYPES}"'
    text = f"<s:Envelope {spaces}><s:Header>{version}</s:Header><s:Body>{inside}</s:Body></s:Envelope>"
    return Said(status, '<?xml version="1.0" encoding="utf-8"?>' + text, {"Content-Type": "text/xml; charset=utf-8"})


def busy(milliseconds: int) -> Said:
    """ "EWS throttling in Exchange": a SOAP fault, with how long to stay away."""
    value = f'<t:MessageXml><t:Value Name="BackOffMilliseconds">{milliseconds}</t:Value></t:MessageXml>'
    codes = (
        f'<e:ResponseCode xmlns:e="{ERRORS}">ErrorServerBusy</e:ResponseCode><e:Message xmlns:e="{ERRORS}">Busy.</e:Message>'
    )
    return soap(
        f"<s:Fault><faultcode>a:ErrorServerBusy</faultcode><faultstring>Busy.</faultstring><detail>{codes}{value}</detail></s:Fault>",
        500,
    )


def fine(text: str) -> str:
    return f"<m:ResponseCode>NoError</m:ResponseCode>{text}"


def error(code: str, words: str) -> str:
    rest = f"<m:ResponseCode>{code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>"
    return f"<m:MessageText>{words}</m:MessageText>{rest}"


def folder_xml(folder: Folder, mails: int) -> str:
    name = quoteattr(folder.name)[1:-1]
    return (
        f'<t:Folder><t:FolderId Id="{folder.id}" ChangeKey="A"/><t:DisplayName>{name}</t:DisplayName>'
        f"<t:TotalCount>{mails}</t:TotalCount></t:Folder>"
    )


def item_id(mail: Mail) -> str:
    return f'<t:ItemId Id="{mail.id}" ChangeKey="C{mail.changed}"/>'


def change_xml(what: Any, since: int) -> str:
    if isinstance(what, str):
        return f'<t:Delete><t:ItemId Id="{what}" ChangeKey="x"/></t:Delete>'
    tag = "Create" if what.came > since else "Update"
    fields = f"<t:Size>{len(what.octets)}</t:Size><t:DateTimeReceived>{what.received}</t:DateTimeReceived>"
    return f"<t:{tag}><t:Message>{item_id(what)}{fields}</t:Message></t:{tag}>"


@pytest.fixture
def ews(authority: tuple[trustme.CA, Path], issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[EwsServer]:
    """An Exchange server that no other test has."""
    (issuer.folder / "ntlm").write_text(ACCOUNT.replace("\\", ":") + f":{PASSWORD}\n")
    monkeypatch.setenv("NTLM_USER_FILE", str(issuer.folder / "ntlm"))
    with closing(EwsServer(authority, issuer)) as running:
        yield running

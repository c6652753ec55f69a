"""The tree of MIME parts → what a person wrote, what is passed on, what is attached, what stays closed. Never raises."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from triaged.ingest import calendar, charset, headers, htmltext, plaintext
from triaged.ingest.parts import Part
from triaged.message import Attachment, Invitation

TEXT_OCTETS: Final = 2_000_000  # of all text parts together
_ATTACHMENTS: Final = 500
_REPORTS: Final = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/disposition-notification", "text/rfc822-headers"}
    | {"message/global-disposition-notification", "message/feedback-report", "message/global-headers", "message/rfc822-headers"}
)
_ENCLOSED: Final = frozenset({"message/rfc822", "message/global", "message/news"})
_SIGNATURES: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-keys"}
)
_SMIME: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_TNEF: Final = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_CALENDAR: Final = frozenset({"text/calendar", "application/ics", "text/x-vcalendar"})
_PGP: Final = "it is encrypted (PGP)"
_ENCRYPTED: Final = "it is encrypted"
_ENCRYPTED_SMIME: Final = "it is encrypted (S/MIME)"
_OPAQUE_SMIME: Final = "it is signed with S/MIME in a form that hides its text"
_PACKED: Final = "what it holds is packed in winmail.dat (Outlook's own format)"
CLOSED: Final = frozenset({_PGP, _ENCRYPTED, _ENCRYPTED_SMIME, _OPAQUE_SMIME, _PACKED})  # somebody wrote; we cannot read it
_SHOWN_FIELDS: Final = ("from", "to", "cc", "date", "subject", "message-id")
_META: Final = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w:.-]{2,40})", re.IGNORECASE)
_IS_HTML: Final = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_TOO_SHORT: Final = 40
_MUCH_LONGER: Final = 5


@dataclass(slots=True)
class Body:
    """What was found so far while walking through the parts."""

    texts: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)  # enclosed mails with their header lines, and reports
    forwarded: list[str] = field(default_factory=list)  # the texts alone of enclosed mails
    attachments: list[Attachment] = field(default_factory=list)
    invitation: Invitation | None = None
    event: str = ""  # what the invitation says, in words
    closed: str = ""  # why a part cannot be read: encrypted, packed
    notes: list[str] = field(default_factory=list)
    octets_left: int = TEXT_OCTETS

    @property
    def text(self) -> str:
        """All that stands before the reader, in order."""
        return "\n\n".join(text for text in (one.strip("\n") for one in self.texts) if text)

    def note(self, what: str) -> None:
        """Keep a remark once."""
        if what and what not in self.notes:
            self.notes.append(what)


def gather(root: Part) -> Body:
    """Walk through a mail's parts."""
    body = Body()
    _take(root, body)
    if not body.text.strip():
        _take_attached_text(root, body)
    return body


def _take(part: Part, body: Body) -> None:
    kind = part.media_type
    if part.children and kind.startswith("multipart/"):
        _MULTIPARTS.get(kind, _take_all)(part, body)
    elif kind in _ENCLOSED and part.children:
        _enclosed(part, body)
    elif kind in _REPORTS:
        body.quoted.append(_decoded(part, body))
        _attach(part, body)
    elif kind in _CALENDAR:
        _calendar(part, body)
    elif kind in _SMIME:
        signed = part.content["smime-type"].lower() == "signed-data"
        body.closed = _OPAQUE_SMIME if signed else _ENCRYPTED_SMIME
        _attach(part, body)
    elif kind in _TNEF or part.filename.lower() == "winmail.dat":
        body.closed = _PACKED
        _attach(part, body)
    elif kind == "application/pgp-encrypted":
        body.closed = _PGP
    elif _is_text(part):
        _text(part, body)
    elif kind not in _SIGNATURES:
        _attach(part, body)


def _is_text(part: Part) -> bool:
    """Tell whether a part stands before the reader, and is not a file."""
    if part.media_type.startswith("multipart/"):
        return True  # its parts could not be told apart
    if part.media_type not in ("text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"):
        return False
    return not part.filename and part.disposition.value != "attachment"


def _take_all(part: Part, body: Body) -> None:
    for child in part.children:
        _take(child, body)


def _alternative(part: Part, body: Body) -> None:
    """Take the plain text unless it is empty or a stub, else the richest that can be read (RFC 2046 §5.1.4)."""
    plain = next((child for child in part.children if child.media_type == "text/plain" and _is_text(child)), None)
    others = [child for child in part.children if child is not plain]
    said = _decoded(plain, body) if plain else ""
    if plain and not _prefers_html(said, others, body):
        body.texts.append(said)
        for other in others:
            _take_files(other, body)
        return
    before = len(body.texts)
    for other in reversed(others):
        _take(other, body) if len(body.texts) == before else _take_files(other, body)
    if len(body.texts) == before or not "".join(body.texts[before:]).strip():
        body.texts.append(said)


def _prefers_html(plain: str, others: list[Part], body: Body) -> bool:
    if plaintext.is_stub(plain):
        return True
    if len(plain.strip()) >= _TOO_SHORT:
        return False
    html = next((one for other in others for one in other.walk() if one.media_type == "text/html"), None)
    return html is not None and len(_decoded(html, body).strip()) > _MUCH_LONGER * len(plain.strip())


def _take_files(part: Part, body: Body) -> None:
    """Take what is not text from a branch whose text is not read: images, the calendar twin of an invitation."""
    for one in part.walk():
        if not one.children and not _is_text(one):
            _take(one, body)


def _related(part: Part, body: Body) -> None:
    """Take the root part; the rest are images and the like (RFC 2387)."""
    start = part.content["start"]
    root = next((child for child in part.children if start and child.value("content-id").strip() == start), part.children[0])
    _take(root, body)
    for child in part.children:
        if child is not root:
            _take_files(child, body)


def _encrypted(part: Part, body: Body) -> None:
    body.closed = _PGP if "pgp" in part.content["protocol"].lower() else _ENCRYPTED
    for child in part.children:
        _attach(child, body)


_MULTIPARTS: Final[dict[str, Callable[[Part, Body], None]]] = {
    "multipart/alternative": _alternative,
    "multipart/related": _related,
    "multipart/encrypted": _encrypted,
}


def _text(part: Part, body: Body) -> None:
    text = _decoded(part, body)
    if "-----BEGIN PGP MESSAGE-----" in text:
        body.closed = _PGP
        return
    if part.media_type == "text/html" and body.texts and _same_words(text, body.text):
        return  # plain and HTML twins side by side, without multipart/alternative
    body.texts.append(text)


def _same_words(one: str, other: str) -> bool:
    return one.split()[:200] == other.split()[:200]


def _decoded(part: Part, body: Body) -> str:
    """Return a text part as plain text, as far as the whole mail's limit allows."""
    octets = part.body(body.octets_left + 1)
    if len(octets) > body.octets_left:
        body.note(f"only the first {TEXT_OCTETS // 1_000_000} MB of text were read")
        octets = octets[: body.octets_left]
    body.octets_left -= len(octets)
    named = part.content["charset"]
    if not named and part.media_type == "text/html" and (meta := _META.search(octets, 0, 4_096)):
        named = meta[1].decode("ascii", "replace")
    text, odd = charset.decode(octets, named)
    body.note(odd)
    text, odd = plaintext.clean(text)
    body.note(odd)
    if part.media_type in ("text/html", "text/enriched", "text/richtext") or _IS_HTML.match(text):
        return htmltext.to_text(text)
    if part.content["format"].lower() == "flowed":
        return plaintext.unflow(text, delete_space=part.content["delsp"].lower() == "yes")
    return text


def _enclosed(part: Part, body: Body) -> None:
    """Read a mail that is attached: header lines and text are quoted, its files are listed."""
    inner = part.children[0]
    found = Body(octets_left=body.octets_left)
    _take(inner, found)
    body.octets_left = found.octets_left
    shown = []
    for name in _SHOWN_FIELDS:
        octets = next((value for key, value in inner.fields if key == name), None)
        if octets is not None:
            shown.append(f"{name.title().replace('Id', 'ID')}: {headers.text(octets, body.note, name)}")
    body.quoted.append("\n".join([*shown, "", found.text, *found.quoted]).strip("\n"))
    body.forwarded += [found.text] if found.text.strip() else found.forwarded
    _attach(part, body)
    for attachment in found.attachments:
        if attachment.content_type not in _REPORTS and len(body.attachments) < _ATTACHMENTS:
            body.attachments.append(attachment)
    for note in found.notes:
        body.note(note)
    body.closed = body.closed or found.closed


def _calendar(part: Part, body: Body) -> None:
    event, description = calendar.invitation(_decoded(part, body))
    if event and body.invitation is None:
        body.invitation, body.event = event, calendar.as_text(event, description)
    if part.filename or part.disposition.value == "attachment":
        _attach(part, body)


def _attach(part: Part, body: Body) -> None:
    if len(body.attachments) < _ATTACHMENTS:
        body.attachments.append(Attachment(part.filename, part.media_type, part.size_octets))
    else:
        body.note(f"more than {_ATTACHMENTS} attachments: the rest is not listed")


def _take_attached_text(root: Part, body: Body) -> None:
    """Read a letter that came as a file: text messages sent as mail, and some telephones, do so."""
    for part in root.walk():
        inline = part.disposition.value != "attachment" and part.media_type in ("text/plain", "text/html")
        if inline and not part.children and part.filename and (text := _decoded(part, body)).strip():
            body.texts.append(text)
            body.note(f"the text was read from the attached file {part.filename}")
            return

"""The octets of one mail → `Message`. Reads whatever comes and never raises: what cannot be read says why.

Received octets are the truth and are never rewritten (RFC 7103 §4). Limits: `parts` and `headers`.
"""

import re
from typing import Final

from triaged.ingest import form, headers, parts, reply
from triaged.ingest.body import Body, gather
from triaged.ingest.mail_words import every
from triaged.message import Address, Message

_NOTES: Final = 30
_FORWARD: Final = re.compile(
    rf"(?:(?:re|aw|sv|ref|rép)\s*:\s*)*[\[(]?(?:{'|'.join(re.escape(prefix) for prefix in every('prefix'))})\s*[:：]",
    re.IGNORECASE,
)


def read(octets: bytes) -> Message:
    """Read one mail.

    Args:
        octets: The mail as it came, at most some 50 MB.

    Returns:
        The message; when no person's text could be had `unreadable` says why, and the headers are kept as far as they go.
    """
    root, findings = parts.take_apart(octets)
    body = gather(root)
    for odd in findings.odd:
        body.note(odd)
    raw: dict[str, list[str]] = {}
    for name, value in root.fields:
        raw.setdefault(name, []).append(headers.raw_text(value, body.note, name))
    decoded = {name: tuple(headers.one_line(headers.decode_words(one)) for one in values) for name, values in raw.items()}
    subject = " ".join(one for one in decoded.get("subject", ()) if one)
    people = {name: headers.addresses(", ".join(raw.get(name, ())), body.note) for name in ("to", "cc", "reply-to")}
    if body.closed and body.text.strip():
        body.note(f"of one part, {body.closed}")
    said, fields = _letter(body, forwarding=_FORWARD.match(subject) is not None)
    for name in ("from", "subject"):
        if len(raw.get(name, ())) > 1:
            body.note(f"{len(raw[name])} {name.title()} fields")  # RFC 7103 §7.5.1
    return Message(
        headers=decoded,
        header_names=tuple(name for name, _ in root.fields),
        message_id=next(iter(headers.message_ids(_first(raw, "message-id"))), ""),
        in_reply_to=headers.message_ids(_first(raw, "in-reply-to")),
        references=headers.message_ids(_first(raw, "references")),
        sender=_sender(raw, body),
        reply_to=people["reply-to"],
        return_path=headers.return_path(raw["return-path"][0]) if "return-path" in raw else None,
        to=people["to"],
        cc=people["cc"],
        subject=subject,
        date=headers.date(_first(raw, "date")),
        text=said.text,
        quoted="\n\n".join(one for one in (said.quoted, *body.quoted) if one.strip()),
        signature=said.signature,
        attachments=tuple(body.attachments),
        form=fields,
        invitation=body.invitation,
        notes=tuple([*body.notes, *([said.note] if said.note else [])][:_NOTES]),
        unreadable=_unreadable(root, findings, body, said.text or subject),
    )


def _first(raw: dict[str, list[str]], name: str) -> str:
    return raw[name][0] if name in raw else ""


def _sender(raw: dict[str, list[str]], body: Body) -> Address:
    written = _first(raw, "from")
    found = headers.addresses(written, body.note)
    if found:
        return found[0]
    if written:
        body.note("From names no address")
    return Address(headers.one_line(headers.decode_words(written))[:200], "")


def _letter(body: Body, *, forwarding: bool) -> tuple[reply.Split, form.Fields]:
    """Find what the writer says: a form's free text, the text above a quotation, else the mail that is passed on."""
    text = body.text
    fields = form.fields(text)
    letter = form.letter(fields)
    if letter.strip():
        return reply.split(letter), fields
    if not text.strip() and body.event:
        return reply.Split(body.event), fields
    said = reply.split(text, forwarding=forwarding)
    passed_on = "\n\n".join(body.forwarded).strip("\n")
    if passed_on and (not reply.says_something([said.text]) or reply.is_covering_note(said.text)):
        inner = reply.split(passed_on)
        return reply.Split(_lines(said.text, inner.text), said.quoted, said.signature, reply.PASSED_ON), fields
    return said, fields


def _lines(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def _unreadable(root: parts.Part, findings: parts.Findings, body: Body, readable: str) -> str:
    if root.start == root.end and not root.fields:
        return "the mail is empty"
    if findings.too_many:
        return f"it has more than {parts.PARTS:,} parts"
    if findings.too_deep:
        return f"its parts are nested more than {parts.DEPTH} deep"
    if findings.header_cut:
        return f"its header is longer than {parts.HEADER_OCTETS // 1000} KB"
    if body.text.strip() or body.forwarded:
        return ""
    if body.closed:
        return body.closed
    if any("binary" in note for note in body.notes):
        return "it holds no text that can be read, only binary octets"
    return "" if readable or body.attachments or body.invitation else "it holds no text, no subject and no attachment"

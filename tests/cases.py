"""Cases to hand off and acknowledge, for the tests of mail going out."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from triaged.message import Address, Attachment, Delivery, Flag, Kind, Message, Notice, Reason, Record, Status, Urgency
from triaged.route.handoff import Case, Labeller, Letterhead, Means, Mover
from triaged.route.sender import Sender
from triaged.signing import Signer

NOW = datetime(2026, 11, 23, 14, 3, tzinfo=UTC)
SIGNER = Signer(b"k" * 32, "example.gov")
LETTERHEAD = Letterhead("correspondence@example.gov", SIGNER, UTC, {"housing.heat": "No heat or hot water at home"})
LETTER = (
    b"Return-Path: <writer@example.org>\r\nFrom: Ana <writer@example.org>\r\nTo: mayor@example.gov\r\n"
    b"Subject: No heat\r\nMessage-ID: <letter@example.org>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nX-\xc3\xa4: odd\r\n\r\n"
    b"No tenemos calefacci\xc3\xb3n.\r\n.\r\n..\r\nFrom here on\r\n\r\nAna"
)


def a_case(raw: bytes = LETTER, message: Message | None = None, **changes: Any) -> Case:
    """Return a case; keywords replace what its record says."""
    known: dict[str, Any] = {
        "reference": "MAY-2026-000123",
        "mailbox": "mayor",
        "message_id": "<letter@example.org>",
        "received_at": NOW,
        "sender": Address("Ana Pérez", "writer@example.org"),
        "subject": "No heat",
        "kind": Kind.LETTER,
        "language": "es",
        "topic": "housing.heat",
        "confidence": 0.93,
        "alternatives": (),
        "urgency": Urgency.HIGH,
        "flags": (Flag("child", ("newborn", "bebé")),),
        "campaign": None,
        "departments": ("housing",),
        "status": Status.ROUTED,
        "reasons": (Reason("rule", "Heat", "any_text has “calefacción”", "rules.yaml:41"),),
        "due": date(2026, 12, 1),
        "related": ("LEA-2026-000007",),
        "excerpt": "No tenemos calefacción.",
    }
    record = Record(**(known | changes))
    usual = Message(
        message_id=record.message_id,
        references=("<first@example.org>",),
        sender=record.sender,
        subject=record.subject,
        text="No tenemos calefacción.\nAna",
        attachments=(Attachment("photo.jpg", "image/jpeg", 120_000),),
    )
    return Case(record, message or usual, raw, "Office of the Mayor", uid="17", notice=Notice("Your answer", "1K: closed"))


def a_delivery(kind: str = "forward", to: str = "housing@example.gov", template: str = "") -> Delivery:
    """Return a delivery under its own Message-ID."""
    key = f"{kind}:test:{to}"
    return Delivery(kind, to, key, SIGNER.message_id(key), "housing", template)


def no_move(mailbox: str, uid: str, folder: str) -> bool:
    """Move nothing."""
    return False


def no_mark(mailbox: str, uid: str, labels: Sequence[str]) -> None:
    """Label nothing."""


def means(
    sender: Sender,
    move: Mover = no_move,
    languages: tuple[str, ...] = ("en", "es"),
    templates: Path | None = None,
    envelope: str = "bounces@example.gov",
    mark: Labeller = no_mark,
) -> Means:
    """Return what the kinds work with."""
    return Means(sender, LETTERHEAD, envelope, lambda: NOW, move, mark, languages, "+1 212 555 0100", templates)

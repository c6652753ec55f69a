"""A hand-off as a mail: what a clerk needs as text, the original attached, answers going to the writer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from triaged.message import LOOP_HEADER, Address, Delivery, Urgency
from triaged.route import header
from triaged.route.handoff import Case, Letterhead
from triaged.route.part import Part, multipart, original_part, text_part
from triaged.route.sender import Accepts
from triaged.route.summary import size, summary
from triaged.signing import Signer

DELIVERY_HEADER: Final = "X-Triaged-Delivery"  # the Message-ID again: Graph and some relays replace Message-ID
USUAL_LIMIT: Final = 10_240_000  # octets; Postfix's default, for a peer that names none
_SUBJECT_CHARACTERS: Final = 200
_REPLY_ADDRESSES: Final = 5
_MARK: Final = {Urgency.CRITICAL: "CRITICAL: ", Urgency.HIGH: "URGENT: "}


def handoff(case: Case, delivery: Delivery, letterhead: Letterhead, accepts: Accepts, written_at: datetime) -> bytes:
    """Compose a hand-off to a department.

    It carries no Auto-Submitted, Precedence or List- field: ticket systems mute such mail. Its From is ours and not the
    writer's, whom DMARC would not let us speak for (RFC 7960).

    Args:
        case: What it is about.
        delivery: To whom, and under which Message-ID.
        letterhead: What is the same in every mail.
        accepts: What the peer takes: above its size the original stays out.
        written_at: For Date.

    Raises:
        HeaderError: An address of the department, or our own, is none.
    """
    raw, reference = case.raw, case.record.reference
    reply_to = answer_addresses(case)
    top = _header(case, delivery, letterhead, reply_to, written_at)

    def mail(missing: str) -> bytes:
        parts = [text_part(summary(case, reply_to, letterhead.topics, letterhead.zone, missing))]
        if not missing:
            parts.append(original_part(raw, reference, eight_bit=accepts.eight_bit))
        return assemble(top, multipart("mixed", parts, delivery.message_id))

    if not raw:
        why = f": {case.fault}" if case.fault else ""
        return mail(f"The original could not be kept whole, so it is not attached{why}.")
    limit = accepts.max_octets or USUAL_LIMIT
    if len(raw) <= limit:
        whole = mail("")
        if len(whole) <= limit:
            return whole
    return mail(
        f"The original ({size(len(raw))}) is too large to be mailed. The office keeps it whole under {reference}; "
        "ask for it there by this reference."
    )


def answer_addresses(case: Case) -> tuple[Address, ...]:
    """Return where an answer to the writer goes (RFC 5322 §3.6.2): Reply-To, else From; only what any server can take."""
    wanted: Sequence[Address] = case.message.reply_to or (case.record.sender,)
    found = [Address(header.one_line(one.name, 100), header.addr_spec(one.address)) for one in wanted[:_REPLY_ADDRESSES]]
    if not any(one.address for one in found) and case.message.reply_to:
        sender = case.record.sender
        found = [Address(header.one_line(sender.name, 100), header.addr_spec(sender.address))]
    return tuple(one for one in found if one.address and one.address.isascii())


def subject(case: Case) -> str:
    """Return the subject: the reference, a mark when it is urgent, what the writer put there."""
    record = case.record
    written = header.one_line(record.subject.replace(f"[{record.reference}]", ""), _SUBJECT_CHARACTERS)
    return f"[{record.reference}] {_MARK.get(record.urgency, '')}{written or '(no subject)'}"


def assemble(top: bytes, content: Part) -> bytes:
    """Return a whole mail: its own fields, then those of its content."""
    return top + header.token("MIME-Version", "1.0") + content.octets


def identity(delivery: Delivery, reference: str, signer: Signer, written_at: datetime) -> bytes:
    """Write the fields by which a mail of ours is known again wherever it turns up."""
    return b"".join(
        (
            header.date(written_at),
            header.message_ids("Message-ID", [delivery.message_id]),
            header.token(LOOP_HEADER, signer.loop_header(reference)),
            header.message_ids(DELIVERY_HEADER, [delivery.message_id]),
        )
    )


def _header(
    case: Case, delivery: Delivery, letterhead: Letterhead, reply_to: tuple[Address, ...], written_at: datetime
) -> bytes:
    to = [Address("", address.strip()) for address in delivery.to.split(",")]
    fields = [
        header.addresses("From", [Address(header.one_line(case.office, 100), letterhead.address)]),
        header.addresses("To", to),
        header.addresses("Reply-To", reply_to) if reply_to else b"",
        header.text("Subject", subject(case)),
        identity(delivery, case.record.reference, letterhead.signer, written_at),
        header.token("Importance", "high") if case.record.urgency in _MARK else b"",
    ]
    return b"".join(fields)

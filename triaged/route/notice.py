"""Kind "notice": a receipt, a warning or an alert to a reviewer. Its text was kept with the decision that caused it."""

from collections.abc import Callable
from datetime import datetime

from triaged.message import Address, Delivery, Notice, Outcome, State
from triaged.route import header
from triaged.route.compose import assemble, identity
from triaged.route.handoff import Case, Handoff, Letterhead, Means
from triaged.route.header import HeaderError
from triaged.route.part import multipart, text_part
from triaged.route.sender import Envelope, Sender, post

_SUBJECT_CHARACTERS = 200


class NoticeMail:
    """Mails notices. No machine answers them: a receipt has the null reverse-path (RFC 3834 §3.3)."""

    def __init__(self, sender: Sender, letterhead: Letterhead, envelope: str, clock: Callable[[], datetime]) -> None:
        self._sender = sender
        self._letterhead = letterhead
        self._envelope = envelope
        self._clock = clock

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Mail the notice."""
        if case.notice is None:
            return Outcome(State.FAILED, "its text was not kept")
        try:
            octets = _mail(case.notice, delivery, case, self._letterhead, self._clock())
        except HeaderError as error:
            return Outcome(State.FAILED, f"the mail could not be written: {error}")
        envelope = "" if case.notice.answers else self._envelope
        return post(self._sender, Envelope(envelope, (delivery.to,), octets, notify_never=bool(case.notice.answers)))


def _mail(notice: Notice, delivery: Delivery, case: Case, letterhead: Letterhead, written_at: datetime) -> bytes:
    answers = [notice.answers] if header.is_message_id(notice.answers) else []
    top = b"".join(
        (
            header.addresses("From", [Address(header.one_line(case.office, 100), letterhead.address)]),
            header.addresses("To", [Address("", delivery.to)]),
            header.addresses("Reply-To", [Address("", notice.reply_to)]) if notice.reply_to else b"",
            header.text("Subject", header.one_line(notice.subject, _SUBJECT_CHARACTERS)),
            identity(delivery, case.record.reference, letterhead.signer, written_at),
            header.message_ids("In-Reply-To", answers) + header.message_ids("References", answers) if answers else b"",
            header.token("Auto-Submitted", "auto-replied" if notice.answers else "auto-generated"),  # RFC 3834 §5
            header.token("X-Auto-Response-Suppress", "All"),
        )
    )
    text = text_part(notice.text)
    if not notice.html:
        return assemble(top, text)
    return assemble(top, multipart("alternative", [text, text_part(notice.html, "html")], delivery.message_id))


def open_handoff(means: Means) -> Handoff:
    """Open the kind."""
    return NoticeMail(means.sender, means.letterhead, means.envelope, means.clock)

"""Kind "acknowledge": the automatic first reply to a writer, as RFC 3834 wants a personal responder to behave."""

import html
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from triaged.message import Address, Delivery, Outcome, State
from triaged.route import header
from triaged.route.compose import assemble, identity
from triaged.route.handoff import Addition, Case, Handoff, Letterhead, Means
from triaged.route.header import HeaderError
from triaged.route.part import multipart, text_part
from triaged.route.sender import Envelope, Sender, post
from triaged.route.wording import Facts, Wording, WordingError, Wordings

DRAFT: Final = "This is a draft translation. The text above is the one that counts."
_RULE: Final = "\n\n" + "—" * 20 + "\n\n"
_REFERENCES: Final = 20


class Acknowledge:
    """Mails writers their reference and the date of the answer, and nothing that they wrote."""

    def __init__(
        self,
        sender: Sender,
        letterhead: Letterhead,
        wordings: Wordings,
        phone: str,
        clock: Callable[[], datetime],
        additions: Sequence[Addition] = (),
    ) -> None:
        self._sender = sender
        self._letterhead = letterhead
        self._wordings = wordings
        self._phone = phone
        self._clock = clock
        self._additions = additions

    def deliver(self, delivery: Delivery, case: Case) -> Outcome:
        """Mail the acknowledgement, from the null reverse-path and without a request for reports (RFC 3834 §3.3)."""
        today = self._clock().astimezone(self._letterhead.zone).date()
        added = tuple(each.texts for each in self._additions if each.fits(case.record, today))
        facts = Facts(case.record.reference, header.one_line(case.office, 100), case.record.due, self._phone, added)
        try:
            wordings = self._wordings.choose(case.record.language, facts, delivery.template)
            octets = acknowledgement(case, delivery, self._letterhead, wordings, self._clock())
        except (WordingError, HeaderError) as error:
            return Outcome(State.FAILED, f"the acknowledgement could not be written: {error}")
        return post(self._sender, Envelope("", (delivery.to,), octets, notify_never=True))


def acknowledgement(
    case: Case, delivery: Delivery, letterhead: Letterhead, wordings: tuple[Wording, ...], written_at: datetime
) -> bytes:
    """Compose an acknowledgement: the same words as text and as HTML, 7-bit throughout.

    Its subject repeats nothing of the writer's, so that nobody can have us mail their words to a forged address.

    Raises:
        HeaderError: The writer's address, or our own, is none.
    """
    reference = case.record.reference
    subject = f"{' / '.join(header.one_line(wording.subject, 100) for wording in wordings)} [{reference}]"
    languages = ", ".join(wording.language for wording in wordings)
    top = b"".join(
        (
            header.addresses("From", [Address(header.one_line(case.office, 100), letterhead.address)]),
            header.addresses("To", [Address("", delivery.to)]),
            header.text("Subject", subject),
            identity(delivery, reference, letterhead.signer, written_at),
            _thread(case),
            header.token("Auto-Submitted", "auto-replied"),  # RFC 3834 §5
            header.token("X-Auto-Response-Suppress", "All"),  # the same for Exchange
            header.token("Content-Language", languages),
        )
    )
    parts = [text_part(as_text(wordings)), text_part(as_html(wordings, subject), "html")]
    return assemble(top, multipart("alternative", parts, delivery.message_id))


def as_text(wordings: tuple[Wording, ...]) -> str:
    """Return the plain text: the first wording, and a second one marked as a draft."""
    return _RULE.join("\n\n".join((*_draft_mark(wording, wordings), wording.text)) for wording in wordings) + "\n"


def as_html(wordings: tuple[Wording, ...], title: str) -> str:
    """Return the same words as HTML, each language with its direction; nothing is loaded from anywhere."""
    blocks = "<hr>\n".join(_block(wording, _draft_mark(wording, wordings)) for wording in wordings)
    first = wordings[0]
    return (
        f'<!DOCTYPE html>\n<html lang="{html.escape(first.language)}" dir="{first.direction}">\n'
        f'<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n<body>\n{blocks}</body>\n</html>\n'
    )


def _draft_mark(wording: Wording, wordings: tuple[Wording, ...]) -> tuple[str, ...]:
    """The office vouches for the first text only; a reader of either language is told so."""
    if wording is wordings[0]:
        return ()
    return tuple(dict.fromkeys(mark for mark in (wording.draft, DRAFT) if mark))


def _block(wording: Wording, marks: tuple[str, ...]) -> str:
    marked = "".join(f"<p><em>{html.escape(mark)}</em></p>\n" for mark in marks)
    paragraphs = "".join(f"<p>{_isolated(html.escape(text))}</p>\n" for text in wording.text.split("\n\n"))
    return f'<div lang="{html.escape(wording.language)}" dir="{wording.direction}">\n{marked}{paragraphs}</div>\n'


def _isolated(text: str) -> str:
    return text.replace("\n", "<br>\n").replace("\u2068", "<bdi>").replace("\u2069", "</bdi>")


def _thread(case: Case) -> bytes:
    """RFC 3834 §3.1.5, RFC 5322 §3.6.4: the writer's mail program shows the reply below the letter."""
    theirs = case.message.message_id
    if not header.is_message_id(theirs):
        return b""
    earlier = [known for known in case.message.references if header.is_message_id(known) and known != theirs]
    references = header.message_ids("References", [*earlier[-_REFERENCES:], theirs])
    return header.message_ids("In-Reply-To", [theirs]) + references


def open_handoff(means: Means) -> Handoff:
    """Open the kind."""
    wordings = Wordings(means.languages, means.templates)
    return Acknowledge(means.sender, means.letterhead, wordings, means.phone, means.clock, means.additions)

"""What is no letter: our own mail, bounces, automatic answers, lists, spam. First match wins, all of it is kept.

A wrong "not a letter" loses a citizen, so every sign is one that machines set: header fields, the envelope sender, a report's
structure. Only the mail's own fields count, never those of mails attached to it.

Sources: RFC 3834, 3464, 5965, 8098, 2919, 2369.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from triaged.ingest import authentication, bounce, responder, spam
from triaged.ingest.body import CLOSED
from triaged.ingest.form import writer_of_form
from triaged.message import LOOP_HEADER, Address, Kind, Message, Reason, Screening

__all__ = ["Trust", "screen", "writer_of_form"]

HOPS: Final = 50  # Postfix's hopcount_limit


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom and what the screening of one mailbox's mail may believe. Addresses are in lower case.

    Attributes:
        own_addresses: Addresses that we send from.
        mailbox_addresses: Addresses that this mailbox receives for; empty: unknown, not checked.
        authserv_id: Our server's name in Authentication-Results; empty: no such field is believed.
        webforms: Senders of web forms: the writer is whom the form's fields name.
        reviewers: People who answer our digests.
        is_own_loop_header: Tells whether we wrote a loop header's value.
        is_own_message_id: Tells whether a Message-ID is one of ours.
    """

    own_addresses: frozenset[str] = frozenset()
    mailbox_addresses: frozenset[str] = frozenset()
    authserv_id: str = ""
    webforms: frozenset[str] = frozenset()
    reviewers: frozenset[str] = frozenset()
    is_own_loop_header: Callable[[str], bool] = _never
    is_own_message_id: Callable[[str], bool] = _never


@dataclass(frozen=True, slots=True)
class _Finding:
    kind: Kind
    name: str
    because: str
    must_review: str = ""


def screen(message: Message, trust: Trust) -> Screening:
    """Say what kind of mail it is, whether and where an acknowledgement may go, and why.

    Args:
        message: The mail.
        trust: Whom and what may be believed.
    """
    verdicts = authentication.verdicts(message, trust.authserv_id)
    for check in _CHECKS:
        finding = check(message, trust)
        if finding:
            return _no_letter(message, finding)
    return _letter(message, trust, verdicts)


def _no_letter(message: Message, finding: _Finding) -> Screening:
    reasons = [Reason("screen", finding.name, finding.because)]
    bounced: tuple[str, ...] = ()
    if finding.kind is Kind.BOUNCE:
        if bounce.is_final(message):
            bounced = bounce.named(message)
        else:
            reasons.append(Reason("screen", "delay", "it only warns, or reports success: the mail has not failed"))
    return Screening(finding.kind, False, tuple(reasons), must_review=finding.must_review, bounced=bounced)


def _letter(message: Message, trust: Trust, verdicts: authentication.Verdicts) -> Screening:
    if message.unreadable:
        kind = Kind.LETTER if message.unreadable in CLOSED else Kind.UNREADABLE
        because = f"it cannot be read: {message.unreadable}"
        return Screening(kind, False, (Reason("screen", "unreadable", because),), must_review=because)
    writer = writer_of_form(message) if _is_webform(message, trust) else None
    reasons: list[Reason] = []
    if writer:
        reasons.append(Reason("screen", "web form", f"a form of ours: its fields name {writer.address} as the writer"))
    must_review = _doubt(message, verdicts)
    if must_review:
        reasons.append(Reason("screen", "doubt", must_review))
    to, against = _acknowledgement(message, trust, verdicts, writer)
    if must_review:
        against.append(Reason("screen", "doubt", "no acknowledgement: a person must look first"))
    may = not against
    return Screening(Kind.LETTER, may, (*reasons, *against), acknowledge_to=to if may else "", must_review=must_review)


def _doubt(message: Message, verdicts: authentication.Verdicts) -> str:
    if verdicts.dmarc == "fail":
        return f"our server says that From ({message.sender.address}) may be forged (DMARC failed)"
    if len(message.headers.get("from", ())) > 1:  # RFC 7103 §7.5.1
        return "it has more than one From field: who wrote it is unclear"
    mark = spam.mark(message)
    return f"it carries a spam mark ({mark}) that may be ours or another server's" if mark else ""


def _acknowledgement(
    message: Message, trust: Trust, verdicts: authentication.Verdicts, writer: Address | None
) -> tuple[str, list[Reason]]:
    against = responder.refusals(message, frozenset() if writer else trust.mailbox_addresses)
    if writer:  # forms are sent by machines: what their fields say is about the machine
        against = [reason for reason in against if reason.name == "from"]
    to, unanswerable = responder.destination(message, verdicts, writer)
    if to.lower() in trust.own_addresses | trust.mailbox_addresses | trust.webforms:
        unanswerable.append(Reason("screen", "address", f"no acknowledgement: {to} is our own address"))
    return to, against + unanswerable


def _is_webform(message: Message, trust: Trust) -> bool:
    return message.sender.address.lower() in trust.webforms and bool(message.form)


def _own(message: Message, trust: Trust) -> _Finding | None:
    if any(trust.is_own_loop_header(value) for value in message.headers.get(LOOP_HEADER.lower(), ())):
        return _Finding(Kind.OWN, "loop header", "it carries our own signed loop header")
    if message.message_id and trust.is_own_message_id(message.message_id):
        return _Finding(Kind.OWN, "message-id", "its Message-ID is one of ours")
    if message.sender.address.lower() in trust.own_addresses and message.sender.address.lower() not in trust.webforms:
        review = "it comes from our own address and looks like a web form: name its sender as one" if message.form else ""
        return _Finding(Kind.OWN, "from", f"it comes from our own address {message.sender.address}", review)
    return None


def _loop(message: Message, _: Trust) -> _Finding | None:
    hops = len(message.headers.get("received", ()))
    if hops <= HOPS:
        return None
    because = f"it went through {hops} servers: it goes round in circles"
    return _Finding(Kind.OWN, "loop", because, must_review=because)


def _bounce(message: Message, trust: Trust) -> _Finding | None:
    if _is_webform(message, trust):
        return None
    signs = bounce.bounce_signs(message)
    return _Finding(Kind.BOUNCE, "bounce", signs) if signs else None


def _automatic(message: Message, trust: Trust) -> _Finding | None:
    if bounce.is_receipt(message):
        return _Finding(Kind.AUTO_REPLY, "receipt", "it is a receipt (RFC 8098)")
    if _is_webform(message, trust):
        return None
    submitted = auto_submitted(message.header("auto-submitted"))
    if submitted not in ("", "no"):
        return _Finding(Kind.AUTO_REPLY, "auto-submitted", f"a machine sent it (Auto-Submitted: {submitted})")
    for name in ("x-autoreply", "x-autorespond", "x-autoreply-from"):
        if message.header(name).lower() not in ("", "no"):
            return _Finding(Kind.AUTO_REPLY, name, f"a machine sent it ({name.title()})")
    if message.header("precedence").strip().lower() == "auto_reply":
        return _Finding(Kind.AUTO_REPLY, "precedence", "a machine sent it (Precedence: auto_reply)")
    if message.header("x-apple-action").upper() == "VACATION":
        return _Finding(Kind.AUTO_REPLY, "x-apple-action", "it is an out-of-office answer of iCloud")
    if message.return_path == "":
        return _Finding(Kind.AUTO_REPLY, "return-path", "its envelope names no sender: machines send so")
    return None


def auto_submitted(value: str) -> str:
    """Return the keyword of an Auto-Submitted field: first token, lower case, without comments and parameters (RFC 3834 §5)."""
    value = value[:_KEYWORD_LENGTH]
    while (bare := _COMMENT.sub(" ", value)) != value:
        value = bare
    return (value.partition(";")[0].split() or [""])[0].lower()


_KEYWORD_LENGTH: Final = 300
_COMMENT: Final = re.compile(r"\([^()]*\)")


def _answer(message: Message, trust: Trust) -> _Finding | None:
    """Know a reviewer's reply to mail of ours; whether it may decide anything, the answers' reader judges."""
    if message.sender.address.lower() not in trust.reviewers:
        return None
    if any(trust.is_own_message_id(one) for one in (*message.in_reply_to, *message.references)):
        return _Finding(Kind.ANSWER, "answer", f"reviewer {message.sender.address} answers mail of ours")
    return None


def _list(message: Message, trust: Trust) -> _Finding | None:
    if _is_webform(message, trust):
        return None
    for name, shown in (("list-id", "List-ID"), ("list-post", "List-Post")):
        if name in message.headers:
            return _Finding(Kind.LIST, name, f"it came through a mailing list ({shown})")
    if message.header("precedence").strip().lower() == "list":
        return _Finding(Kind.LIST, "precedence", "it came through a mailing list (Precedence: list)")
    return None


def _spam(message: Message, trust: Trust) -> _Finding | None:
    verdict = spam.own_verdict(message, trust.authserv_id)
    return _Finding(Kind.SPAM, "spam", f"our server's filter says spam ({verdict})") if verdict else None


_CHECKS: Final = (_own, _loop, _bounce, _automatic, _answer, _list, _spam)


def written_by(message: Message, trust: Trust) -> Address:
    """Return who writes: the form's writer where a web form of ours sends, else From."""
    return (writer_of_form(message) if _is_webform(message, trust) else None) or message.sender

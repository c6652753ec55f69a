"""Whether a mail answers a digest, and which of the two locks before an answer are open. Touches nothing.

The locks: a token that we signed for this reviewer, and a From that our own mail server proves to be that reviewer. With one
lock only nothing is applied and the reviewer is told at the address we know; with none it is no answer.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from triaged.ingest.authentication import proof_of_sender
from triaged.message import Kind, Message, Reason, Screening
from triaged.office import Office
from triaged.review.token import Finding, Keys, Token, find
from triaged.route.header import one_line

_PEOPLE: Final = frozenset({Kind.LETTER, Kind.ANSWER, Kind.LIST, Kind.SPAM, Kind.UNREADABLE})  # no machine's
_LOOKS_CODED: Final = re.compile(r"^\W{0,4}\d{1,3}\s?[A-Za-z]\b", re.MULTILINE)
_RECIPIENTS: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to")


@dataclass(frozen=True, slots=True)
class Doors:
    """Whom answers may come from, and how they are known.

    Attributes:
        keys: Sign our tokens.
        people: All who get digests, in lower case.
        reply_to: Where answers go.
        authserv_id: Our mail server's name in Authentication-Results; empty: no such field proves a From.
        auth_as: Whether Exchange's own word counts in this mailbox: see `proof_of_sender`.
    """

    keys: Keys
    people: tuple[str, ...]
    reply_to: str
    authserv_id: str
    auth_as: bool = False


def doors_of(office: Office, mailbox: str) -> Doors:
    """Return an office's doors, as they stand for the mail of a mailbox."""
    review = office.settings.review
    return Doors(office.answer_keys, review.people, review.reply_to, review.authserv_id, office.mailbox(mailbox).trust_auth_as)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A mail that answers a digest, or pretends to.

    Attributes:
        sender: From.
        token: What its token says; None without a valid one.
        refusal: Why it is not obeyed; empty when both locks are open.
        tell: Whom to tell of a refusal; empty: nobody.
        proof: What proves From.
    """

    sender: str
    token: Token | None
    refusal: str = ""
    tell: str = ""
    proof: str = ""


def recognise(message: Message, screening: Screening, doors: Doors, now: datetime) -> Attempt | None:
    """Tell whether a mail answers a digest and which of its locks are open; None when it is no answer. Touches nothing.

    A machine's mail (out-of-office, bounce, our own) never is one.
    """
    if screening.kind not in _PEOPLE:
        return None
    recipients = " ".join(value for name in _RECIPIENTS for value in message.headers.get(name, ()))
    ids = " ".join((*message.in_reply_to, *message.references[::-1]))
    places = (recipients, ids, "\n".join((message.text, message.quoted, message.signature)))
    found = find(places, doors.keys, doors.people, now)
    sender = message.sender.address.lower()
    proof = proof_of_sender(message, doors.authserv_id, auth_as=doors.auth_as)
    if found.token and not found.expired:
        return _with_token(found.token, sender, proof)
    meant = found.tried or screening.kind is Kind.ANSWER or _speaks_to_us(recipients, doors.reply_to, message)
    if sender not in doors.people or not meant:
        return None
    why = _why_no_token(found)
    if proof:
        return Attempt(sender, None, why, tell=sender, proof=proof)
    if screening.kind is Kind.ANSWER or found.expired:
        return Attempt(sender, None, f"{why}, and nothing proves its From")
    return None


def _with_token(token: Token, sender: str, proof: str) -> Attempt:
    if sender != token.reviewer:
        why = f"it has the token of {token.reviewer}'s digest and comes from {sender or 'nobody'}"
        return Attempt(sender, token, why, tell=token.reviewer, proof=proof)
    if not proof:
        why = "our mail server does not prove that its From is genuine (no DMARC, aligned DKIM or SPF pass)"
        return Attempt(sender, token, why, tell=token.reviewer)
    return Attempt(sender, token, proof=proof)


def _why_no_token(found: Finding) -> str:
    if found.expired:
        return "its digest is too old to be answered"
    return "its token is not one of ours" if found.tried else "it carries no digest's token"


def _speaks_to_us(recipients: str, reply_to: str, message: Message) -> bool:
    local, _, domain = reply_to.lower().rpartition("@")
    addressed = bool(local) and re.search(
        rf"(?<![\w.+-]){re.escape(local)}(?:\+[^@\s]*)?@{re.escape(domain)}", recipients.lower()
    )
    return bool(addressed) and _LOOKS_CODED.search(message.text[:5_000]) is not None


def as_screening(attempt: Attempt) -> Screening:
    """Return what kind of mail an answer is, with the state of its locks as the reason."""
    digest = attempt.token.digest if attempt.token else "unknown"
    because = attempt.refusal or f"{attempt.sender} answers digest {digest} ({attempt.proof})"
    name = "answer refused" if attempt.refusal else "answer"
    return Screening(Kind.ANSWER, False, (Reason("screen", name, one_line(because, 300)),))

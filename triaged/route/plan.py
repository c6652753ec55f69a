"""Decision → deliveries. Pure: what it needs to know of the past comes in as `Past`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from triaged.message import LABEL_PREFIX, Decision, Delivery, Kind, Reason, Screening, State, Status
from triaged.signing import Signer

ACKNOWLEDGED_STATUSES: Final = (Status.ROUTED, Status.REVIEW)
SAME_MATTER: Final = timedelta(days=7)  # RFC 3834 §2, RFC 5230 §4.1: the same text once in seven days
PER_WRITER: Final = 2  # acknowledgements to one address in that time: what ends a duel of two robots
# Writers of one public provider do not know each other; writers of one company's domain may be one robot.
_PUBLIC: Final = """
    gmail.com googlemail.com outlook.com hotmail.com hotmail.fr live.com msn.com yahoo.com yahoo.ca yahoo.fr aol.com
    icloud.com me.com mac.com comcast.net verizon.net att.net optonline.net rogers.com bell.net sympatico.ca
    videotron.ca gmx.com gmx.net mail.com proton.me protonmail.com mail.ru yandex.ru qq.com 163.com 126.com naver.com
    daum.net wp.pl onet.pl web.de orange.fr free.fr
"""
STATE_LABELS: Final[Mapping[Status, str]] = {
    Status.ROUTED: "handed-off",
    Status.REVIEW: "waits-for-a-person",
    Status.ANSWERED: "answered",
    Status.CLOSED: "closed",
    Status.IGNORED: "no-letter",
}
PUBLIC_PROVIDERS: Final = frozenset(_PUBLIC.split())


@dataclass(frozen=True, slots=True)
class Limits:
    """The breaker: above these, acknowledgements are held for a person; storing never stops."""

    per_hour: int = 200
    per_domain_hour: int = 20


@dataclass(frozen=True, slots=True)
class Past:
    """What the outbox tells about acknowledgements before this one."""

    same_matter: bool = False  # this mailbox acknowledged a letter of this writer on this topic within `SAME_MATTER`
    to_writer: int = 0  # all acknowledgements to this address within `SAME_MATTER`
    last_hour: int = 0
    domain_last_hour: int = 0


@dataclass(frozen=True, slots=True)
class Planning:
    """One mail, ready to be planned for.

    Attributes:
        identity: What makes its deliveries unique: mailbox and fingerprint.
        reference: Its case.
        follow_up: A later mail on a known case.
        backfill: It was there before we watched.
        processed_folder: Where handled mail moves; empty: it stays.
        answered: A person had replied to it before we came.
        labelled: Whether it gets labels in its mailbox.
    """

    identity: str
    reference: str
    screening: Screening
    decision: Decision
    follow_up: bool = False
    backfill: bool = False
    processed_folder: str = ""
    answered: bool = False
    labelled: bool = False


def plan(
    mail: Planning, addresses: Mapping[str, Sequence[str]], past: Past, limits: Limits, signer: Signer
) -> tuple[tuple[Delivery, ...], tuple[Reason, ...]]:
    """Plan what shall happen, and say why what could be expected shall not.

    Args:
        mail: The mail and its decision.
        addresses: Department id → its addresses.
        past: Earlier acknowledgements.
        limits: The breaker.
        signer: Makes Message-IDs.
    """
    deliveries = forwards(mail.identity, mail.decision, addresses, signer)
    acknowledgement, reason = _acknowledgement(mail, past, limits, signer)
    if acknowledgement:
        deliveries += (acknowledgement,)
    if not mail.backfill:
        deliveries += labels(mail.identity, mail.decision) if mail.labelled else ()
        deliveries += moves(mail.identity, mail.decision, mail.processed_folder)
    return deliveries, (reason,) if reason else ()


def forwards(identity: str, decision: Decision, addresses: Mapping[str, Sequence[str]], signer: Signer) -> tuple[Delivery, ...]:
    """Plan one hand-off an address of a department, and one a copy; none unless the decision routes.

    One mail has one recipient, so that each is judged by itself: a refused colleague is neither hidden by nor hides the others.
    """
    if decision.status is not Status.ROUTED:
        return ()
    wanted = [(department, address) for department in decision.departments for address in addresses[department]]
    wanted += [("", address) for address in decision.copy_to]
    planned = {}
    for department, address in wanted:
        key = f"forward:{identity}:{department}:{address.lower()}"
        planned[key] = Delivery("forward", address, key, signer.message_id(key), department)
    return tuple(planned.values())


def moves(identity: str, decision: Decision, processed_folder: str) -> tuple[Delivery, ...]:
    """Plan the move of handled mail; what waits for a person stays where people look."""
    folder = decision.move or processed_folder
    if not folder or decision.status in (Status.REVIEW, Status.SET_ASIDE):
        return ()
    return (Delivery("move", folder, f"move:{identity}:{folder}"),)


def labels(identity: str, decision: Decision, again: str = "") -> tuple[Delivery, ...]:
    """Plan the labels of a mail; `again` tells later plans for the same mail from earlier ones."""
    return (Delivery("label", " ".join(labels_of(decision.topic, decision.status)), f"label:{identity}:{again}"),)


def labels_of(topic: str | None, status: Status) -> tuple[str, ...]:
    """Return a mail's labels: its topic, and where it stands; words that every mail program takes (RFC 9051 §9, atom)."""
    words = (topic if status is not Status.IGNORED else None, STATE_LABELS.get(status))
    return tuple(LABEL_PREFIX + word for word in words if word)


def _acknowledgement(mail: Planning, past: Past, limits: Limits, signer: Signer) -> tuple[Delivery | None, Reason | None]:
    decision, screening = mail.decision, mail.screening
    if mail.answered:
        because = "a person had answered it in the mailbox before triaged read it: not acknowledged"
        return None, Reason("screen", "answered", because)
    if screening.kind is not Kind.LETTER or decision.status not in ACKNOWLEDGED_STATUSES or not decision.acknowledge:
        return None, None  # the screening or a rule has said why
    to = screening.acknowledge_to
    refusal = _refusal(mail, past, to)
    if refusal:
        return None, Reason("screen", "acknowledgement", f"not acknowledged: {refusal}")
    key = f"acknowledge:{to.lower()}:{mail.reference}"
    held = _over(past, limits, to)
    delivery = Delivery(
        kind="acknowledge",
        to=to,
        key=key,
        message_id=signer.message_id(key),
        template=decision.template or "",
        state=State.HELD if held else State.PLANNED,
        detail=held,
    )
    return delivery, Reason("screen", "acknowledgement", f"held for a person: {held}") if held else None


def _refusal(mail: Planning, past: Past, to: str) -> str:
    if not mail.screening.may_acknowledge or not to:
        return "no address that may get an automatic reply"
    if mail.backfill:
        return "the mail was there before this mailbox was watched"
    if mail.follow_up:
        return f"a later mail on {mail.reference}, which was acknowledged before"
    if past.same_matter:
        return "this writer got an acknowledgement on the same topic within seven days"
    if past.to_writer >= PER_WRITER:
        return f"this address got {past.to_writer} acknowledgements within seven days"
    return ""


def _over(past: Past, limits: Limits, to: str) -> str:
    domain = to.rpartition("@")[2].lower()
    if past.last_hour >= limits.per_hour:
        return f"more than {limits.per_hour} acknowledgements in an hour"
    if past.domain_last_hour >= limits.per_domain_hour and domain not in PUBLIC_PROVIDERS:
        return f"more than {limits.per_domain_hour} acknowledgements to {domain} in an hour"
    return ""


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after a failed attempt: 5 minutes doubling to 4,000 seconds (Postfix's defaults)."""
    return timedelta(seconds=min(300 * 2 ** max(0, min(attempts - 1, 10)), 4000))


def given_up(planned_at: datetime, now: datetime) -> bool:
    """Tell whether a delivery has been tried long enough: five days, RFC 5321 §4.5.4.1."""
    return now - planned_at > timedelta(days=5)

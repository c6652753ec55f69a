"""The review digest: what waits for a person, as a mail that reads well as text and as HTML. Composes; sends nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from unicodedata import bidirectional
from urllib.parse import quote

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from triaged.message import POSSIBLE_DANGER, Dispatch, Reason, Record, State, Status
from triaged.review.answer import ABOVE, LAST
from triaged.review.code import code

MOST_ITEMS: Final = 25
LONGEST_LINK: Final = 1_800  # characters; above it some mail programs cut a mailto: link or do not open it
MOST_OCTETS: Final = 100_000  # of HTML; Gmail hides what is above some 102 KB
_EXCERPTS: Final = (240, 120, 60, 30, 15)  # characters of each letter: shorter ones when the whole would be too large
_OTHER_TOPICS: Final = 2
_FIRST_REPLY: Final = ("acknowledgement", "no acknowledgement")
# Control characters, and those that turn the order of what follows round: a stranger's text may not reach beyond its line.
_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Asking:
    """What makes a digest answerable.

    Attributes:
        digest: Its number, which its codes depend on.
        reviewer: Who gets it.
        token: Opens it.
        reply_to: Where answers go, with the token in it.
        undo_minutes: How long what an answer decides waits.
    """

    digest: int
    reviewer: str
    token: str
    reply_to: str
    undo_minutes: int = 10


@dataclass(frozen=True, slots=True)
class Link:
    """A likely answer: what it says, and a `mailto:` that writes it."""

    says: str
    href: str


@dataclass(frozen=True, slots=True)
class Item:
    """One card of the digest; every text is a citizen's or a rule's, and escaped by the template."""

    code: str
    reference: str
    sender: str
    subject: str
    lines: str
    label: str  # of the proposal
    proposal: str
    urgency: str
    flags: str
    age: str
    due: str
    why: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest, ready to be put into a mail.

    Attributes:
        items: What each code means, as JSON: kept, so that an answer means what its writer saw.
    """

    subject: str
    text: str
    html: str
    references: tuple[str, ...]
    items: tuple[dict[str, Any], ...]


def compose(
    waiting: Sequence[Record],
    troubles: Sequence[tuple[str, Dispatch]],
    departments: dict[str, str],
    office: str,
    now: datetime,
    asking: Asking,
    checks: Sequence[Record] = (),
    notes: Sequence[str] = (),
) -> Digest | None:
    """Make the digest of what waits; None when nothing does.

    Args:
        waiting: Most urgent first.
        troubles: Reference and delivery of what failed, is held or in doubt.
        departments: Department id → its name.
        office: The office's name.
        now: Office time.
        asking: Whom it asks, and how it is answered.
        checks: Letters that triaged sent on by itself, drawn at random, to be checked.
        notes: What there is to say of the model: how the promise stands, what changed.
    """
    if not waiting and not troubles:
        return None
    asked = [*waiting[:MOST_ITEMS], *checks]
    shown = len(waiting[:MOST_ITEMS])
    context: dict[str, Any] = {
        "office": office,
        "now": now,
        "total": len(waiting),
        "more_troubles": max(0, len(troubles) - MOST_ITEMS),
        "all_ok": _link("all ok", asking),
        "example": code(len(asked) + 40, asking.digest),  # of no item, so that the example is none
        "undo_minutes": asking.undo_minutes,
        "above": ABOVE,
        "notes": notes,
        "last": f"{LAST} {asking.token}",
    }
    for longest in _EXCERPTS:
        items = [_item(number, record, departments, now, asking, longest) for number, record in enumerate(asked, 1)]
        context |= {"items": items[:shown], "checks": items[shown:]}
        context["troubles"] = [_trouble(reference, dispatch, longest) for reference, dispatch in troubles[:MOST_ITEMS]]
        html = _environment(autoescape=True).get_template("digest.html.j2").render(context)
        if len(html.encode()) < MOST_OCTETS:
            break
    text = _environment(autoescape=False).get_template("digest.txt.j2").render(context)
    known = tuple(_meaning(number, record, number > shown) for number, record in enumerate(asked, 1))
    return Digest(_subject(waiting, office), text, html, tuple(record.reference for record in asked), known)


def _subject(waiting: Sequence[Record], office: str) -> str:
    critical = sum(record.urgency == "critical" for record in waiting[:MOST_ITEMS])
    subject = f"{len(waiting)} letters wait for you" if len(waiting) != 1 else "1 letter waits for you"
    if not waiting:
        subject = "Deliveries that need you"
    return f"{f'[{critical} critical] ' if critical else ''}{subject} — {office}"


def _meaning(number: int, record: Record, spot_check: bool) -> dict[str, Any]:
    return {
        "number": number,
        "mail_id": record.mail_id,
        "reference": record.reference,
        "topic": record.topic,
        "departments": list(record.departments),
        "urgency": record.urgency.value,
        "spot_check": spot_check,
        "decided": record.status is Status.ROUTED,
    }


def latest_slot(now: datetime, at: Sequence[time], is_business_day: bool) -> datetime | None:
    """Return today's latest digest time that has come; None outside business days or before the first.

    Args:
        now: Office time.
        at: The office's digest times.
        is_business_day: Whether today is one.
    """
    if not is_business_day:
        return None
    zone = now.tzinfo
    past = [datetime.combine(now.date(), moment, zone) for moment in at if datetime.combine(now.date(), moment, zone) <= now]
    return max(past, default=None)


def _item(number: int, record: Record, departments: dict[str, str], now: datetime, asking: Asking, longest: int) -> Item:
    names = ", ".join(departments.get(department, department) for department in record.departments)
    sure = f" ({record.confidence:.0%})" if record.confidence is not None else ""
    topic = record.topic or (f"perhaps {record.alternatives[0][0]}" if record.alternatives else "no topic")
    called = code(number, asking.digest)
    words = ["ok"] if record.departments else []
    words += [other for other, _ in record.alternatives[:_OTHER_TOPICS]]
    return Item(
        code=called,
        reference=record.reference,
        sender=_cut(f"{record.sender.name} <{record.sender.address}>".strip(), min(longest, 160)),
        subject=_cut(record.subject, min(longest, 160)) or "(no subject)",
        lines=_cut(record.excerpt, longest),
        label="Decided:" if record.status is Status.ROUTED else "Proposed:",
        proposal=_cut(f"{topic}{sure} → {names or 'nobody yet'}", max(longest, 120)),
        urgency=record.urgency.value,
        flags=_cut(", ".join(flag.name for flag in record.flags), longest),
        age=_age(now - record.received_at),
        due=_day(record.due),
        why=_cut("; ".join(reason.because for reason in _why(record)), longest),
        links=tuple(_link(f"{called} {word}", asking) for word in (*words, "spam", "show")),
    )


def _why(record: Record) -> Sequence[Reason]:
    """Return what decided where the letter goes: not rules that are only tried out, nor what became of the first reply.

    What sounds like danger comes first, in its words.
    """
    danger = [reason for reason in record.reasons if reason.name == POSSIBLE_DANGER]
    decided = [reason for reason in record.reasons if reason.by != "shadow" and reason.name not in _FIRST_REPLY][-2:]
    return [*danger[:1], *(reason for reason in decided if reason not in danger)]


def _link(says: str, asking: Asking) -> Link:
    """Return a `mailto:` (RFC 6068) that writes an answer; the token stands in its text too, should the address lose it."""
    if not asking.reply_to:
        return Link(says, "")
    body = f"{says}\r\n\r\n{asking.token}"
    href = f"mailto:{quote(asking.reply_to, safe='@')}?subject={quote(says, safe='')}&body={quote(body, safe='')}"
    return Link(says.partition(" ")[2] or says, href if len(href) < LONGEST_LINK else "")


def _cut(text: str, at_most: int) -> str:
    line = " ".join(_UNSEEN.sub(" ", text).split())
    return line if len(line) <= at_most else f"{line[: at_most - 1].rstrip()}…"


_SAID: Final = {
    State.FAILED: "could not be delivered",
    State.HELD: "is held",
    State.IN_DOUBT: "may or may not have left",
}
_WHAT: Final = {
    "acknowledge": "the acknowledgement",
    "forward": "the hand-off",
    "move": "the move",
    "label": "the labels",
    "notice": "the mail",
}


def _trouble(reference: str, dispatch: Dispatch, longest: int) -> dict[str, str]:
    delivery = dispatch.delivery
    what = f"{_WHAT.get(delivery.kind, delivery.kind)} to {delivery.to} {_SAID.get(delivery.state, delivery.state.value)}"
    return {"reference": reference, "what": what, "detail": _cut(delivery.detail, longest)}


def _age(passed: timedelta) -> str:
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _day(day: date | None) -> str:
    return f"{day:%a %d %b %Y}" if day else ""


def _is_right_to_left(text: str) -> bool:
    """Tell the direction of a text by its first letter that has one (UAX 9, P2); Outlook for Windows knows no dir="auto"."""
    return next((way != "L" for letter in text if (way := bidirectional(letter)) in ("L", "R", "AL")), False)


@cache  # compiling the templates takes longer than the rest of an alert
def _environment(*, autoescape: bool) -> SandboxedEnvironment:
    folder = Path(__file__).parent.parent / "templates" / "digest"
    loader = FileSystemLoader(folder)
    environment = SandboxedEnvironment(
        loader=loader, undefined=StrictUndefined, autoescape=autoescape, trim_blocks=True, lstrip_blocks=True
    )
    environment.tests["right_to_left"] = _is_right_to_left
    return environment

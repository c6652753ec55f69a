"""The review digest: what waits for a person, as a mail that reads well as text and as HTML. Composes; sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from triaged.message import Dispatch, Record, State

MOST_ITEMS: Final = 25
_TWO_LINES: Final = 240


@dataclass(frozen=True, slots=True)
class Item:
    """One card of the digest; every text is a citizen's or a rule's, and escaped by the template."""

    reference: str
    sender: str
    subject: str
    lines: str
    proposal: str
    urgency: str
    flags: str
    age: str
    due: str
    why: str


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest, ready to be put into a mail."""

    subject: str
    text: str
    html: str
    references: tuple[str, ...]


def compose(
    waiting: Sequence[Record],
    troubles: Sequence[tuple[str, Dispatch]],
    departments: dict[str, str],
    office: str,
    now: datetime,
) -> Digest | None:
    """Make the digest of what waits; None when nothing does.

    Args:
        waiting: Most urgent first.
        troubles: Reference and delivery of what failed, is held or in doubt.
        departments: Department id → its name.
        office: The office's name.
        now: Office time.
    """
    if not waiting and not troubles:
        return None
    items = [_item(record, departments, now) for record in waiting[:MOST_ITEMS]]
    context = {
        "office": office,
        "now": now,
        "items": items,
        "total": len(waiting),
        "troubles": [_trouble(reference, dispatch) for reference, dispatch in troubles[:MOST_ITEMS]],
        "more_troubles": max(0, len(troubles) - MOST_ITEMS),
    }
    critical = sum(item.urgency == "critical" for item in items)
    subject = f"{len(waiting)} letters wait for you" if len(waiting) != 1 else "1 letter waits for you"
    if not waiting:
        subject = "Deliveries that need you"
    if critical:
        subject = f"[{critical} critical] {subject}"
    text = _environment(autoescape=False).get_template("digest.txt.j2").render(context)
    html = _environment(autoescape=True).get_template("digest.html.j2").render(context)
    return Digest(f"{subject} — {office}", text, html, tuple(item.reference for item in items))


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


def _item(record: Record, departments: dict[str, str], now: datetime) -> Item:
    names = ", ".join(departments.get(department, department) for department in record.departments)
    sure = f" ({record.confidence:.0%})" if record.confidence is not None else ""
    topic = record.topic or (f"perhaps {record.alternatives[0][0]}" if record.alternatives else "no topic")
    return Item(
        reference=record.reference,
        sender=f"{record.sender.name} <{record.sender.address}>".strip(),
        subject=record.subject or "(no subject)",
        lines=" ".join(record.excerpt.split())[:_TWO_LINES],
        proposal=f"{topic}{sure} → {names or 'nobody yet'}",
        urgency=record.urgency.value,
        flags=", ".join(flag.name for flag in record.flags),
        age=_age(now - record.received_at),
        due=_day(record.due),
        why="; ".join(reason.because for reason in record.reasons[-2:]),
    )


_SAID: Final = {
    State.FAILED: "could not be delivered",
    State.HELD: "is held",
    State.IN_DOUBT: "may or may not have left",
}
_WHAT: Final = {"acknowledge": "the acknowledgement", "forward": "the hand-off", "move": "the move"}


def _trouble(reference: str, dispatch: Dispatch) -> dict[str, str]:
    delivery = dispatch.delivery
    what = f"{_WHAT.get(delivery.kind, delivery.kind)} to {delivery.to} {_SAID.get(delivery.state, delivery.state.value)}"
    return {"reference": reference, "what": what, "detail": delivery.detail}


def _age(passed: timedelta) -> str:
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _day(day: date | None) -> str:
    return f"{day:%a %d %b %Y}" if day else ""


def _environment(*, autoescape: bool) -> SandboxedEnvironment:
    folder = Path(__file__).parent.parent / "templates" / "digest"
    loader = FileSystemLoader(folder)
    return SandboxedEnvironment(
        loader=loader, undefined=StrictUndefined, autoescape=autoescape, trim_blocks=True, lstrip_blocks=True
    )

"""Small rules and letters for the tests of this folder."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from triaged.message import Address, Assessment, Attachment, Decision, Flag, Kind, Message, Opinion, Screening, Urgency
from triaged.rules.decide import decide
from triaged.rules.facts import Facts, Letter
from triaged.rules.load import read
from triaged.rules.schema import Rules

TODAY = date(2026, 11, 24)
HEAD = """\
version: 1
departments:
  housing: {name: Housing, to: housing@example.gov, respond_within: 10 business days}
  streets: {name: Streets, to: [streets@example.gov, roads@example.gov]}
  press: {name: Press, to: press@example.gov}
  safety: {name: Safe home, to: safety@example.gov, acknowledge: false}
topics:
  heat: {department: housing, urgency: high, description: No heat}
  noise: {department: streets, urgency: low, description: Noise}
  pothole: {department: streets, urgency: normal, description: Holes}
  media: {department: press, urgency: high, description: The press}
  both: {departments: [housing, streets], urgency: normal, description: Two houses}
  violence: {department: safety, urgency: critical, description: Violence at home, acknowledge: false}
  health: {department: housing, urgency: normal, description: Health, acknowledge: false}
lists:
  council: ["@council.example.gov", mayor.friend@example.org]
"""


def rules_of(text: str = "", tests: str = "") -> Rules:
    """Return rules with these lines under `rules:`."""
    return read(f"{HEAD}rules:\n{text}{tests}".encode() if text or tests else HEAD.encode(), "rules.yaml")


def rule(when: str, then: str = "{stop: true}", name: str = "R", more: str = "") -> str:
    """Return the lines of one rule."""
    return f"  - name: {name}\n    when: {when}\n    then: {then}\n{more}"


def letter(**parts: Any) -> Message:
    """Return a letter; `sender` may be an address or a name with address."""
    people = {key: _people(parts[key]) for key in ("to", "cc") if key in parts}
    sender = _people([parts.get("sender", "writer@example.org")])[0]
    files = tuple(Attachment(name, "application/pdf", 9) for name in parts.get("attachments", ()))
    plain = {key: value for key, value in parts.items() if key not in ("to", "cc", "sender", "attachments")}
    return Message(sender=sender, attachments=files, **people, **plain)


def _people(people: Sequence[str]) -> tuple[Address, ...]:
    split = [person.rstrip(">").rpartition("<") for person in people]
    return tuple(Address(name.strip(), address) for name, _, address in split)


def facts(message: Message | None = None, **known: Any) -> Facts:
    """Return the facts of a letter."""
    whole = Letter(
        message or letter(),
        known.get("mailbox", "mayor"),
        known.get("language", "en"),
        known.get("campaign"),
        known.get("received", TODAY),
    )
    return Facts(
        whole,
        known.get("topic", "noise"),
        known.get("confidence", 0.9),
        known.get("urgency", Urgency.NORMAL),
        known.get("flags", ()),
        known.get("guessed", False),
    )


def opinion(topic: str = "noise", confidence: float = 0.9, *, accepted: bool = True, **more: Any) -> Assessment:
    """Return an assessment with this topic."""
    others = more.pop("others", ())
    further = more.pop("further", ())
    why = more.pop("why", "")
    flags = tuple(Flag(name) for name in more.pop("flags", ()))
    language = more.pop("language", "en")
    return Assessment(
        language,
        Opinion(((topic, confidence), *others), accepted, further=further, why=why),
        flags=flags,
        **more,
    )


def decided(
    rules: Rules | str = "",
    assessment: Assessment | None = None,
    message: Message | None = None,
    *,
    kind: Kind = Kind.LETTER,
    **more: Any,
) -> Decision:
    """Decide on a letter."""
    screening = Screening(kind, more.pop("may_acknowledge", True), must_review=more.pop("must_review", ""))
    known = rules_of(rules) if isinstance(rules, str) else rules
    return decide(
        message or letter(text="Some text"),
        screening,
        assessment or opinion(),
        known,
        more.pop("mailbox", "mayor"),
        more.pop("today", TODAY),
        **more,
    )


def whys(decision: Decision) -> str:
    """Return all reasons as lines."""
    return "\n".join(f"{reason.by} {reason.name}: {reason.because} {reason.at}".strip() for reason in decision.reasons)

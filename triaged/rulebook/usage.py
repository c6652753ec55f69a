"""How each rule stands: in use, tried out, out of use; how often it applied, and when last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine

from triaged.office import Office
from triaged.rules.schema import Rule
from triaged.store import rule_uses
from triaged.store.engine import reading
from triaged.store.rule_uses import Use


@dataclass(frozen=True, slots=True)
class Usage:
    """One rule; counts begin anew when it is renamed, or leaves the shadow."""

    at: str
    name: str
    state: str
    times: int
    last: datetime | None

    @property
    def last_in_words(self) -> str:
        """When it applied last, on the office's clock."""
        return f"{self.last:%Y-%m-%d %H:%M}" if self.last else "never"

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        last = self.last.isoformat() if self.last else None
        return {"rule": self.name, "at": self.at, "state": self.state, "applied": self.times, "last": last}


def usages(office: Office, engine: Engine, now: datetime) -> list[Usage]:
    """Return how each rule stands, from top to bottom."""
    with reading(engine) as db:
        uses = rule_uses.all_uses(db)
    return [_usage(rule, uses, office, now) for rule in office.rules.rules]


def _usage(rule: Rule, uses: Mapping[tuple[str, bool], Use], office: Office, now: datetime) -> Usage:
    use = uses.get((rule.name, rule.shadow))
    state = _state(rule, office.local(now).date())
    return Usage(str(rule.at), rule.name, state, use.times if use else 0, office.local(use.last_at) if use else None)


def _state(rule: Rule, today: date) -> str:
    if idle := rule.idle(today):
        return idle
    until = f" until {rule.expires}" if rule.expires else ""
    return f"{'shadow' if rule.shadow else 'in use'}{until}"

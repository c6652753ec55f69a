"""How often each rule applied, and when last; counted in the transaction that records a letter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from triaged.message import Reason
from triaged.store.tables import RULE_USES


@dataclass(frozen=True, slots=True)
class Use:
    """How often a rule applied, as it acts or in the shadow."""

    times: int
    first_at: datetime
    last_at: datetime


def _counting(insert: Any) -> Any:
    statement = insert(RULE_USES)
    again = {"times": RULE_USES.c.times + 1, "last_at": statement.excluded.last_at}
    return statement.on_conflict_do_update(index_elements=["name", "shadow"], set_=again)


_COUNT: Final = {"sqlite": _counting(sqlite.insert), "postgresql": _counting(postgresql.insert)}


def count(db: Connection, reasons: Iterable[Reason], at: datetime) -> None:
    """Count the rules that these reasons name, each once."""
    applied = {(reason.name, reason.by == "shadow") for reason in reasons if reason.by in ("rule", "shadow") and reason.at}
    for name, shadow in sorted(applied):  # always in the same order: two workers that count never wait for each other
        values = {"name": name, "shadow": shadow, "times": 1, "first_at": at, "last_at": at}
        db.execute(_COUNT[db.dialect.name], values)


def all_uses(db: Connection) -> dict[tuple[str, bool], Use]:
    """Return how often rules applied, by name and whether in the shadow."""
    return {(row.name, row.shadow): Use(row.times, row.first_at, row.last_at) for row in db.execute(select(RULE_USES))}

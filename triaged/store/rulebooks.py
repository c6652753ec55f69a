"""The states of rules.yaml that were in use, and what is wrong with the one on disk."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select

from triaged.store import health
from triaged.store.tables import RULEBOOKS

_REFUSED: Final = "rules refused"


@dataclass(frozen=True, slots=True)
class Kept:
    """One state of rules.yaml and its files that was in use."""

    at: datetime
    version: str
    by: str
    file: str
    texts: Mapping[str, str]
    changed: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A state of rules.yaml that is not taken into use.

    Attributes:
        version: Which.
        said: What is wrong, in words.
        at: When that was found.
        told: Editors to whom the mail has left, or may have.
    """

    version: str
    said: str
    at: datetime
    told: tuple[str, ...] = ()


def keep(db: Connection, kept: Kept) -> None:
    """Write down that these rules are in use now."""
    columns = ("at", "version", "by", "file", "texts", "changed")
    db.execute(insert(RULEBOOKS).values(**{name: getattr(kept, name) for name in columns}))


def last(db: Connection) -> Kept | None:
    """Return the rules that were taken into use last; None before the first."""
    found = history(db, 1)
    return found[0] if found else None


def history(db: Connection, limit: int) -> list[Kept]:
    """Return the rules that were in use, the latest first."""
    rows = db.execute(select(RULEBOOKS).order_by(RULEBOOKS.c.id.desc()).limit(limit)).mappings()
    return [Kept(row["at"], row["version"], row["by"], row["file"], row["texts"], row["changed"]) for row in rows]


def refuse(db: Connection, refused: Refused) -> None:
    """Note what is wrong with the file, and who was told."""
    value = {"version": refused.version, "said": refused.said, "at": refused.at.isoformat(), "told": list(refused.told)}
    health.remember(db, _REFUSED, value, refused.at)


def refused(db: Connection) -> Refused | None:
    """Return what is wrong with the file; None when it is in use."""
    known: Any = health.fact(db, _REFUSED)
    if not known:
        return None
    return Refused(known["version"], known["said"], datetime.fromisoformat(known["at"]), tuple(known["told"]))


def accept(db: Connection, at: datetime) -> None:
    """Note that nothing is wrong with the file any more."""
    if health.fact(db, _REFUSED):
        health.remember(db, _REFUSED, {}, at)

"""How two decisions on the same letter differ: what a change of the rules would mean for it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triaged.message import Decision


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that comes out differently, in words."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        """Return it as a line has it."""
        return f"{self.what} {self.before} → {self.after}"


Turns = tuple[Turn, ...]


def turns(old: Decision, new: Decision) -> Turns:
    """Return what differs between two decisions; nothing when only their reasons do."""
    pairs = zip(_words(old), _words(new), strict=True)
    return tuple(Turn(what, before, after) for (what, before), (_, after) in pairs if before != after)


def _words(decision: Decision) -> Iterator[tuple[str, str]]:
    yield "topic", decision.topic or "none"
    yield "department", _listed(decision.departments)
    yield "urgency", decision.urgency.value
    yield "status", decision.status.value
    yield "first reply", (decision.template or "usual") if decision.acknowledge else "none"
    yield "flags", _listed(sorted(decision.flags))
    yield "copies to", _listed(sorted(decision.copy_to))
    yield "moved to", decision.move or "usual folder"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def speakers(old: Decision, new: Decision) -> tuple[str, ...]:
    """Return the rules that spoke in only one of two decisions, or spoke otherwise: to them the difference is due."""
    before, after = (
        {reason.name: reason.because for reason in decision.reasons if reason.by == "rule" and reason.at}
        for decision in (old, new)
    )
    return tuple(name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name))


def grouped(turned: Iterable[Turns]) -> list[tuple[Turns, int]]:
    """Return the kinds of difference with how many letters each concerns, the most frequent first."""
    return Counter(turned).most_common()

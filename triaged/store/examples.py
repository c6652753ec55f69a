"""Letters that lie sorted in folders, learnt once each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from triaged.store.tables import EXAMPLES

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Example:
    """One letter and the topic that its folder stands for."""

    fingerprint: str
    source: str
    topic: str
    subject: str
    body: str
    writer: str
    received_at: datetime | None


def learn(db: Connection, examples: Sequence[Example], at: datetime) -> Counter[str]:
    """Keep examples; return how many were new, moved (known under another topic) and known.

    A letter in two folders is an example of the one that was read last.
    """
    prints = [example.fingerprint for example in examples]
    query = select(EXAMPLES.c.fingerprint, EXAMPLES.c.topic).where(EXAMPLES.c.fingerprint.in_(prints))
    known = {row.fingerprint: row.topic for row in db.execute(query)}
    counts = Counter[str]()
    for example in examples:
        topic = known.get(example.fingerprint)
        known[example.fingerprint] = example.topic
        if topic is None:
            db.execute(insert(EXAMPLES).values(**asdict(example), learnt_at=at))
        elif topic != example.topic:
            moved = {"topic": example.topic, "source": example.source, "learnt_at": at}
            db.execute(update(EXAMPLES).where(EXAMPLES.c.fingerprint == example.fingerprint).values(**moved))
        counts["new" if topic is None else "known" if topic == example.topic else "moved"] += 1
    return counts


def every(db: Connection) -> Iterator[tuple[int, Example]]:
    """Yield all examples with their numbers, oldest first, a page at a time."""
    after = 0
    while True:
        rows = db.execute(select(EXAMPLES).where(EXAMPLES.c.id > after).order_by(EXAMPLES.c.id).limit(_PAGE)).all()
        if not rows:
            return
        for row in rows:
            fields = (row.fingerprint, row.source, row.topic, row.subject, row.body, row.writer, row.received_at)
            yield row.id, Example(*fields)
        after = rows[-1].id


def count(db: Connection, since: datetime | None = None) -> int:
    """Return how many examples there are; learnt or moved after a moment, if one is given."""
    query = select(func.count()).select_from(EXAMPLES)
    return int(db.scalar(query if since is None else query.where(EXAMPLES.c.learnt_at > since)) or 0)

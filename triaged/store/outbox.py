"""The outbox: every side effect is planned here, marked before it happens and settled after. See `message.MOVES`."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from triaged.message import MOVES, Delivery, Dispatch, State
from triaged.store.tables import CASES, DELIVERIES, MAILS, MESSAGES

_LAST = ("label", "move")  # kinds that wait until the mail is handed off and nothing else of it is under way


# Built once: these run for every mail, and building a statement costs more than running it.
_KNOWN_KEYS: Final = select(DELIVERIES.c.key).where(DELIVERIES.c.key.in_(bindparam("keys", expanding=True)))


class IllegalMove(ValueError):
    """A state change that `message.MOVES` does not know."""


def plan(db: Connection, mail_id: int, deliveries: Iterable[Delivery], at: datetime, *, due_at: datetime | None = None) -> None:
    """Add deliveries, due at once or not before a time; one whose key is known already is left as it stands."""
    wanted = {delivery.key: delivery for delivery in deliveries}
    known = set(db.scalars(_KNOWN_KEYS, {"keys": list(wanted)})) if wanted else set()
    rows = [
        {
            "mail_id": mail_id,
            "kind": delivery.kind,
            "to": delivery.to,
            "key": key,
            "message_id": delivery.message_id,
            "department": delivery.department,
            "template": delivery.template,
            "state": delivery.state.value,
            "attempts": 0,
            "detail": delivery.detail,
            "planned_at": at,
            "due_at": due_at or at,
        }
        for key, delivery in wanted.items()
        if key not in known
    ]
    if rows:
        db.execute(insert(DELIVERIES), rows)


def _next_due() -> Select[Any]:
    """Build the query of `claim` once: it runs once a delivery, and building it costs more than running it."""
    other = DELIVERIES.alias("other")
    under_way = other.c.state.in_([State.PLANNED, State.SENDING])
    not_handed_off = and_(other.c.kind == "forward", other.c.state.not_in([State.SENT, State.CANCELLED]))
    before = and_(other.c.kind.not_in(_LAST), or_(under_way, not_handed_off))
    label_before_move = and_(DELIVERIES.c.kind == "move", other.c.kind == "label", under_way)  # Exchange: a move changes the id
    open_before = exists().where(other.c.mail_id == DELIVERIES.c.mail_id, or_(before, label_before_move))
    due = select(DELIVERIES).where(
        DELIVERIES.c.state == State.PLANNED,
        DELIVERIES.c.due_at <= bindparam("at", type_=DELIVERIES.c.due_at.type),
        or_(DELIVERIES.c.kind.not_in(_LAST), ~open_before),
    )
    return due.order_by(DELIVERIES.c.due_at, DELIVERIES.c.id).limit(1).with_for_update(skip_locked=True)


_NEXT_DUE: Final = _next_due()


def claim(db: Connection, at: datetime) -> Dispatch | None:
    """Mark one due delivery `sending` and return it; None when nothing is due.

    Commit before the side effect: whoever finds it in `sending` after a crash knows that it may have happened.
    """
    row = db.execute(_NEXT_DUE, {"at": at}).mappings().one_or_none()
    if row is None:
        return None
    marked = update(DELIVERIES).where(DELIVERIES.c.id == row["id"], DELIVERIES.c.state == State.PLANNED)
    if db.execute(marked.values(state=State.SENDING, attempts=DELIVERIES.c.attempts + 1)).rowcount == 0:
        return None
    return dispatch(row, state=State.SENDING, attempts=row["attempts"] + 1)


def settle(
    db: Connection, delivery_id: int, old: State, new: State, *, detail: str, at: datetime, due_at: datetime | None = None
) -> bool:
    """Move a delivery from one state to another; False when it was not in `old` any more.

    Raises:
        IllegalMove: `message.MOVES` has no such step.
    """
    if new not in MOVES[old]:
        raise IllegalMove(f"a delivery does not go from {old} to {new}")
    values: dict[str, Any] = {"state": new, "detail": detail[:2000]}
    if due_at is not None:
        values["due_at"] = due_at
    if new is not State.PLANNED:
        values["settled_at"] = at
    return (
        db.execute(
            update(DELIVERIES).where(DELIVERIES.c.id == delivery_id, DELIVERIES.c.state == old).values(**values)
        ).rowcount
        == 1
    )


def doubt_interrupted(db: Connection, at: datetime) -> int:
    """After a crash: what was being sent may have been sent. Only the one daemon calls this, at its start."""
    stuck = update(DELIVERIES).where(DELIVERIES.c.state == State.SENDING)
    return db.execute(stuck.values(state=State.IN_DOUBT, detail="stopped while sending", due_at=at, settled_at=at)).rowcount


def retry_doubtful(db: Connection, at: datetime, kinds: Sequence[str]) -> int:
    """Plan doubtful deliveries again whose second copy does no harm (same Message-ID); never acknowledgements."""
    again = update(DELIVERIES).where(
        DELIVERIES.c.state == State.IN_DOUBT, DELIVERIES.c.kind.in_(kinds), DELIVERIES.c.due_at <= at
    )
    return db.execute(again.values(state=State.PLANNED)).rowcount


def next_due(db: Connection) -> datetime | None:
    """Return when the next planned delivery may go."""
    due: datetime | None = db.scalar(select(func.min(DELIVERIES.c.due_at)).where(DELIVERIES.c.state == State.PLANNED))
    return due


def for_mails(db: Connection, mail_ids: Sequence[int]) -> dict[int, list[Dispatch]]:
    """Return the deliveries of some mails, in the order planned."""
    found: dict[int, list[Dispatch]] = {mail_id: [] for mail_id in mail_ids}
    for row in db.execute(select(DELIVERIES).where(DELIVERIES.c.mail_id.in_(mail_ids)).order_by(DELIVERIES.c.id)).mappings():
        found[row["mail_id"]].append(dispatch(row))
    return found


def in_states(db: Connection, states: Sequence[State], limit: int = 1000) -> list[Dispatch]:
    """Return deliveries that are in one of some states, oldest first."""
    query = select(DELIVERIES).where(DELIVERIES.c.state.in_(states)).order_by(DELIVERIES.c.id).limit(limit)
    return [dispatch(row) for row in db.execute(query).mappings()]


def troubles(db: Connection, limit: int = 500) -> list[tuple[Dispatch, str]]:
    """Return what failed, is held or in doubt, with its case's reference, oldest first."""
    query = (
        select(DELIVERIES, CASES.c.reference)
        .join(MESSAGES, MESSAGES.c.mail_id == DELIVERIES.c.mail_id)
        .join(CASES, CASES.c.id == MESSAGES.c.case_id)
        .where(DELIVERIES.c.state.in_([State.FAILED, State.HELD, State.IN_DOUBT]))
    )
    rows = db.execute(query.order_by(DELIVERIES.c.id).limit(limit)).mappings()
    return [(dispatch(row), row["reference"]) for row in rows]


def count_states(db: Connection) -> dict[State, int]:
    """Return how many deliveries are in each state."""
    rows = db.execute(select(DELIVERIES.c.state, func.count()).group_by(DELIVERIES.c.state))
    return {State(state): count for state, count in rows}


def recipients_since(db: Connection, since: datetime) -> int:
    """Return how many recipients mail went to, or may have gone to, since a moment; moves and labels are no mail."""
    sent = select(DELIVERIES.c.to).where(
        DELIVERIES.c.kind.not_in(["move", "label"]),
        DELIVERIES.c.state.in_([State.SENT, State.IN_DOUBT]),
        DELIVERIES.c.settled_at >= since,
    )
    return sum(to.count("@") for to in db.scalars(sent))


def oldest_planned(db: Connection) -> datetime | None:
    """Return since when the oldest planned delivery waits."""
    since: datetime | None = db.scalar(select(func.min(DELIVERIES.c.planned_at)).where(DELIVERIES.c.state == State.PLANNED))
    return since


def by_message_ids(db: Connection, message_ids: Sequence[str]) -> list[Dispatch]:
    """Return the deliveries that went out under some Message-IDs (a bounce or an auto-reply names them)."""
    if not message_ids:
        return []
    return [dispatch(row) for row in db.execute(select(DELIVERIES).where(DELIVERIES.c.message_id.in_(message_ids))).mappings()]


def _acknowledged_since() -> tuple[ColumnElement[bool], ...]:
    return (
        DELIVERIES.c.kind == "acknowledge",
        DELIVERIES.c.planned_at >= bindparam("since", type_=DELIVERIES.c.planned_at.type),
        DELIVERIES.c.state.not_in([State.CANCELLED, State.HELD]),
    )


_TO_WRITER: Final = (
    select(MAILS.c.mailbox, MESSAGES.c.topic)
    .join(DELIVERIES, DELIVERIES.c.mail_id == MAILS.c.id)
    .join(MESSAGES, MESSAGES.c.mail_id == MAILS.c.id)
    .where(*_acknowledged_since(), func.lower(DELIVERIES.c.to) == bindparam("address"))
)
_TO_DOMAIN: Final = func.lower(DELIVERIES.c.to).endswith(bindparam("at_domain"), escape="\\")
_LAST_HOUR: Final = select(func.count(), func.count(case((_TO_DOMAIN, 1)))).where(*_acknowledged_since())


def acknowledged(db: Connection, since: datetime, address: str) -> list[tuple[str, str | None]]:
    """Return (mailbox, topic) of the acknowledgements to one address that were planned since a time; held ones don't count."""
    return [(row[0], row[1]) for row in db.execute(_TO_WRITER, {"since": since, "address": address.lower()})]


def count_acknowledged(db: Connection, since: datetime, domain: str) -> tuple[int, int]:
    """Return how many acknowledgements were planned since a time, in all and to one domain; held ones don't count."""
    escaped = re.sub(r"([\\%_])", r"\\\1", domain.lower())
    row = db.execute(_LAST_HOUR, {"since": since, "at_domain": f"@{escaped}"}).one()
    return int(row[0]), int(row[1])


def cancel_open(db: Connection, mail_id: int, kinds: Sequence[str], why: str, at: datetime) -> int:
    """Cancel what is not under way yet (a person decided otherwise)."""
    open_states = [State.PLANNED, State.HELD, State.FAILED]
    query = update(DELIVERIES).where(
        DELIVERIES.c.mail_id == mail_id, DELIVERIES.c.kind.in_(kinds), DELIVERIES.c.state.in_(open_states)
    )
    return db.execute(query.values(state=State.CANCELLED, detail=why, settled_at=at)).rowcount


def release(db: Connection, mail_id: int, keys: Sequence[str], at: datetime, *, due_at: datetime | None = None) -> int:
    """Plan again what a person wants sent after all: held, failed, or cancelled by an earlier answer."""
    stopped = [State.HELD, State.FAILED, State.CANCELLED]
    query = update(DELIVERIES).where(
        DELIVERIES.c.mail_id == mail_id, DELIVERIES.c.key.in_(keys), DELIVERIES.c.state.in_(stopped)
    )
    return db.execute(query.values(state=State.PLANNED, planned_at=at, due_at=due_at or at, settled_at=None)).rowcount


def put_back(db: Connection, delivery_id: int, now_in: State, back_to: State, detail: str, due_at: datetime) -> bool:
    """Return a delivery to how it stood before a person's answer that is undone; False when it has moved on since."""
    if State.SENDING in (now_in, back_to) or State.SENT in (now_in, back_to):
        raise IllegalMove(f"a delivery is not put back from {now_in} to {back_to}")
    query = update(DELIVERIES).where(DELIVERIES.c.id == delivery_id, DELIVERIES.c.state == now_in)
    return db.execute(query.values(state=back_to, detail=detail, due_at=due_at)).rowcount == 1


def dispatch(row: RowMapping, **changed: Any) -> Dispatch:
    """Read a row of the outbox."""
    row_now = {**row, **changed}
    delivery = Delivery(
        kind=row_now["kind"],
        to=row_now["to"],
        key=row_now["key"],
        message_id=row_now["message_id"],
        department=row_now["department"],
        template=row_now["template"],
        state=State(row_now["state"]),
        detail=row_now["detail"],
    )
    return Dispatch(
        id=row_now["id"],
        mail_id=row_now["mail_id"],
        delivery=delivery,
        attempts=row_now["attempts"],
        planned_at=row_now["planned_at"],
        due_at=row_now["due_at"],
    )

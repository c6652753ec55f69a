"""Whose turn it is: mails that wait are understood some at once, and one that breaks us is told from the others."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from triaged.office import Office
from triaged.pipeline import Clock, Understanding, commit, process, set_aside, understand_all
from triaged.store import mails
from triaged.store.engine import reading
from triaged.store.mails import KeptMail

log = logging.getLogger("triaged")
_TOGETHER: Final = 16  # mails understood at once …
_OCTETS_TOGETHER: Final = 4_000_000  # … unless they are large


def process_waiting(
    office: Office, engine: Engine, clock: Clock, stopped: Callable[[], bool], progress: Callable[[], None], batch: int = 100
) -> int:
    """Process what waits, up to `batch` mails; return how many. A mail that breaks us is set aside, never in the way.

    Attempts are counted before a mail is read, so that one which kills the process is known after the restart: such a mail is
    tried alone, `mails.ATTEMPTS` times in all.
    """
    with engine.begin() as db:
        waiting = mails.unprocessed(db, batch)
        attempts = mails.begin_attempt(db, waiting)
    suspects = [mail_id for mail_id in waiting if attempts.get(mail_id, 0) > 1]
    turn = [mail_id for mail_id in waiting if mail_id not in suspects] or suspects[:1]
    done: list[int] = []
    try:
        for together in _loads(turn, engine):
            for kept, work in _prepared(together, attempts, office, engine, clock):
                if stopped():
                    return len(done)
                _guarded(kept.id, work, office, engine, clock)
                done.append(kept.id)
                progress()
    finally:
        with engine.begin() as db:
            mails.forgive_attempt(db, [mail_id for mail_id in waiting if mail_id not in done])
    return len(done)


def _loads(mail_ids: Sequence[int], engine: Engine) -> Iterator[list[KeptMail]]:
    """Yield mails, some at once, as long as they are small."""
    load: list[KeptMail] = []
    for mail_id in mail_ids:
        with reading(engine) as db:
            load.append(mails.load(db, mail_id))
        if len(load) == _TOGETHER or sum(len(kept.octets) for kept in load) >= _OCTETS_TOGETHER:
            yield load
            load = []
    if load:
        yield load


def _prepared(
    together: Sequence[KeptMail], attempts: Mapping[int, int], office: Office, engine: Engine, clock: Clock
) -> Iterator[tuple[KeptMail, Callable[[], None]]]:
    """Yield each mail with what is left to do about it."""
    now = clock()
    healthy = [kept for kept in together if not kept.fault and attempts[kept.id] <= mails.ATTEMPTS]
    understood: dict[int, Understanding] = {}
    try:
        found = understand_all(healthy, office, now)
        understood = {kept.id: one for kept, one in zip(healthy, found, strict=True)}
    except Exception:  # one of them broke us: each alone tells which
        log.debug("mails broke us together", exc_info=True)
    for kept in together:
        if attempts[kept.id] > mails.ATTEMPTS:
            yield kept, partial(set_aside, kept.id, f"stopped triaged {mails.ATTEMPTS} times", office, engine, clock)
        elif kept.id in understood:
            yield kept, partial(commit, kept, understood[kept.id], office, engine, now)
        else:
            yield kept, partial(process, kept.id, office, engine, clock)


def _guarded(mail_id: int, work: Callable[[], None], office: Office, engine: Engine, clock: Clock) -> None:
    try:
        work()
    except OperationalError:  # the database is away or full: not the fault of the mail
        raise
    except Exception as error:
        log.exception("a mail broke us", extra={"mail": mail_id})
        set_aside(mail_id, f"triaged could not process it: {type(error).__name__}", office, engine, clock)

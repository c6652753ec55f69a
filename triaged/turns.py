"""Whose turn it is: mails that wait are understood some at once, and one that breaks us is told from the others."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from triaged.office import Office
from triaged.pipeline import Clock, commit, process, set_aside, understand_all
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
        for together in takewhile(lambda _: not stopped(), _loads(turn, engine)):
            for finished in _finished(together, attempts, office, engine, clock):
                done += finished
                for _ in finished:
                    progress()
                if stopped():
                    return len(done)
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


def _finished(
    together: Sequence[KeptMail], attempts: Mapping[int, int], office: Office, engine: Engine, clock: Clock
) -> Iterator[list[int]]:
    """Yield the ids of what is done with: the healthy ones at once, or each by itself when one of them broke the others."""
    healthy = [kept for kept in together if not kept.fault and attempts[kept.id] <= mails.ATTEMPTS]
    at_once = [kept.id for kept in healthy] if _done_at_once(healthy, office, engine, clock) else []
    yield at_once
    for kept in together:
        if kept.id in at_once:
            continue
        if attempts[kept.id] > mails.ATTEMPTS:
            set_aside(kept.id, f"stopped triaged {mails.ATTEMPTS} times", office, engine, clock)
        else:
            _process_guarded(kept.id, office, engine, clock)
        yield [kept.id]


def _done_at_once(healthy: Sequence[KeptMail], office: Office, engine: Engine, clock: Clock) -> bool:
    """Understand and commit mails together: one commit waits for the disk once, not once a mail."""
    now = clock()
    try:
        commit(list(zip(healthy, understand_all(healthy, office, now), strict=True)), office, engine, now)
    except OperationalError:
        raise
    except Exception:  # one of them broke us: each alone tells which
        log.debug("mails broke us together", exc_info=True)
        return False
    return True


def _process_guarded(mail_id: int, office: Office, engine: Engine, clock: Clock) -> None:
    try:
        process(mail_id, office, engine, clock)
    except OperationalError:  # the database is away or full: not the fault of the mail
        raise
    except Exception as error:
        log.exception("a mail broke us", extra={"mail": mail_id})
        set_aside(mail_id, f"triaged could not process it: {type(error).__name__}", office, engine, clock)

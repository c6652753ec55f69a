"""The shell: which job runs when, signals, reload, watchdog. What a job does stands in `pipeline.py`."""

import logging
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Final

from apscheduler.executors.pool import ThreadPoolExecutor as JobPool
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger
from sqlalchemy import Engine

from triaged import pipeline, systemd, turns
from triaged.classify.modelfile import ModelError
from triaged.files.problem import WrongFile
from triaged.learning import in_use, nightly
from triaged.office import Office
from triaged.people import alerting, asking
from triaged.poll import Poller, disk_is_low
from triaged.rulebook.last_good import Watcher
from triaged.store import health, outbox

log = logging.getLogger("triaged")
_IDLE: Final = timedelta(seconds=1)  # how soon work that came in is seen
_AFTER_TROUBLE: Final = timedelta(seconds=30)  # the database is away: not the fault of any mail
_STALLED: Final = 1200.0  # seconds without finished work after which the watchdog is no longer fed; SMTP may be silent for 600
_STALLED_POLL: Final = 1800.0  # a mailbox may be slow: 50 MB through a thin line
_HEARTBEAT: Final = 15.0
_LOOK: Final = timedelta(seconds=2)  # how often rules.yaml, the choice of the model and lessons are looked at
_NIGHT: Final = (2, 30)  # when the office learns, by its own clock

Clock = Callable[[], datetime]


class Daemon:
    """Runs the jobs of one office until told to stop.

    Args:
        load: Reads configuration, rules and model anew.
        office: What `load` gave first.
        engine: The database.
        clock: Now, aware UTC.
    """

    def __init__(self, load: Callable[[], Office], office: Office, engine: Engine, clock: Clock) -> None:
        self._load = load
        self._office = office
        self._engine = engine
        self._clock = clock
        self._stop = threading.Event()
        self._signals: SimpleQueue[int] = SimpleQueue()  # an Event's lock may be held where its handler runs: a deadlock
        self._adding = threading.Lock()  # APScheduler's shutdown waits for jobs with the lock held that add_job needs
        self._exchange = threading.Lock()  # one exchange of the office at a time: reload, or new rules
        self._rules = Watcher(engine, clock, time.monotonic)
        self._models = in_use.Watcher(engine, clock)
        self._progress: dict[str, float] = {}
        self._pollers: dict[str, Poller] = {}
        self._scheduler = BackgroundScheduler(executors={"default": JobPool(24)}, timezone="UTC")

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; finish what is under way; return."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda came, _: self._signals.put(came))
        with self._engine.begin() as db:
            doubtful = outbox.doubt_interrupted(db, self._clock())
        if doubtful:
            log.warning("stopped while sending, last time", extra={"deliveries": doubtful})
        in_use.take_note(self._office, self._engine, self._clock())
        self._scheduler.start()
        self._start_jobs()
        systemd.notify("READY=1\nSTATUS=working")
        log.info("started", extra={"mailboxes": len(self._office.settings.mailboxes), "pid": os.getpid()})
        try:
            self._watch()
        finally:
            systemd.notify("STOPPING=1")
            with self._adding:
                self._stop.set()
            self._scheduler.shutdown(wait=True)
            for poller in self._pollers.values():
                poller.close()
            self._office.close()
            self._leave_heartbeat([], stopped=True)
            log.info("stopped")

    def stop(self) -> None:
        """Ask `run` to finish."""
        self._signals.put(signal.SIGTERM)

    def _start_jobs(self) -> None:
        self._repeat("process", self._process)
        self._repeat("deliver", self._deliver)
        self._repeat("rules", self._look_at_rules)
        self._repeat("model", self._look_at_model)
        self._scheduler.add_job(
            self._digest,
            CronTrigger(minute="*", timezone=self._office.settings.office.timezone),
            id="digest",
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            replace_existing=True,
        )
        self._scheduler.add_job(
            self._learn,
            CronTrigger(hour=_NIGHT[0], minute=_NIGHT[1], timezone=self._office.settings.office.timezone),
            id="learn",
            coalesce=True,
            max_instances=1,
            replace_existing=True,
        )
        for settings in self._office.settings.mailboxes:
            if settings.name not in self._pollers:
                self._pollers[settings.name] = Poller(settings.name, self._engine, self._clock, random.Random())
                self._repeat(f"poll {settings.name}", self._poll, settings.name)

    def _repeat(
        self, job: str, work: Callable[..., timedelta | None], *arguments: str, after: timedelta = timedelta(0)
    ) -> None:
        """Run a job again and again; each run says how long to rest before the next, or None for never."""

        def run() -> None:
            try:
                rest = work(*arguments)
            except Exception:
                log.exception("a job broke", extra={"job": job})
                rest = _AFTER_TROUBLE
            self._progress[job] = time.monotonic()
            if rest is None:
                self._progress.pop(job, None)
            else:
                self._repeat(job, work, *arguments, after=rest)

        self._progress.setdefault(job, time.monotonic())
        moment = datetime.now(self._scheduler.timezone) + after
        with self._adding:
            if not self._stop.is_set():
                self._scheduler.add_job(run, DateTrigger(moment), id=job, replace_existing=True, misfire_grace_time=None)

    def _mark(self, job: str) -> Callable[[], None]:
        def progress() -> None:
            self._progress[job] = time.monotonic()

        return progress

    def _poll(self, name: str) -> timedelta | None:
        poller = self._pollers[name]
        if name not in {settings.name for settings in self._office.settings.mailboxes}:
            poller.close()
            del self._pollers[name]
            return None
        return poller.run(self._office, self._stop.is_set, self._mark(f"poll {name}"))

    def _process(self) -> timedelta:
        office = self._office
        turned = lambda: self._stop.is_set() or self._office is not office  # noqa: E731  # new rules count from the next mail
        done = turns.process_waiting(office, self._engine, self._clock, turned, self._mark("process"))
        return timedelta(0) if done else _IDLE

    def _deliver(self) -> timedelta:
        if disk_is_low(self._office.state_folder):  # what can't be marked as sent must not be sent
            return _AFTER_TROUBLE
        pipeline.deliver_due(self._office, self._engine, self._clock, self._stop.is_set, self._mark("deliver"))
        return _IDLE

    def _look_at_rules(self) -> timedelta:
        with self._exchange:
            self._office = self._rules.look(self._office) or self._office
        return _LOOK

    def _look_at_model(self) -> timedelta:
        with self._exchange:
            self._office = self._models.look(self._office) or self._office
        return _LOOK

    def _learn(self) -> None:
        nightly.learn_if_due(self._office.settings.file, self._engine, self._stop)

    def _digest(self) -> None:
        alerting.repeat_alerts(self._office, self._engine, self._clock())
        asking.send_if_due(self._office, self._engine, self._clock())  # APScheduler logs what it raises, and goes on

    def _watch(self) -> None:
        """Feed the watchdog while work gets finished; reload when asked; leave a heartbeat for `triaged status`."""
        beat = -_HEARTBEAT
        while not (came := self._came()) & {signal.SIGTERM, signal.SIGINT}:
            if signal.SIGHUP in came:
                self._take_new_office()
            now = time.monotonic()
            stalled = self._stalled(now)
            if not stalled:
                systemd.notify("WATCHDOG=1")
            if now - beat >= _HEARTBEAT:
                beat = now
                self._leave_heartbeat(stalled)

    def _came(self) -> set[int]:
        """Wait for a signal, a second at most; return those that came."""
        came: set[int] = set()
        with suppress(Empty):
            came.add(self._signals.get(timeout=1.0))
            while True:
                came.add(self._signals.get_nowait())
        return came

    def _stalled(self, now: float) -> list[str]:
        limits = {job: _STALLED_POLL if job.startswith("poll ") else _STALLED for job in self._progress}
        return [job for job, last in list(self._progress.items()) if now - last > limits.get(job, _STALLED)]

    def _leave_heartbeat(self, stalled: list[str], *, stopped: bool = False) -> None:
        try:
            with self._engine.begin() as db:
                beat = {"pid": os.getpid(), "stalled": stalled, "stopped": stopped}
                health.remember(db, "daemon", beat, self._clock())
        except Exception:
            log.exception("no heartbeat: the database does not answer")

    def _take_new_office(self) -> None:
        with self._exchange:
            self._exchange_office()

    def _exchange_office(self) -> None:
        systemd.notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            office = self._load()
        except (WrongFile, ModelError, OSError) as error:
            log.error("reload refused, the old configuration stays", extra={"why": str(error)})  # noqa: TRY400
        else:
            self._office, old = office, self._office
            old.close()
            self._start_jobs()
            log.info("reloaded")
        systemd.notify("READY=1")


def run_once(office: Office, engine: Engine, clock: Clock, processed: Callable[[], None] = lambda: None) -> list[str]:
    """Poll every mailbox, process all, deliver all that is due; return what went wrong, a line a mailbox.

    `processed` is called after each mail that was processed.
    """
    polled = threading.Event()
    with engine.begin() as db:
        outbox.doubt_interrupted(db, clock())
    in_use.take_note(office, engine, clock())
    never, ignore = (lambda: False), (lambda: None)
    pollers = [Poller(settings.name, engine, clock, random.Random()) for settings in office.settings.mailboxes]

    def deliver_while_there_is_work() -> None:
        while not polled.wait(0.05):
            pipeline.deliver_due(office, engine, clock, never, ignore)

    with ThreadPoolExecutor(len(pollers) + 1) as threads:
        polls = [threads.submit(poller.take_all, office, never, ignore) for poller in pollers]
        delivering = threads.submit(deliver_while_there_is_work)
        try:
            while True:
                polls_done = all(poll.done() for poll in polls)
                if turns.process_waiting(office, engine, clock, never, processed):
                    continue
                if polls_done:
                    break
                time.sleep(0.02)
        finally:
            polled.set()
        delivering.result()
    pipeline.deliver_due(office, engine, clock, never, ignore)
    for poller in pollers:
        poller.close()
    return [problem for poll in polls if (problem := poll.result())]

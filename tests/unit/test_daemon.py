"""Stopping the daemon, at the worst moment."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation
from triaged.commands.opening import now
from triaged.daemon import Daemon
from triaged.rulebook.last_good import open_in_use
from triaged.settings.file import load_settings
from triaged.store.engine import migrate, open_engine


def test_a_job_that_plans_its_next_run_while_the_daemon_stops_does_not_hold_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """APScheduler's shutdown keeps the lock that add_job needs until every job has ended."""
    settings = load_settings(Installation(tmp_path).config)
    engine = open_engine(settings.store_url)
    migrate(engine)
    daemon = Daemon(lambda: office, office := open_in_use(settings, engine, now), engine, now)
    monkeypatch.setattr("triaged.daemon.signal.signal", lambda *_: None)
    scheduler = daemon._scheduler
    add_job, shutdown, shutting_down = scheduler.add_job, scheduler.shutdown, threading.Event()

    def add_late(run: Any, *arguments: Any, **more: Any) -> Any:
        if threading.current_thread() is not running:  # a job plans its next run: the daemon is told to stop just now
            daemon.stop()
            shutting_down.wait(1.0)
        return add_job(run, *arguments, **more)

    def shut_down(**how: Any) -> None:
        shutting_down.set()
        shutdown(**how)

    monkeypatch.setattr(scheduler, "add_job", add_late)
    monkeypatch.setattr(scheduler, "shutdown", shut_down)
    running = threading.Thread(target=daemon.run, daemon=True)
    running.start()
    running.join(30)
    assert not running.is_alive()

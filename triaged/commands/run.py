"""run, status: the daemon, and how it is."""

import json
import sys
from typing import Any

import click

from triaged.commands.opening import CONFIG, now, open_database, open_settings, reports_problems


@click.command()
@CONFIG
@click.option("--once", is_flag=True, help="Poll every mailbox, process all, deliver all that is due, exit.")
@click.option("--verbose", is_flag=True, help="Log more.")
@reports_problems
def run(config: str | None, once: bool, verbose: bool) -> None:
    """The daemon: polls, understands, routes, acknowledges, asks; until SIGTERM. SIGHUP reads the configuration anew."""
    from triaged import daemon, logs
    from triaged.rulebook import to_editors
    from triaged.rulebook.last_good import open_in_use
    from triaged.store.lock import only_one

    logs.set_up(verbose=verbose)
    settings = open_settings(config)
    engine = open_database(settings)
    with only_one(engine):
        office = open_in_use(settings, engine, now)
        if once:
            to_editors.tell(office, office.rules.editors, engine, now())
            problems = daemon.run_once(office, engine, now)
            office.close()
            for problem in problems:
                click.echo(problem, err=True)
            sys.exit(1 if problems else 0)
        daemon.Daemon(lambda: open_in_use(open_settings(config), engine, now, strict=True), office, engine, now).run()


@click.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@reports_problems
def status(config: str | None, as_json: bool) -> None:
    """Healthy or not, and why. Exit status 1 when not."""
    from triaged.health import look

    settings = open_settings(config)
    health = look(settings, open_database(settings), now())
    if as_json:
        click.echo(json.dumps(health.as_json(), ensure_ascii=False, indent=2))
    else:
        _print(health)
    sys.exit(0 if health.healthy else 1)


def _print(health: Any) -> None:
    click.echo("healthy" if health.healthy else "NOT HEALTHY")
    for problem in health.problems:
        click.echo(f"  ! {problem}")
    for line in health.lines:
        click.echo(f"  {line}")

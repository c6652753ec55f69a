"""What commands share: the configuration file, the opened database and office."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from triaged.config import Settings
    from triaged.office import Office

CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False),
    help="triaged.toml (else $TRIAGED_CONFIG, ./triaged.toml, /etc/triaged/).",
)


def now() -> datetime:
    """Return the present moment, aware UTC."""
    return datetime.now(UTC)


def open_settings(config: str | None) -> "Settings":
    """Read triaged.toml.

    Raises:
        WrongFile: It is wrong, or there is none.
    """
    from triaged.settings.file import find_settings, load_settings

    return load_settings(find_settings(config))


def open_database(settings: "Settings") -> "Engine":
    """Open the database and bring its tables to this version.

    Raises:
        click.ClickException: It can't be used; said in words.
    """
    from triaged.store.engine import StoreError, migrate, open_engine

    try:
        engine = open_engine(settings.store_url)
        migrate(engine)
    except StoreError as error:
        raise _unusable(str(error)) from error
    return engine


def open_office_for(config: str | None, rules: Path | None = None) -> "tuple[Office, Engine]":
    """Open everything: settings, database, rules (or another rules file, to try it), model."""
    from triaged.office import open_office

    settings = open_settings(config)
    if rules is not None:
        settings = replace(settings, office=replace(settings.office, rules=rules))
    engine = open_database(settings)
    return open_office(settings, engine, now), engine


def open_office_in_use(config: str | None) -> "tuple[Office, Engine]":
    """Open everything; with the last good rules, and a warning, when rules.yaml cannot be read."""
    from triaged.rulebook.last_good import open_to_look

    settings = open_settings(config)
    engine = open_database(settings)
    return open_to_look(settings, engine, now, lambda said: click.echo(said, err=True)), engine


def reports_problems(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a database that does not answer end a command in one sentence instead of a traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from sqlalchemy.exc import OperationalError

        from triaged.store.engine import StoreError

        try:
            return command(*args, **kwargs)
        except (OperationalError, StoreError) as error:
            raise _unusable(str(getattr(error, "orig", error))) from error

    return run


def _unusable(why: str) -> click.ClickException:
    return click.ClickException(f"the database can't be used: {why}")

"""learn, model: what the office teaches, and which of the learnt models judges."""

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from triaged.commands.opening import CONFIG, now, open_database, open_office_in_use, open_settings, reports_problems
from triaged.commands.tables import print_table

if TYPE_CHECKING:
    from triaged.config import Settings


def _says_what_is_wrong(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let what cannot be learnt or chosen end a command in words, with exit status 2."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from triaged.classify.modelfile import ModelError
        from triaged.classify.rows import RowsError
        from triaged.learning.from_folders import WrongFolder
        from triaged.learning.shelf import Busy, NoSuchModel

        try:
            return command(*args, **kwargs)
        except (RowsError, ModelError, WrongFolder, NoSuchModel, Busy) as error:
            raise click.UsageError(str(error)) from error

    return reports_problems(run)


@click.command()
@CONFIG
@click.option(
    "--from",
    "folders",
    multiple=True,
    required=True,
    metavar="MAILBOX:FOLDER=TOPIC",
    help="A folder of sorted letters and its topic; may be given often. Topic none: none of the office's matters.",
)
@click.option("--dry-run", is_flag=True, help="Read and count; keep nothing.")
@_says_what_is_wrong
def learn(config: str | None, folders: tuple[str, ...], dry_run: bool) -> None:
    """Learn from letters that people have sorted into folders. Reads only; repeating it learns nothing twice."""
    from triaged.learning import from_folders

    office, engine = open_office_in_use(config)
    mailboxes = [mailbox.name for mailbox in office.settings.mailboxes]
    wanted = [from_folders.parse(text, mailboxes, list(office.rules.topics)) for text in folders]
    said = lambda what: click.echo(what, err=True)  # noqa: E731
    counts = from_folders.learn(wanted, office, engine, now, said, dry_run=dry_run)
    click.echo(", ".join(f"{count} {what}" for what, count in sorted(counts.items()) if count) or "no mail there")
    if not dry_run:
        click.echo("Tonight a model learns from them; or now: triaged model retrain")


@click.group()
def model() -> None:
    """The models that the office has learnt: list, promote, roll back, retrain."""


@model.command("list")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@_says_what_is_wrong
def list_models(config: str | None, as_json: bool) -> None:
    """The models on the shelf, which one judges, and how the last night of learning ended."""
    from triaged.learning import shelf
    from triaged.learning.lessons import ENOUGH, last_try, new_lessons
    from triaged.store.engine import reading

    settings = open_settings(config)
    home = _shelf(settings)
    with reading(open_database(settings)) as db:
        last, waiting = last_try(db), new_lessons(db)
    choice = shelf.chosen(home)
    rows = [{"name": shelf.FIRST, "in_use": choice.name == shelf.FIRST, "rows": None, "lessons": None, "accuracy": None}]
    for one in shelf.models(home):
        lessons = sum(key != 0 for key in one.manifest.get("lessons", ()))
        accuracy = one.manifest["held_out"]["accuracy"]
        in_use = choice.name == one.name
        rows.append(
            {"name": one.name, "in_use": in_use, "rows": one.manifest["rows"], "lessons": lessons, "accuracy": accuracy}
        )
    if as_json:
        click.echo(json.dumps({"models": rows, "last_try": last, "new_lessons": waiting}, ensure_ascii=False, indent=2))
        return
    table = [
        [
            ("→ " if row["in_use"] else "  ") + str(row["name"]),
            *("" if row[key] is None else str(row[key]) for key in ("rows", "lessons", "accuracy")),
        ]
        for row in rows
    ]
    print_table("Models", ["model", "texts", "of these lessons", "right when held out"], table)
    click.echo(f"{waiting} new lessons since the last try; {ENOUGH} are enough for the next.")
    if last:
        click.echo(f"Last try, {last['at'][:16].replace('T', ' ')} UTC: {last['said']}")


@model.command()
@CONFIG
@click.argument("name")
@_says_what_is_wrong
def promote(config: str | None, name: str) -> None:
    """Let the model of this NAME judge (first: the one that triaged.toml names)."""
    from triaged.learning import shelf

    choice = shelf.choose(_shelf(open_settings(config)), name, f"The model {name} was taken into use by hand.", now())
    click.echo(f"{choice.name} judges; a running daemon takes it within seconds.")


@model.command()
@CONFIG
@_says_what_is_wrong
def rollback(config: str | None) -> None:
    """Let the model judge that was in use before."""
    from triaged.learning import shelf

    choice = shelf.roll_back(_shelf(open_settings(config)), "The model in use was rolled back by hand.", now())
    click.echo(f"{choice.name} judges; a running daemon takes it within seconds.")


@model.command()
@CONFIG
@_says_what_is_wrong
def retrain(config: str | None) -> None:
    """Learn from all lessons now; the new model judges if it is nowhere worse. The daemon does this at night."""
    from triaged.learning import retrain
    from triaged.rulebook.last_good import rules_in_use

    _stand_back()
    settings = open_settings(config)
    engine = open_database(settings)
    topics = frozenset(rules_in_use(settings, engine).topics)
    found = retrain.retrain(settings, topics, engine, now(), lambda what: click.echo(what, err=True))
    click.echo(found.said)
    sys.exit(0 if found.name else 1)


def _stand_back() -> None:
    """Let mail go first; and if memory runs out, let this process die rather than the daemon."""
    with suppress(OSError):  # a hardened service may not change its priority
        os.nice(15)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _shelf(settings: "Settings") -> Path:
    from triaged.learning import in_use, shelf

    return shelf.home(in_use.state_folder(settings))

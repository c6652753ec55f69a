"""queue, cases, show, resolve, export: working with the correspondence from the console."""

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from triaged.commands.opening import CONFIG, now, open_database, open_office_in_use, open_settings, reports_problems
from triaged.commands.tables import case_lines, print_table
from triaged.message import Kind, Record, Status, Urgency

_FILTERS = (
    click.option("--mailbox", default="", help="Only this mailbox."),
    click.option("--topic", default="", help="Only this topic."),
    click.option("--department", default="", help="Only what this department has."),
    click.option(
        "--status",
        default="",
        type=click.Choice(["", *(value.value for value in Status)]),
        show_choices=True,
        help="Only this status.",
    ),
    click.option(
        "--urgency", default="", type=click.Choice(["", *(value.value for value in Urgency)]), help="Only this urgency."
    ),
    click.option(
        "--kind", default="", type=click.Choice(["", *(value.value for value in Kind)]), help="Only this kind of mail."
    ),
    click.option("--language", default="", help="Only this language."),
    click.option("--from", "writer", default="", help="Part of the writer's name or address."),
    click.option("--text", default="", help="Part of the subject or the first lines."),
    click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Received on or after this day (UTC)."),
    click.option("--limit", type=click.IntRange(1), help="At most so many."),
)


def _filtered(command: Any) -> Any:
    for option in reversed(_FILTERS):
        command = option(command)
    return command


def _search(filters: dict[str, Any]) -> Any:
    from datetime import UTC

    from triaged.store.records import Search

    since = filters.pop("since")
    return Search(**filters, since=since.replace(tzinfo=UTC) if since else None)


@click.command()
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@reports_problems
def queue(config: str | None, as_json: bool) -> None:
    """What waits for a person: most urgent first, then oldest."""
    from triaged.report import record as report
    from triaged.store import records
    from triaged.store.engine import reading

    with reading(open_database(open_settings(config))) as db:
        waiting = records.waiting(db)
    if as_json:
        click.echo(json.dumps([report.as_json(item) for item in waiting], ensure_ascii=False, indent=2))
    elif not waiting:
        click.echo("Nothing waits for a person.")
    else:
        _print_records(waiting, f"{len(waiting)} wait for a person")
        click.echo("\nDecide one: triaged resolve REFERENCE --topic TOPIC   (or --department D, --close, --spam)")


@click.command()
@CONFIG
@_filtered
@click.option("--json", "as_json", is_flag=True, help="JSON, one list.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV for a spreadsheet.")
@reports_problems
def cases(config: str | None, as_json: bool, as_csv: bool, **filters: Any) -> None:
    """Search the correspondence."""
    from triaged.report import record as report
    from triaged.store import records
    from triaged.store.engine import reading

    if not (as_json or as_csv) and filters["limit"] is None:
        filters["limit"] = 200
    with reading(open_database(open_settings(config))) as db:
        found = records.search(db, _search(filters))
        if as_csv:
            report.write_csv(found, sys.stdout)
        elif as_json:
            click.echo(json.dumps([report.as_json(item) for item in found], ensure_ascii=False, indent=2))
        else:
            listed = list(found)
            _print_records(listed, f"{len(listed)} found")


@click.command()
@CONFIG
@click.argument("reference")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@reports_problems
def show(config: str | None, reference: str, as_json: bool) -> None:
    """One case whole, with its history."""
    from triaged.report import record as report
    from triaged.store import cases as store
    from triaged.store import records
    from triaged.store.engine import reading

    with reading(open_database(open_settings(config))) as db:
        case = store.by_reference(db, reference)
        if case is None:
            raise click.ClickException(f"there is no case {reference}")
        found = records.of_case(db, case.id)
        history = store.history(db, case.id)
    if as_json:
        latest = report.as_json(found[-1])
        latest["messages"] = [report.as_json(item) for item in found]
        latest["history"] = [{"at": at.isoformat(), "by": by, "what": what} for at, by, what in history]
        click.echo(json.dumps(latest, ensure_ascii=False, indent=2))
        return
    for record in found:
        click.echo("\n".join(case_lines(record)))
        click.echo("")
    click.echo("History")
    for at, by, what in history:
        click.echo(f"  {at:%Y-%m-%d %H:%M}  {by}: {what}")


@click.command()
@CONFIG
@click.argument("reference")
@click.option("--topic", help="What it is about.")
@click.option("--department", "departments", multiple=True, help="Who answers; else the topic's department.")
@click.option("--urgency", type=click.Choice([value.value for value in Urgency]), help="How soon.")
@click.option("--close", is_flag=True, help="It needs nothing more.")
@click.option("--spam", is_flag=True, help="It is no letter.")
@click.option(
    "--by",
    default=lambda: os.environ.get("SUDO_USER") or os.environ.get("USER") or "console",
    help="Who decides, for the history.",
)
@reports_problems
def resolve(config: str | None, reference: str, by: str, urgency: str | None, **said: Any) -> None:
    """Answer what waits for a person."""
    from triaged.people.resolve import Answer, CannotResolve
    from triaged.people.resolve import resolve as apply

    if sum((bool(said["topic"] or said["departments"]), said["close"], said["spam"])) != 1:
        raise click.UsageError("say one thing: --topic (and --department), or --close, or --spam")
    office, engine = open_office_in_use(config)
    try:
        record = apply(reference, Answer(by, urgency=Urgency(urgency) if urgency else None, **said), office, engine, now())
    except CannotResolve as refusal:
        raise click.UsageError(str(refusal)) from refusal
    click.echo(
        f"{record.reference}: {record.status}, {record.topic or 'no topic'} → {', '.join(record.departments) or 'nobody'}"
    )


@click.command()
@CONFIG
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Received on or after this day (UTC).")
@click.option("--out", type=click.Path(dir_okay=False), help="File to write; else standard output.")
@reports_problems
def export(config: str | None, form: str, since: Any, out: str | None) -> None:
    """One row a message, as JSON Lines or CSV."""
    from datetime import UTC

    from triaged.report import record as report
    from triaged.store import records
    from triaged.store.engine import reading

    wanted = records.Search(since=since.replace(tzinfo=UTC) if since else None)
    target = Path(out).open("w", encoding="utf-8", newline="") if out else nullcontext(sys.stdout)  # noqa: SIM115
    with target as file, reading(open_database(open_settings(config))) as db:
        write = report.write_csv if form == "csv" else report.write_jsonl
        count = write(records.search(db, wanted), file)
    if out:
        click.echo(f"{count} messages → {out}")


def _print_records(found: list[Record], title: str) -> None:
    print_table(
        title,
        ("reference", "received", "from", "subject", "topic", "urgency", "status", "to", "why"),
        [
            (
                record.reference,
                f"{record.received_at:%Y-%m-%d %H:%M}",
                record.sender.address or record.sender.name,
                record.subject,
                f"{record.topic or '—'}{f' {record.confidence:.0%}' if record.confidence is not None else ''}",
                record.urgency.value,
                record.status.value,
                ", ".join(record.departments),
                record.reasons[-1].because if record.reasons else "",
            )
            for record in found
        ],
    )

"""explain: what would happen to a mail in a file, or what happened to a case, and why."""

import json
from pathlib import Path

import click

from triaged.commands.opening import CONFIG, now, open_office_in_use, reports_problems
from triaged.commands.tables import case_lines, visible


@click.command()
@CONFIG
@click.argument("mail")
@click.option("--mailbox", help="As if it had come to this mailbox; default: the first.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@reports_problems
def explain(config: str | None, mail: str, mailbox: str | None, as_json: bool) -> None:
    """MAIL is an .eml file (what would happen) or a reference (what happened). Changes nothing."""
    from triaged import explaining
    from triaged.report.record import as_json as in_json
    from triaged.store import cases, records
    from triaged.store.engine import reading
    from triaged.whatif import foresee

    office, engine = open_office_in_use(config)
    why: list[str] = []
    if Path(mail).is_file():
        name, octets = mailbox or office.settings.mailboxes[0].name, Path(mail).read_bytes()
        found = [foresee(octets, name, office, now())]
        why = [] if as_json else explaining.of_file(octets, name, office, now())
    else:
        with reading(engine) as db:
            case = cases.by_reference(db, mail)
            if case is None:
                raise click.UsageError(f"{mail} is neither a file nor the reference of a case")
            found = records.of_case(db, case.id)
            why = [] if as_json else explaining.of_record(db, found[-1], office, now())
    if as_json:
        click.echo(json.dumps(in_json(found[-1]), ensure_ascii=False, indent=2))
        return
    for record in found:
        click.echo("\n".join(case_lines(record)))
    click.echo("\n".join(map(visible, why)))

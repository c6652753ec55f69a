"""rules: check and try rules.yaml."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.commands.opening import CONFIG, now, open_office_for, open_office_in_use, reports_problems
from triaged.commands.tables import print_table, visible

if TYPE_CHECKING:
    from triaged.rulebook.replay import Comparison

_FILE = click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def rules() -> None:
    """Check and try rules.yaml."""


@rules.command()
@CONFIG
@_FILE
@reports_problems
def check(config: str | None, file: Path | None) -> None:
    """All that is wrong with the file (default: the one in use): names, patterns, examples, tests. Status 1 if anything is."""
    from triaged.checking import check_rules
    from triaged.files.problem import say

    office, _ = open_office_for(config, file)
    problems = check_rules(office, now())
    for problem in problems:
        click.echo(say(problem))
    wrong = sum(not problem.warning for problem in problems)
    click.echo(f"{office.rules.file}: {len(office.rules.rules)} rules, {wrong} problems, {len(problems) - wrong} warnings")
    sys.exit(1 if wrong else 0)


@rules.command()
@CONFIG
@_FILE
@reports_problems
def test(config: str | None, file: Path | None) -> None:
    """Try the examples and tests that stand in the file. Status 1 if one fails."""
    from triaged.checking import try_rules
    from triaged.files.problem import say

    office, _ = open_office_for(config, file)
    trials = try_rules(office, now())
    for trial in trials:
        if trial.passed is False:
            click.echo(say(trial.problem()))
    failed = sum(trial.passed is False for trial in trials)
    click.echo(f"{len(trials) - failed} of {len(trials)} examples and tests came out as they must")
    sys.exit(1 if failed else 0)


@rules.command()
@click.option("--surge", is_flag=True, help="Of the files in rules.d instead.")
def schema(surge: bool) -> None:
    """Print the JSON Schema of rules.yaml, for editors."""
    from triaged.rules.grammar import json_schema
    from triaged.rules.surge import surge_schema

    whole = json_schema()
    click.echo(json.dumps(surge_schema(whole["$defs"]) if surge else whole, ensure_ascii=False, indent=2))


@rules.command()
@CONFIG
@click.argument("mail", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mailbox", help="As if it had come to this mailbox; default: the first.")
@reports_problems
def explain(config: str | None, mail: Path, mailbox: str | None) -> None:
    """What would come out of a mail by the file as it is now, and each rule's turn at it, from top to bottom."""
    from triaged.commands.tables import case_lines
    from triaged.explaining import of_file
    from triaged.whatif import foresee

    office, _ = open_office_for(config)
    name = mailbox or office.settings.mailboxes[0].name
    octets = mail.read_bytes()
    click.echo("\n".join(case_lines(foresee(octets, name, office, now()))))
    click.echo("\n".join(map(visible, of_file(octets, name, office, now()))))


@rules.command(name="list")
@CONFIG
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@reports_problems
def list_rules(config: str | None, as_json: bool) -> None:
    """The rules from top to bottom: whether each is in use, how often it applied, when last."""
    from triaged.rulebook.usage import usages

    office, engine = open_office_in_use(config)
    found = usages(office, engine, now())
    if as_json:
        click.echo(json.dumps([each.as_json() for each in found], ensure_ascii=False, indent=2))
        return
    rows = [(each.at, each.name, each.state, f"{each.times:,}", each.last_in_words) for each in found]
    print_table(f"{office.rules.file}: {len(found)} rules", ("place", "rule", "state", "applied", "last"), rows)


@rules.command()
@CONFIG
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--days", type=click.IntRange(1, 3_650), default=30, show_default=True, help="How many days of letters.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Also write it as a page, to mail to somebody.")
@reports_problems
def diff(config: str | None, new: Path, days: int, as_json: bool, html: Path | None) -> None:
    """Which letters of the past the rules in NEW would have decided differently, and how. Changes nothing."""
    from triaged.office import with_rules
    from triaged.rulebook import replay
    from triaged.rulebook.last_good import wrong_in
    from triaged.rules.load import load_book, load_rules

    office, engine = open_office_in_use(config)
    candidate = load_rules(new)
    comparison = replay.compare(office, candidate, engine, now(), days)
    if html is not None:
        html.write_text(replay.as_html(comparison, office, new.name, now()), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(replay.as_json(comparison), ensure_ascii=False, indent=2))
    else:
        _show(comparison)
    wrong = wrong_in(with_rules(office, candidate, load_book(new).version, now), now())
    if wrong:
        click.echo(f"{new.name} would not be taken into use: {len(wrong)} problems. See: triaged rules check {new}", err=True)


def _show(comparison: "Comparison") -> None:
    click.echo(visible(comparison.summary))
    if comparison.asked:
        click.echo(f"(For {comparison.asked:,} of them the model was asked anew: what it had said was not kept.)")
    if comparison.damaged:
        click.echo(f"({comparison.damaged:,} more are left out: their copies in the database are damaged.)")
    if not comparison.turned:
        return
    click.echo("")
    kinds = [(f"{count:,}", "; ".join(map(str, turns))) for turns, count in comparison.groups]
    print_table("How", ("letters", "what"), kinds)
    click.echo("")
    rows = []
    for letter in comparison.turned:
        differences, due_to = "; ".join(map(str, letter.turns)), ", ".join(letter.rules)
        rows.append((letter.reference, f"{letter.received_at:%Y-%m-%d}", letter.subject, differences, due_to))
    print_table("Which letters", ("reference", "received", "subject", "would become", "by rule"), rows)

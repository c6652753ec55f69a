"""rules: check and try rules.yaml."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triaged.commands.opening import CONFIG, now, open_office_for, reports_problems
from triaged.commands.tables import visible

if TYPE_CHECKING:
    pass

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
    from triaged.problem import say

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
    from triaged.problem import say

    office, _ = open_office_for(config, file)
    trials = try_rules(office, now())
    for trial in trials:
        if trial.passed is False:
            click.echo(say(trial.problem()))
    failed = sum(trial.passed is False for trial in trials)
    click.echo(f"{len(trials) - failed} of {len(trials)} examples and tests came out as they must")
    sys.exit(1 if failed else 0)


@rules.command()
def schema() -> None:
    """Print the JSON Schema of rules.yaml, for editors."""
    from triaged.rules.grammar import json_schema

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@rules.command()
@CONFIG
@click.argument("mail", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mailbox", help="As if it had come to this mailbox; default: the first.")
@reports_problems
def explain(config: str | None, mail: Path, mailbox: str | None) -> None:
    """Each rule's turn at a mail, from top to bottom, and what came out."""
    from triaged.checking import steps_of
    from triaged.commands.tables import case_lines
    from triaged.whatif import foresee

    office, _ = open_office_for(config)
    name = mailbox or office.settings.mailboxes[0].name
    octets = mail.read_bytes()
    for step in steps_of(octets, name, office, now()):
        click.echo(f"{'✓' if step.applied else ' '} {step.rule.at}  {step.rule.name}: {visible(step.because)}")
    click.echo("")
    click.echo("\n".join(case_lines(foresee(octets, name, office, now()))))

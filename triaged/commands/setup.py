"""init, check: from nothing to a checked installation."""

import shutil
import sys
from importlib.resources import as_file, files
from pathlib import Path

import click

from triaged.commands.opening import CONFIG, now, open_office_for, reports_problems


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--wizard", "ask", is_flag=True, help="Ask for provider, address and sign-in, try them, and write them down.")
def init(folder: Path, ask: bool) -> None:
    """Write triaged.toml, rules.yaml and lists into FOLDER, to start from. Overwrites nothing."""
    if ask:
        from triaged.commands import wizard

        wizard.run(folder)
    written = []
    with as_file(files("triaged") / "starter") as starter:
        for source in sorted(path for path in starter.rglob("*") if path.is_file()):
            target = folder / source.relative_to(starter)
            if target.exists():
                click.echo(f"left as it is: {target}")
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            if target.name == "triaged.toml" and folder.resolve().is_relative_to("/etc"):
                _keep_the_database_out_of_etc(target)
            written.append(target)
    for target in written:
        click.echo(f"written: {target}")
    click.echo(f"\nNext: edit {folder}/triaged.toml, then\n  triaged check --config {folder}/triaged.toml --connect")


@click.command()
@CONFIG
@click.option("--connect", is_flag=True, help="Also try every mailbox and the sender.")
@reports_problems
def check(config: str | None, connect: bool) -> None:
    """Check configuration, rules with their tests, and model; status 1 if something is not right, 2 if a file is wrong."""
    from triaged.checking import check_review, check_rules, check_wordings, connections
    from triaged.classify.topic import TopicModel
    from triaged.files.problem import say

    office, engine = open_office_for(config)
    right = True
    click.echo(f"✓ {office.settings.file}: {len(office.settings.mailboxes)} mailboxes, sender {office.settings.sender.kind}")
    click.echo(f"✓ database {engine.url.render_as_string(hide_password=True)}")
    problems = check_rules(office, now())
    for problem in problems:
        click.echo(f"{'!' if problem.warning else '✗'} {say(problem)}")
        right = right and problem.warning
    if not any(not problem.warning for problem in problems):
        click.echo(f"✓ {office.rules.file}: {len(office.rules.rules)} rules, {len(office.rules.topics)} topics, tests pass")
    for problem_text in check_wordings(office):
        click.echo(f"✗ {problem_text}")
        right = False
    for gap in check_review(office.settings):
        click.echo(f"! {gap}")
    if isinstance(office.topics, TopicModel):
        click.echo(f"✓ model: {len(office.topics.topics)} topics")
        if not office.topics.danger:
            click.echo("! possible danger is not heard, only phrases are: the shipped model's folder danger is missing")
        if not office.topics.encoder:
            click.echo("! there is no encoder: topics and danger are judged by words alone, less well")
    for connection in connections(office) if connect else ():
        click.echo(f"{'✓' if connection.works else '✗'} {connection.name}: {connection.said}")
        right = right and connection.works
    office.close()
    sys.exit(0 if right else 1)


def _keep_the_database_out_of_etc(settings: Path) -> None:
    """The service may write to its state folder only (systemd/triaged.service)."""
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("sqlite:///triaged.db", "sqlite:////var/lib/triaged/triaged.db"), encoding="utf-8")

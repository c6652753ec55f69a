"""digest: build the review digest now, to look at or to send."""

from pathlib import Path

import click

from triaged.commands.opening import CONFIG, now, open_office_for, reports_problems


@click.command()
@CONFIG
@click.option(
    "--preview", type=click.Path(file_okay=False, path_type=Path), help="Write digest.html, digest.txt and digest.eml here."
)
@click.option("--send", "really_send", is_flag=True, help="Mail it to the reviewers now.")
@reports_problems
def digest(config: str | None, preview: Path | None, really_send: bool) -> None:
    """Build the review digest now; --preview to look at it, --send to mail it."""
    from triaged.message import State
    from triaged.people import asking
    from triaged.store.engine import reading

    if (preview is None) == (not really_send):
        raise click.UsageError("say --preview DIR or --send")
    office, engine = open_office_for(config)
    moment = now()
    with reading(engine) as db:
        made = asking.build(db, office, moment)
    if made is None:
        click.echo("Nothing waits for a person: there is no digest.")
        return
    if preview is not None:
        preview.mkdir(parents=True, exist_ok=True)
        (preview / "digest.txt").write_text(made.text, encoding="utf-8")
        (preview / "digest.html").write_text(made.html, encoding="utf-8")
        (preview / "digest.eml").write_bytes(asking.as_mail(made, office, None, moment))
        click.echo(f"{len(made.references)} items → {preview}/digest.html, digest.txt, digest.eml")
        return
    if not office.settings.review.to:
        raise click.UsageError("[review] to: nobody is named to get the digest")
    ended = asking.ask(office, engine, office.sender, f"by hand {moment.isoformat()}", moment)
    office.close()
    failed = [f"{reviewer} ({state})" for reviewer, state in ended.items() if state is not State.SENT]
    if failed:
        raise click.ClickException(f"the digest was not sent to {', '.join(failed)}; the log says why")
    click.echo(f"{len(made.references)} items → {', '.join(office.settings.review.to)}")

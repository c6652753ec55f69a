"""train, predict, evaluate: the topic model by itself."""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from triaged.commands.opening import now

_MODEL = click.option(
    "--model", "model", required=True, type=click.Path(file_okay=False, path_type=Path), help="The model's folder."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
_ROWS = click.Path(exists=True, dir_okay=False, path_type=Path)


def _says_what_is_wrong(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let wrong rows or a wrong model end a command in words, with exit status 2."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        from triaged.classify.modelfile import ModelError
        from triaged.classify.rows import RowsError

        try:
            return command(*args, **kwargs)
        except (RowsError, ModelError) as error:
            raise click.UsageError(str(error)) from error

    return run


@click.command()
@click.argument("data", nargs=-1, required=True, type=_ROWS)
@_MODEL
@_JSON
@_says_what_is_wrong
def train(data: tuple[Path, ...], model: Path, as_json: bool) -> None:
    """Learn topics from labelled texts: JSON Lines with text (or subject and body) and topic."""
    from triaged.classify.train import train as learn

    trained = learn(data, model, progress=lambda what: None if as_json else click.echo(what, err=True))
    if as_json:
        click.echo(json.dumps(trained.as_json(), ensure_ascii=False))
        return
    click.echo(f"{trained.rows} texts, {trained.topics} topics → {trained.model}")
    click.echo(f"{trained.accuracy:.1%} of held-out texts right; {trained.automatic:.1%} would be decided without a person")
    for note in trained.notes:
        click.echo(f"note: {note}")


@click.command()
@click.argument("data", type=_ROWS)
@_MODEL
@_says_what_is_wrong
def predict(data: Path, model: Path) -> None:
    """Say the topic of texts: JSON Lines in, JSON Lines out, in the same order."""
    from triaged.classify.predict import predict_file

    for row in predict_file(data, model, now=now()):
        click.echo(json.dumps(row, ensure_ascii=False))


@click.command()
@click.argument("data", nargs=-1, required=True, type=_ROWS)
@_MODEL
@click.option(
    "--html", "html", type=click.Path(dir_okay=False, path_type=Path), help="Draw it as a page of its own into this file."
)
@_JSON
@_says_what_is_wrong
def evaluate(data: tuple[Path, ...], model: Path, html: Path | None, as_json: bool) -> None:
    """Measure a model on labelled texts that it has not learnt from."""
    from triaged.classify.evaluate import evaluate as measure

    found = measure(data, model)
    if html is not None:
        from triaged.classify.page import page

        try:
            html.write_text(page(found), encoding="utf-8")
        except OSError as error:
            raise click.UsageError(f"--html {html}: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    low, high = found.misrouted_interval
    click.echo(f"{found.rows} texts: {found.accuracy:.1%} right")
    click.echo(
        f"{found.accepted:.1%} decided without a person; of these {found.misrouted:.2%} wrong (95 %: {low:.2%} to {high:.2%})"
    )
    for topic, share in sorted(found.topics.items()):
        click.echo(f"  {topic:32} {share.right:5} of {share.of:5} right")

"""train, predict, evaluate: the topic model by itself."""

from pathlib import Path

import click

_MODEL = click.option(
    "--model", "model", required=True, type=click.Path(file_okay=False, path_type=Path), help="The model's folder."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="For programs.")
_ROWS = click.Path(exists=True, dir_okay=False, path_type=Path)

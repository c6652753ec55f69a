"""demo: the whole job on sample mail."""

import logging
import sys
import time
from collections import Counter
from pathlib import Path

import click

from triaged.message import Kind, Reason, Record, State, Status

_WENT = {
    Status.REVIEW: "→ a person",
    Status.IGNORED: "kept, not routed",
    Status.CLOSED: "closed",
    Status.SET_ASIDE: "set aside → a person",
}


@click.command()
@click.option(
    "--keep",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="triaged-demo",
    show_default=True,
    help="Folder for all that comes out.",
)
def demo(folder: Path) -> None:
    """The whole job on sample mail, no server needed; ends by saying what to open."""
    from triaged.demo.show import NotOurFolder, play

    started = time.monotonic()
    logging.getLogger("triaged").addHandler(logging.NullHandler())  # the table tells all that the log would

    def say(what: str) -> None:
        click.echo(f"[{time.monotonic() - started:4.1f} s] {what}")

    try:
        found = play(folder, say)
    except NotOurFolder as refusal:
        raise click.UsageError(str(refusal)) from refusal
    _table(found)
    _ending(found, folder, time.monotonic() - started)


def _table(found: list[Record]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from triaged.commands.tables import visible

    colours = {"critical": "bold red", "high": "yellow", "normal": "default", "low": "dim"}
    table = Table(header_style="bold", show_lines=False, pad_edge=False)
    for name, width in (
        ("who wrote", 24),
        ("subject", 30),
        ("language", 8),
        ("topic", 24),
        ("urgency", 8),
        ("went to", 22),
        ("why", 52),
    ):
        table.add_column(name, max_width=width, overflow="ellipsis", no_wrap=True)
    for record in found:
        sure = f" {record.confidence:.0%}" if record.confidence is not None else ""
        acknowledged = " ✉" if any(item.delivery.kind == "acknowledge" for item in record.deliveries) else ""
        went = (
            ", ".join(record.departments) if record.status is Status.ROUTED else _WENT.get(record.status, record.status.value)
        )
        cells = (
            record.sender.name or record.sender.address or "?",
            record.subject or "(no subject)",
            record.language,
            f"{record.topic}{sure}" if record.topic else f"({record.kind})" if record.kind is not Kind.LETTER else "?",
        )
        table.add_row(
            *(escape(visible(cell, 80)) for cell in cells),
            f"[{colours[record.urgency.value]}]{record.urgency.value}[/]",
            escape(visible(went + acknowledged, 80)),
            escape(visible(_why(record), 200)),
        )
    console = Console(width=None if sys.stdout.isatty() else 178)
    console.print(table)


def _why(record: Record) -> str:
    """The reason that counted most: staff's rule, else what kept it from going by itself, else the model's words."""
    by: dict[str, Reason] = {}
    for reason in record.reasons:
        if reason.name != "no acknowledgement":
            by[reason.by] = reason
    order = ("rule", "promise", "screen", "model") if record.kind is Kind.LETTER else ("screen",)
    chosen = next((by[name] for name in order if name in by), None)
    if chosen is None:
        return ""
    return f"rule “{chosen.name}”: {chosen.because}" if chosen.by == "rule" else chosen.because


def _ending(found: list[Record], folder: Path, seconds: float) -> None:
    status = Counter(record.status for record in found)
    sent = Counter(item.delivery.kind for record in found for item in record.deliveries if item.delivery.state is State.SENT)
    acknowledged, handed = sent["acknowledge"], sent["forward"]
    waiting_one = next((record.reference for record in found if record.status is Status.REVIEW), found[0].reference)
    waiting = status[Status.REVIEW] + status[Status.SET_ASIDE]
    click.echo(f"""
{len(found)} mails in {seconds:.1f} s: {status[Status.ROUTED]} routed in {handed} hand-offs, {waiting} wait for a person,
{status[Status.IGNORED]} were no letters; {acknowledged} writers (✉) got an acknowledgement.

Look at
  {folder}/digest.html              what people are asked, as they get it by mail (also digest.txt)
  {folder}/sent/acknowledgements/   what writers got, in their languages
  {folder}/sent/hand-offs/          what departments got: summary, and the original attached
  {folder}/sent/alerts/             critical letters, told at once to whoever is on duty
  {folder}/triaged.db               every mail and decision (SQLite)
  {folder}/rules.yaml               the rules that staff edit

Ask it
  triaged queue   --config {folder}/triaged.toml
  triaged show    --config {folder}/triaged.toml {found[0].reference}
  triaged resolve --config {folder}/triaged.toml {waiting_one} --topic city.noise

For real mailboxes
  triaged init /etc/triaged, then docs/administrator.md: ten minutes to a running service.
(The demo's clock stands at 24 November 2026. The command is .venv/bin/triaged in a checkout.)""")

"""How commands show things to people: tables, plain when piped; every text of a mail escaped."""

import sys
from collections.abc import Sequence

import click

from triaged.message import Record


def visible(text: str, at_most: int = 0) -> str:
    """Return a mail's text without what could act on a terminal (controls, bidirectional overrides), cut to a length."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if not at_most or len(shown) <= at_most else shown[: at_most - 1] + "…"


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; tab-separated without decoration when the output is piped."""
    if not sys.stdout.isatty():
        click.echo("\t".join(head))
        for row in rows:
            click.echo("\t".join(visible(cell) for cell in row))
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    for name in head:
        table.add_column(name, overflow="ellipsis", no_wrap=name in ("reference", "received", "urgency", "status"))
    for row in rows:
        table.add_row(*(escape(visible(cell, 120)) for cell in row))
    Console().print(table)


def case_lines(record: Record) -> list[str]:
    """Return a message's record in words."""
    sure = f" ({record.confidence:.0%} sure)" if record.confidence is not None else ""
    lines = [
        f"{record.reference}  {record.kind}  {record.status}",
        f"  from      {visible(record.sender.name)} <{visible(record.sender.address)}>",
        f"  subject   {visible(record.subject)}",
        f"  received  {record.received_at:%Y-%m-%d %H:%M} UTC in {record.mailbox}",
        f"  language  {record.language}",
        f"  topic     {record.topic or '—'}{sure}",
        f"  urgency   {record.urgency}",
    ]
    if record.alternatives:
        lines.append("  or        " + ", ".join(f"{topic} {probability:.0%}" for topic, probability in record.alternatives))
    if record.flags:
        lines.append(
            "  flags     " + "; ".join(f"{flag.name} ({', '.join(map(visible, flag.words))})" for flag in record.flags)
        )
    if record.departments:
        lines.append(f"  to        {', '.join(record.departments)}")
    if record.due:
        lines.append(f"  due       {record.due}")
    if record.related:
        lines.append(f"  related   {', '.join(record.related)}")
    lines += [
        f"  because   {reason.by}: {visible(reason.because)}{f' [{reason.at}]' if reason.at else ''}"
        for reason in record.reasons
    ]
    lines += [f"  note      {visible(note)}" for note in record.notes]
    for item in record.deliveries:
        detail = f" ({visible(item.delivery.detail)})" if item.delivery.detail else ""
        lines.append(f"  {item.delivery.kind:9} {item.delivery.to}: {item.delivery.state}{detail}")
    return lines

"""auth: a person signs in for a mailbox, by a code typed into any browser."""

from typing import Any, Final

import click

from triaged.commands.opening import CONFIG, open_settings
from triaged.oauth.tokens import Purpose

_PURPOSES: Final[dict[str, Purpose]] = {"graph": "graph", "exchange": "ews"}  # others: one sign-in for IMAP and SMTP


@click.command()
@click.argument("mailbox")
@CONFIG
def auth(config: str | None, mailbox: str) -> None:
    """Sign in for MAILBOX (or "sender") at its provider. Needs no browser here; the tokens stay in the state folder."""
    from triaged.oauth.tokens import TokenError, open_tokens

    settings = open_settings(config)
    known: dict[str, Any] = {each.name: each.access for each in settings.mailboxes} | {"sender": settings.sender}
    kinds = {each.name: each.kind for each in settings.mailboxes} | {"sender": settings.sender.kind}
    if settings.sender.exchange:
        known["sender"] = settings.sender.exchange
    if mailbox not in known:
        raise click.BadParameter(
            f"{mailbox!r} is no mailbox of {settings.file}. Allowed: {', '.join(known)}", param_hint="MAILBOX"
        )
    access = known[mailbox]
    oauth = getattr(access, "oauth", None)
    if oauth is None:
        raise click.ClickException(f"{mailbox} signs in without OAuth: nothing to do here")
    try:
        user = access.user or settings.sender.sender
        who = open_tokens(oauth, user, _PURPOSES.get(kinds[mailbox], "imap"), settings.file.parent).sign_in(click.echo)
    except TokenError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Signed in as {who}. Try it: triaged check --connect")

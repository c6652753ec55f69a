"""init --wizard: asks for provider, address and sign-in, tries them, and writes triaged.toml without secrets."""

import json
import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import click

from triaged import wizard
from triaged.config import MailboxSettings, Maildir
from triaged.oauth.tokens import Purpose

_TRIAL: Final = "TRIAGED_WIZARD_SECRET"  # the secret is in this process's environment for the trial, and nowhere else


def run(folder: Path) -> None:
    """Ask, try, write.

    Raises:
        click.ClickException: There is a triaged.toml already.
        WrongFile: The answers make no triaged.toml.
    """
    from triaged.settings.file import read_settings

    target = folder / "triaged.toml"
    if target.exists():
        raise click.ClickException(f"{target} is there already, and nothing is overwritten")
    for name, each in wizard.PROVIDERS.items():
        click.echo(f"  {name:18} {each.words}")
    provider = click.prompt("Where does the mail lie?", type=click.Choice(list(wizard.PROVIDERS)))
    if page := wizard.PROVIDERS[provider].page:
        click.echo(f"What to prepare there: {page}")
    questions = (*wizard.OFFICE, *wizard.PROVIDERS[provider].questions, *wizard.SENDING)
    answers = {question.key: _ask(question) for question in questions}
    secret = wizard.needs_secret(provider, answers)
    text = wizard.settings_text(provider, answers, f'{{ credential = "{answers["name"]}" }}')
    read_settings(text.encode(), target.name, folder.absolute())  # says every mistake before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    _try(provider, answers, secret, folder)
    target.write_text(text, encoding="utf-8")
    click.echo(f"\nwritten: {target}")
    if secret:
        click.echo("\n".join(wizard.where_it_goes(answers["name"], secret)))


def _ask(question: wizard.Question) -> str:
    kind = click.Choice(question.choices) if question.choices else str
    answer: str = click.prompt(question.words, default=question.default, type=kind, show_default=bool(question.default))
    return answer.strip()


def _try(provider: str, answers: Mapping[str, str], secret: str, folder: Path) -> None:
    """Sign in and look at the mailbox, if the person wants; what does not work is said and keeps nobody from going on."""
    from triaged.settings.file import read_settings

    credential = f'{{ env = "{_TRIAL}" }}'
    if provider == "google":  # a key file has many lines
        path = click.prompt(f"To try it now: where {secret} lies (empty: try later)", default="", show_default=False)
        if not path:
            return
        credential = f"{{ file = {json.dumps(str(Path(path).absolute()))} }}"
    elif secret:
        words = f"To try it now: {secret} (not kept; empty: try later)"
        os.environ[_TRIAL] = click.prompt(words, default="", hide_input=True, show_default=False)
        if not os.environ[_TRIAL]:
            return
    elif not click.confirm("Sign in now?", default=True):
        return
    text = wizard.settings_text(provider, answers, credential)
    mailbox = read_settings(text.encode(), "triaged.toml", folder.absolute()).mailboxes[0]
    try:
        _look(mailbox, folder, sign_in=not secret)
    finally:
        os.environ.pop(_TRIAL, None)


def _look(mailbox: MailboxSettings, folder: Path, *, sign_in: bool) -> None:
    from triaged.ingest.mailbox import MailboxError, open_mailbox
    from triaged.oauth.tokens import TokenError, open_tokens

    access = mailbox.access
    try:
        if sign_in and not isinstance(access, Maildir) and access.oauth:
            purpose: Purpose = "graph" if mailbox.kind == "graph" else "imap"
            click.echo(f"Signed in as {open_tokens(access.oauth, access.user, purpose, folder).sign_in(click.echo)}.")
        with closing(open_mailbox(mailbox.kind, mailbox.name, access, folder)) as opened:
            click.echo(f"✓ {opened.check()}")
    except (MailboxError, TokenError) as error:
        click.echo(f"✗ {error}")

"""The command line, thin: a command's file is imported only when the command is called, so `--help` is quick."""

import sys
from importlib import import_module
from typing import Final

import click

_COMMANDS: Final = {  # command → file in triaged/commands, one-line help
    "demo": ("demo", "The whole job on sample mail, no server needed."),
    "init": ("setup", "Write triaged.toml, rules.yaml and lists to start from."),
    "check": ("setup", "Check configuration, rules with their tests, model; optionally every connection."),
    "auth": ("auth", "Sign in for a mailbox at Microsoft, by a code typed into any browser."),
    "run": ("run", "The daemon; with --once: do all there is to do now, and exit."),
    "status": ("run", "Healthy or not, and why."),
    "explain": ("explain", "What would happen to a mail, or what happened, and why."),
    "queue": ("cases", "What waits for a person."),
    "cases": ("cases", "Search the correspondence."),
    "show": ("cases", "One case whole, with its history."),
    "resolve": ("cases", "Answer what waits for a person."),
    "outbox": ("outbox", "Deliveries that are held, failed or in doubt; release or cancel them."),
    "export": ("cases", "One row a message, as JSON Lines or CSV."),
    "digest": ("digest", "Build the review digest now, to look at or to send."),
    "rules": ("rules", "Check and try rules.yaml."),
    "learn": ("learning", "Learn from letters that people have sorted into folders."),
    "model": ("learning", "The models that the office has learnt: list, promote, roll back, retrain."),
    "train": ("model", "Learn topics from labelled texts."),
    "predict": ("model", "Say the topic of texts."),
    "evaluate": ("model", "Measure a model on labelled texts."),
}


class _Lazy(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of one command."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"triaged.commands.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="triaged")
def triaged() -> None:
    """Reads an office's mail, routes it, acknowledges it, and asks when it is not sure.

    Exit status: 0 done, 1 what was checked is not right, 2 wrong usage or configuration.
    """


def main() -> None:
    """Run a command; what is wrong with a person's file or request is said in words and ends with status 2."""
    from triaged.files.problem import WrongFile

    try:
        triaged.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except WrongFile as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(2)
    except BrokenPipeError:  # `triaged export | head`
        sys.stderr.close()
        sys.exit(0)

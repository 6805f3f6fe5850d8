"""The command ``vadbench``: subcommands by name, imported only when they are called, and errors without traceback."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from typing import Any, Final

import click

from vadbench import __version__
from vadbench.api.errors import UsageError, VadbenchError, did_you_mean

COMMANDS: Final = {
    "run": ("vadbench.cli.run:run", "Train and evaluate a method: vadbench run msgflow."),
    "leaderboard": ("vadbench.cli.leaderboard:leaderboard", "Tables of stored runs, and of published figures beside them."),
    "plot": ("vadbench.cli.plot:plot", "ROC curves and score timelines of stored runs."),
    "list": ("vadbench.cli.listing:list_components", "Methods, data sets and components that are installed."),
    "plugin": ("vadbench.cli.plugin:plugin", "Installed plug-ins and what became of them."),
    "completion": ("vadbench.cli.completion:completion", "Shell completion: prints the script to source."),
}
"""Command to where it is, and what ``--help`` says of it without importing it."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of ``--help``."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a command; None for an unknown one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest names for an unknown command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UsageError(f"there is no command {args[0]!r}", remedy=did_you_mean(args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands' lines of ``--help``, from the table above."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vadbench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Benchmark of skeleton-based video anomaly detection."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0, or the code of the error (see `vadbench.api.errors`)."""
    given = sys.argv[1:] if arguments is None else arguments
    if threading.current_thread() is threading.main_thread():
        # What timeout, batch systems and containers send first: cleaned up after as Ctrl-C is.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(_call(given, debug="--debug" in given))


def _call(arguments: list[str], *, debug: bool) -> int:
    try:
        # --debug may stand anywhere, also after the subcommand.
        result: Any = cli.main([a for a in arguments if a != "--debug"], prog_name="vadbench", standalone_mode=False)
    except VadbenchError as error:
        if debug:
            raise
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing half written was left", err=True)
        return 130
    except Exception as error:
        if debug:
            raise
        click.echo(f"internal error: {type(error).__name__}: {error}\n  remedy: run again with --debug and report it", err=True)
        return 1
    return result if isinstance(result, int) else 0

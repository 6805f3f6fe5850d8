"""The command ``vadbench``: subcommands by name, imported only when they are called, and errors without traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any, Final

import click

from vadbench import __version__
from vadbench.api.errors import VadbenchError
from vadbench.api.faults import Terminated, said
from vadbench.cli.anywhere import DEBUG, PLUGINS_DIR, plugin_folders, taken_apart
from vadbench.cli.lazy import Commands, LazyGroup

COMMANDS: Final[Commands] = {
    "run": ("vadbench.cli.run:run", "Train and evaluate a method: vadbench run msgflow."),
    "ablate": ("vadbench.cli.ablate:ablate", "What each part of a method is worth: vadbench ablate msgflow."),
    "score": ("vadbench.cli.score:score", "Score stored runs, or scores from elsewhere, under any protocol."),
    "leaderboard": ("vadbench.cli.leaderboard:leaderboard", "Tables of stored runs, and of published figures beside them."),
    "reproduce": (
        "vadbench.cli.reproduce:reproduce",
        "Make a row of a leaderboard again and compare: vadbench reproduce DATASET/METHOD.",
    ),
    "submit": ("vadbench.cli.submit:submit", "Rows for a leaderboard: pack, check and accept submissions."),
    "compare": ("vadbench.cli.compare:compare", "Whether one method is better than another, or these test clips cannot tell."),
    "analyse": ("vadbench.cli.analyse:analyse", "What limits the figure of a finished run."),
    "explain": ("vadbench.cli.explain:explain", "What a method learned, and why it raised its alarms: vadbench explain RUN."),
    "check-leak": (
        "vadbench.cli.check_leak:check_leak",
        "Whether scores are of each test clip alone: vadbench check-leak RUN.",
    ),
    "weights": ("vadbench.cli.weights:weights", "Weights and their cards: import released ones, export, describe."),
    "data": ("vadbench.cli.data:data", "Data sets: list, describe, check, import, export, count; and the cache."),
    "plot": ("vadbench.cli.plot:plot", "ROC curves and score timelines of stored runs."),
    "list": ("vadbench.cli.listing:list_components", "Methods, data sets and components that are installed."),
    "plugin": ("vadbench.cli.plugin:plugin", "Installed plug-ins and what became of them."),
    "completion": ("vadbench.cli.completion:completion", "Shell completion: prints the script to source."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vadbench")
@click.option(DEBUG, is_flag=True, help="Show the traceback of an error.")
@click.option(
    PLUGINS_DIR,
    multiple=True,
    metavar="DIR",
    help="Folder or file of plug-ins that are not installed; repeatable [$VADBENCH_PLUGINS_DIR].",
)
def cli(debug: bool, plugins_dir: tuple[str, ...]) -> None:
    """Benchmark of skeleton-based video anomaly detection.

    --debug and --plugins-dir may stand anywhere on the command line.
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits: 0, or the code of the error (see `vadbench.api.errors`)."""
    given = sys.argv[1:] if arguments is None else arguments
    if threading.current_thread() is threading.main_thread():
        # What timeout, batch systems and containers send first: cleaned up after as Ctrl-C is.
        signal.signal(signal.SIGTERM, _terminated)
    sys.exit(_call(given, debug=DEBUG in given))


def _terminated(*_: object) -> None:
    raise Terminated(128 + signal.SIGTERM)


def _call(given: list[str], *, debug: bool) -> int:
    try:
        if "_VADBENCH_COMPLETE" in os.environ:  # a shell asks for completions
            from vadbench.cli.completing import teach_click

            teach_click()
        anywhere = taken_apart(given)
        with plugin_folders(anywhere.folders):
            result: Any = cli.main([*anywhere.arguments], prog_name="vadbench", standalone_mode=False)
    except VadbenchError as error:
        if debug:
            raise
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; nothing half written was left, and the same command goes on with what was trained", err=True)
        return 130
    except (Exception, SystemExit) as error:
        # SystemExit: told to end, or nobody reads what is printed any more; else a component did it where none is expected to.
        if debug or isinstance(error, Terminated) or _is_of_click(error):
            raise
        click.echo(f"internal error: {said(error)}\n  remedy: run again with --debug and report it", err=True)
        return 1
    return result if isinstance(result, int) else 0


def _is_of_click(error: BaseException) -> bool:
    """Whether click ended the process, as it does where nobody reads any more what is printed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
    return isinstance(error, SystemExit) and raised_in.partition(".")[0] == click.__name__

"""``vadbench leaderboard``: tables of stored runs, and of published figures beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from vadbench.api.errors import UsageError
from vadbench.cli.completion import ComponentName

if TYPE_CHECKING:
    from vadbench.report.leaderboard import Leaderboard


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "md", "csv", "json"]), default="table", show_default=True)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of all runs.")
@click.option("--dataset", "datasets", multiple=True, type=ComponentName("dataset"), help="Only this data set; repeatable.")
@click.option("--published", is_flag=True, help="Show published figures as well, in a table of their own.")
@click.pass_context
def leaderboard(ctx: click.Context, form: str, runs: Path, datasets: tuple[str, ...], published: bool) -> None:
    """Tables of stored runs, every figure computed again from the stored scores.

    Rows are ranked within one data set, protocol and track. A run whose scores do not give its recorded figures is left
    out, and named.
    """
    from vadbench.report.leaderboard import board_csv, board_json, make_leaderboard
    from vadbench.report.leaderboard_text import blocks, markdown
    from vadbench.store.folders import find_runs

    if not runs.is_dir() and ctx.get_parameter_source("runs") is not ParameterSource.DEFAULT:
        raise UsageError("there is no such folder of runs", where=runs, remedy="give the folder that vadbench run --out wrote to")
    found = find_runs(runs)
    board = make_leaderboard(found, datasets=datasets, published=published)
    for error in board.left_out:
        click.echo(f"warning: left out: {error}", err=True)
    if not found:
        click.echo(f"No finished run lies below {runs}. This makes one: vadbench run msgflow --out {runs}", err=True)
    elif not board.reproduced and not board.stand_ins and not board.left_out:
        click.echo(f"No run below {runs} is on {', '.join(datasets)}.", err=True)
    if form == "table":
        _print_tables(board)
    else:
        text = {"md": lambda: markdown(blocks(board)), "csv": lambda: board_csv(board), "json": lambda: board_json(board)}[form]()
        click.echo(text, nl=False)


def _print_tables(board: Leaderboard) -> None:
    from vadbench.cli.console import output_console
    from vadbench.report.leaderboard_text import blocks, terminal_table

    console = output_console()
    for i, block in enumerate(blocks(board)):
        if i:
            console.print()
        console.print(terminal_table(block, console.width))

"""``vadbench leaderboard``: tables of stored runs, and of published figures beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from vadbench.api.errors import DriftError, UsageError
from vadbench.cli.completion import ComponentName

if TYPE_CHECKING:
    from vadbench.report.leaderboard import Leaderboard


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "md", "csv", "json"]),
    default="table",
    show_default=True,
    help="What is printed.",
)
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of all runs.")
@click.option("--dataset", "datasets", multiple=True, type=ComponentName("dataset"), help="Only this data set; repeatable.")
@click.option("--published", is_flag=True, help="Show published figures as well, in a table of their own.")
@click.option("--write", type=click.Path(path_type=Path), metavar="DIR", help="Write one JSON file a row below DIR, and tables.")
@click.option("--check", type=click.Path(path_type=Path), metavar="DIR", help="Only say whether rows and tables below DIR agree.")
@click.option("--min-seeds", type=click.IntRange(min=1), help="With --write: refuse rows of fewer seeds.")
@click.pass_context
def leaderboard(
    ctx: click.Context,
    form: str,
    runs: Path,
    datasets: tuple[str, ...],
    published: bool,
    write: Path | None,
    check: Path | None,
    min_seeds: int | None,
) -> None:
    """Tables of stored runs, every figure computed again from the stored scores.

    Rows are ranked within one data set, protocol and track. A run whose scores do not give its recorded figures is left
    out, and named. With --write, rows are written as files that vadbench reproduce makes again, and nothing is shown.
    """
    from vadbench.report.leaderboard import board_csv, board_json, make_leaderboard
    from vadbench.report.leaderboard_text import blocks, markdown
    from vadbench.store.folders import find_runs

    if check is not None:
        _check_tables(check)
        return
    if write is None and min_seeds is not None:
        raise UsageError("--min-seeds goes with --write", where="--min-seeds", remedy="add --write DIR")
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
    if write is not None:
        _write_rows(board, write, min_seeds or 1)
    elif form == "table":
        _print_tables(board)
    else:
        text = {"md": lambda: markdown(blocks(board)), "csv": lambda: board_csv(board), "json": lambda: board_json(board)}[form]()
        click.echo(text, nl=False)


def _check_tables(folder: Path) -> None:
    from vadbench.report.row_files import shipped_rows, stale_tables

    rows = shipped_rows(folder)
    if not rows:
        raise UsageError("there is no row here", where=folder, remedy="give a folder that vadbench leaderboard --write wrote to")
    if stale := stale_tables(folder):
        raise DriftError(
            "; ".join(stale),
            where=folder,
            remedy="write rows and tables with vadbench leaderboard --write or vadbench submit accept, never by hand",
        )
    click.echo(f"{len(rows)} rows agree with themselves, and every table is what its rows give.")


def _write_rows(board: Leaderboard, folder: Path, min_seeds: int) -> None:
    from vadbench.cli.installed import installed_plugins
    from vadbench.report.row_files import write_rows

    rows = [*board.reproduced, *board.stand_ins]
    for path in write_rows(rows, folder, registry=installed_plugins().registry, at_least=min_seeds):
        click.echo(f"written: {path}")


def _print_tables(board: Leaderboard) -> None:
    from vadbench.cli.console import output_console
    from vadbench.report.leaderboard_text import blocks, terminal_table

    console = output_console()
    for i, block in enumerate(blocks(board)):
        if i:
            console.print()
        console.print(terminal_table(block, console.width))

"""``vadbench plot``: pictures of stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vadbench.api.errors import DataError

if TYPE_CHECKING:
    from vadbench.store.folders import StoredRun

_RUNS = click.argument("paths", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group()
def plot() -> None:
    """Pictures of stored runs.

    RUN is a run folder, its run.json, or a folder above: then every run below it. The suffix of --output chooses PNG,
    SVG or PDF.
    """


@plot.command()
@_RUNS
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("roc.png"), show_default=True)
def roc(paths: tuple[Path, ...], output: Path) -> None:
    """ROC curves of the runs at RUN, smoothed and not; of a single run its terms as well."""
    from vadbench.report.figures import draw_roc, save_figure

    save_figure(draw_roc(_runs(paths)), output)
    click.echo(output)


@plot.command()
@_RUNS
@click.option("--clip", help="Name of the clip; without it one with normal and abnormal frames and several persons.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("timeline.png"), show_default=True)
def timeline(paths: tuple[Path, ...], clip: str | None, output: Path) -> None:
    """Scores of one clip over its frames, a panel for each of the runs at RUN."""
    from vadbench.report.figures import draw_timeline, save_figure

    save_figure(draw_timeline(_runs(paths), clip), output)
    click.echo(output)


def _runs(paths: tuple[Path, ...]) -> list[StoredRun]:
    """The runs at or below paths, in the order given, each once."""
    from vadbench.store.folders import RECORD, find_runs, open_run

    found: dict[Path, StoredRun] = {}
    for path in paths:
        is_run = path.name == RECORD or (path / RECORD).is_file()
        runs = [open_run(path)] if is_run else find_runs(path)
        if not runs:
            raise DataError(
                "there is no run here" if path.exists() else "there is no such folder",
                where=path,
                remedy="give a run folder, as vadbench run prints it, or a folder above it",
            )
        for run in runs:
            found.setdefault(run.path.resolve(), run)
    return list(found.values())

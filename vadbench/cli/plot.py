"""``vadbench plot``: pictures of stored runs."""

from __future__ import annotations

from pathlib import Path

import click

from vadbench.cli.run_paths import runs_at

_RUNS = click.argument("paths", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group()
def plot() -> None:
    """Pictures of stored runs.

    RUN is a run folder, its run.json, or a folder above: then every run below it. The suffix of --output chooses PNG,
    SVG or PDF.
    """


@plot.command()
@_RUNS
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("roc.png"),
    show_default=True,
    help="The picture (PNG, SVG or PDF).",
)
def roc(paths: tuple[Path, ...], output: Path) -> None:
    """ROC curves of the runs at RUN, smoothed and not; of a single run its terms as well."""
    from vadbench.report.figures import draw_roc, save_figure

    save_figure(draw_roc(runs_at(paths)), output)
    click.echo(output)


@plot.command()
@_RUNS
@click.option("--clip", help="Name of the clip; without it one with normal and abnormal frames and several persons.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("timeline.png"),
    show_default=True,
    help="The picture (PNG, SVG or PDF).",
)
def timeline(paths: tuple[Path, ...], clip: str | None, output: Path) -> None:
    """Scores of one clip over its frames, a panel for each of the runs at RUN."""
    from vadbench.report.figures import draw_timeline, save_figure

    save_figure(draw_timeline(runs_at(paths), clip), output)
    click.echo(output)

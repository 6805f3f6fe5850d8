"""``vadbench data stats``: what a data set amounts to, and how much of it windows reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vadbench.api.errors import DataError
from vadbench.cli.completion import ComponentName
from vadbench.cli.progress import shown_progress

if TYPE_CHECKING:
    from vadbench.api import Dataset, FrameLabels, Split, WindowRule
    from vadbench.cli.data.opening import Opened
    from vadbench.report.data_statistics import SplitStatistics

_SPLITS = ("train", "validation", "test")


@click.command()
@click.argument("name", type=ComponentName("dataset"))
@click.option("--split", "chosen", multiple=True, type=click.Choice(_SPLITS), help="Only this split; repeatable.")
@click.option("--length", type=click.IntRange(min=2), help="T, poses of a window. [default: that of vadbench run]")
@click.option("--stride", type=click.IntRange(min=1), help="Of the windows, in poses. [default: those of vadbench run]")
@click.option("--missing", type=click.IntRange(min=0), help="Poses of a window that may lie beyond T frames. [default: likewise]")
@click.option("--keep-last", is_flag=True, help="Use the last window of a track as well.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Draw a figure into this file (PNG, SVG or PDF).")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set: dataset.family=csv.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with more quantiles and every joint.")
def stats(
    name: str,
    chosen: tuple[Split, ...],
    length: int | None,
    stride: int | None,
    missing: int | None,
    keep_last: bool,
    output: Path | None,
    data_root: Path | None,
    changes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Count the data set NAME, by name or as a folder: poses, tracks, gaps, heights, windows, and what windows reach.

    A test or validation frame that no window scores gets no score of its own from any method. The command says how many
    there are under the protocol standard-v1, how many of them are abnormal, and what they are lost to.
    """
    from vadbench.cli.data.opening import chosen_splits, open_named
    from vadbench.evaluation.published_protocols import STANDARD_V1

    opened = open_named(name, data_root, changes)
    about = opened.dataset.info
    found: list[SplitStatistics] = []
    for split in chosen_splits(opened.dataset, chosen):
        rule = _rule(split, length=length, stride=stride, missing=missing, keep_last=keep_last)
        found.append(_measured(opened, split, rule))
    if output is not None:  # before anything is printed: whoever reads may hang up
        from vadbench.report.data_figure import draw_statistics
        from vadbench.report.figures import save_figure

        save_figure(draw_statistics(about, found, STANDARD_V1.name), output)
    if as_json:
        from vadbench.report.data_statistics import as_json as plain

        splits = {each.split: plain(each) for each in found}
        head = {"name": about.name, "title": about.title, "stand_in": about.stand_in, "layout": about.layout}
        click.echo(json.dumps(head | {"protocol": STANDARD_V1.name, "splits": splits}, indent=2))
    else:
        _show(opened.dataset, found)
    if output is not None:
        click.echo(output, err=as_json)


def _rule(split: Split, *, length: int | None, stride: int | None, missing: int | None, keep_last: bool) -> WindowRule:
    """The rule of the options; what they leave open is as `vadbench run` has it where nobody says otherwise."""
    from vadbench.api import WindowRule
    from vadbench.engine.config import WindowsConfig

    usual = WindowsConfig()
    usual_stride = usual.train_stride if split == "train" else usual.test_stride
    return WindowRule(
        length=usual.length if length is None else length,
        stride=usual_stride if stride is None else stride,
        missing=usual.missing if missing is None else missing,
        keep_last=keep_last or usual.keep_last,
    )


def _measured(opened: Opened, split: Split, rule: WindowRule) -> SplitStatistics:
    from vadbench.data.cache.track_cache import default_cache
    from vadbench.engine.poses import read_tracks
    from vadbench.evaluation.published_protocols import STANDARD_V1
    from vadbench.report.data_statistics import split_statistics

    with shown_progress() as progress, progress.task(f"read {opened.dataset.info.name}, {split}", 1) as advance:
        tracks, _ = read_tracks(opened.dataset, split, opened.settings, default_cache())
        advance(1)
    # Training windows are not scored.
    pipeline = None if split == "train" else STANDARD_V1.on(opened.dataset.info.name)
    return split_statistics(split, tracks, _labels(opened.dataset, split), rule, pipeline)


def _labels(dataset: Dataset, split: Split) -> FrameLabels | DataError:
    from vadbench.engine.plugin_faults import dataset_step

    try:
        with dataset_step("give its labels", dataset):
            return dataset.labels(split)
    except DataError as error:
        # Poses can be counted without labels; the tables say that there are none, and why.
        return error


def _show(dataset: Dataset, found: list[SplitStatistics]) -> None:
    from rich.text import Text

    from vadbench.cli.console import output_console
    from vadbench.report.data_tables import scene_table, split_table
    from vadbench.report.formatting import STAND_IN

    about, console = dataset.info, output_console()
    console.print(Text(about.title, style="bold"), Text(f"({about.name}{f'; {STAND_IN}' if about.stand_in else ''})"))
    console.print(split_table(found))
    for each in found:
        table = scene_table(each)
        if table is not None:
            console.print(table)

"""``vadbench data export``: a data set in the layout that other repositories read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from vadbench.cli.completion import ComponentName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vadbench.api import FrameLabels, Split
    from vadbench.cli.data.opening import Opened
    from vadbench.data.exporters.export_job import ExportReport, Format, SplitData

_SPLITS = ("train", "validation", "test")


@click.command()
@click.argument("name", type=ComponentName("dataset"))
@click.argument("target", metavar="DST", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["stg-nf", "mped-csv"]), required=True, help="Which layout.")
@click.option("--split", "chosen", multiple=True, type=click.Choice(_SPLITS), help="Only this split; repeatable.")
@click.option("--camera-level/--no-camera-level", help="CSV: a folder for each camera, as MPED-RNN and TrajREC have.")
@click.option("--first-frame", type=click.Choice(["0", "1"]), help="Number of a clip's first frame.  [default: 0 JSON, 1 CSV]")
@click.option("--ubnormal-ids", is_flag=True, help="CSV: call UBnormal's clips as COSKAD and MoCoDAD do (029_0353).")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set: dataset.family=csv.")
@click.option("--force", is_flag=True, help="Replace an export that is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def export(
    name: str,
    target: Path,
    form: Format,
    chosen: tuple[Split, ...],
    camera_level: bool,
    first_frame: Literal["0", "1"] | None,
    ubnormal_ids: bool,
    data_root: Path | None,
    changes: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Write the data set NAME, by name or as a folder, into DST, with masks.

    The format stg-nf is one JSON file a clip, as GEPC, STG-NF and what builds on them read; mped-csv is one CSV file a
    person, as MPED-RNN, TrajREC, COSKAD and MoCoDAD read. Both hold poses of COCO-17. The command says what the layout
    cannot hold of this data set.
    """
    from vadbench.cli.data.opening import chosen_splits, open_named
    from vadbench.cli.progress import shown_progress
    from vadbench.data.exporters.export_job import ExportRule, export_splits

    opened = open_named(name, data_root, changes)
    info = opened.dataset.info
    splits = list(chosen_splits(opened.dataset, chosen))
    rule = ExportRule(form, camera_level, None if first_frame is None else int(first_frame), ubnormal_ids)
    with shown_progress() as progress:
        report = export_splits(info, _read(opened, splits), target, rule, replace=force, progress=progress)
    if as_json:
        head = {"dataset": info.name, "format": form, "destination": str(target)}
        tail = {"clips": report.clips, "poses": report.poses, "masks": report.masks, "lost": dict(report.lost)}
        click.echo(json.dumps(head | tail, indent=2))
    else:
        _show(report, target)


def _read(opened: Opened, splits: Sequence[Split]) -> Iterator[SplitData]:
    """Poses and labels of one split after another."""
    from vadbench.data.cache.track_cache import default_cache
    from vadbench.data.exporters.export_job import SplitData
    from vadbench.engine.plugin_faults import dataset_step
    from vadbench.engine.poses import read_tracks

    for split in splits:
        tracks, _ = read_tracks(opened.dataset, split, opened.settings, default_cache())
        labels: FrameLabels | None = None
        if split != "train":
            with dataset_step("give its labels", opened.dataset):
                labels = opened.dataset.labels(split)
        yield SplitData(split, tracks, labels)


def _show(report: ExportReport, target: Path) -> None:
    for split, clips in report.clips.items():
        click.echo(f"{split}: {clips} clips, {report.poses[split]:,} poses")
    click.echo(f"{report.masks} masks of frames")
    if report.lost:
        click.echo("the layout cannot hold:")
        for what, n in report.lost.items():
            click.echo(f"  {n:,} {what}")
    else:
        click.echo("nothing is lost in this layout")
    click.echo(f"written: {target}")

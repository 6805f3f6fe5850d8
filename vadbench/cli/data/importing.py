"""``vadbench data import``: a pose folder from what a pose estimator, or another repository, wrote."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click
from click.shell_completion import CompletionItem

from vadbench.api.errors import DataError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vadbench.api import Split
    from vadbench.data.importers.clip_tracks import ClipTracks, Ids, TrackingChoice
    from vadbench.data.importers.frame_labels import Meaning
    from vadbench.data.importers.import_job import Labels

FORMATS: Final = ("alphapose", "poseflow", "coco", "openpose", "ultralytics", "mped-csv", "stg-nf")
PUBLISHED: Final = ("mped-csv", "stg-nf")
"""Formats that the data sets that open folders read."""


class FormatName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A format that can be imported."""

    name = "format"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The format; raises `UsageError` with the nearest ones for an unknown one."""
        if value not in FORMATS:
            raise UsageError(f"no format is called {value!r}", remedy=did_you_mean(value, FORMATS))
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The formats that begin with what is typed."""
        return [CompletionItem(name) for name in FORMATS if name.startswith(incomplete)]


class Resolution(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """Width and height in pixels, as 1280x720."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Both numbers; raises `UsageError` for something else."""
        match = re.fullmatch(r"([1-9]\d{0,5})[xX]([1-9]\d{0,5})", str(value))
        if match is None:
            raise UsageError(f"{value!r} is no picture size", where="--resolution", remedy="write it as 1280x720: width, height")
        return int(match[1]), int(match[2])


@click.command("import")
@click.argument("form", metavar="FORMAT", type=FormatName())
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path, exists=False))
@click.argument("target", metavar="DST", type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="The split that is written.",
)
@click.option("--labels", "label_folder", type=click.Path(path_type=Path), help="Folder of frame labels, <clip>.npy.")
@click.option("--labels-mean", type=click.Choice(["abnormal", "normal"]), help="What 1 says.  [default: abnormal]")
@click.option("--layout", help="Convert the poses to this skeleton layout.")
@click.option("--resolution", type=Resolution(), help="Size of the pictures.")
@click.option("--frame-rate", type=click.FloatRange(min=0, min_open=True), help="Frames a second.")
@click.option("--title", help="What to call the data set in print.")
@click.option("--first-frame", type=click.Choice(["0", "1"]), help="What the source calls a clip's first frame.")
@click.option("--shares", is_flag=True, help="Coordinates are shares of the picture, not pixels.")
@click.option("--clip", help="Name of the clip, where SRC is a single one.")
@click.option("--include", multiple=True, metavar="GLOB", help="Only clips called so; repeatable.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="No clips called so; repeatable.")
@click.option("--ids", type=click.Choice(["auto", "source", "tracker"]), default="auto", show_default=True, help="Whose ids.")
@click.option("--min-confidence", type=click.FloatRange(0, 1), default=0.0, help="Leave out poses of a lower mean confidence.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting: tracker.gate=0.5; repeatable.")
@click.option("--force", is_flag=True, help="Replace this split of DST, if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def import_poses(
    form: str,
    source: Path,
    target: Path,
    split: Split,
    label_folder: Path | None,
    labels_mean: Meaning | None,
    layout: str | None,
    resolution: tuple[int, int] | None,
    frame_rate: float | None,
    title: str | None,
    first_frame: Literal["0", "1"] | None,
    shares: bool,
    clip: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    ids: Ids,
    min_confidence: float,
    changes: tuple[str, ...],
    force: bool,
    as_json: bool,
) -> None:
    """Make a pose folder DST from the poses in SRC; what is there already of other splits stays.

    FORMAT is alphapose, poseflow, coco (also MMPose), openpose, ultralytics, mped-csv (MPED-RNN, COSKAD, MoCoDAD, TrajREC)
    or stg-nf. SRC is a file, which is one clip, or a folder of several. Poses without track ids are followed by a simple
    tracker. docs/importing.md shows each form of SRC.
    """
    from vadbench.cli.data.import_report import import_notes, show_import
    from vadbench.cli.progress import shown_progress
    from vadbench.data.importers.clip_sources import chosen
    from vadbench.data.importers.clip_tracks import TrackingChoice
    from vadbench.data.importers.import_job import Destination, import_clips
    from vadbench.data.tracker import TrackerRule

    if not source.exists():
        raise DataError("there is nothing", where=source, remedy="name a file or folder that is there")
    if shares and resolution is None:
        raise UsageError("shares of a picture become pixels by its size alone", where="--shares", remedy="give --resolution WxH")
    tracker, settings = _settings(form, changes)
    choice = TrackingChoice(ids, TrackerRule.from_settings(tracker), min_confidence)
    counts_from = None if first_frame is None else int(first_frame)
    if form in PUBLISHED:
        if shares:
            raise UsageError(f"poses of {form} are in pixels", where="--shares", remedy="leave it out")
        settings |= {"family": "csv" if form == "mped-csv" else "json"}
        settings |= {} if counts_from is None else {"first_frame": counts_from}
        clips = _published(form, source, split, choice, settings)
    else:
        clips = _estimated(form, source, choice, resolution, counts_from, shares=shares)
    clips = _named(clips, clip)
    clips = {name: clips[name] for name in chosen(sorted(clips), include, exclude)}
    labels = None if label_folder is None else _labels(label_folder, labels_mean, set(clips))
    destination = Destination(
        root=target,
        split=split,
        layout=layout,
        missing=settings.get("missing", "keep") if form == "stg-nf" else "zero",
        resolution=resolution,
        frame_rate=frame_rate,
        title=title,
        replace=force,
    )
    with shown_progress() as progress:
        report = import_clips(clips, labels, destination, progress)
    notes = import_notes(report, destination)
    if as_json:
        head = {"format": form, "source": str(source), "destination": str(target), "split": split, "layout": report.layout}
        rows = [asdict(each) for each in report.clips]
        tail = {
            "dropped": report.total("dropped"),
            "counts": report.total("counts"),
            "unlabelled": [] if split == "train" else list(report.unlabelled),
        }
        click.echo(json.dumps(head | {"clips": rows} | tail | {"notes": notes}, indent=2))
    else:
        show_import(report, destination, notes)


def _settings(form: str, changes: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the tracker, and of the data set that reads a published layout."""
    from vadbench.engine.config import parse_change

    found: dict[str, dict[str, Any]] = {"tracker": {}, "dataset": {}}
    known = "tracker.KEY" + f" and, for {' and '.join(PUBLISHED)}, dataset.KEY"
    for text in changes:
        key, value = parse_change(text)
        section, _, name = key.partition(".")
        if section not in found or (section == "dataset" and form not in PUBLISHED):
            raise UsageError(f"an import of {form} has no setting {key!r}", where="--set", remedy=f"its settings are {known}")
        found[section][name] = value
    return found["tracker"], found["dataset"]


def _estimated(
    form: str, source: Path, choice: TrackingChoice, resolution: tuple[int, int] | None, counts_from: int | None, *, shares: bool
) -> Mapping[str, Callable[[], ClipTracks]]:
    """The clips of a pose estimator's output."""
    from functools import partial

    from vadbench.data.importers.clip_tracks import Picture, tracks_of
    from vadbench.data.importers.formats import ClipSource, find_clips

    def read(name: str, found: ClipSource) -> ClipTracks:
        if found.shares and resolution is None:
            what = "these files give places as shares of the picture"
            raise UsageError(what, where=source, remedy="give its size with --resolution WxH")
        first = found.counts_from if counts_from is None else counts_from
        # Nothing that is written depends on the size where coordinates are pixels.
        return tracks_of(name, found.read(), Picture(resolution or (1, 1), shares or found.shares, first), choice)

    return {name: partial(read, name, found) for name, found in find_clips(form, source).items()}


def _published(
    form: str, source: Path, split: Split, choice: TrackingChoice, settings: Mapping[str, Any]
) -> Mapping[str, Callable[[], ClipTracks]]:
    """The clips of a published layout, which an installed data set reads under settings of its own."""
    from vadbench.cli.installed import installed_plugins
    from vadbench.data.importers.published import mped_csv_clips, stg_nf_clips
    from vadbench.engine.datasets import open_dataset

    registry = installed_plugins().registry
    find = mped_csv_clips if form == "mped-csv" else stg_nf_clips
    return find(source, split, lambda root: open_dataset(str(root), registry, root=None, settings=settings), choice)


def _named(clips: Mapping[str, Callable[[], ClipTracks]], name: str | None) -> Mapping[str, Callable[[], ClipTracks]]:
    """The clips, or the only one under another name."""
    if name is None:
        return clips
    if len(clips) > 1:
        what = f"there are {len(clips)} clips, which have names: {', '.join(sorted(clips)[:3])}, ..."
        raise UsageError(what, where="--clip", remedy="leave it out, or import a single clip")
    if not re.fullmatch(r"[^\\/:\x00-\x1f.][^\\/:\x00-\x1f]*", name):
        remedy = "choose another: files are called like it"
        raise UsageError(f"{name!r} cannot be the name of a clip", where="--clip", remedy=remedy)
    return {name: next(iter(clips.values()))}


def _labels(folder: Path, mean: Meaning | None, clips: set[str]) -> Labels:
    from vadbench.data.importers.frame_labels import find_labels
    from vadbench.data.importers.import_job import Labels

    files = find_labels(folder)
    mine = sorted(clips & set(files))
    if not mine:
        found = f"there are labels of {', '.join(sorted(files)[:3])}, ... and clips {', '.join(sorted(clips)[:3])}, ..."
        raise DataError(f"no clip has labels: {found}", where=folder, remedy="call label files like their clips: <clip>.npy")
    if mean is None and any(files[clip].suffix == ".txt" for clip in mine):
        what = "UBnormal's _tracks.txt have 1 for a normal frame, other labels 1 for an abnormal one"
        raise UsageError(what, where=folder, remedy="say which with --labels-mean normal, or abnormal")
    return Labels(files, mean or "abnormal")

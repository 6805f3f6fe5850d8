"""What ``vadbench data import`` says when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vadbench.data.importers.import_job import Destination
    from vadbench.data.importers.import_report import ImportReport


def import_notes(report: ImportReport, destination: Destination) -> list[str]:
    """What to know before this is run, a sentence each."""
    from vadbench.data.importers.import_job import MASKS

    notes = []
    if len(report.unlabelled) == len(report.clips) and destination.split == "validation":
        notes.append("No clip has labels: validation clips without any are normal throughout.")
    elif report.unlabelled and destination.split != "train":
        few = ", ".join(report.unlabelled[:3]) + ", ..." * (len(report.unlabelled) > 3)
        notes.append(
            f"{len(report.unlabelled)} of {len(report.clips)} {destination.split} clips have no labels ({few}). A run needs "
            f"{MASKS[destination.split]}/<clip>.npy for each of them: put them there, or import again with --labels DIR --force."
        )
    if first := [clip.name for clip in report.clips if clip.counts_from == 1]:
        notes.append(f"The source counts the frames of {_number(len(first), 'clip')} from 1; here they are counted from 0.")
    if report.assumed:
        notes.append(f"Nobody said the {' and the '.join(report.assumed)} of the pictures; dataset.toml has what is assumed.")
    return notes


def show_import(report: ImportReport, destination: Destination, notes: list[str]) -> None:
    """A table of the clips, what was left out or changed, and the notes."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from vadbench.cli.console import output_console

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("clip", overflow="fold")
    for name in ("frames", "abnormal", "poses", "left out", "tracks"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("ids from", no_wrap=True)
    unlabelled = "" if destination.split == "train" else "no labels"
    for clip in report.clips:
        abnormal = unlabelled if clip.abnormal is None else f"{clip.abnormal:,}"
        numbers = (f"{clip.frames:,}", abnormal, f"{clip.poses:,}", f"{sum(clip.dropped.values()):,}", f"{clip.tracks:,}")
        table.add_row(Text(clip.name), *numbers, clip.ids)
    console = output_console()
    console.print(table)
    poses, tracks = (sum(getattr(clip, key) for clip in report.clips) for key in ("poses", "tracks"))
    lines = [f"{_number(len(report.clips), 'clip')}, {_number(poses, 'pose')} of {report.layout}, {_number(tracks, 'track')}"]
    lines += [f"left out: {_number(n, 'pose')} {reason}" for reason, n in report.total("dropped").items()]
    lines += [f"changed: {n:,} {what}" for what, n in report.total("counts").items()]
    lines += [f"note: {note}" for note in notes]
    lines.append(f"written: {destination.root / 'pose' / destination.split}")
    lines.append(f"look it over: vadbench data doctor {destination.root}")
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _number(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'s' * (n != 1)}"

"""Reads one split: as the data set inspects itself, or, where it cannot, through ``tracks`` and ``labels``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vadbench.api import DataError, Finding, Inspectable, Inspection

if TYPE_CHECKING:
    from vadbench.api import Dataset, FrameLabels, Split, Tracks


def inspected(dataset: Dataset, split: Split) -> Inspection:
    """What can be read of a split and what is wrong with the rest; raises nothing on account of the data."""
    if isinstance(dataset, Inspectable):
        return dataset.inspect(split)
    findings: list[Finding] = []
    tracks = labels = None
    try:
        tracks = dataset.tracks(split)
    except DataError as error:
        findings.append(_as_finding("unreadable-poses", error, dataset, split))
    try:
        labels = dataset.labels(split)
    except DataError as error:
        findings.append(_as_finding("unreadable-labels", error, dataset, split))
    if tracks is not None and labels is not None:
        findings += _pairing(tracks, labels, split)
    return Inspection(tracks=tracks, labels=labels, files={}, findings=tuple(findings))


def _as_finding(check: str, error: DataError, dataset: Dataset, split: Split) -> Finding:
    where = error.where or f"{split} split of {dataset.info.name}"
    return Finding(check, "error", error.what, where, error.remedy or f"see where the data come from: {dataset.info.source}")


def _pairing(tracks: Tracks, labels: FrameLabels, split: Split) -> list[Finding]:
    """What a run refuses: labels of other clips, in another order, or of other lengths."""
    names = tuple(clip.name for clip in tracks.clips)
    if labels.clips != names:
        odd = sorted(set(labels.clips) ^ set(names))
        what = f"poses and labels are not of the same clips: {len(odd)} differ" if odd else "clips and labels differ in order"
        remedy = "labels(split) gives the clips of tracks(split).clips, in that order"
        return [Finding("label-clips", "error", what, f"{split} split: {', '.join(odd[:5]) or names[0]}", remedy)]
    return [
        Finding(
            "label-length",
            "error",
            f"the clip has {clip.n_frames:,} frames and its label vector {len(truth):,}",
            f"clip {clip.name}",
            "use poses and labels of the same release",
        )
        for clip, truth in zip(tracks.clips, labels.abnormal, strict=True)
        if len(truth) != clip.n_frames
    ]

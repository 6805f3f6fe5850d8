"""Made splits as the checks of ``vadbench data doctor`` see them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vadbench.api import DatasetInfo, FrameLabels, Tracks
from vadbench.data.doctor.split import ReadSplit

INFO = DatasetInfo("mine", "Mine", "coco-18", 24.0, "none", "none", "nowhere")


def read(tracks: Tracks, labels: FrameLabels | None = None, *, split="test", lengths=(8,), own=(), **facts) -> ReadSplit:
    return ReadSplit(split, replace(INFO, **facts), tracks, labels, {}, lengths, own)


def labelled(tracks: Tracks, *abnormal: range, keep: tuple[range, ...] = ()) -> FrameLabels:
    """Labels of the tracks' clips: abnormal in the given frames, kept in those of ``keep`` or all."""
    lengths = [clip.n_frames for clip in tracks.clips]
    masks = [np.isin(np.arange(n), list(frames)) for n, frames in zip(lengths, abnormal, strict=True)]
    kept = [np.isin(np.arange(n), list(frames)) for n, frames in zip(lengths, keep, strict=True)] if keep else None
    return FrameLabels(
        tuple(clip.name for clip in tracks.clips), tuple(masks), tuple(kept or [np.ones(n, dtype=bool) for n in lengths])
    )


def told(check, split: ReadSplit) -> list[tuple[str, str]]:
    return [(found.check, found.severity) for found in check(split)]

"""What a method is given, windows of poses, and what only the harness is given, test labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import DataError, Dataset, FrameLabels, Progress, Tracks, WindowRule, Windows
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import normaliser
from vadbench.data.windowing import cut_windows
from vadbench.engine.plugin_faults import dataset_step

if TYPE_CHECKING:
    from vadbench.engine.config import WindowsConfig


@dataclass(frozen=True, slots=True)
class Inputs:
    """Windows of both splits, and the fingerprints of the poses as the data set gave them."""

    train: Windows
    test: Windows
    poses: dict[str, str]

    def counts(self) -> dict[str, dict[str, int]]:
        """Split to number of clips, frames, tracks, poses, windows."""
        return {"train": _counts(self.train), "test": _counts(self.test)}


def read_inputs(dataset: Dataset, config: WindowsConfig, progress: Progress) -> Inputs:
    """Reads the poses and cuts them into windows.

    Raises:
        DataError: if a split gives no window.
    """
    with progress.task(f"read {dataset.info.name}", 2) as advance, dataset_step("give its poses", dataset):
        train = dataset.tracks("train")
        advance(1)
        test = dataset.tracks("test")
        advance(1)
    inputs = Inputs(
        train=_windows(train, config, training=True),
        test=_windows(test, config, training=False),
        poses={"train": train.fingerprint(), "test": test.fingerprint()},
    )
    _check_windows("train", inputs.train, dataset)
    _check_windows("test", inputs.test, dataset)
    return inputs


def read_test_labels(dataset: Dataset, tracks: Tracks) -> FrameLabels:
    """The test labels; called when the scores are final.

    Raises:
        DataError: if they are not of the clips of ``tracks``, or of other lengths.
    """
    with dataset_step("give its labels", dataset):
        labels = dataset.labels("test")
    names = tuple(clip.name for clip in tracks.clips)
    if labels.clips != names:
        odd = sorted(set(labels.clips) ^ set(names)) or ["their order"]
        raise DataError("poses and ground truth are not of the same clips", where=f"test split: {', '.join(odd[:5])}")
    for clip, truth in zip(tracks.clips, labels.abnormal, strict=True):
        if len(truth) != clip.n_frames:
            raise DataError(
                f"the clip has {clip.n_frames} frames and its ground truth {len(truth)}",
                where=f"clip {clip.name}",
                remedy="use poses and ground truth of the same release",
            )
    return labels


def _windows(tracks: Tracks, config: WindowsConfig, *, training: bool) -> Windows:
    stride = config.train_stride if training else config.test_stride
    rule = WindowRule(config.length, stride, config.missing, config.keep_last)
    seen = convert_layout(tracks, config.layout)
    return cut_windows(seen, rule, normaliser(config.normalisation), config.mirror if training else "none")


def _check_windows(split: str, windows: Windows, dataset: Dataset) -> None:
    if len(windows):
        return
    tracks = windows.tracks
    longest = int(np.diff(tracks.track_bounds()).max(initial=0))
    raise DataError(
        f"no track of the {split} split is long enough for a window of {windows.rule.length} frames",
        where=f"{dataset.info.name}: {len(tracks.clips)} clips, {len(tracks)} poses, longest track {longest} poses",
        remedy="use --set windows.length=N with N below the longest track, or check the tracking of the poses",
    )


def _counts(windows: Windows) -> dict[str, int]:
    tracks = windows.tracks
    return {
        "clips": len(tracks.clips),
        "frames": sum(clip.n_frames for clip in tracks.clips),
        "tracks": len(tracks.track_bounds()) - 1,
        "poses": len(tracks),
        "windows": len(windows),
    }

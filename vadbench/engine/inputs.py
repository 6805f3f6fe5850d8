"""What a method is given, windows of poses, and what only the harness is given, test labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import Clip, DataError, Dataset, FrameLabels, Progress, Split, Tracks, WindowRule, Windows
from vadbench.data.layout_conversion import convert_layout
from vadbench.data.normalisation import fit_normaliser
from vadbench.data.windowing import cut_windows
from vadbench.engine.plugin_faults import dataset_step
from vadbench.engine.poses import read_tracks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vadbench.data.cache.track_cache import TrackCache
    from vadbench.engine.config import WindowsConfig


@dataclass(frozen=True, slots=True)
class Inputs:
    """Windows of both splits, the clips of the test split, and the fingerprints of the poses as the data set gave them.

    The clips of the windows have numbers for names: in some data sets a clip's name says whether it is abnormal.
    """

    train: Windows
    test: Windows
    test_clips: tuple[Clip, ...]
    poses: dict[str, str]
    validation: Windows | None = None
    validation_clips: tuple[Clip, ...] = ()

    def counts(self) -> dict[str, dict[str, int]]:
        """Split to number of clips, frames, tracks, poses, windows, and of tracks and clips too short to give a window."""
        return {"train": _counts(self.train), "test": _counts(self.test)}


def read_inputs(
    dataset: Dataset,
    config: WindowsConfig,
    progress: Progress,
    *,
    settings: Mapping[str, Any] | None = None,
    cache: TrackCache | None = None,
    validation: bool = False,
    supervised: bool = False,
) -> Inputs:
    """Reads the poses and cuts them into windows.

    Args:
        dataset: Of the run.
        config: How to cut.
        progress: Where to show it.
        settings: Those that the data set was opened with.
        cache: Where parsed poses are kept; None to parse them.
        validation: Whether the validation split is read as well.
        supervised: Whether the training windows are labelled; a fingerprint of the labels then stands with those of the poses.

    Raises:
        DataError: if poses are missing or damaged, or a split gives no window.
    """
    with progress.task(f"read {dataset.info.name}", 2) as advance:
        train, train_print = read_tracks(dataset, "train", settings or {}, cache)
        advance(1)
        test, test_print = read_tracks(dataset, "test", settings or {}, cache)
        advance(1)
    seen = _seen(train, config)
    normaliser = fit_normaliser(config.normalisation, seen)
    inputs = Inputs(
        train=cut_windows(seen, window_rule(config, config.train_stride), normaliser, config.augment),
        test=cut_windows(_seen(test, config), window_rule(config, config.test_stride), normaliser, config.average),
        test_clips=test.clips,
        poses={"train": train_print, "test": test_print},
    )
    if supervised:
        inputs = _labelled(inputs, dataset, train.clips)
    _check_windows("train", inputs.train, dataset)
    _check_windows("test", inputs.test, dataset)
    if not validation:
        return inputs
    poses, fingerprint = read_tracks(dataset, "validation", settings or {}, cache)
    windows = cut_windows(_seen(poses, config), window_rule(config, config.test_stride), normaliser, config.average)
    _check_windows("validation", windows, dataset)
    return replace(inputs, validation=windows, validation_clips=poses.clips, poses={**inputs.poses, "validation": fingerprint})


def _labelled(inputs: Inputs, dataset: Dataset, clips: Sequence[Clip]) -> Inputs:
    """The training windows with the label of the frame in the middle, which is the one that their score is placed on."""
    labels, windows = read_labels(dataset, "train", clips), inputs.train
    offset = np.concatenate([[0], np.cumsum([clip.n_frames for clip in clips])])
    frame = windows.start + windows.rule.length // 2
    abnormal = np.concatenate([np.zeros(0, bool), *labels.abnormal])[offset[windows.clip] + frame]
    if not abnormal.any():
        raise DataError(
            "no training window is labelled abnormal",
            where=f"{dataset.info.name}: {len(clips)} training clips, {len(windows)} windows",
            remedy="check the labels of the abnormal training clips, or run a one-class method",
        )
    return replace(
        inputs, train=replace(windows, abnormal=abnormal), poses={**inputs.poses, "train labels": labels.fingerprint()}
    )


def read_test_labels(dataset: Dataset, clips: Sequence[Clip]) -> FrameLabels:
    """The test labels; called when the scores are final. Raises what `read_labels` raises."""
    return read_labels(dataset, "test", clips)


def read_labels(dataset: Dataset, split: Split, clips: Sequence[Clip]) -> FrameLabels:
    """The labels of a split.

    Raises:
        DataError: if they are not of these clips, or of other lengths.
    """
    with dataset_step("give its labels", dataset):
        labels = dataset.labels(split)
    names = tuple(clip.name for clip in clips)
    if labels.clips != names:
        odd = sorted(set(labels.clips) ^ set(names)) or ["their order"]
        raise DataError("poses and ground truth are not of the same clips", where=f"{split} split: {', '.join(odd[:5])}")
    for clip, truth in zip(clips, labels.abnormal, strict=True):
        if len(truth) != clip.n_frames:
            raise DataError(
                f"the clip has {clip.n_frames} frames and its ground truth {len(truth)}",
                where=f"clip {clip.name}",
                remedy="use poses and ground truth of the same release",
            )
    return labels


def _seen(tracks: Tracks, config: WindowsConfig) -> Tracks:
    """The poses as the method sees them: in its layout, and of clips that have numbers for names."""
    numbered = tuple(replace(clip, name=f"{i:05d}") for i, clip in enumerate(tracks.clips))
    return replace(convert_layout(tracks, config.layout), clips=numbered)


def window_rule(config: WindowsConfig, stride: int) -> WindowRule:
    """The rule that the configuration asks for, at a stride."""
    return WindowRule(config.length, stride, config.missing, config.keep_last)


def _check_windows(split: str, windows: Windows, dataset: Dataset) -> None:
    if len(windows):
        return
    tracks = windows.tracks
    longest = int(np.diff(tracks.track_bounds()).max(initial=0))
    if len(tracks) == 0:
        raise DataError(
            f"there is not one pose in the {split} split",
            where=f"{dataset.info.name}: {len(tracks.clips)} clips",
            remedy=f"check the pose files; {dataset.info.source}",
        )
    raise DataError(
        f"no track of the {split} split is long enough for a window of {windows.rule.length} frames",
        where=f"{dataset.info.name}: {len(tracks.clips)} clips, {len(tracks)} poses, longest track {longest} poses",
        remedy="use --set windows.length=N with N below the longest track (and a multiple of the frames of a token), "
        "or check the tracking",
    )


def _counts(windows: Windows) -> dict[str, int]:
    tracks = windows.tracks
    bounds = tracks.track_bounds()
    return {
        "clips": len(tracks.clips),
        "frames": sum(clip.n_frames for clip in tracks.clips),
        "tracks": len(bounds) - 1,
        "poses": len(tracks),
        "windows": len(windows),
        "tracks_without_window": len(bounds) - 1 - len(np.unique(np.searchsorted(bounds, windows.first, side="right"))),
        "clips_without_window": len(tracks.clips) - len(np.unique(windows.clip)),
    }

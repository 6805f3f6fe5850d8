"""What can be scored again: the window scores of stored runs and of score bundles, each with the labels they are scored on."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vadbench.api import DataError
from vadbench.engine.inputs import read_test_labels
from vadbench.engine.plugin_faults import dataset_step
from vadbench.engine.poses import read_tracks
from vadbench.report.reproduced import data_digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vadbench.api import Dataset, FrameLabels, WindowScores
    from vadbench.data.cache.track_cache import TrackCache
    from vadbench.store.bundle import ScoreBundle
    from vadbench.store.folders import StoredRun

_SHOWN = 5
"""Clips that an error names."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The labelled clips that scores are held against.

    Args:
        dataset: Name of the data set.
        settings: Those it was read with, ``key=value``, as far as any were given; without its place on disk.
        stand_in: True for data that are never a result.
        labels: Of the test split.
        scenes: Clip name to scene.
        frame_rate: Frames a second; None where it is not known.
        notes: What has to be known of them, a sentence each.
    """

    dataset: str
    settings: str
    stand_in: bool
    labels: FrameLabels
    scenes: Mapping[str, str]
    frame_rate: float | None
    notes: tuple[str, ...] = ()

    def lengths(self) -> dict[str, int]:
        """Clip name to frames."""
        return {name: len(part) for name, part in zip(self.labels.clips, self.labels.abnormal, strict=True)}


@dataclass(frozen=True, slots=True)
class Entrant:
    """Window scores that may be scored under any protocol.

    Args:
        method: As a table shows it.
        kind: ``run`` for a stored run, ``bundle`` for scores from elsewhere.
        track: Which rows it may be ranked with.
        config: What tells methods of one name apart: hash of the configuration, and of the data it was trained on.
        seed: Of the training; None where it was not said.
        path: The run's folder, or the file of scores.
        scores: Of the windows.
        truth: What they are scored on.
        notes: What a reader should know of them.
    """

    method: str
    kind: Literal["run", "bundle"]
    track: str
    config: str
    seed: int | None
    path: Path
    scores: WindowScores
    truth: GroundTruth
    notes: tuple[str, ...] = ()

    @property
    def clips_without_window(self) -> int:
        """Clips of the test set in which no window is scored."""
        return len(set(self.truth.labels.clips) - set(np.unique(self.scores.clip).tolist()))


def entrant_of_run(run: StoredRun) -> Entrant:
    """A stored run; its scores and labels must be the recorded ones, its protocol may be any, also one that is no more.

    Raises:
        DriftError: if a file has changed since the run was recorded.
        DataError: if one is missing or damaged.
    """
    record = run.record
    check = record.leak_check
    return Entrant(
        method=record.method.label,
        kind="run",
        track=record.method.track,
        config=f"{record.method.config_hash} {data_digest(record.dataset)}",
        seed=record.seed,
        path=run.path,
        scores=run.scores(),
        truth=truth_of_run(run),
        notes=() if check is None or check.clean else ("vadbench check-leak has found something: see its run.json.",),
    )


def truth_of_run(run: StoredRun) -> GroundTruth:
    """The labels that a run was evaluated on; raises as `entrant_of_run` does."""
    record = run.record
    labels, scenes = run.labels()
    return GroundTruth(
        dataset=record.dataset.name,
        settings=", ".join(f"{key}={value}" for key, value in sorted(record.dataset.settings.items()) if key != "root"),
        stand_in=record.dataset.stand_in,
        labels=labels,
        scenes=scenes,
        frame_rate=record.dataset.frame_rate,
    )


def entrant_of_bundle(bundle: ScoreBundle, truth: GroundTruth) -> Entrant:
    """Scores from elsewhere, held against a data set.

    Raises:
        DataError: if they are of clips that the data set does not have; the nearest of its own are named.
    """
    meta, scores = bundle.meta, bundle.scores
    _check_clips(bundle, truth)
    lengths = truth.lengths()
    end = np.array([lengths[str(name)] for name in scores.clip])
    middle = scores.start + scores.length // 2
    if (middle >= end).any():
        row = int((middle >= end).argmax())
        raise DataError(
            f"a window's middle frame is {middle[row]}, and its clip has {end[row]} frames",
            where=f"{bundle.path}, row {row}: clip {scores.clip[row]}, person {scores.person[row]}, start {scores.start[row]}",
            remedy=f"count frames from 0, within each clip, and check that the scores are of {truth.dataset}",
        )
    notes = [meta.notes] if meta.notes else []
    beyond = int((scores.start + scores.length > end).sum())
    if beyond:
        notes.append(f"{beyond} windows reach beyond the end of their clip: frames are counted from 0.")
    if meta.dataset != truth.dataset:
        notes.append(f"made on {meta.dataset}, says its meta.json; scored on {truth.dataset}.")
    return Entrant(
        method=meta.method,
        kind="bundle",
        track=meta.track,
        config="" if meta.seed is not None else str(bundle.path),
        seed=meta.seed,
        path=bundle.path,
        scores=scores,
        truth=truth,
        notes=tuple(notes),
    )


def read_ground_truth(dataset: Dataset, settings: Mapping[str, Any], cache: TrackCache | None) -> GroundTruth:
    """The test labels of a data set, and its scenes.

    Labels may be there without poses. Then scenes are not known, and all clips count as one: a clip's name is not asked,
    because in some data sets it tells whether the clip is abnormal.

    Raises:
        DataError: if the labels are missing or damaged.
    """
    info = dataset.info
    notes: tuple[str, ...] = ()
    try:
        tracks, _ = read_tracks(dataset, "test", settings, cache)
    except DataError:
        with dataset_step("give its labels", dataset):
            labels = dataset.labels("test")
        scenes = dict.fromkeys(labels.clips, "all")
        notes = (f"The poses of {info.name} cannot be read, so scenes are not known: all clips count as one scene.",)
    else:
        labels = read_test_labels(dataset, tracks.clips)
        scenes = {clip.name: clip.scene for clip in tracks.clips}
    return GroundTruth(
        dataset=info.name,
        settings=", ".join(f"{key}={value}" for key, value in sorted(settings.items()) if key != "root"),
        stand_in=info.stand_in,
        labels=labels,
        scenes=scenes,
        frame_rate=info.frame_rate,
        notes=notes,
    )


def _check_clips(bundle: ScoreBundle, truth: GroundTruth) -> None:
    known = truth.labels.clips
    unknown = sorted(set(np.unique(bundle.scores.clip).tolist()) - set(known))
    if unknown:
        alike = [(name, near) for name in unknown if (near := _nearest(name, known)) is not None]
        remedy = (
            f"rename clips as the data set has them: {', '.join(f'{name} is {near}' for name, near in alike[:_SHOWN])}"
            if alike
            else f"its clips are {', '.join(known[:_SHOWN])}{', ...' if len(known) > _SHOWN else ''}; "
            "leave out rows of clips that it does not have"
        )
        raise DataError(
            f"scores of {len(unknown)} clips that {truth.dataset} does not have: {', '.join(unknown[:_SHOWN])}",
            where=bundle.path,
            remedy=remedy,
        )


def _nearest(name: str, known: Sequence[str]) -> str | None:
    """The one clip whose name differs in separators, letter case, leading zeros or a path and suffix at most; else a near one."""
    same = [each for each in known if _plain(each) == _plain(name)]
    if len(same) == 1:
        return same[0]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.9)
    return near[0] if near else None


def _plain(name: str) -> tuple[str, ...]:
    base = re.split(r"[/\\]", name)[-1]
    stem = re.sub(r"\.(npy|json|csv|avi|mp4)$", "", base.lower())
    return tuple(part.lstrip("0") or "0" for part in re.findall(r"\d+|[a-z]+", stem))

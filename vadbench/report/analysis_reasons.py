"""Why windows leave frames of a run's test set without a score: the reasons of `coverage`, from the poses the run was made on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import DataError, VadbenchError, WindowRule
from vadbench.data.cache.track_cache import default_cache
from vadbench.data.stats import frame_offsets
from vadbench.engine.datasets import open_dataset
from vadbench.engine.poses import read_tracks
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.report.analysis import Analysis, Lost, lost_frames
from vadbench.report.coverage import REASONS, STATES, frame_states
from vadbench.report.recompute import run_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from vadbench.api import Registry, Tracks
    from vadbench.store.folders import StoredRun
    from vadbench.store.record import RunRecord


def with_reasons(
    found: Analysis, run: StoredRun, registry: Registry, *, root: Path | None = None, dataset: str | None = None
) -> Analysis:
    """An analysis in which the frames without a score are split up by reason; where poses cannot be read, a note says why.

    Args:
        found: Of the run.
        run: The run.
        registry: Of the data sets.
        root: Folder below which data sets lie.
        dataset: Name or path of the data set; None for the name and the settings that the run records.
    """
    try:
        tracks = _tracks(run.record, registry, root, dataset)
        lost = _by_reason(run, tracks)
    except VadbenchError as error:
        note = f"Frames without a score are not split up by reason: {error.what}"
        told = f" ({error.remedy})" if error.remedy else ""
        return replace(found, notes=(*found.notes, f"{note}{told}."))
    return replace(found, lost=(*found.lost, *lost))


def _tracks(record: RunRecord, registry: Registry, root: Path | None, dataset: str | None) -> Tracks:
    settings: Mapping[str, Any] = record.dataset.settings
    opened = open_dataset(dataset or record.dataset.name, registry, root=root, settings=settings)
    tracks, fingerprint = read_tracks(opened, "test", settings, default_cache())
    if fingerprint != record.dataset.poses.get("test"):
        raise DataError(
            f"the test poses of {dataset or record.dataset.name} are not those that the run was made on",
            remedy="name the data set with --dataset, or its folder with --data-root",
        )
    return tracks


def _by_reason(run: StoredRun, tracks: Tracks) -> list[Lost]:
    windows, pipeline = run.record.method.config["windows"], run_pipeline(run)
    rule = WindowRule(windows["length"], windows["test_stride"], windows["missing"], windows["keep_last"])
    labels, scenes = run.labels()
    frames = frame_scores(run.scores(), FrameAxis.of_labels(labels, scenes), pipeline)
    states = frame_states(tracks, rule, pipeline)
    parts = [states[a:b] for a, b in pairwise(frame_offsets(tracks.clips).tolist())]
    by_clip = dict(zip((clip.name for clip in tracks.clips), parts, strict=True))
    if set(by_clip) != set(labels.clips):
        raise DataError("poses and stored labels are not of the same clips", remedy="name the data set with --dataset")
    found = []
    for name, reason in REASONS.items():
        without = tuple(np.equal(by_clip[clip], STATES.index(name)) for clip in labels.clips)
        found.append(lost_frames(name, reason.label, without, labels, frames, pipeline=pipeline))
    return found

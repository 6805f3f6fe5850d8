"""Reads what can be read of a split, file by file, and says what is wrong with the rest: for ``vadbench data doctor``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import Clip, DataError, Finding, FrameLabels, Inspection
from vadbench_datasets.clip_poses import ClipPoses, PoseTable, together
from vadbench_datasets.frame_truth import finding
from vadbench_datasets.pose_family import ClipSource
from vadbench_datasets.pose_files import PoseFiles, abnormal_of, beyond_mask, length_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Expected, Severity, Split
    from vadbench_datasets.pose_form import SplitForm
    from vadbench_datasets.survey import ClipFiles


@dataclass(slots=True)
class _Reading:
    """What was read so far, and what was wrong."""

    files: PoseFiles
    form: SplitForm
    findings: list[Finding]
    poses: PoseTable
    clips: list[Clip] = field(default_factory=list)
    labelled: dict[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = field(default_factory=dict)

    def read(self, name: str, clip: ClipFiles) -> None:
        poses = self._poses(clip.poses) if clip.poses is not None else None
        labels = self._labels(name, clip, poses)
        if labels is not None:
            self.labelled[name] = labels
        if poses is None:
            return
        n_frames = poses.end if labels is None else len(labels[0])
        if poses.end > n_frames:
            inside = poses.frame < n_frames
            error = beyond_mask(poses, clip, n_frames)
            what = f"{(~inside).sum()} of {len(poses)} poses lie beyond the mask, which has {n_frames} frames"
            self.findings.append(Finding("poses-beyond-mask", "error", what, error.where or "", error.remedy or ""))
            poses = poses.rows(inside)
        self.clips.append(Clip(name, self._scene(name), n_frames, self.files.resolution(name)))
        self.poses.add(poses)

    def _poses(self, source: ClipSource) -> ClipPoses | None:
        """The poses of a clip, or of those of its files that can be read; None where none can."""
        family = self.files.form.family
        try:
            return family.read(source)
        except DataError as error:
            if len(source.files) <= 1:
                self.findings.append(finding("unreadable-poses", error))
                return None
        parts: dict[int, ClipPoses] = {}
        for path in source.files:
            try:
                part = family.read(ClipSource(path, (path,)))
                person = int(part.person[0])
                if person in parts:
                    raise DataError(f"person {person} has two files", where=path, remedy="keep one of the two")
                parts[person] = part
            except DataError as error:
                self.findings.append(finding("unreadable-poses", error))
        return together([parts[person] for person in sorted(parts)], family.layout) if parts else None

    def _labels(self, name: str, clip: ClipFiles, poses: ClipPoses | None) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
        """Label vector and keep mask of a clip; None where its label file is missing or damaged."""
        wanted = self.form.truth is not None and self.form.truth.wanted(name)
        if clip.truth is None and (wanted or poses is None):
            return None
        try:
            n_frames = length_of(self.form, clip, 0 if poses is None else poses.end)
            abnormal = abnormal_of(self.form, clip, n_frames)
        except DataError as error:
            self.findings.append(finding("unreadable-mask", error))
            return None
        try:
            return abnormal, self.files.keep_of(self.form, name, n_frames)
        except DataError as error:
            self.findings.append(finding("keep-mask", error))
            return abnormal, np.ones(n_frames, dtype=np.bool_)

    def _scene(self, name: str) -> str:
        try:
            return self.files.form.scene(name)
        except DataError as error:
            self.findings.append(finding("scene", error))
            return name


def inspect(files: PoseFiles, split: Split, expected: Expected | None = None, *, partial: bool = False) -> Inspection:
    """The readable part of a split and what is wrong with the rest.

    Args:
        files: The data set on disk.
        split: One of its splits.
        expected: What the split amounts to as published; a difference is reported, never raised.
        partial: Whether the user said that the test set is not whole; the difference is then a note.

    Raises:
        DataError: for a split that the data set does not have; nothing on account of its files.
    """
    form, survey = files.split(split), files.survey(split)
    reading = _Reading(files, form, list(survey.findings), PoseTable(files.form.family.layout))
    for name, clip in survey.clips.items():
        reading.read(name, clip)
    clips, labelled = tuple(reading.clips), reading.labelled
    labels = FrameLabels(tuple(labelled), *zip(*labelled.values(), strict=True)) if labelled else None
    if expected is not None and survey.clips:
        severity: Severity = "note" if partial else "error" if split == "test" else "warning"
        if found := _differences(expected, reading):
            where, remedy = f"{files.root}, {split} split", f"complete it, or get the same release: {files.source}"
            reading.findings.append(Finding("extent", severity, found, where, remedy))
    return Inspection(
        tracks=reading.poses.tracks(clips) if clips else None,
        labels=labels,
        files={name: clip.poses.place for name, clip in survey.clips.items() if clip.poses is not None},
        findings=tuple(reading.findings),
    )


def _differences(expected: Expected, reading: _Reading) -> str:
    """What is not as published, in words; empty where everything is."""
    names = {clip.name for clip in reading.clips} | set(reading.labelled)
    abnormal = [(labels & keep, keep) for labels, keep in reading.labelled.values()]
    counts = {
        "clips": (len(names), expected.clips),
        "frames": (sum(len(keep) for _, keep in abnormal), expected.frames),
        "frames that count": (sum(int(keep.sum()) for _, keep in abnormal), expected.counted),
        "abnormal frames": (sum(int(labels.sum()) for labels, _ in abnormal), expected.abnormal),
        "poses": (len(reading.poses), expected.poses),
    }
    odd = [f"{have:,} {thing} in place of {want:,}" for thing, (have, want) in counts.items() if want not in (None, have)]
    return f"not as published: {', '.join(odd)}" if odd else ""

"""Clips and frames in which nobody was detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

CLIPS_WARNING: Final = 0.2
FRAMES_NOTE, FRAMES_WARNING = 0.25, 0.5


def no_persons(read: ReadSplit) -> Iterator[Diagnosis]:
    """There is not one pose in the split: a run stops here."""
    if len(read.tracks) == 0:
        yield read.diagnosis(
            "no-persons",
            "error",
            f"there is not one pose in {counted(len(read.tracks.clips), 'clip')}",
            "check the pose files and the pose estimator that wrote them",
        )


def empty_clips(read: ReadSplit) -> Iterator[Diagnosis]:
    """Clips without any pose; their frames count all the same, as if nothing happened in them."""
    bare = np.flatnonzero((read.n_poses == 0) & (read.n_frames > 0))
    if len(bare) == 0:
        return
    yield read.diagnosis(
        "empty-clips",
        "warning" if len(bare) > CLIPS_WARNING * len(read.n_poses) else "note",
        f"{share(len(bare), len(read.n_poses), 'clips')} hold nobody",
        "look whether the pose estimator failed on them; a clip without persons holds {} and is right to be there",
        [Case(f"nobody in {counted(int(read.n_frames[clip]), 'frame')}", read.place(int(clip))) for clip in bare],
    )


def empty_frames(read: ReadSplit) -> Iterator[Diagnosis]:
    """Frames in which nobody is detected, over all clips."""
    offsets = np.concatenate([[0], np.cumsum(read.n_frames)])
    total = int(offsets[-1])
    if total == 0 or len(read.tracks) == 0:
        return
    occupied = np.zeros(total, dtype=np.bool_)
    occupied[offsets[read.tracks.clip] + read.tracks.frame] = True
    missing = np.diff(np.concatenate([[0], np.cumsum(~occupied)])[offsets])
    if missing.sum() <= FRAMES_NOTE * total:
        return
    yield read.diagnosis(
        "empty-frames",
        "warning" if missing.sum() > FRAMES_WARNING * total else "note",
        f"nobody is detected in {share(int(missing.sum()), total, 'frames')}"
        + ("" if read.split == "train" else "; a protocol calls such frames as normal as can be"),
        "look whether the pose estimator missed people: a lower detection threshold or a larger picture may find them",
        [
            Case(f"nobody in {share(int(missing[clip]), int(read.n_frames[clip]), 'frames')}", read.place(int(clip)))
            for clip in np.argsort(-missing, kind="stable")
            if missing[clip]
        ],
    )

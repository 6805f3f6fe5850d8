"""What was read of one split, with the columns that several checks share, each computed once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vadbench.data.doctor.diagnosis import Case, Diagnosis
from vadbench.data.doctor.pose_keys import pose_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import DatasetInfo, Finding, FrameLabels, Severity, Split, Tracks

FEWEST_JOINTS = 5
"""A pose of fewer seen joints is not compared with others: what is nearly empty is equal by chance."""


@dataclass(frozen=True, eq=False)
class ReadSplit:
    """One split: N poses of J joints in K tracks and C clips.

    Args:
        split: Which.
        info: Of the data set.
        tracks: The poses; N may be 0.
        labels: Frame labels of some or all of the clips, in any order; None where there are none.
        files: Clip name to the file or folder of its poses, where that is known.
        lengths: Window lengths T to judge by; the first is the data set's usual one.
        own: What the data set says of itself.
    """

    split: Split
    info: DatasetInfo
    tracks: Tracks
    labels: FrameLabels | None
    files: Mapping[str, Path]
    lengths: tuple[int, ...]
    own: tuple[Finding, ...] = ()

    def place(self, clip: int, row: int | None = None) -> str:
        """The file of a clip, or its name where no file is known; with a row, the person and frame of that pose."""
        name = self.tracks.clips[clip].name
        where = str(self.files[name]) if name in self.files else f"clip {name}"
        return where if row is None else f"{where}, person {self.tracks.person[row]}, frame {self.tracks.frame[row]}"

    def row_case(self, row: int, what: str) -> Case:
        """A case at one pose."""
        return Case(what, self.place(int(self.tracks.clip[row]), row))

    @property
    def whole(self) -> str:
        """The folder that holds the split's files, or the split in words."""
        folders = {path.parent for path in self.files.values()}
        return os.path.commonpath(folders) if folders else f"{self.split} split of {self.info.name}"

    def diagnosis(self, check: str, severity: Severity, what: str, remedy: str, cases: Iterable[Case] = ()) -> Diagnosis:
        """A diagnosis of this split; without cases it concerns the split as a whole."""
        found = tuple(cases) or (Case(what, self.whole),)
        return Diagnosis(self.split, check, severity, what, remedy, found)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """(N, J): the joint stands somewhere. Not seen: NaN, at exactly (0, 0), or without confidence where others have it."""
        x, y, confidence = self.tracks.planes
        placed = ~np.isnan(x) & ~((x == 0) & (y == 0))
        return np.asarray(placed & (confidence != 0) if (confidence != 0).any() else placed)

    @cached_property
    def x(self) -> NDArray[np.float32]:
        """(N, J) pixels, NaN where not seen."""
        return np.where(self.seen, self.tracks.planes[0], np.float32(np.nan))

    @cached_property
    def y(self) -> NDArray[np.float32]:
        """(N, J) pixels, NaN where not seen."""
        return np.where(self.seen, self.tracks.planes[1], np.float32(np.nan))

    @cached_property
    def box(self) -> NDArray[np.float32]:
        """(4, N) pixels: left, top, right, bottom of the seen joints; NaN for a pose without any."""
        low, high = np.fmin.reduce, np.fmax.reduce
        return np.stack([low(self.x, axis=1), low(self.y, axis=1), high(self.x, axis=1), high(self.y, axis=1)])

    @cached_property
    def centre(self) -> NDArray[np.float32]:
        """(2, N) pixels: the middle of the box."""
        return (self.box[:2] + self.box[2:]) * np.float32(0.5)

    @cached_property
    def size(self) -> NDArray[np.float32]:
        """(N,) pixels: the longer side of the box."""
        return np.asarray((self.box[2:] - self.box[:2]).max(axis=0))

    @cached_property
    def comparable(self) -> NDArray[np.bool_]:
        """(N,): the pose has joints enough to be compared with another."""
        return np.asarray(self.seen.sum(axis=1) >= min(FEWEST_JOINTS, len(self.tracks.layout)))

    @cached_property
    def keys(self) -> NDArray[np.uint64]:
        """(N,): equal for poses whose joints stand at exactly the same places."""
        return pose_keys(self.tracks)

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """(K + 1,): row at which each track begins, then N."""
        return self.tracks.track_bounds()

    @cached_property
    def joined(self) -> NDArray[np.bool_]:
        """(N - 1,): the row and the next belong to one track."""
        joined = np.ones(max(len(self.tracks) - 1, 0), dtype=np.bool_)
        joined[self.bounds[1:-1] - 1] = False
        return joined

    @cached_property
    def step(self) -> NDArray[np.int64]:
        """(N - 1,): frames from the row to the next of its track; 0 where the track ends."""
        return np.where(self.joined, np.diff(self.tracks.frame.astype(np.int64)), 0)

    @cached_property
    def n_frames(self) -> NDArray[np.int64]:
        """(C,): frames of each clip."""
        return np.array([clip.n_frames for clip in self.tracks.clips], dtype=np.int64)

    @cached_property
    def clip_rows(self) -> NDArray[np.int64]:
        """(C + 1,): row at which each clip begins, then N."""
        return np.searchsorted(self.tracks.clip, np.arange(len(self.tracks.clips) + 1)).astype(np.int64)

    @cached_property
    def n_poses(self) -> NDArray[np.int64]:
        """(C,): poses of each clip."""
        return np.diff(self.clip_rows)

    def per_clip(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """(C,): how many of the marked rows (N,) each clip has."""
        return np.bincount(self.tracks.clip[rows], minlength=len(self.tracks.clips))

    @cached_property
    def truth(self) -> Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Clip name to its label vector and keep mask."""
        if self.labels is None:
            return {}
        return dict(zip(self.labels.clips, zip(self.labels.abnormal, self.labels.keep, strict=True), strict=True))

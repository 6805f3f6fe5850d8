"""Poses and labels as columns: ``Tracks`` for what a model sees, ``FrameLabels`` for what only the harness sees."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api.skeleton import SkeletonLayout


@dataclass(frozen=True, slots=True)
class Clip:
    """One video clip: its name, the scene (camera) it was filmed by, its length in frames, its picture size in pixels."""

    name: str
    scene: str
    n_frames: int
    resolution: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tracks:
    """Every pose of one split, columnar, sorted by (clip, person, frame); N poses of J joints.

    Args:
        clips: The clips, in evaluation order; ``clip`` indexes into them. A clip may hold no pose.
        layout: Which joint is which.
        keypoints: (N, J, 3) float32: x and y in pixels, confidence in [0, 1]. A source without confidences has 1;
            a missing joint has confidence 0 and NaN coordinates. Kept as three planes (see `planes`); what is given in
            another order of memory is copied into this one.
        clip: (N,) int32, index into ``clips``.
        person: (N,) int32, the track id within its clip.
        frame: (N,) int32, counted from 0.
        score: (N,) float32, the detector's score of the whole pose; NaN where the source has none.

    Raises:
        DataError: if a column has the wrong shape, rows are not sorted or not unique, a frame lies outside its clip,
            or a coordinate is infinite, or NaN without confidence 0. ``where`` names the clip, person and frame.
    """

    clips: tuple[Clip, ...]
    layout: SkeletonLayout
    keypoints: NDArray[np.float32]
    clip: NDArray[np.int32]
    person: NDArray[np.int32]
    frame: NDArray[np.int32]
    score: NDArray[np.float32]

    def __post_init__(self) -> None:
        n, j = len(self.clip), len(self.layout)
        shapes: dict[str, tuple[int, ...]] = {"keypoints": (n, j, 3), "person": (n,), "frame": (n,), "score": (n,)}
        for name, expected in shapes.items():
            shape = getattr(self, name).shape
            if shape != expected:
                raise DataError(f"Tracks.{name} has shape {shape}; {expected} was expected", where=self.layout.name)
        planes = np.ascontiguousarray(self.keypoints.transpose(2, 0, 1))
        object.__setattr__(self, "keypoints", planes.transpose(1, 2, 0))
        if n == 0:
            return
        if self.clip.min() < 0 or self.clip.max() >= len(self.clips):
            raise DataError("Tracks.clip points outside the list of clips")
        self._check_order()
        lengths = np.array([clip.n_frames for clip in self.clips])
        outside = (self.frame < 0) | (self.frame >= lengths[self.clip])
        if outside.any():
            row = int(outside.argmax())
            raise DataError(
                f"a pose lies outside its clip, which has {lengths[self.clip[row]]} frames (0 to {lengths[self.clip[row]] - 1})",
                where=self.locate(row),
                remedy="check that poses and ground truth belong to the same clip and count frames from 0",
            )
        # A sum in double precision is finite exactly if every number is, and takes no memory.
        if not math.isfinite(planes.sum(dtype=np.float64)):
            self._check_finite(planes)

    def _check_finite(self, planes: NDArray[np.float32]) -> None:
        xy, confidence = planes[:2], planes[2]
        bad = np.isinf(xy).any(axis=0) | (np.isnan(xy).any(axis=0) & (confidence != 0)) | ~np.isfinite(confidence)
        if bad.any():
            raise DataError(
                "a keypoint is not a finite number",
                where=self.locate(int(bad.any(axis=1).argmax())),
                remedy="a missing joint has confidence 0 and NaN coordinates; every other number must be finite",
            )

    def _check_order(self) -> None:
        same_clip, same_person = np.diff(self.clip) == 0, np.diff(self.person) == 0
        later = (
            (np.diff(self.clip) > 0)
            | (same_clip & (np.diff(self.person) > 0))
            | (same_clip & same_person & (np.diff(self.frame) > 0))
        )
        if not later.all():
            row = int((~later).argmax()) + 1
            raise DataError(
                "poses are not sorted by (clip, person, frame), or one person has two poses in one frame",
                where=self.locate(row),
            )

    def __len__(self) -> int:
        return len(self.clip)

    @property
    def planes(self) -> NDArray[np.float32]:
        """(3, N, J) float32, the keypoints again: x, y and confidence, each one contiguous block. Not a copy."""
        return self.keypoints.transpose(2, 0, 1)

    def locate(self, row: int) -> str:
        """Where row ``row`` comes from, in words."""
        return f"clip {self.clips[self.clip[row]].name}, person {self.person[row]}, frame {self.frame[row]}"

    def track_bounds(self) -> NDArray[np.int64]:
        """(K + 1,) int64: row at which each of the K tracks begins, then N. A track is one person of one clip."""
        if len(self) == 0:
            return np.zeros(1, dtype=np.int64)
        change = (np.diff(self.clip) != 0) | (np.diff(self.person) != 0)
        return np.concatenate([[0], np.flatnonzero(change) + 1, [len(self)]]).astype(np.int64)

    def fingerprint(self) -> str:
        """SHA-256 over layout, clips and every column: equal poses, equal fingerprint."""
        digest = hashlib.sha256(repr((self.layout.name, self.clips)).encode())
        columns: tuple[NDArray[Any], ...] = (self.planes, self.clip, self.person, self.frame, self.score)
        for column in columns:
            digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class FrameLabels:
    """Frame labels of one split, clip by clip, in the order of ``Tracks.clips``. Only the harness reads them.

    Args:
        clips: Names of the clips.
        abnormal: Per clip (n_frames,) bool, True where the frame is abnormal.
        keep: Per clip (n_frames,) bool, True where the frame counts (human-related subsets leave frames out).

    Raises:
        DataError: if the parts do not have the same lengths.
    """

    clips: tuple[str, ...]
    abnormal: tuple[NDArray[np.bool_], ...]
    keep: tuple[NDArray[np.bool_], ...]

    def __post_init__(self) -> None:
        if not len(self.clips) == len(self.abnormal) == len(self.keep):
            raise DataError("FrameLabels needs one label vector and one keep mask a clip")
        for name, abnormal, keep in zip(self.clips, self.abnormal, self.keep, strict=True):
            if abnormal.shape != keep.shape or abnormal.ndim != 1:
                raise DataError(f"label vector {abnormal.shape} and keep mask {keep.shape} differ", where=f"clip {name}")

    @property
    def n_frames(self) -> int:
        """Frames that count."""
        return int(sum(keep.sum() for keep in self.keep))

    @property
    def n_abnormal(self) -> int:
        """Abnormal frames that count."""
        return int(sum((a & k).sum() for a, k in zip(self.abnormal, self.keep, strict=True)))

    def fingerprint(self) -> str:
        """SHA-256 over names, lengths, labels and masks."""
        lengths = [len(part) for part in self.abnormal]
        digest = hashlib.sha256(repr((self.clips, lengths)).encode())
        for abnormal, keep in zip(self.abnormal, self.keep, strict=True):
            digest.update(abnormal.tobytes() + keep.tobytes())
        return digest.hexdigest()

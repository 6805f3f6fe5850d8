"""Windows: an index over tracks. Nothing is copied until a batch is asked for.

The window rule is STG-NF's (arXiv 2211.10946, as its released code executes it): windows are taken over consecutive
*rows* of a track, and a window is accepted when at most ``missing`` of its frames lie beyond its nominal span.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api.skeleton import SkeletonLayout
    from vadbench.api.tracks import Tracks

Normaliser = Callable[["NDArray[np.float32]"], "NDArray[np.float32]"]
"""Maps xy (B, T, J, 2) in pixels to model coordinates of the same shape, window by window. NaN marks a missing joint."""


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How tracks are cut into windows.

    Args:
        length: T, rows of a window.
        stride: Rows between the starts of two windows of one track.
        missing: Accept a window whose first ``T - missing`` rows lie within T frames of its start; so at most
            ``missing`` rows lie beyond the nominal span. There is no interpolation.
        keep_last: Also use the window that ends on the track's last row. STG-NF starts windows at rows
            ``range(0, L - T, stride)`` of a track of L rows, which leaves that window out; False repeats this.
    """

    length: int = 24
    stride: int = 1
    missing: int = 2
    keep_last: bool = False

    def __post_init__(self) -> None:
        if self.length < 2 or self.stride < 1 or not 0 <= self.missing < self.length:
            raise ConfigError(
                f"no such window rule: length {self.length}, stride {self.stride}, missing {self.missing}",
                remedy="length >= 2, stride >= 1 and 0 <= missing < length",
            )


@dataclass(frozen=True, slots=True)
class PoseShape:
    """The shape of one window x as a model sees it: (channels, frames, joints), and which joint is which."""

    channels: int
    frames: int
    layout: SkeletonLayout

    @property
    def joints(self) -> int:
        """J, joints of a pose."""
        return len(self.layout)


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows as arrays.

    Args:
        x: (B, C, T, J) float32, normalised; C = 2 (x, y). Free of NaN: a missing joint stands where it stands on
            average in the rest of the window, or at the origin when it is never seen.
        confidence: (B, T, J) float32 in [0, 1]; 0 for a missing joint.
        index: (B,) int64, which windows these are.
    """

    x: NDArray[np.float32]
    confidence: NDArray[np.float32]
    index: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """W windows over ``tracks``; W may be 0.

    Args:
        tracks: The poses.
        rule: How they were cut; ``rule.length`` is T.
        normaliser: The normalisation applied to each batch.
        first: (W,) int64, row of ``tracks`` at which each window begins.
        mirrored: (W,) bool, whether the window is seen in a mirror (training augmentation).
        swap_sides: Whether mirroring also exchanges left and right joints. STG-NF negates x only.
    """

    tracks: Tracks
    rule: WindowRule
    normaliser: Normaliser
    first: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    swap_sides: bool = False

    def __len__(self) -> int:
        return len(self.first)

    @property
    def shape(self) -> PoseShape:
        """The shape of one window."""
        return PoseShape(channels=2, frames=self.rule.length, layout=self.tracks.layout)

    @property
    def clip(self) -> NDArray[np.int32]:
        """(W,) int32, index into ``tracks.clips``."""
        return self.tracks.clip[self.first]

    @property
    def person(self) -> NDArray[np.int32]:
        """(W,) int32, track id within the clip."""
        return self.tracks.person[self.first]

    @property
    def start(self) -> NDArray[np.int32]:
        """(W,) int32, frame of the window's first row."""
        return self.tracks.frame[self.first]

    def select(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Windows:
        """The windows at ``index``, in that order."""
        return replace(self, first=self.first[index], mirrored=self.mirrored[index])

    def batch(self, index: NDArray[np.int64] | slice) -> Batch:
        """The windows at ``index`` as arrays: gathered, normalised and mirrored, vectorised."""
        picked = np.arange(len(self), dtype=np.int64)[index]
        rows = self.first[picked][:, None] + np.arange(self.rule.length)
        poses = self.tracks.keypoints[rows]
        confidence = poses[..., 2]
        xy = self.normaliser(poses[..., :2])
        unseen = np.isnan(xy)
        if unseen.any():
            xy = _fill_unseen(xy, unseen)
        flip = self.mirrored[picked]
        if flip.any():
            turned = xy[flip]
            turned[..., 0] *= -1
            confidence = confidence.copy()
            if self.swap_sides:
                mirror = list(self.tracks.layout.mirror)
                turned = turned[:, :, mirror]
                confidence[flip] = confidence[flip][:, :, mirror]
            xy[flip] = turned
        x = np.ascontiguousarray(xy.transpose(0, 3, 1, 2), dtype=np.float32)
        return Batch(x=x, confidence=np.ascontiguousarray(confidence), index=picked)

    def linked(self) -> tuple[Windows, NDArray[np.int64]]:
        """Each window together with all that its track did before it, tiled backwards in steps of T rows.

        The window before window w begins T rows earlier on the same track, provided that the gap rule accepts it and
        that it joins w without a longer gap. Walking these links gives a track as a sequence of windows that do not
        overlap. Because the tiling is anchored at the window itself, training (any stride) and test (stride 1) see
        histories that are built the same way.

        Returns:
            ``(windows, previous)``: this object's windows first, then earlier ones that it does not hold itself
            (U >= W in all); ``previous`` (U,) int64 is the index of each one's predecessor, -1 where there is none.
        """
        first, mirrored = [self.first], [self.mirrored]
        known = _keys(self.first, self.mirrored)
        while len(first[-1]):
            before, flip = self._before(first[-1]), mirrored[-1]
            keys, where = np.unique(_keys(before, flip), return_index=True)
            new = where[(before[where] >= 0) & ~np.isin(keys, known)]
            first.append(before[new])
            mirrored.append(flip[new])
            known = np.concatenate([known, _keys(before[new], flip[new])])
        windows = replace(self, first=np.concatenate(first), mirrored=np.concatenate(mirrored))
        before = self._before(windows.first)
        order = np.argsort(known, kind="stable")
        found = order[np.searchsorted(known[order], _keys(before, windows.mirrored)).clip(max=max(len(known) - 1, 0))]
        return windows, np.where(before >= 0, found, -1).astype(np.int64)

    def _before(self, first: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row at which the window before each begins, -1 where the track (or an unbroken stretch of it) begins."""
        length, missing, frame = self.rule.length, self.rule.missing, self.tracks.frame
        bounds = self.tracks.track_bounds()
        before = first - length
        inside = before >= bounds[np.searchsorted(bounds, first, side="right") - 1]
        before = np.where(inside, before, 0)
        accepted = frame[before + length - 1 - missing] < frame[before] + length
        joined = frame[first] - frame[before] <= length + missing
        return np.where(inside & accepted & joined, before, -1)


def _keys(first: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> NDArray[np.int64]:
    return first * 2 + mirrored


def _fill_unseen(xy: NDArray[np.float32], unseen: NDArray[np.bool_]) -> NDArray[np.float32]:
    seen = ~unseen
    count = seen.sum(axis=1, keepdims=True)
    mean = np.where(seen, xy, 0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    return np.where(unseen, mean, xy).astype(np.float32)

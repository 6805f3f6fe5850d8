"""Windows: an index over tracks. Nothing is copied until a batch is asked for.

The window rule is STG-NF's (arXiv 2211.10946, as its released code executes it): windows are taken over consecutive
*rows* of a track, and a window is accepted when at most ``missing`` of its frames lie beyond its nominal span.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import as_strided

from vadbench.api.coordinates import PixelWindows
from vadbench.api.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api.coordinates import Normaliser, Placement, View
    from vadbench.api.skeleton import SkeletonLayout
    from vadbench.api.tracks import Tracks


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
        x: (B, C, T, J) float32, normalised; C = 2 (x, y). Free of NaN: a missing joint stands where the normaliser says,
            by most of them where it stands on average in the rest of the window, or at the origin when it is never seen.
        confidence: (B, T, J) float32 in [0, 1]; 0 for a missing joint.
        index: (B,) int64, which windows these are.
    """

    x: NDArray[np.float32]
    confidence: NDArray[np.float32]
    index: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """W windows over ``tracks``; W may be 0. An index: nothing is copied until a batch is asked for.

    Args:
        tracks: The poses.
        rule: How they were cut; ``rule.length`` is T.
        normaliser: The normalisation applied to each batch.
        first: (W,) int64, row of ``tracks`` at which each window begins.
        view: (W,) int64, how each window is seen: 0 as it is, v as ``views[v - 1]`` shows it.
        views: Augmentations, or what test scores are averaged over.
        abnormal: (W,) bool, of training windows in the supervised track: whether the frame T // 2 after the first is labelled
            abnormal; None wherever nobody may know.
    """

    tracks: Tracks
    rule: WindowRule
    normaliser: Normaliser
    first: NDArray[np.int64]
    view: NDArray[np.int64]
    views: tuple[View, ...] = ()
    abnormal: NDArray[np.bool_] | None = None

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

    @property
    def track(self) -> NDArray[np.int64]:
        """(W,) int64, a number for the track that each window is of; what is held out of a training is whole tracks."""
        return self.tracks.track_bounds().searchsorted(self.first, side="right") - 1

    def select(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> Windows:
        """The windows at ``index``, in that order."""
        abnormal = None if self.abnormal is None else self.abnormal[index]
        return replace(self, first=self.first[index], view=self.view[index], abnormal=abnormal)

    def normal(self) -> Windows:
        """Without those that are labelled abnormal: all of them where there are no labels."""
        return self if self.abnormal is None else self.select(~self.abnormal)

    def batch(self, index: NDArray[np.int64] | slice) -> Batch:
        """The windows at ``index`` as arrays: gathered, seen, normalised, vectorised."""
        seen = self._gather(np.arange(len(self), dtype=np.int64)[index])
        x = self.normaliser(seen).to_model(seen.xy)
        self._fill_missing(x)
        return Batch(x=x, confidence=seen.confidence, index=seen.key)

    def placement(self, index: NDArray[np.int64] | slice) -> Placement:
        """Where the windows at ``index`` stand in the picture: ``placement(i).to_pixels(batch(i).x)`` are their pixels."""
        return self.normaliser(self._gather(np.arange(len(self), dtype=np.int64)[index]))

    def _gather(self, picked: NDArray[np.int64]) -> PixelWindows:
        """Pixels of the picked windows as they are seen; the ``key`` of the result says which they are."""
        length, joints = self.rule.length, len(self.tracks.layout)
        first = self.first[picked]
        if len(picked) == 0:
            nothing = np.empty((0, 3, length, joints), dtype=np.float32)
            return PixelWindows(nothing[:, :2], nothing[:, 2], np.empty((0, 2), dtype=np.float32), picked)
        # The rows of a window follow one another, so in each plane a window is one block: 3 copies a window.
        planes = self.tracks.planes
        blocks = as_strided(
            planes,
            (3, planes.shape[1] - length + 1, length * joints),
            (planes.strides[0], planes.strides[1], planes.strides[2]),
            writeable=False,
        )
        xy = np.empty((len(picked), 2, length * joints), dtype=np.float32)
        for plane in range(2):
            xy[:, plane] = blocks[plane][first]
        sizes = np.array([clip.resolution for clip in self.tracks.clips], dtype=np.float32)
        poses = PixelWindows(
            xy=xy.reshape(-1, 2, length, joints),
            confidence=blocks[2][first].reshape(-1, length, joints),
            picture=sizes[self.tracks.clip[first]],
            key=first,
        )
        view = self.view[picked]
        for number in np.unique(view[view > 0]):
            at = np.flatnonzero(view == number)
            shown = self.views[number - 1](PixelWindows(poses.xy[at], poses.confidence[at], poses.picture[at], poses.key[at]))
            poses.xy[at], poses.confidence[at] = shown.xy, shown.confidence
        return replace(poses, key=picked)

    def _fill_missing(self, x: NDArray[np.float32]) -> None:
        """Puts a place where there is none, in x (B, 2, T, J)."""
        gaps = np.flatnonzero(np.isnan(x.reshape(len(x), math.prod(x.shape[1:])).sum(axis=1)))
        if len(gaps):
            x[gaps] = _filled(x[gaps], to_mean=self.normaliser.missing == "window-mean")

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
        first, view = [self.first], [self.view]
        known = self._keys(self.first, self.view)
        while len(first[-1]):
            before, seen = self._before(first[-1]), view[-1]
            keys, where = np.unique(self._keys(before, seen), return_index=True)
            new = where[(before[where] >= 0) & ~np.isin(keys, known)]
            first.append(before[new])
            view.append(seen[new])
            known = np.concatenate([known, self._keys(before[new], seen[new])])
        windows = replace(self, first=np.concatenate(first), view=np.concatenate(view), abnormal=None)
        before = self._before(windows.first)
        order = np.argsort(known, kind="stable")
        found = order[np.searchsorted(known[order], self._keys(before, windows.view)).clip(max=max(len(known) - 1, 0))]
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

    def _keys(self, first: NDArray[np.int64], view: NDArray[np.int64]) -> NDArray[np.int64]:
        """A number of its own for each window in each view."""
        return first * (1 + len(self.views)) + view


def _filled(x: NDArray[np.float32], *, to_mean: bool) -> NDArray[np.float32]:
    seen = ~np.isnan(x)
    mean = np.where(seen, x, 0).sum(axis=2, keepdims=True) / np.maximum(seen.sum(axis=2, keepdims=True), 1) if to_mean else 0
    return np.where(seen, x, mean).astype(np.float32)

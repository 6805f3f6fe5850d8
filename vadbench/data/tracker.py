"""Track ids for poses that have none: each frame's poses are assigned to the tracks seen so far, at the least total cost.

The cost of a pose for a track is ``overlap_weight * (1 - IoU) + (1 - overlap_weight) * distance``, where IoU is that of the
boxes around the joints, and distance is the mean distance of the joints that both have seen, in units of the larger side of
the two boxes. A pair above the gate is never assigned. Of all assignments within the gate, those of the most pairs are
considered, and of these the cheapest is taken (Hungarian method). A track that is not seen stands still, or moves on at its
velocity, until it has been missed too often; what is left over begins a new track.

This is the plain form of tracking by detection: no appearance, no second pass over weak poses, no re-identification. Where
persons hide one another for long, use the ids of a tracker that sees the pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
from scipy.optimize import linear_sum_assignment

from vadbench.api import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Motion = Literal["velocity", "still"]

NO_TRACK: Final = -1
_FORBIDDEN: Final = 1e6
_VELOCITY_SHARE: Final = 0.5
"""How much of a track's velocity comes from its last step; the rest is what it was before. Steps jitter, people do not."""


@dataclass(frozen=True, slots=True)
class TrackerRule:
    """How poses become tracks.

    Args:
        gate: The largest cost at which a pose may continue a track.
        overlap_weight: Share of the box overlap in the cost; the rest is the joints' distance.
        max_missed: Frames in a row that a track may go unseen and still be continued.
        motion: Where an unseen track is expected: moved on at its ``velocity`` (a moving mean over its steps), or ``still``.
        joint_confidence: Joints below this are not looked at, unless a pose has none above it.
        min_length: Tracks with fewer poses are dropped.

    Raises:
        ConfigError: for a value out of range.
    """

    gate: float = 0.6
    overlap_weight: float = 0.25
    max_missed: int = 12
    motion: Motion = "velocity"
    joint_confidence: float = 0.2
    min_length: int = 1

    def __post_init__(self) -> None:
        for key, known, rule in (
            ("gate", 0 < self.gate < _FORBIDDEN, "a number above 0"),
            ("overlap_weight", 0 <= self.overlap_weight <= 1, "a share between 0 and 1"),
            ("max_missed", self.max_missed >= 0, "0 or more"),
            ("motion", self.motion in get_args(Motion), f"one of {', '.join(get_args(Motion))}"),
            ("joint_confidence", 0 <= self.joint_confidence <= 1, "between 0 and 1"),
            ("min_length", self.min_length >= 1, "1 or more"),
        ):
            if not known:
                value = getattr(self, key)
                raise ConfigError(f"{value!r} cannot be the tracker's {key}", where=f"tracker.{key}", remedy=f"give {rule}")

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> TrackerRule:
        """The rule with some of its values set; raises `ConfigError` for an unknown key, or a value of another type."""
        usual = {field.name: field.default for field in fields(cls)}
        for key, value in settings.items():
            if key not in usual:
                raise ConfigError(f"the tracker has no setting {key!r}", where=f"tracker.{key}", remedy=did_you_mean(key, usual))
            number = type(usual[key]) is float and type(value) is int
            if type(value) is not type(usual[key]) and not number:
                remedy = f"give a value such as {usual[key]!r}"
                raise ConfigError(f"{value!r} cannot be the tracker's {key}", where=f"tracker.{key}", remedy=remedy)
        return cls(**settings)


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is looked at of n poses.

    Args:
        frame: (n,) when.
        xy: (n, J, 2) pixels, 0 for joints that are not looked at.
        seen: (n, J) which joints are looked at; at least one of each pose.
        box: (n, 4) x0, y0, x1, y1 around these joints.
    """

    frame: NDArray[np.int32]
    xy: NDArray[np.float64]
    seen: NDArray[np.bool_]
    box: NDArray[np.float64]

    def rows(self, rows: slice | list[int]) -> _Figures:
        return _Figures(self.frame[rows], self.xy[rows], self.seen[rows], self.box[rows])

    def moved(self, velocity: NDArray[np.float64], now: np.int32) -> _Figures:
        """Where they are expected now, given the (n, 2) pixels a frame at which each moves."""
        step = velocity * (now - self.frame)[:, None]
        return _Figures(self.frame, self.xy + step[:, None], self.seen, self.box + np.tile(step, 2))


@dataclass(slots=True)
class _Track:
    """A track that may still be continued: its number, the row of its last pose, and pixels a frame."""

    number: int
    row: int
    velocity: NDArray[np.float64]


def assign_tracks(frame: NDArray[np.int32], keypoints: NDArray[np.float32], rule: TrackerRule) -> NDArray[np.int32]:
    """The track of each pose of one clip.

    Args:
        frame: (n,) the frame of each pose, in any order.
        keypoints: (n, J, 3) x, y, confidence; a missing joint has NaN coordinates.
        rule: How.

    Returns:
        (n,) int32: ids from 1 in the order in which tracks begin, or `NO_TRACK` for poses of a track that is too short, and
        for poses without any joint. They do not depend on the order of the poses.
    """
    ids = np.full(len(frame), NO_TRACK, dtype=np.int32)
    placed = np.flatnonzero(~np.isnan(keypoints[..., 0]).all(axis=1))
    if len(placed):
        order = placed[_canonical_order(frame[placed], keypoints[placed])]
        numbers = _followed(_looked_at(frame[order], keypoints[order], rule.joint_confidence), rule)
        ids[order] = _long_enough(numbers, rule.min_length)
    return ids


def _canonical_order(frame: NDArray[np.int32], keypoints: NDArray[np.float32]) -> NDArray[np.intp]:
    """By frame, then by the numbers themselves, so that the order of a frame's poses in a file plays no part."""
    numbers = np.nan_to_num(keypoints.reshape(len(frame), -1), nan=-1.0)
    return np.lexsort((*numbers.T[::-1], frame))


def _looked_at(frame: NDArray[np.int32], keypoints: NDArray[np.float32], joint_confidence: float) -> _Figures:
    placed = ~np.isnan(keypoints[..., 0])
    seen = placed & (keypoints[..., 2] >= joint_confidence)
    none = ~seen.any(axis=1)
    seen[none] = placed[none]
    xy = np.where(seen[..., None], keypoints[..., :2], 0).astype(np.float64)
    low = np.where(seen[..., None], xy, np.inf).min(axis=1)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=1)
    return _Figures(frame, xy, seen, np.concatenate([low, high], axis=1))


def _followed(figures: _Figures, rule: TrackerRule) -> NDArray[np.int32]:
    """(n,) the number, from 1, of the track of each pose; poses sorted by frame."""
    frame = figures.frame
    numbers = np.empty(len(frame), dtype=np.int32)
    live: list[_Track] = []
    count = 0
    begins = np.flatnonzero(np.diff(frame, prepend=frame[0] - 1, append=frame[-1] + 1)).tolist()
    for first, last in pairwise(begins):
        now = frame[first]
        live = [track for track in live if now - frame[track.row] - 1 <= rule.max_missed]
        expected = figures.rows([track.row for track in live])
        if rule.motion == "velocity":
            expected = expected.moved(np.array([track.velocity for track in live]).reshape(-1, 2), now)
        continued = _matched(expected, figures.rows(slice(first, last)), rule)
        for row, t in enumerate(continued, start=first):
            if t is None:
                count += 1
                live.append(_Track(count, row, np.zeros(2)))
                numbers[row] = count
            else:
                step = _step(figures, live[t].row, row) / (now - frame[live[t].row])
                live[t].velocity = (1 - _VELOCITY_SHARE) * live[t].velocity + _VELOCITY_SHARE * step
                live[t].row = row
                numbers[row] = live[t].number
    return numbers


def _matched(expected: _Figures, found: _Figures, rule: TrackerRule) -> list[int | None]:
    """For each pose found in a frame, which of the expected ones it continues; None for one that begins a track."""
    continued: list[int | None] = [None] * len(found.frame)
    cost = rule.overlap_weight * (1 - _overlap(expected.box, found.box))
    cost += (1 - rule.overlap_weight) * _distance(expected, found)
    cost[cost > rule.gate] = _FORBIDDEN
    for t, row in zip(*linear_sum_assignment(cost), strict=True):
        if cost[t, row] < _FORBIDDEN:
            continued[row] = int(t)
    return continued


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(A, B) intersection over union of boxes (A, 4) and (B, 4); a box without area overlaps nothing."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area_a, area_b = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    union = area_a[:, None] + area_b[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def _distance(a: _Figures, b: _Figures) -> NDArray[np.float64]:
    """(A, B) mean distance of the joints that both have, else of the boxes' centres, in units of the boxes' larger side."""
    both = a.seen[:, None] & b.seen[None]
    n = both.sum(axis=2)
    apart = (np.linalg.norm(a.xy[:, None] - b.xy[None], axis=3) * both).sum(axis=2) / np.maximum(n, 1)
    centres = np.linalg.norm(_centre(a.box)[:, None] - _centre(b.box)[None], axis=2)
    # A single joint has a box of no size: below a pixel there is nothing to compare by.
    size_a, size_b = (np.maximum((box[:, 2:] - box[:, :2]).max(axis=1), 1.0) for box in (a.box, b.box))
    return np.asarray(np.where(n > 0, apart, centres) / ((size_a[:, None] + size_b[None]) / 2))


def _step(figures: _Figures, earlier: int, later: int) -> NDArray[np.float64]:
    """(2,) how far a pose has come since an earlier one: its common joints on average, else the centre of its box."""
    both = figures.seen[earlier] & figures.seen[later]
    if not both.any():
        return np.asarray(_centre(figures.box[later]) - _centre(figures.box[earlier]))
    return np.asarray((figures.xy[later, both] - figures.xy[earlier, both]).mean(axis=0))


def _centre(box: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((box[..., :2] + box[..., 2:]) / 2)


def _long_enough(numbers: NDArray[np.int32], min_length: int) -> NDArray[np.int32]:
    """Numbers from 1 without gaps for the tracks that are long enough, `NO_TRACK` for the others."""
    lengths = np.bincount(numbers)
    kept = lengths >= min_length
    kept[0] = False  # nobody has the number 0
    return np.where(kept, np.cumsum(kept), NO_TRACK).astype(np.int32)[numbers]

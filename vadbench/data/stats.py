"""What a split amounts to before any method sees it: poses, tracks, gaps, persons a frame, joints, heights, windows.

A split is measured once, as columns over its poses, tracks and frames; the figures of a scene are taken from a part of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.windowing import window_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vadbench.api import Clip, Tracks, WindowRule

LOW_CONFIDENCE: Final = 0.3
"""Below this a joint that is there counts as unsure; MMPose's default threshold for drawing a joint (``kpt_thr``)."""
_BLOCK: Final = 8192


@dataclass(frozen=True, slots=True)
class Measures:
    """A split of C clips as columns over N poses, K tracks and F frames.

    Args:
        clips: The clips.
        rule: How windows are cut.
        joints: Names of the joints.
        joint_missing: (J,) in [0, 1], the share of the poses in which a joint is missing.
        joint_unsure: (J,) in [0, 1], the share in which it is there with a confidence below `LOW_CONFIDENCE`.
        pose_clip: (N,) index into ``clips``.
        pose_height: (N,) pixels from the highest to the lowest joint of a confidence above 0; NaN below two such joints.
        pose_missing: (N,) joints that are missing.
        pose_unsure: (N,) joints that are there with a confidence below `LOW_CONFIDENCE`.
        pose_used: (N,) bool, whether some window holds the pose.
        track_clip: (K,) index into ``clips``.
        track_poses: (K,) poses of a track.
        track_gaps: (K,) places at which a track lacks one or more frames.
        track_absent: (K,) frames that it lacks there, together.
        track_longest_gap: (K,) frames that it lacks at most at one place.
        track_candidates: (K,) windows that it would give if gaps did not matter.
        track_windows: (K,) windows that it gives.
        frame_clip: (F,) index into ``clips``.
        frame_persons: (F,) persons with a pose in the frame.
    """

    clips: tuple[Clip, ...]
    rule: WindowRule
    joints: tuple[str, ...]
    joint_missing: NDArray[np.float64]
    joint_unsure: NDArray[np.float64]
    pose_clip: NDArray[np.int32]
    pose_height: NDArray[np.float32]
    pose_missing: NDArray[np.uint8]
    pose_unsure: NDArray[np.uint8]
    pose_used: NDArray[np.bool_]
    track_clip: NDArray[np.int32]
    track_poses: NDArray[np.int64]
    track_gaps: NDArray[np.int64]
    track_absent: NDArray[np.int64]
    track_longest_gap: NDArray[np.int64]
    track_candidates: NDArray[np.int64]
    track_windows: NDArray[np.int64]
    frame_clip: NDArray[np.int64]
    frame_persons: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spread:
    """How numbers are spread: mean, smallest, quantiles, largest; all NaN where there is none."""

    mean: float
    smallest: float
    q05: float
    q25: float
    median: float
    q75: float
    q95: float
    largest: float


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a split or of a part of it; a share is NaN where there is nothing to share.

    Args:
        clips: Clips.
        clips_without_poses: Of these.
        frames: Frames of the clips.
        frames_with_nobody: Of these, frames without a pose.
        persons_a_frame: Over all frames.
        poses: Poses.
        tracks: Tracks.
        poses_a_track: Length of a track in poses.
        gaps: Places in tracks at which frames are missing.
        tracks_with_gaps: Tracks with such a place.
        frames_in_gaps: Frames missing there, together.
        longest_gap: Frames missing at one place at most.
        joints_missing: Share of all joints of all poses.
        joints_unsure: Share of them that are there with a confidence below `LOW_CONFIDENCE`.
        height: Of the poses, in pixels.
        windows: Windows.
        windows_refused: Windows that there would be if gaps did not matter, and are not.
        tracks_too_short: Tracks that no rule about gaps could get a window from.
        tracks_too_broken: Tracks that are long enough and give no window because of gaps.
        poses_in_windows: Share of the poses that some window holds.
    """

    clips: int
    clips_without_poses: int
    frames: int
    frames_with_nobody: int
    persons_a_frame: Spread
    poses: int
    tracks: int
    poses_a_track: Spread
    gaps: int
    tracks_with_gaps: int
    frames_in_gaps: int
    longest_gap: int
    joints_missing: float
    joints_unsure: float
    height: Spread
    windows: int
    windows_refused: int
    tracks_too_short: int
    tracks_too_broken: int
    poses_in_windows: float


def frame_offsets(clips: Sequence[Clip]) -> NDArray[np.int64]:
    """(C + 1,): where each clip begins when the frames of all clips stand in one row, then how many there are."""
    return np.concatenate([[0], np.cumsum([clip.n_frames for clip in clips])]).astype(np.int64)


def measure(tracks: Tracks, rule: WindowRule) -> Measures:
    """Measures a split; in its own layout, because windows do not depend on joints."""
    bounds, offsets = tracks.track_bounds(), frame_offsets(tracks.clips)
    height, missing, unsure, joint_missing, joint_unsure = _measure_joints(tracks.planes)
    gaps, absent, longest = _measure_gaps(tracks.frame, bounds)
    first = window_starts(tracks, rule)
    return Measures(
        clips=tracks.clips,
        rule=rule,
        joints=tracks.layout.joints,
        joint_missing=joint_missing,
        joint_unsure=joint_unsure,
        pose_clip=tracks.clip,
        pose_height=height,
        pose_missing=missing,
        pose_unsure=unsure,
        pose_used=_held(first, rule.length, len(tracks)),
        track_clip=tracks.clip[bounds[:-1]],
        track_poses=np.diff(bounds),
        track_gaps=gaps,
        track_absent=absent,
        track_longest_gap=longest,
        # With every row but the first free to lie anywhere, the gap rule accepts all.
        track_candidates=_by_track(window_starts(tracks, replace(rule, missing=rule.length - 1)), bounds),
        track_windows=_by_track(first, bounds),
        frame_clip=np.repeat(np.arange(len(tracks.clips)), np.diff(offsets)),
        frame_persons=np.bincount(offsets[tracks.clip] + tracks.frame, minlength=int(offsets[-1])),
    )


def summarise(measures: Measures, chosen: NDArray[np.bool_] | None = None) -> Summary:
    """The figures of the clips for which ``chosen`` (C,) is True; of all without it."""
    m = measures
    clips = np.ones(len(m.clips), dtype=bool) if chosen is None else chosen
    poses, tracks, frames = clips[m.pose_clip], clips[m.track_clip], clips[m.frame_clip]
    persons, windows, candidates = m.frame_persons[frames], m.track_windows[tracks], m.track_candidates[tracks]
    n_poses = int(poses.sum())
    n_joints = n_poses * len(m.joints)
    return Summary(
        clips=int(clips.sum()),
        clips_without_poses=int(clips.sum()) - len(np.unique(m.track_clip[tracks])),
        frames=len(persons),
        frames_with_nobody=int((persons == 0).sum()),
        persons_a_frame=spread(persons),
        poses=n_poses,
        tracks=int(tracks.sum()),
        poses_a_track=spread(m.track_poses[tracks]),
        gaps=int(m.track_gaps[tracks].sum()),
        tracks_with_gaps=int((m.track_gaps[tracks] > 0).sum()),
        frames_in_gaps=int(m.track_absent[tracks].sum()),
        longest_gap=int(m.track_longest_gap[tracks].max(initial=0)),
        joints_missing=_ratio(int(m.pose_missing[poses].sum(dtype=np.int64)), n_joints),
        joints_unsure=_ratio(int(m.pose_unsure[poses].sum(dtype=np.int64)), n_joints),
        height=spread(m.pose_height[poses]),
        windows=int(windows.sum()),
        windows_refused=int((candidates - windows).sum()),
        tracks_too_short=int((candidates == 0).sum()),
        tracks_too_broken=int(((candidates > 0) & (windows == 0)).sum()),
        poses_in_windows=_ratio(int(m.pose_used[poses].sum()), n_poses),
    )


def scenes_of(clips: Sequence[Clip]) -> dict[str, NDArray[np.bool_]]:
    """Scene to (C,) bool, which clips are of it; in the order of `scene_order`."""
    scene = np.array([clip.scene for clip in clips], dtype=np.str_)
    return {name: scene == name for name in sorted({clip.scene for clip in clips}, key=scene_order)}


def scene_order(scene: str) -> tuple[bool, int, str]:
    """A sort key: numbers by size, then other names."""
    number = scene.isdecimal()
    return not number, int(scene) if number else 0, scene


def spread(values: NDArray[np.generic]) -> Spread:
    """How the values that are not NaN are spread."""
    found = np.asarray(values, dtype=np.float64)
    found = found[~np.isnan(found)]
    if len(found) == 0:
        return Spread(*[math.nan] * 8)
    smallest, q05, q25, median, q75, q95, largest = np.quantile(found, [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]).tolist()
    return Spread(float(found.mean()), smallest, q05, q25, median, q75, q95, largest)


def _measure_joints(
    planes: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """Of planes (3, N, J): height, missing and unsure joints of each pose; share of the poses of each joint, likewise."""
    _, n, joints = planes.shape
    height = np.empty(n, dtype=np.float32)
    missing, unsure = np.empty(n, dtype=np.uint8), np.empty(n, dtype=np.uint8)
    by_joint = np.zeros((2, joints), dtype=np.int64)
    for begin in range(0, n, _BLOCK):
        # Turned so that poses lie side by side: reductions over joints then run along memory, block by block in the cache.
        part = slice(begin, begin + _BLOCK)
        x, y, confidence = np.ascontiguousarray(planes[:, part].transpose(0, 2, 1))
        gone = np.isnan(x)
        dim = ~gone & (confidence < LOW_CONFIDENCE)
        missing[part], unsure[part] = gone.sum(axis=0), dim.sum(axis=0)
        by_joint += gone.sum(axis=1), dim.sum(axis=1)
        seen = confidence > 0
        extent = np.where(seen, y, -np.inf).max(axis=0) - np.where(seen, y, np.inf).min(axis=0)
        height[part] = np.where(seen.sum(axis=0) > 1, extent, np.nan)
    shares = by_joint / n if n else np.full((2, joints), math.nan)
    return height, missing, unsure, shares[0], shares[1]


def _measure_gaps(
    frame: NDArray[np.int32], bounds: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each track: places at which frames are missing, how many are missing in all, and at one place at most."""
    tracks = len(bounds) - 1
    gap = np.diff(frame, prepend=frame[:1]).astype(np.int64) - 1
    gap[bounds[:-1]] = 0
    at = np.flatnonzero(gap)
    track = np.searchsorted(bounds, at, side="right") - 1
    longest = np.zeros(tracks, dtype=np.int64)
    np.maximum.at(longest, track, gap[at])
    absent = np.zeros(tracks, dtype=np.int64)
    np.add.at(absent, track, gap[at])
    return np.bincount(track, minlength=tracks), absent, longest


def _by_track(rows: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """(K,): how many of the rows lie in each track."""
    return np.diff(np.searchsorted(rows, bounds))


def _held(first: NDArray[np.int64], length: int, n: int) -> NDArray[np.bool_]:
    """(N,) bool: whether a row lies in a window of ``length`` rows that begins at one of ``first``."""
    change = np.zeros(n + 1, dtype=np.int32)
    change[first] += 1  # no row begins or ends two windows, so plain indexing adds each once
    change[first + length] -= 1
    return np.cumsum(change)[:-1] > 0


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan

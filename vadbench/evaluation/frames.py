"""From window scores to frame scores: placement, persons, fill, smoothing; each step a function of its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vadbench.api import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from vadbench.api import WindowScores
    from vadbench.evaluation.protocol import Protocol

UNSCORED = -np.inf
"""The score of a frame in which no window scores anybody, before it is filled."""


@dataclass(frozen=True, slots=True)
class FrameScores:
    """Frame scores of a test set, clip by clip.

    Args:
        clips: Names of the clips.
        raw: Per clip (n_frames,) float64, filled and not smoothed.
        smoothed: Per clip (n_frames,) float64.
        scored: Per clip (n_frames,) bool, True where some window scores the frame.
    """

    clips: tuple[str, ...]
    raw: tuple[NDArray[np.float64], ...]
    smoothed: tuple[NDArray[np.float64], ...]
    scored: tuple[NDArray[np.bool_], ...]


def frame_scores(scores: WindowScores, lengths: Mapping[str, int], protocol: Protocol) -> FrameScores:
    """The frame scores of every clip under a protocol.

    Args:
        scores: Of the windows.
        lengths: Frames of every clip of the test set, in evaluation order; clips without a window belong here too.
        protocol: The rule.

    Raises:
        DataError: if a window belongs to a clip that is not in ``lengths`` or reaches beyond its end.
    """
    clips = tuple(lengths)
    offsets = np.concatenate([[0], np.cumsum([lengths[name] for name in clips])]).astype(np.int64)
    frame, value = _PLACEMENTS[protocol.placement](scores)
    at = _clip_positions(scores.clip, clips)
    inside = (frame >= 0) & (frame < np.diff(offsets)[at])
    if not inside.all():
        row = int((~inside).argmax())
        raise DataError(
            f"a window scores frame {frame[row]} of a clip of {lengths[clips[at[row]]]} frames",
            where=f"clip {scores.clip[row]}, person {scores.person[row]}, window at frame {scores.start[row]}",
        )
    flat = _PERSONS[protocol.persons](offsets[at] + frame, value, int(offsets[-1]))
    scored = flat != UNSCORED
    filled = _FILLS[protocol.fill](flat)
    raw = tuple(filled[a:b] for a, b in pairwise(offsets))
    return FrameScores(
        clips=clips,
        raw=raw,
        smoothed=tuple(smooth(clip, protocol.smoothing) for clip in raw),
        scored=tuple(scored[a:b] for a, b in pairwise(offsets)),
    )


def person_timelines(scores: WindowScores, clip: str, n_frames: int) -> dict[int, NDArray[np.float64]]:
    """Scores (n_frames,) of each person of a clip as the protocol places them, NaN where unscored; for plots."""
    chosen = np.flatnonzero(scores.clip == clip)
    frame, value = place_at_centre(scores)
    timelines: dict[int, NDArray[np.float64]] = {}
    for person in np.unique(scores.person[chosen]):
        mine = chosen[scores.person[chosen] == person]
        line = np.full(n_frames, np.nan)
        line[frame[mine]] = value[mine]
        timelines[int(person)] = line
    return timelines


def place_at_centre(scores: WindowScores) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Each window's score stands at its frame ``start + T // 2`` and nowhere else.

    Returns:
        ``(frame, value)``, each (W,). Of scores given frame by frame, the one of that frame counts.
    """
    half = scores.length // 2
    value = scores.score if scores.score.ndim == 1 else scores.score[:, half]
    return scores.start + half, value


def most_anomalous_person(frame: NDArray[np.int64], value: NDArray[np.float64], n_frames: int) -> NDArray[np.float64]:
    """(n_frames,): the highest value placed on each frame, `UNSCORED` where there is none."""
    flat = np.full(n_frames, UNSCORED)
    np.maximum.at(flat, frame, value)
    return flat


def fill_with_minimum(flat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unscored frames get the lowest score of the whole test set (0 where no frame at all is scored)."""
    scored = flat != UNSCORED
    return np.where(scored, flat, flat[scored].min() if scored.any() else 0.0)


def smooth(clip: NDArray[np.float64], sigmas: Sequence[float]) -> NDArray[np.float64]:
    """Gaussian filters of the given standard deviations (frames), one after another, mirrored at the clip's ends."""
    for sigma in sigmas:
        clip = gaussian_filter1d(clip, sigma=sigma)
    return clip


_PLACEMENTS: Final = {"centre": place_at_centre}
_PERSONS: Final = {"max": most_anomalous_person}
_FILLS: Final = {"minimum": fill_with_minimum}


def _clip_positions(names: NDArray[np.str_], clips: tuple[str, ...]) -> NDArray[np.int64]:
    position = {name: i for i, name in enumerate(clips)}
    unique, inverse = np.unique(names, return_inverse=True)
    unknown = [str(name) for name in unique if str(name) not in position]
    if unknown:
        raise DataError(
            f"windows of {len(unknown)} clips that the test set does not have: {', '.join(unknown[:5])}",
            where="window scores",
            remedy="score the data set that these windows come from",
        )
    return np.array([position[str(name)] for name in unique], dtype=np.int64)[inverse]

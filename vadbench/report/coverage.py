"""Which frames of a split any method's windows can score under a protocol, and what keeps the others unscored.

No method scores a frame that no window reaches: whatever the fill rule gives such a frame, it gives it to abnormal and
normal frames alike. So the coverage of the abnormal frames limits every method on a data set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import WindowScores
from vadbench.data.stats import frame_offsets
from vadbench.data.windowing import window_starts
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.person_lines import person_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Tracks, WindowRule
    from vadbench.evaluation.person_lines import PersonLines
    from vadbench.evaluation.protocol import Pipeline


@dataclass(frozen=True, slots=True)
class Reason:
    """Why no window scores a frame.

    Args:
        label: In a few words, for tables and legends.
        meaning: In full.
        remedy: What would change it.
    """

    label: str
    meaning: str
    remedy: str


REASONS: Final = {
    "nobody": Reason(
        "nobody detected",
        "the frame has no pose",
        "no method on these poses can score such a frame; only another pose estimator would help",
    ),
    "no-window": Reason(
        "tracks without a window",
        "everybody in the frame has a track that gives no window, because it is too short or has too many gaps",
        "shorter windows or longer tracks would help",
    ),
    "track-ends": Reason(
        "ends of tracks",
        "the frame lies before the first or after the last frame that a window of somebody's track scores",
        "a window scores only its middle, so every track loses half a window at each end; shorter windows, or tracks that "
        "break less often, would help",
    ),
    "between": Reason(
        "gaps in tracks, or the stride",
        "the frame lies between two frames that windows of one track score",
        "gaps in the track refuse windows there, or the stride leaves the frame out; stride 1 and fewer gaps would help",
    ),
}
"""Reasons by name. Where people of one frame differ, the later of these counts: who is nearest to being scored."""
STATES: Final = ("scored", *REASONS)
_NOBODY, _NO_WINDOW, _TRACK_ENDS, _BETWEEN = range(1, 5)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far windows reach among F frames.

    Args:
        frames: F.
        scored: Share that some window scores; NaN where F is 0.
        unscored: Name of the reason (see `REASONS`) to the frames that it keeps unscored.
    """

    frames: int
    scored: float
    unscored: dict[str, int]


def frame_states(tracks: Tracks, rule: WindowRule, pipeline: Pipeline) -> NDArray[np.int8]:
    """(F,) int8 over the frames of all clips: position in `STATES` of the state each is in."""
    offsets, bounds = frame_offsets(tracks.clips), tracks.track_bounds()
    lines = _lines(tracks, rule, pipeline)
    cell = np.flatnonzero(lines.scored)
    # The frames between which the scores of each track lie; none for a track without a window.
    number = {
        key: i for i, key in enumerate(zip(tracks.clip[bounds[:-1]].tolist(), tracks.person[bounds[:-1]].tolist(), strict=True))
    }
    track = np.array([number[key] for key in zip(lines.clip.tolist(), lines.name.tolist(), strict=True)], dtype=np.int64)
    earliest = np.full(len(bounds) - 1, np.iinfo(np.int64).max)
    latest = np.full(len(bounds) - 1, -1)
    np.minimum.at(earliest, track[lines.person[cell]], lines.frame[cell])
    np.maximum.at(latest, track[lines.person[cell]], lines.frame[cell])
    of_pose = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    outside = (tracks.frame < earliest[of_pose]) | (tracks.frame > latest[of_pose])
    state = np.where(latest[of_pose] < 0, _NO_WINDOW, np.where(outside, _TRACK_ENDS, _BETWEEN)).astype(np.int8)
    states = np.full(offsets[-1], _NOBODY, dtype=np.int8)
    np.maximum.at(states, offsets[tracks.clip] + tracks.frame, state)
    states[offsets[lines.clip[lines.person[cell]]] + lines.frame[cell]] = 0
    return states


def reach(states: NDArray[np.int8]) -> Reach:
    """How far windows reach among the frames of these states."""
    counts = np.bincount(states, minlength=len(STATES)).tolist()
    share = counts[0] / len(states) if len(states) else math.nan
    return Reach(len(states), share, dict(zip(REASONS, counts[1:], strict=True)))


def _lines(tracks: Tracks, rule: WindowRule, pipeline: Pipeline) -> PersonLines:
    """Where a pipeline places the scores of all windows; the scores themselves are zeros."""
    first = window_starts(tracks, rule)
    names = np.array([one.name for one in tracks.clips], dtype=np.str_)
    scores = WindowScores(
        clip=names[tracks.clip[first]],
        person=tracks.person[first].astype(np.int64),
        start=tracks.frame[first].astype(np.int64),
        score=np.zeros(len(first)),
        length=rule.length,
    )
    # By that score 0 would be no score.
    pipeline = replace(pipeline, overlap="max")
    return person_lines(scores, FrameAxis.of_clips(tracks.clips), pipeline)

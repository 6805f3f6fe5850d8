"""From window scores to a line of scores for each person: placement, overlap, and what counts as absent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import WindowScores
    from vadbench.evaluation.frame_axis import FrameAxis
    from vadbench.evaluation.protocol import Pipeline


@dataclass(frozen=True, slots=True)
class PersonLines:
    """Scores of P persons, each from their first to their last placed frame: K cells in all.

    Args:
        clip: (P,) place of each person's clip on the axis.
        name: (P,) track id.
        bounds: (P + 1,) cells of each person.
        person: (K,) the person of each cell.
        frame: (K,) frame within the clip.
        value: (K,) score; 0 where there is none.
        scored: (K,) bool, whether there is one.
    """

    clip: NDArray[np.int64]
    name: NDArray[np.int64]
    bounds: NDArray[np.int64]
    person: NDArray[np.int64]
    frame: NDArray[np.int64]
    value: NDArray[np.float64]
    scored: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Scores that stand at frames: M of them, sorted by person and window."""

    person: NDArray[np.int64]
    frame: NDArray[np.int64]
    value: NDArray[np.float64]


def person_lines(scores: WindowScores, axis: FrameAxis, pipeline: Pipeline, *, ahead: int = 0) -> PersonLines:
    """The line of every person that any window scores.

    Args:
        scores: Of the windows, in any order.
        axis: The test set.
        pipeline: Its steps from ``short_tracks`` to ``absence_pad`` are taken here.
        ahead: Windows by which the placed frame lies further on.

    Raises:
        DataError: if a window belongs to a clip that is not on the axis, or its middle lies outside its clip.
    """
    at = axis.positions(scores.clip)
    _check_inside(scores, at, axis)
    # Clip by clip, person by person, window by window: sums, and so the last bits of means, depend on no order of windows.
    ids, number = np.unique(scores.person, return_inverse=True)
    keys, person = np.unique(at * len(ids) + number, return_inverse=True)
    order = np.lexsort((scores.start, person))
    if pipeline.short_tracks == "leave-out":
        order = order[np.bincount(person, minlength=len(keys))[person[order]] >= scores.length]
    windows = _Windows(person[order], scores.start[order], scores.score[order], scores.length)
    placed = _PLACEMENTS[pipeline.placement](windows, pipeline)
    placed = replace(placed, frame=placed.frame + ahead * scores.length)
    if pipeline.backfill:
        placed = backfill(placed, _first_placed(pipeline, scores.length) + ahead * scores.length)
    clip, name = (keys // len(ids), ids[keys % len(ids)]) if len(ids) else (keys, keys)
    inside = placed.frame < np.array(axis.lengths, dtype=np.int64)[clip[placed.person]]
    placed = _Placed(placed.person[inside], placed.frame[inside], placed.value[inside])
    lines = _on_lines(placed, clip, name, pipeline)
    return pad_absences(lines, axis, pipeline.absence_pad)


@dataclass(frozen=True, slots=True)
class _Windows:
    person: NDArray[np.int64]
    start: NDArray[np.int64]
    score: NDArray[np.float64]
    length: int

    def column(self, i: int) -> NDArray[np.float64]:
        """(W,) what a window says of its i-th frame."""
        return self.score if self.score.ndim == 1 else self.score[:, i]

    def at(self, i: int, further: int = 0) -> _Placed:
        """Every window's word on its i-th frame, placed there or so many frames further on."""
        return _Placed(self.person, self.start + i + further, self.column(i))

    def over(self, frames: range) -> _Placed:
        """Every window's word on some of its frames."""
        steps = np.arange(frames.start, frames.stop)
        value = self.score[:, steps] if self.score.ndim == 2 else np.repeat(self.score[:, None], len(steps), axis=1)
        return _Placed(np.repeat(self.person, len(steps)), (self.start[:, None] + steps).ravel(), value.ravel())


_PLACEMENTS: Final[dict[str, Callable[[_Windows, Pipeline], _Placed]]] = {
    "centre": lambda windows, _: windows.at(windows.length // 2),
    "start": lambda windows, _: windows.at(0),
    "last": lambda windows, _: windows.at(windows.length - 1),
    "next": lambda windows, _: windows.at(windows.length - 1, 1),
    "every": lambda windows, _: windows.over(range(windows.length)),
    "target": lambda windows, rule: windows.over(range(max(windows.length - rule.target_frames, 0), windows.length)),
}


def _first_placed(pipeline: Pipeline, length: int) -> int:
    """How many frames after a window's first frame its first placed one lies."""
    if pipeline.placement == "target":
        return max(length - pipeline.target_frames, 0)
    return {"centre": length // 2, "start": 0, "last": length - 1, "next": length, "every": 0}[pipeline.placement]


def backfill(placed: _Placed, length: int) -> _Placed:
    """Gives the frames before a person's first placed frame its score, ``length`` of them; after a gap no more than the gap has.

    With ``length`` the frames from a window's first one to its placed one, a track is filled back to where it begins and no
    further. Expects the scores sorted by person and window. SeeKer's paper fills the first T frames of a track, and of a
    resumed one up to the length of the gap; a gap is taken here to be frames between two placed ones.
    """
    first = np.diff(placed.person, prepend=-1) != 0
    gap = np.diff(placed.frame, prepend=0) - 1
    back = np.where(first, length, np.clip(gap, 0, length))
    # Never before the clip's first frame.
    back = np.minimum(back, placed.frame)
    source = np.repeat(np.arange(len(back)), back)
    step = np.arange(len(source)) - np.repeat(np.cumsum(back) - back, back) + 1
    return _Placed(
        np.concatenate([placed.person, placed.person[source]]),
        np.concatenate([placed.frame, placed.frame[source] - step]),
        np.concatenate([placed.value, placed.value[source]]),
    )


def pad_absences(lines: PersonLines, axis: FrameAxis, pad: int) -> PersonLines:
    """Takes the score from frames within ``pad`` frames of a frame of the clip in which the person has none."""
    if pad == 0 or len(lines.frame) == 0:
        return lines
    last = np.array(axis.lengths, dtype=np.int64)[lines.clip[lines.person]] - 1
    # Stretches of scored cells: how far each cell lies from the ends of its own.
    starts = lines.scored & ~np.concatenate([[False], lines.scored[:-1] & (np.diff(lines.person) == 0)])
    ends = lines.scored & ~np.concatenate([lines.scored[1:] & (np.diff(lines.person) == 0), [False]])
    stretch = np.cumsum(starts) - 1
    first, final = lines.frame[starts], lines.frame[ends]
    kept = lines.scored.copy()
    cells = np.flatnonzero(lines.scored)
    of, frame = stretch[cells], lines.frame[cells]
    near_start = (first[of] > 0) & (frame - first[of] < pad)
    near_end = (final[of] < last[cells]) & (final[of] - frame < pad)
    kept[cells[near_start | near_end]] = False
    return replace(lines, scored=kept, value=np.where(kept, lines.value, 0.0))


def _on_lines(placed: _Placed, clip: NDArray[np.int64], name: NDArray[np.int64], pipeline: Pipeline) -> PersonLines:
    persons = len(clip)
    earliest = np.full(persons, np.iinfo(np.int64).max)
    latest = np.full(persons, -1)
    np.minimum.at(earliest, placed.person, placed.frame)
    np.maximum.at(latest, placed.person, placed.frame)
    sizes = np.where(latest < 0, 0, latest - np.where(latest < 0, 0, earliest) + 1)
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    person = np.repeat(np.arange(persons), sizes)
    frame = np.arange(bounds[-1]) - bounds[person] + earliest[person]
    cell = bounds[placed.person] + placed.frame - earliest[placed.person]
    value, scored = _OVERLAPS[pipeline.overlap](cell, placed.value, int(bounds[-1]))
    return PersonLines(clip, name, bounds, person, frame, value, scored)


def _highest(cell: NDArray[np.int64], value: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    line = np.full(n, -np.inf)
    np.maximum.at(line, cell, value)
    scored = line != -np.inf
    return np.where(scored, line, 0.0), scored


def _mean(cell: NDArray[np.int64], value: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    number = np.bincount(cell, minlength=n)
    return np.bincount(cell, value, minlength=n) / np.maximum(number, 1), number > 0


def _mean_nonzero(cell: NDArray[np.int64], value: NDArray[np.float64], n: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    there = value != 0
    return _mean(cell[there], value[there], n)


_OVERLAPS: Final = {"max": _highest, "mean": _mean, "mean-nonzero": _mean_nonzero}


def _check_inside(scores: WindowScores, at: NDArray[np.int64], axis: FrameAxis) -> None:
    # The middle, and not the end: a window with gaps in it, or of a clip whose labels are a frame short, may hang over.
    middle = scores.start + scores.length // 2
    lengths = np.array(axis.lengths, dtype=np.int64)[at]
    outside = (scores.start < 0) | (middle >= lengths)
    if outside.any():
        row = int(outside.argmax())
        raise DataError(
            f"a window scores frame {middle[row]} of a clip of {lengths[row]} frames",
            where=f"clip {scores.clip[row]}, person {scores.person[row]}, window at frame {scores.start[row]}",
        )

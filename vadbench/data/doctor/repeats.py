"""The same pose again: in the next frame of its track, or under another id in the same frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vadbench.api import Severity
    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

FIRST_TRACKS, FEWEST_FIRST = 0.05, 3
"""Share and number of tracks with two equal first poses from which that is no chance."""
FROZEN_NOTE, FROZEN_WARNING = 0.001, 0.01
SAME_PLACE: Final = 0.03
"""Two poses are of one person when their joints lie, on average, within this share of the body's size of each other."""
LONG_DOUBLE: Final = 24
"""Frames from which two ids for one person are no passing error of a detector."""
DOUBLE_NOTE, FEWEST_DOUBLES, DOUBLE_WARNING = 0.001, 5, 0.01
"""Share of doubled poses, or frames that two ids share, from which it is no chance meeting; share from which it weighs."""


def _equal_next(read: ReadSplit) -> NDArray[np.bool_]:
    """(N - 1,): the next pose of the track stands at exactly the same places."""
    return np.asarray(read.joined & (read.keys[1:] == read.keys[:-1]) & read.comparable[1:])


def repeated_first_pose(read: ReadSplit) -> Iterator[Diagnosis]:
    """The first two poses of many tracks are identical, as in the training CSVs of Morais et al. (TrajREC's README)."""
    if len(read.tracks) < 2:
        return
    first = read.bounds[:-1]
    first = first[np.diff(read.bounds) > 1]
    repeated = first[_equal_next(read)[first]]
    if len(repeated) < FEWEST_FIRST or len(repeated) < FIRST_TRACKS * len(first):
        return
    yield read.diagnosis(
        "repeated-first-pose",
        "warning",
        f"the first two poses are identical in {share(len(repeated), len(first), 'tracks')}, as in the training CSVs of "
        "HR-ShanghaiTech",
        "drop the first of the two: all that follows may be one frame late",
        [read.row_case(int(row), "the next pose is the same") for row in repeated],
    )


def frozen_poses(read: ReadSplit) -> Iterator[Diagnosis]:
    """Poses that do not change from one row to the next by a single bit: a tracker or a fill-in held them."""
    if len(read.tracks) < 2:
        return
    same = _equal_next(read)
    first = read.bounds[:-1]
    same[first[np.diff(read.bounds) > 1]] = False  # the check above
    number, steps = int(same.sum()), int(read.joined.sum())
    if number == 0 or number < FROZEN_NOTE * steps:
        return
    edges = np.diff(np.concatenate([[False], same, [False]]).astype(np.int8))
    begin, end = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    order = np.argsort(begin - end, kind="stable")
    yield read.diagnosis(
        "frozen-poses",
        "warning" if number > FROZEN_WARNING * steps else "note",
        f"{share(number, steps, 'steps')} change nothing; the longest run repeats a pose {int((end - begin).max()):,} times",
        "leave out frames in which a person was not detected instead of repeating the last pose",
        [read.row_case(int(begin[run]), f"repeated {counted(int(end[run] - begin[run]), 'time')}") for run in order],
    )


def doubled_persons(read: ReadSplit) -> Iterator[Diagnosis]:
    """Two ids in one frame whose joints all but coincide: a person detected twice, or a track written twice."""
    first, second = _coinciding(read)
    if len(first) == 0:
        return
    tracks = read.tracks
    pairs, which, number = np.unique(
        np.stack([tracks.clip[first], tracks.person[first], tracks.person[second]]),
        axis=1,
        return_inverse=True,
        return_counts=True,
    )
    example = np.zeros(len(number), dtype=np.int64)
    example[which.ravel()[::-1]] = first[::-1]
    part = len(first) / len(tracks)
    if part < DOUBLE_NOTE and number.max() < FEWEST_DOUBLES:
        return
    severity: Severity = "warning" if number.max() >= LONG_DOUBLE or part > DOUBLE_WARNING else "note"
    order = np.argsort(-number, kind="stable")
    yield read.diagnosis(
        "doubled-persons",
        severity,
        f"{share(len(first), len(tracks), 'poses')} are there a second time under another id, in "
        f"{counted(len(number), 'pair')} of ids",
        "keep one of the two: suppress overlapping detections before tracking",
        [
            Case(
                f"persons {pairs[1, pair]} and {pairs[2, pair]} coincide in {counted(int(number[pair]), 'frame')}",
                read.place(int(pairs[0, pair]), int(example[pair])),
            )
            for pair in order
        ],
    )


def _coinciding(read: ReadSplit) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of pairs of poses that are in one frame and at one place, the smaller id first."""
    tracks = read.tracks
    offsets = np.concatenate([[0], np.cumsum(read.n_frames)])
    moment = offsets[tracks.clip] + tracks.frame
    order = np.argsort(moment, kind="stable")
    order = order[read.comparable[order]]
    moment, size, (x, y) = moment[order], read.size[order], read.centre[:, order]
    found: list[NDArray[np.int64]] = []
    for apart in range(1, len(order)):
        near = np.flatnonzero(moment[apart:] == moment[:-apart])
        if len(near) == 0:
            break
        reach = 2 * SAME_PLACE * size[near]
        near = near[(np.abs(x[near + apart] - x[near]) <= reach) & (np.abs(y[near + apart] - y[near]) <= reach)]
        first, second = order[near], order[near + apart]
        distance = np.hypot(read.x[first] - read.x[second], read.y[first] - read.y[second])
        shared = np.isfinite(distance)
        mean = np.where(shared, distance, 0).sum(axis=1) / np.maximum(shared.sum(axis=1), 1)
        one = (2 * shared.sum(axis=1) > read.seen[first].sum(axis=1)) & (mean <= SAME_PLACE * size[near])
        found.append(np.stack([first[one], second[one]]))
    pairs = np.concatenate(found, axis=1) if found else np.zeros((2, 0), dtype=np.int64)
    return pairs[0], pairs[1]

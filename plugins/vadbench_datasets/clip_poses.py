"""The poses of one clip as columns, and how clips are put together into `Tracks`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import Tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vadbench.api import Clip, SkeletonLayout


_BLOCK: Final = 200_000
"""Poses of a block, 41 MB of COCO-17: glibc gives memory of more than 32 MB back to the system when it is freed."""


@dataclass(frozen=True, slots=True)
class ClipPoses:
    """The n poses of one clip, of J joints, sorted by (person, frame).

    Args:
        keypoints: (n, J, 3) float32, x and y in pixels and confidence; a missing joint is NaN, NaN, 0.
        person: (n,) int32.
        frame: (n,) int32, counted from 0.
        score: (n,) float32, NaN where the file has none.
    """

    keypoints: NDArray[np.float32]
    person: NDArray[np.int32]
    frame: NDArray[np.int32]
    score: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def end(self) -> int:
        """One more than the number of the last frame with a pose; 0 where there is none."""
        return int(self.frame.max(initial=-1)) + 1

    def rows(self, index: NDArray[np.bool_] | NDArray[np.int64]) -> ClipPoses:
        """Some of the poses."""
        return ClipPoses(self.keypoints[index], self.person[index], self.frame[index], self.score[index])


def together(parts: Sequence[ClipPoses], layout: SkeletonLayout) -> ClipPoses:
    """Poses of different persons of one clip as one; no parts, no poses. Parts are in the order of their persons."""
    nobody = np.empty(0, dtype=np.int32)
    return ClipPoses(
        np.concatenate([np.empty((0, len(layout), 3), dtype=np.float32), *(part.keypoints for part in parts)]),
        np.concatenate([nobody, *(part.person for part in parts)]),
        np.concatenate([nobody, *(part.frame for part in parts)]),
        np.concatenate([np.empty(0, dtype=np.float32), *(part.score for part in parts)]),
    )


@dataclass(slots=True)
class PoseTable:
    """Clips put together into one table, in planes (see `Tracks`), while they are read.

    Clips are packed into large blocks as they come, and a block is given up as soon as it is copied into the table: memory of
    many small arrays would not go back to the system, and the poses would be held twice.
    """

    layout: SkeletonLayout
    counts: list[int] = field(default_factory=list)
    _blocks: list[ClipPoses] = field(default_factory=list)
    _loose: list[ClipPoses] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(self.counts)

    def add(self, poses: ClipPoses) -> None:
        """The next clip."""
        self.counts.append(len(poses))
        self._loose.append(poses)
        if sum(map(len, self._loose)) >= _BLOCK:
            self._blocks.append(_packed(self._loose, self.layout))

    def tracks(self, clips: tuple[Clip, ...]) -> Tracks:
        """The table of all clips added; this object is empty afterwards."""
        self._blocks += self._loose
        whole = _packed(self._blocks, self.layout)
        return Tracks(
            clips=clips,
            layout=self.layout,
            keypoints=whole.keypoints,
            clip=np.repeat(np.arange(len(clips), dtype=np.int32), self.counts),
            person=whole.person,
            frame=whole.frame,
            score=whole.score,
        )


def _packed(parts: list[ClipPoses], layout: SkeletonLayout) -> ClipPoses:
    """The parts, one after another, in planes; empties the list."""
    ends = np.cumsum([0, *map(len, parts)])
    planes = np.empty((3, ends[-1], len(layout)), dtype=np.float32)
    person, frame = np.empty((2, ends[-1]), dtype=np.int32)
    score = np.empty(ends[-1], dtype=np.float32)
    for i in reversed(range(len(parts))):
        part, rows = parts.pop(), slice(ends[i], ends[i + 1])
        planes[:, rows] = part.keypoints.transpose(2, 0, 1)
        person[rows], frame[rows], score[rows] = part.person, part.frame, part.score
    return ClipPoses(planes.transpose(1, 2, 0), person, frame, score)


def mark_missing(keypoints: NDArray[np.float32]) -> None:
    """Writes NaN over joints at exactly (0, 0) with confidence 0, in place: the form in which `Tracks` has a missing joint."""
    missing = (keypoints == 0).all(axis=2)
    keypoints[missing, :2] = np.nan

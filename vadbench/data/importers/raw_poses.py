"""Poses as a reader meets them in a file, checked together when the clip is complete, and what they become."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import LAYOUTS, DataError, SkeletonLayout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

NO_ID: Final = -1
LARGEST_NUMBER: Final = 2**31 - 2
"""Persons and frames are kept as int32, and a clip is one frame longer than its last frame's number."""

LAYOUT_OF_COUNT: Final[Mapping[int, tuple[str, str]]] = {
    17: ("coco-17", ""),
    25: ("openpose-25", ""),
    26: ("halpe-26", ""),
    133: ("coco-17", "COCO-WholeBody's feet, face and hands"),
    136: ("halpe-26", "Halpe-136's face and hands"),
}
"""Joints of a pose to the layout that its first joints have, and what the others are; 18 joints differ between formats."""

_FINITE: Final = "every coordinate, confidence and score is a finite number; leave out a pose that was not estimated"


@dataclass(frozen=True, slots=True)
class Detections:
    """The n poses that a source holds for one clip, in the order of the source.

    Args:
        where: The file or folder they were read from.
        layout: Which joint is which.
        keypoints: (n, J, 3) float32: x and y as in the source, confidence in [0, 1]; a missing joint is (NaN, NaN, 0).
        frame: (n,) int32, as the source counts.
        person: (n,) int32, the source's id, or `NO_ID`.
        score: (n,) float32, NaN where the source has none.
        listed: First and last frame that the source lists, with or without poses; None where it lists only frames with poses.
        counts: What was changed or left out in reading, in words, to how many.
    """

    where: Path
    layout: SkeletonLayout
    keypoints: NDArray[np.float32]
    frame: NDArray[np.int32]
    person: NDArray[np.int32]
    score: NDArray[np.float32]
    listed: tuple[int, int] | None
    counts: Mapping[str, int]


class RawPoses:
    """Collects the poses of one clip; `finish` checks every number, and names the place of the first that is wrong."""

    def __init__(self, where: Path, *, lists_frames: bool = False) -> None:
        """``lists_frames``: whether the source lists frames in which nobody was found; see `list_frame`."""
        self._where = where
        self._numbers: list[list[Any]] = []
        self._scores: list[Any] = []
        self._frames: list[int] = []
        self._persons: list[int] = []
        self._places: list[str] = []
        self._listed: list[int] | None = [] if lists_frames else None
        self.counts: Counter[str] = Counter()

    def list_frame(self, frame: int) -> None:
        """Says that the source lists a frame, with or without poses."""
        if self._listed is not None:
            self._listed.append(frame)

    def add(self, place: str, *, frame: int, keypoints: list[Any], score: Any = None, person: int | None = None) -> None:
        """Adds a pose; ``keypoints`` are x, y, confidence joint by joint, ``place`` is where it stands in the source."""
        self._numbers.append(keypoints)
        self._scores.append(score)
        self._frames.append(frame)
        self._persons.append(NO_ID if person is None else person)
        self._places.append(place)

    def finish(self, layout_of_18: str = "openpose-18", *, zero_is_missing: bool = False) -> Detections:
        """The poses as columns.

        Args:
            layout_of_18: What 18 joints are in this format.
            zero_is_missing: Whether a joint at (0, 0) is missing whatever its confidence is; with confidence 0 it always is.

        Raises:
            DataError: for something else than numbers, numbers that are not finite, or a number of joints that is not known.
        """
        layout, joints = self._layout(layout_of_18)
        self._check(self._numbers, {int, float}, "a keypoint")
        self._check([[score] for score in self._scores], {int, float, type(None)}, "the score")
        n, width = len(self._numbers), 3 * joints
        keypoints = np.fromiter(chain.from_iterable(self._numbers), dtype=np.float64, count=n * width).reshape(n, joints, 3)
        score = np.array(self._scores, dtype=np.float64)  # None becomes NaN
        bad = ~(np.abs(keypoints) <= np.finfo(np.float32).max).all(axis=(1, 2)) | (np.abs(score) > np.finfo(np.float32).max)
        if bad.any():
            raise self._error("a keypoint or score is not a finite number", int(bad.argmax()), _FINITE)
        poses = keypoints[:, : len(layout)].astype(np.float32)
        self._mark_missing(poses, zero_is_missing=zero_is_missing)
        self._limit_confidence(poses[..., 2])
        return Detections(
            where=self._where,
            layout=layout,
            keypoints=poses,
            frame=np.array(self._frames, dtype=np.int32),
            person=np.array(self._persons, dtype=np.int32),
            score=score.astype(np.float32),
            listed=(min(self._listed), max(self._listed)) if self._listed else None,
            counts=self.counts,
        )

    def _layout(self, layout_of_18: str) -> tuple[SkeletonLayout, int]:
        """The layout, and how many joints the source's poses have: as many, or more."""
        if not self._numbers:
            return LAYOUTS["coco-17"], 17
        known = {**LAYOUT_OF_COUNT, 18: (layout_of_18, "")}
        width = len(self._numbers[0])
        odd = next((row for row, numbers in enumerate(self._numbers) if len(numbers) != width), None)
        if odd is not None:
            what = f"a pose of {len(self._numbers[odd])} numbers among poses of {width}"
            raise self._error(what, odd, "a clip's poses have one layout: three numbers (x, y, confidence) for each joint")
        joints, rest = divmod(width, 3)
        if rest or joints not in known:
            layouts = ", ".join(f"{count} ({name})" for count, (name, _) in sorted(known.items()))
            what = f"a pose has {width} numbers, which is no known number of joints with x, y and confidence"
            raise self._error(what, 0, f"known numbers of joints are {layouts}")
        name, beyond = known[joints]
        if beyond:
            self.counts[f"{beyond} left out"] += len(self._numbers)
        return LAYOUTS[name], joints

    def _check(self, rows: list[list[Any]], types: set[type], what: str) -> None:
        if set(map(type, chain.from_iterable(rows))) <= types:
            return
        row, value = next((r, v) for r, values in enumerate(rows) for v in values if type(v) not in types)
        raise self._error(f"{what} is {kind_of(value)}, not a number", row, _FINITE)

    def _mark_missing(self, poses: NDArray[np.float32], *, zero_is_missing: bool) -> None:
        missing = (poses[..., :2] == 0).all(axis=2)
        if not zero_is_missing:
            missing &= poses[..., 2] == 0
        poses[missing] = (np.nan, np.nan, 0)

    def _limit_confidence(self, confidence: NDArray[np.float32]) -> None:
        """In place. Labelled visibility (0, 1, 2) becomes 0 or 1; what lies beyond [0, 1] is cut off and counted."""
        if np.isin(confidence, (0, 1, 2)).all() and (confidence == 2).any():
            np.minimum(confidence, 1, out=confidence)
            self.counts["poses with labelled visibility instead of confidence"] += len(confidence)
            return
        beyond = (confidence < 0) | (confidence > 1)
        if beyond.any():
            self.counts["joints whose confidence was cut off at 0 or 1"] += int(beyond.sum())
            np.clip(confidence, 0, 1, out=confidence)

    def _error(self, what: str, row: int, remedy: str) -> DataError:
        return DataError(what, where=f"{self._where}, {self._places[row]}", remedy=remedy)


def kind_of(value: Any) -> str:
    """What a value of a JSON document is, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "null")

"""Ultralytics label files (``save_txt=True``): one text file a frame, ``<video>_<frame>.txt``, one line a person.

A line is ``class cx cy w h``, then x, y and (for models that give it) confidence of each of the 17 joints, then the pose's
confidence with ``save_conf=True``, then the track id in mode track; all places as shares of the picture. Frames without
anybody have no file. Source: the reference of ``ultralytics.engine.results``, ``Results.save_txt``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vadbench.api import DataError
from vadbench.data.importers.json_source import whole_number
from vadbench.data.importers.raw_poses import Detections, RawPoses

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.data.importers.clip_sources import FrameFiles

_JOINTS: Final = 17
_BOX: Final = 5
_ENDS: Final = 2
"""Numbers that may follow the joints: confidence, track id."""


def read(files: FrameFiles) -> Detections:
    """One clip, in shares of the picture; raises `DataError` for a file of another form."""
    folder = next(iter(files.values())).parent
    lines = [
        (frame, f"{path.name}, line {i}", _numbers(path, i, line))
        for frame, path in files.items()
        for i, line in enumerate(_text(path).splitlines(), start=1)
        if line.strip()
    ]
    raw = RawPoses(folder)
    last_is_id = _last_is_id([numbers for _, _, numbers in lines])
    for frame, place, numbers in lines:
        joints, ends = _taken_apart(numbers, f"{folder}, {place}")
        person = _id(ends.pop(), f"{folder}, {place}") if ends and (len(ends) == _ENDS or last_is_id) else None
        raw.add(place, frame=frame, keypoints=joints, score=ends.pop() if ends else None, person=person)
    return raw.finish(zero_is_missing=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the label file cannot be read: {error}", where=path, remedy="is this a label file?") from error


def _numbers(path: Path, line_number: int, line: str) -> list[float]:
    try:
        return [float(word) for word in line.split()]
    except ValueError as error:
        remedy = "a line holds numbers: class cx cy w h, joints, confidence, id"
        raise DataError(str(error), where=f"{path}, line {line_number}", remedy=remedy) from error


def _last_is_id(lines: list[list[float]]) -> bool:
    """Whether a single number after the joints is the track id, not the confidence: over the whole clip it is a whole number."""
    single = [numbers[-1] for numbers in lines if _excess(numbers) == 1]
    return all(number.is_integer() for number in single)


def _excess(numbers: list[float]) -> int:
    """How many numbers follow the joints; negative where the joints are not all there."""
    joints = len(numbers) - _BOX
    return joints - 3 * _JOINTS if joints >= 3 * _JOINTS else joints - 2 * _JOINTS


def _taken_apart(numbers: list[float], where: str) -> tuple[list[Any], list[float]]:
    """x, y, confidence joint by joint, and the numbers after them."""
    excess = _excess(numbers)
    if not 0 <= excess <= _ENDS:
        raise DataError(
            f"the line holds {len(numbers)} numbers",
            where=where,
            remedy=f"a pose line holds {_BOX} for class and box, 51 or 34 for {_JOINTS} joints with or without confidence, and "
            "at most a confidence and a track id; label files of a model without poses cannot be used",
        )
    joints, ends = numbers[_BOX : len(numbers) - excess], numbers[len(numbers) - excess :]
    if len(joints) == 2 * _JOINTS:
        joints = [number for x, y in zip(joints[::2], joints[1::2], strict=True) for number in (x, y, 1.0)]
    return joints, ends


def _id(number: float, where: str) -> int:
    whole = whole_number(number)
    if whole is None:
        raise DataError(f"the track id is {number:g}, not a whole number from 0", where=where, remedy="was the file cut off?")
    return whole

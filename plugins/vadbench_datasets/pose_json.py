"""Reads one clip's poses: ``{person: {frame: {"keypoints": 51 numbers, "scores": number or null}}}``.

This is the form in which AlphaPose tracks were published with GEPC and STG-NF. A file is parsed in one go and its numbers
go into one array at once; only when a file turns out to be unusable does `pose_faults` look for the place.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from vadbench_datasets.pose_faults import LARGEST_NUMBER, NUMBERS_A_POSE, broken_json, first_fault, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ClipPoses:
    """The n poses of one clip, sorted by (person, frame).

    Args:
        keypoints: (n, 17, 3) float32, x and y in pixels and confidence, as they stand in the file.
        person: (n,) int32.
        frame: (n,) int32, counted from 0.
        score: (n,) float32, NaN where the file has none.
    """

    keypoints: NDArray[np.float32]
    person: NDArray[np.int32]
    frame: NDArray[np.int32]
    score: NDArray[np.float32]


def read_poses(path: Path) -> ClipPoses:
    """Reads a pose file.

    Raises:
        DataError: if it cannot be read, is not JSON, or does not hold poses; names the byte, or person and frame.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise broken_json(path, raw, error) from error
    try:
        return _columns(document)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise first_fault(path, document) from error


def _columns(document: Any) -> ClipPoses:
    """The document as columns; raises one of many exceptions when it does not hold poses, without saying where."""
    persons = list(document.values())
    poses = [pose for frames in persons for pose in frames.values()]
    frame = _whole_numbers(chain.from_iterable(persons))
    person = np.repeat(_whole_numbers(document), np.array([len(frames) for frames in persons], dtype=np.intp))
    values = [pose["keypoints"] for pose in poses]
    if not set(map(len, values)) <= {NUMBERS_A_POSE} or not _types(chain.from_iterable(values)) <= {int, float}:
        raise ValueError("keypoints")
    scores = [pose.get("scores") for pose in poses]
    if not _types(scores) <= {int, float, type(None)}:
        raise ValueError("scores")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is found below
        count = NUMBERS_A_POSE * len(poses)
        keypoints = np.fromiter(chain.from_iterable(values), dtype=np.float32, count=count).reshape(-1, NUMBERS_A_POSE // 3, 3)
        score = np.array(scores, dtype=np.float32)  # None becomes NaN
    if not np.isfinite(keypoints).all() or np.isinf(score).any():
        raise ValueError("not finite")
    order = np.lexsort((frame, person))
    person, frame = person[order], frame[order]
    if len(set(map(int, document))) < len(document) or ((np.diff(person) == 0) & (np.diff(frame) == 0)).any():
        raise ValueError("one number written in two ways")
    return ClipPoses(keypoints[order], person, frame, score[order])


def _types(values: Iterable[Any]) -> set[type]:
    return set(map(type, values))


def _whole_numbers(keys: Iterable[str]) -> NDArray[np.int32]:
    keys = list(keys)
    digits = "".join(keys)
    if keys and not ("" not in keys and digits.isascii() and digits.isdecimal()):
        raise ValueError("keys")
    numbers = np.array(list(map(int, keys)), dtype=np.int64)
    if keys and numbers.max() > LARGEST_NUMBER:
        raise ValueError("keys")
    return numbers.astype(np.int32)

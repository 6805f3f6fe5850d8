"""Reads one clip's poses: ``{person: {frame: {"keypoints": 3 J numbers, "scores": number or null}}}``.

This is the form in which AlphaPose tracks were published with GEPC and STG-NF. A file is parsed in one go and its numbers
go into one array at once; only when a file turns out to be unusable does `json_faults` look for the place.
"""

from __future__ import annotations

import codecs
import gc
import struct
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from vadbench_datasets.clip_poses import ClipPoses
from vadbench_datasets.json_faults import LARGEST_NUMBER, broken_json, first_fault, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import SkeletonLayout


def read_pose_json(path: Path, layout: SkeletonLayout) -> ClipPoses:
    """Reads a pose file whose poses have the joints of ``layout``; numbers are taken as they stand in the file.

    Raises:
        DataError: if it cannot be read, is not JSON, or does not hold such poses; names the byte, or person and frame.
    """
    try:
        raw = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise unreadable(path, error) from error
    with _collector_paused():
        try:
            document = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise broken_json(path, raw, error) from error
        try:
            return _columns(document, layout, booleans=_may_hold_booleans(raw))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError, struct.error) as error:
            raise first_fault(path, document, layout) from error


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection within: a parsed file is a million new lists without a cycle, and to look for one takes time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _may_hold_booleans(raw: bytes) -> bool:
    # One letter is found at the speed of memory, a word is not; few files hold the letters, since no usual key does.
    return (b"u" in raw and b"true" in raw) or (b"f" in raw and b"false" in raw)


def _columns(document: Any, layout: SkeletonLayout, *, booleans: bool) -> ClipPoses:
    """The document as columns; raises one of many exceptions when it does not hold poses, without saying where."""
    ids = _whole_numbers(document)
    order = np.argsort(ids, kind="stable")
    persons = [frames for _, frames in sorted(zip(ids.tolist(), document.values(), strict=True), key=lambda pair: pair[0])]
    poses = [pose for frames in persons for pose in frames.values()]
    frame = _whole_numbers(chain.from_iterable(persons))
    person = np.repeat(ids[order], np.array([len(frames) for frames in persons], dtype=np.intp))
    values = [pose["keypoints"] for pose in poses]
    if booleans and bool in set(map(type, chain.from_iterable(values))):
        raise ValueError("keypoints")
    # A struct takes numbers alone, and as many as it has places: this checks types and lengths on the way.
    row = struct.Struct(f"{3 * len(layout)}f")
    numbers = np.empty((len(poses), len(layout), 3), dtype=np.float32)
    memory = memoryview(numbers.reshape(-1)).cast("B")  # type: ignore[arg-type]
    for start, numbers_of_pose in zip(range(0, len(memory), row.size), values, strict=True):
        row.pack_into(memory, start, *numbers_of_pose)
    scores = [pose.get("scores") for pose in poses]
    if not set(map(type, scores)) <= {int, float, type(None)}:
        raise ValueError("scores")
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is found below
        score = np.array(scores, dtype=np.float32)  # None becomes NaN
    if not np.isfinite(numbers).all() or np.isinf(score).any():
        raise ValueError("not finite")
    if len(set(ids.tolist())) < len(ids):
        raise ValueError("one person written in two ways")
    return _sorted(ClipPoses(numbers, person, frame, score))


def _sorted(poses: ClipPoses) -> ClipPoses:
    same, step = np.diff(poses.person) == 0, np.diff(poses.frame)
    if not (same & (step <= 0)).any():
        return poses
    poses = poses.rows(np.lexsort((poses.frame, poses.person)))
    if ((np.diff(poses.person) == 0) & (np.diff(poses.frame) == 0)).any():
        raise ValueError("one frame written in two ways")
    return poses


def _whole_numbers(keys: Iterable[str]) -> NDArray[np.int32]:
    keys = list(keys)
    digits = "".join(keys)
    if keys and not ("" not in keys and digits.isascii() and digits.isdecimal()):
        raise ValueError("keys")
    numbers = np.array(list(map(int, keys)), dtype=np.int64)
    if keys and numbers.max() > LARGEST_NUMBER:
        raise ValueError("keys")
    return numbers.astype(np.int32)

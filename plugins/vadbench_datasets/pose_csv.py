"""Reads one clip's poses from one CSV file a person: ``frame, x0, y0, x1, y1, ...`` without a header, 35 columns for COCO-17.

This is the form in which poses were published with MPED-RNN (Morais et al., CVPR 2019), COSKAD, MoCoDAD and TrajREC. There are
no confidences: a joint at exactly (0, 0) is missing, any other has confidence 1. The files of a clip go to the parser as one;
only when that fails does `csv_faults` look for the file and the line.
"""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import DataError
from vadbench_datasets.clip_poses import ClipPoses, together
from vadbench_datasets.csv_faults import first_fault
from vadbench_datasets.json_faults import LARGEST_NUMBER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import SkeletonLayout

SUFFIX: Final = ".csv"
_WORDS: Final = (b"r", b"R", b"s", b"S")  # of true and false, which pandas takes for 1 and 0


def read_pose_csv(files: Sequence[Path], layout: SkeletonLayout, *, first_frame: int) -> ClipPoses:
    """Reads the files of one clip; a file's name is its person's number.

    Args:
        files: The files, of persons that differ.
        layout: Which joints the columns are.
        first_frame: The number that the files give to a clip's first frame; frames are counted from 0 after that.

    Raises:
        DataError: if a file cannot be read or does not hold such poses; names the file and the line.
    """
    if not files:
        return together([], layout)
    persons = _persons(files)
    files = [persons[person] for person in sorted(persons)]
    raws = [_raw(path) for path in files]
    try:
        counts, table = _table(raws)
        return _columns(np.repeat(sorted(persons), counts), table, layout, first_frame)
    except (ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
        raise first_fault(files, raws, layout, first_frame, error) from error


def _persons(files: Sequence[Path]) -> dict[int, Path]:
    persons: dict[int, Path] = {}
    remedy = "a file is named after its person: 00001.csv, 00002.csv, ..."
    for path in files:
        name = path.name.removesuffix(SUFFIX)
        if not (name.isascii() and name.isdecimal() and int(name) <= LARGEST_NUMBER):
            raise DataError(f"the file's name, {name!r}, is not the number of a person", where=path, remedy=remedy)
        if persons.setdefault(int(name), path) != path:
            other = persons[int(name)].name
            raise DataError(f"person {int(name)} has two files, {other} and {path.name}", where=path.parent, remedy=remedy)
    return persons


def _raw(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        remedy = "check the file and its permissions"
        raise DataError(f"the pose file cannot be read: {error.strerror}", where=path, remedy=remedy) from error
    raw = raw.removeprefix(codecs.BOM_UTF8).strip()
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if not raw:
        remedy = "a person has at least one pose: delete the file, or copy it again if it is damaged"
        raise DataError("the pose file is empty", where=path, remedy=remedy)
    return raw


def _table(raws: Sequence[bytes]) -> tuple[list[int], NDArray[np.float64]]:
    """Rows of each file, and the numbers of all files."""
    import pandas as pd  # takes as long to import as a small data set to read; JSON needs none of it

    if any(letter in raw for raw in raws for letter in _WORDS):
        raise ValueError("words")
    counts = [raw.count(b"\n") + 1 for raw in raws]
    frame = pd.read_csv(io.BytesIO(b"\n".join(raws)), header=None, dtype=np.float64, na_filter=False, low_memory=False)
    if len(frame) != sum(counts):
        raise ValueError("blank lines")
    return counts, frame.to_numpy()


def _columns(person: NDArray[np.int64], table: NDArray[np.float64], layout: SkeletonLayout, first_frame: int) -> ClipPoses:
    """The numbers as poses; raises ValueError where they are none, without saying where."""
    if table.shape[1] != 1 + 2 * len(layout):
        raise ValueError("columns")
    number = table[:, 0]
    if not (np.isfinite(number).all() and (number == np.floor(number)).all()):
        raise ValueError("frames")
    if number.min() < first_frame or number.max() > LARGEST_NUMBER:
        raise ValueError("frames")
    frame = number.astype(np.int64) - first_frame
    keypoints = np.ones((len(table), len(layout), 3), dtype=np.float32)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is found below
        keypoints[..., :2] = table[:, 1:].reshape(len(table), len(layout), 2)
    if not np.isfinite(keypoints).all():
        raise ValueError("coordinates")
    missing = (keypoints[..., :2] == 0).all(axis=2)
    keypoints[missing] = (np.nan, np.nan, 0)
    poses = ClipPoses(keypoints, person.astype(np.int32), frame.astype(np.int32), np.full(len(table), np.nan, dtype=np.float32))
    if ((np.diff(person) == 0) & (np.diff(frame) <= 0)).any():
        poses = poses.rows(np.lexsort((frame, person)))
        if ((np.diff(poses.person) == 0) & (np.diff(poses.frame) == 0)).any():
            raise ValueError("one frame twice")
    return poses

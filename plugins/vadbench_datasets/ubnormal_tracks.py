"""UBnormal's text files of abnormal training and validation clips: which object is abnormal from when to when.

A line is ``track,start,end``; a track may have several lines, and a clip several tracks. The text says for each object what
a test vector says for the whole picture, so a frame is abnormal when any line covers it. Lines are read as
``start <= frame < end``: in the released test vectors the last element always says normal, and the last line of a clip of 451
frames ends with 450. Under this reading the 38 abnormal validation clips have 13,896 abnormal frames, which is the number of
the validation masks released with MoCoDAD.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import DataError
from vadbench_datasets.frame_masks import is_numpy_file
from vadbench_datasets.frame_truth import Found, LabelFile, by_clip, finding
from vadbench_datasets.json_faults import LARGEST_NUMBER
from vadbench_datasets.pose_family import files_by_stem

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench_datasets.frame_truth import ClipName

SUFFIX: Final = "_tracks.txt"
_REMEDY: Final = "a line is track,start,end: three whole numbers, the start before the end; copy gt again if the file is damaged"


@dataclass(frozen=True, slots=True)
class TrackTexts:
    """Frame labels from the text files in ``gt``; a clip whose name begins with ``abnormal_`` must have one."""

    folders: tuple[str, ...] = ("gt",)

    @property
    def file_name(self) -> str:
        """``<clip>_tracks.txt``."""
        return f"<clip>{SUFFIX}"

    @property
    def meaning(self) -> str:
        """One line an object."""
        return "for abnormal clips of training and validation: text, a line track,start,end for each object"

    @property
    def fixed(self) -> bool:
        """The text does not say how long a clip is."""
        return False

    def find(self, root: Path, clip_name: ClipName) -> Found:
        """Every file of that suffix that is text."""
        if not (root / "gt").is_dir():
            return Found({})
        named = ((name, path, LabelFile(path)) for name, path in files_by_stem(root / "gt", SUFFIX))
        return of_content(Found(*by_clip(named, clip_name)), numpy=False)

    def wanted(self, clip: str) -> bool:
        """Normal clips have no file."""
        return clip.startswith("abnormal_")

    def n_frames(self, labels: LabelFile, posed: int) -> int:
        """A clip ends with its last pose, or with its last abnormal frame and one after it, whichever is later."""
        return max(posed, int(read_track_text(labels.path)[:, 2].max()) + 1)

    def abnormal(self, labels: LabelFile, n_frames: int) -> NDArray[np.bool_]:
        """True where any line covers the frame."""
        lines, frame = read_track_text(labels.path), np.arange(n_frames)
        return np.asarray(((lines[:, 1:2] <= frame) & (frame < lines[:, 2:3])).any(axis=0))


def of_content(found: Found, *, numpy: bool) -> Found:
    """The files that are NumPy arrays, or those that are not; and a finding for each that cannot be opened."""
    files, findings = {}, [*found.findings]
    for clip, labels in found.files.items():
        try:
            if is_numpy_file(labels.path) == numpy:
                files[clip] = labels
        except DataError as error:
            findings.append(finding("unreadable-mask", error))
    return replace(found, files=files, findings=tuple(findings))


def read_track_text(path: Path) -> NDArray[np.int64]:
    """(lines, 3): track, start and end of each line, which may be written as floats.

    Raises:
        DataError: for an empty file, and for a line that is not of that form; names the file and the line.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=path, remedy="check its permissions") from error
    rows = [_row(path, number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not rows:
        raise DataError("the file is empty", where=path, remedy=_REMEDY)
    return np.array(rows, dtype=np.int64)


def _row(path: Path, number: int, line: str) -> list[int]:
    try:
        row = [float(field) for field in line.split(",")]
    except ValueError:
        row = []
    whole = len(row) == 3 and all(0 <= value <= LARGEST_NUMBER and value == int(value) for value in row)
    if not whole or row[1] > row[2]:
        raise DataError(f"{line.strip()[:60]!r} is not a track's start and end", where=f"{path}, line {number}", remedy=_REMEDY)
    return [int(value) for value in row]

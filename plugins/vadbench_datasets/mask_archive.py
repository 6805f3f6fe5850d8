"""The frame labels of all clips in one NumPy archive (``.npz``), an array a clip."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import DataError
from vadbench_datasets.frame_masks import flags, vector
from vadbench_datasets.frame_truth import Found, LabelFile, by_clip, finding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench_datasets.frame_truth import ClipName

_REMEDY: Final = "copy the archive of labels again; it holds a one-dimensional array of 0 and 1 for each clip, and no pickles"


@dataclass(frozen=True, slots=True)
class MaskArchive:
    """One number a frame, 1 = abnormal; the arrays are called as their clips.

    Args:
        folders: Where the archive may lie below the root; the first that holds it counts.
        file_name: What it is called.
    """

    folders: tuple[str, ...]
    file_name: str

    @property
    def meaning(self) -> str:
        """An array a clip."""
        return "an array a clip, called as the clip: one number a frame, 1 = abnormal"

    @property
    def fixed(self) -> bool:
        """An array is as long as its clip."""
        return True

    def find(self, root: Path, clip_name: ClipName) -> Found:
        """The arrays of the first archive that is there."""
        there = [root / folder for folder in self.folders if (root / folder).is_dir()]
        if not there:
            return Found({})
        path = next((folder / self.file_name for folder in there if (folder / self.file_name).is_file()), None)
        try:
            if path is None:
                what = f"the frame labels, {self.file_name}, are not there"
                raise DataError(what, where=there[0], remedy="they come with the data set")
            names = list(_members(path))
        except DataError as error:
            return Found({}, (finding("unreadable-mask", error),))
        files, findings = by_clip(((name, path / name, LabelFile(path, name)) for name in names), clip_name)
        return Found(files, findings)

    def wanted(self, clip: str) -> bool:  # noqa: ARG002 - every clip
        """Every clip has an array."""
        return True

    def n_frames(self, labels: LabelFile, posed: int) -> int:  # noqa: ARG002 - the array fixes the length
        """The array's length."""
        return len(_array(labels))

    def abnormal(self, labels: LabelFile, n_frames: int) -> NDArray[np.bool_]:  # noqa: ARG002 - the array fixes the length
        """The array."""
        return flags(_array(labels), str(labels))


def _array(labels: LabelFile) -> NDArray[Any]:
    array = _members(labels.path).get(labels.member or "", "there is no such array")
    if isinstance(array, str):
        what = f"the mask is damaged or holds pickled objects: {array}"
        raise DataError(what, where=str(labels), remedy=_REMEDY)
    return vector(array, str(labels))


def _members(path: Path) -> Mapping[str, NDArray[Any] | str]:
    """Name to array, or to what is wrong with it. Raises `DataError` for a file that is no archive."""
    try:
        if not zipfile.is_zipfile(path):
            raise DataError("the file of labels is not a NumPy archive", where=path, remedy=_REMEDY)
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"the archive of labels cannot be read: {error}", where=path, remedy=_REMEDY) from error


@lru_cache(maxsize=1)
def _read(path: Path, changed: int, size: int) -> Mapping[str, NDArray[Any] | str]:  # noqa: ARG001 - other state, other content
    # Every clip is asked for several times, and to open an archive takes as long as to read it: it is read once.
    arrays: dict[str, NDArray[Any] | str] = {}
    with np.load(path, allow_pickle=False) as archive:  # objects are pickles, and may run code
        for name in archive.files:
            try:
                arrays[name] = np.asarray(archive[name])
            except Exception as error:  # what NumPy, zipfile and zlib let out of a damaged member
                arrays[name] = str(error) or type(error).__name__
    return arrays

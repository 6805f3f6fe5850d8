"""Frame labels that come with poses: one NumPy vector a clip, 0 or 1 for each frame."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from vadbench.api import DataError
from vadbench.data.importers.clip_sources import folders, visible

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Meaning = Literal["abnormal", "normal"]
"""What a 1 says of its frame."""

# UBnormal's are NumPy files in spite of their name; the text files that end alike hold tracks of objects, not frame labels.
_ENDINGS: Final = (".npy", "_tracks.txt")
_MAGIC: Final[bytes] = np.lib.format.MAGIC_PREFIX
_REMEDY: Final = "frame labels are a one-dimensional NumPy array, saved with np.save, of one 0 or 1 for each frame of the clip"


def find_labels(folder: Path) -> dict[str, Path]:
    """The label file of every clip: ``<clip>.npy``, or ``<clip>_tracks.txt`` if it is a NumPy file.

    They lie in the folder, or in folders in it, as MPED-RNN has them for its cameras.

    Raises:
        DataError: if there is none, or a clip has two.
    """
    found: dict[str, Path] = {}
    for place, ending in product((folder, *folders(folder)), _ENDINGS):
        for path in visible(place, ending):
            if ending != ".npy" and not _is_numpy(path):
                continue
            clip = path.name.removesuffix(ending)
            if clip in found:
                where = f"{found[clip]}, {path}"
                raise DataError(f"clip {clip} has two label files", where=where, remedy="take one of them away")
            found[clip] = path
    if not found:
        raise DataError("the folder holds no frame labels", where=folder, remedy=f"{_REMEDY}; it is called <clip>.npy")
    return found


def read_labels(path: Path, one_means: Meaning) -> NDArray[np.bool_]:
    """(n_frames,) bool, True where a frame is abnormal.

    Raises:
        DataError: if the file is no NumPy array, holds pickled objects (which are never loaded), or something else than one 0
            or 1 for each frame.
    """
    if not _is_numpy(path):
        raise DataError("the label file is not a NumPy array", where=path, remedy=_REMEDY)
    try:
        labels: NDArray[Any] = np.load(path, allow_pickle=False)
    except Exception as error:  # NumPy's header parser lets out ValueError, OSError, and its tokenizer's own errors
        raise DataError(f"the label file is damaged or holds pickled objects: {error}", where=path, remedy=_REMEDY) from error
    if labels.ndim != 1 or labels.dtype.kind not in "biuf" or labels.size == 0:
        raise DataError(f"the labels have shape {labels.shape} and type {labels.dtype}", where=path, remedy=_REMEDY)
    odd = ~np.isin(labels, (0, 1))
    if odd.any():
        frame = int(odd.argmax())
        raise DataError(f"the label is {labels[frame].item()}, not 0 or 1", where=f"{path}, frame {frame}", remedy=_REMEDY)
    return np.asarray(labels == (one_means == "abnormal"))


def _is_numpy(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise DataError(f"the label file cannot be read: {error.strerror}", where=path, remedy="check its permissions") from error

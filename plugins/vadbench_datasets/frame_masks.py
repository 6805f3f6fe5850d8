"""Reads one clip's ground truth: a NumPy array with one number, 0 or 1, for each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_REMEDY = "a mask is a one-dimensional NumPy array, saved with np.save, of one 0 or 1 for each frame of the clip"


def is_numpy_file(path: Path) -> bool:
    """Whether a file is a NumPy array by its content, whatever its name ends in; raises `DataError` if it cannot be read."""
    magic: bytes = np.lib.format.MAGIC_PREFIX
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError as error:
        raise DataError(f"the mask cannot be read: {error.strerror}", where=path, remedy=_REMEDY) from error


def mask_length(path: Path) -> int:
    """Number of frames of a mask, without reading its values; raises `DataError` as `read_mask` does."""
    return len(_open(path))


def read_mask(path: Path) -> NDArray[np.bool_]:
    """A mask (n_frames,) bool, True where the file has 1.

    Raises:
        DataError: if it is not a readable NumPy array, holds pickled objects (which are never loaded), is empty, is not
            one-dimensional, or has other values than 0 and 1.
    """
    return flags(_open(path), str(path))


def flags(mask: NDArray[Any], where: str) -> NDArray[np.bool_]:
    """A vector (n_frames,) of 0 and 1 as bool, True where it is 1; raises `DataError` for any other number."""
    odd = ~np.isin(mask, (0, 1))
    if odd.any():
        frame = int(odd.argmax())
        raise DataError(f"the mask holds {mask[frame].item()}, not 0 or 1", where=f"{where}, frame {frame}", remedy=_REMEDY)
    return np.asarray(mask == 1)


def vector(mask: NDArray[Any], where: str) -> NDArray[Any]:
    """The array itself; raises `DataError` where it is not one number for each of some frames."""
    if mask.ndim != 1 or mask.dtype.kind not in "biuf" or mask.size == 0:
        what = f"the mask has shape {mask.shape} and type {mask.dtype}; one number for each frame was expected"
        raise DataError(what, where=where, remedy=_REMEDY)
    return mask


def _open(path: Path) -> NDArray[Any]:
    if not is_numpy_file(path):
        raise DataError("the mask is not a NumPy array", where=path, remedy=_REMEDY)
    try:
        # Mapped, not read: the length alone is wanted as often as the values. Objects are pickles, and may run code.
        mask: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy's header parser lets out ValueError, OSError, and its tokenizer's own errors
        raise DataError(f"the mask is damaged or holds pickled objects: {error}", where=path, remedy=_REMEDY) from error
    return vector(mask, str(path))

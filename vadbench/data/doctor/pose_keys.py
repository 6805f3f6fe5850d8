"""A number for each pose that is equal where all joints stand at the same places, to find copies among a million poses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Tracks

_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: spreads neighbouring numbers (Knuth, TAOCP 6.4)


def pose_keys(tracks: Tracks) -> NDArray[np.uint64]:
    """(N,) uint64 over the coordinates of a pose, without its confidences. NaN equals NaN, and 0 equals -0."""
    keys = np.zeros(len(tracks), dtype=np.uint64)
    for plane in tracks.planes[:2]:
        for joint in range(plane.shape[1]):
            # Copied column by column: in whole, the numbers would take four times the memory of the poses.
            column = plane[:, joint] + np.float32(0)
            column[np.isnan(column)] = np.nan
            keys ^= column.view(np.uint32)
            keys *= _PRIME
            keys ^= keys >> np.uint64(29)
    return keys

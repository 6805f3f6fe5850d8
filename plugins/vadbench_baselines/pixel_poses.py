"""Windows in pixels with the size of the person, for heuristics that a normalisation must not change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Batch, Windows


@dataclass(frozen=True, slots=True)
class PixelPoses:
    """B windows in the picture.

    Args:
        xy: (B, 2, T, J) float64, pixels; anything where a joint is missing.
        seen: (B, T, J) bool, whether the joint is there.
        frame: (B, T) int64, number of the frame of each row: rows may skip frames.
        size: (B,) float64, pixels: the height of a person who stands, see `person_size`.
    """

    xy: NDArray[np.float64]
    seen: NDArray[np.bool_]
    frame: NDArray[np.int64]
    size: NDArray[np.float64]

    @classmethod
    def of(cls, windows: Windows, batch: Batch) -> PixelPoses:
        """The windows of a batch, whatever their normalisation: each has an inverse."""
        xy = windows.placement(batch.index).to_pixels(batch.x).astype(np.float64)
        rows = windows.first[batch.index][:, None] + np.arange(windows.rule.length)
        seen = batch.confidence > 0
        return cls(xy, seen, windows.tracks.frame[rows].astype(np.int64), person_size(xy, seen))


def person_size(xy: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(B,) pixels, at least 1: the median over the frames of the longer side of the box around the joints that are there.

    The longer side and not the height, so that a person who lies or is shown turned by 90 degrees is no smaller.

    Args:
        xy: (B, 2, T, J) pixels.
        seen: (B, T, J).
    """
    shown = seen[:, None]
    high = np.where(shown, xy, -np.inf).max(axis=-1)
    low = np.where(shown, xy, np.inf).min(axis=-1)
    there = np.asarray(seen.any(axis=-1))
    side = np.where(there, (high - low).max(axis=1), 0.0)
    return np.maximum(percentile_of_seen(side, there, 50.0), 1.0)


def percentile_of_seen(values: NDArray[np.float64], seen: NDArray[np.bool_], percentile: float) -> NDArray[np.float64]:
    """(B,): a percentile of those of the values (B, N) that are seen (B, N), linear between ranks; 0 where none is.

    What ``numpy.nanpercentile`` gives of each row, for all rows at once.
    """
    if values.shape[1] == 0:
        return np.zeros(len(values))
    ordered = np.sort(np.where(seen, values, np.inf), axis=1)
    last = np.maximum(seen.sum(axis=1) - 1, 0)
    place = last * (percentile / 100)
    below = np.floor(place).astype(np.int64)
    row = np.arange(len(values))
    lower, upper = ordered[row, below], ordered[row, np.minimum(below + 1, last)]
    nothing = ~seen.any(axis=1)
    lower[nothing] = upper[nothing] = 0
    return np.asarray(lower + (upper - lower) * (place - below))

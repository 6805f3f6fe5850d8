"""ECOD and COPOD of one window at a time, as PyOD computes them, for many windows at once.

Both take the training rows and the rows to be scored together as one sample and ask how far out in its tails each row lies
(ECOD: Li et al., arXiv 2201.00382; COPOD: Li et al., arXiv 2009.09463), so that in PyOD a row's score depends on the rows that
are scored with it. Here each row is added to the training rows alone, which is what ``decision_function`` gives for one row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Fusion = Callable[["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"], "NDArray[np.float64]"]
"""Surprise (B, K) from that of the left tail, of the right one, and of the one to which the sample leans."""

TAIL_MODELS: Final[Mapping[str, Fusion]] = {
    "ECOD": lambda left, right, leaning: np.maximum(np.maximum(left, right), leaning),
    "COPOD": lambda left, right, leaning: np.maximum(leaning, (left + right) / 2),
}
"""PyOD's models of this kind."""


class EmpiricalTails:
    """The tails of a training sample.

    Args:
        rows: (n, K) training rows.
        fuse: One of `TAIL_MODELS`.
    """

    def __init__(self, rows: NDArray[np.float64], fuse: Fusion) -> None:
        self._fuse = fuse
        self._ordered = np.sort(rows, axis=0)
        self._mean = rows.mean(axis=0)
        away = rows - self._mean
        self._second, self._third = np.square(away).sum(axis=0), (away**3).sum(axis=0)

    def decision_function(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(B,) scores in nats of rows (B, K), each joined to the training rows by itself."""
        n = len(self._ordered)
        below, above = np.empty(rows.shape), np.empty(rows.shape)
        for column in range(rows.shape[1]):
            ordered, values = self._ordered[:, column], rows[:, column]
            # The row itself is one of those at or below it.
            below[:, column] = np.searchsorted(ordered, values, side="right") + 1
            above[:, column] = n - np.searchsorted(ordered, values, side="left") + 1
        left, right = -np.log(below / (n + 1)), -np.log(above / (n + 1))
        lean = np.sign(self._third_moment(rows))
        leaning = np.where(lean > 0, right, np.where(lean < 0, left, left + right))
        return np.asarray(self._fuse(left, right, leaning).sum(axis=1))

    def _third_moment(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """(B, K): the sum of cubes about the mean once a row has been added; of its sign is the skewness."""
        n = len(self._ordered)
        away = rows - self._mean
        cube = away**3 * (n * (n - 1) / (n + 1) ** 2)
        return np.asarray(self._third + cube - 3 * away * self._second / (n + 1))

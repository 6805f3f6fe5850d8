"""Window scores as they are stored: who, when, how anomalous."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WindowScores:
    """Anomaly scores of W windows of T frames, higher = more anomalous.

    Args:
        clip: (W,) names of clips.
        person: (W,) int, track ids.
        start: (W,) int, frame of each window's first row.
        score: (W,) or, frame by frame, (W, T) float64.
        length: T.
        terms: Parts of the score by name, each (W,).

    Raises:
        DataError: if the columns differ in length, or a score is not finite.
    """

    clip: NDArray[np.str_]
    person: NDArray[np.int64]
    start: NDArray[np.int64]
    score: NDArray[np.float64]
    length: int
    terms: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.clip)
        columns = {"person": self.person, "start": self.start, "score": self.score, **self.terms}
        for name, column in columns.items():
            if len(column) != n:
                raise DataError(f"{len(column)} values of {name} for {n} windows", where="window scores")
        if self.score.shape not in ((n,), (n, self.length)):
            raise DataError(
                f"scores have shape {self.score.shape}",
                where="window scores",
                remedy=f"give one score a window, ({n},), or one a frame of each window, ({n}, {self.length})",
            )
        for name in ("score", *self.terms):
            finite = np.isfinite(columns[name]).reshape(n, -1 if n else 1).all(axis=1)
            if not finite.all():
                row = int((~finite).argmax())
                raise DataError(
                    f"{name} is not finite for {int((~finite).sum())} of {n} windows",
                    where=f"first: clip {self.clip[row]}, person {self.person[row]}, frame {self.start[row]}",
                    remedy="a method must score every window it is given with a finite number",
                )

    def __len__(self) -> int:
        return len(self.clip)

    def of_term(self, name: str) -> WindowScores:
        """One term as if it were the score."""
        return WindowScores(self.clip, self.person, self.start, self.terms[name], self.length)

"""What the detectors without a network have in common: arrays as state, scoring batch by batch, principal coordinates."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from sklearn.decomposition import PCA

from vadbench.api import Batch, Context, DataError, PoseShape, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

Measure = Callable[[Batch], "NDArray[np.float64]"]
"""Scores (B,) of a batch of B windows."""
Judge = Callable[["NDArray[np.float32]"], "NDArray[np.float64]"]
"""Scores (B,) of principal coordinates (B, K)."""


class ArrayDetector(ABC):
    """A detector whose state is a few named arrays; fulfils `vadbench.api.Detector` once `fit` and `measure` are there."""

    scored_at_once: ClassVar[int] = 4096
    """Windows a batch in scoring: a matter of memory alone."""

    def __init__(self, poses: PoseShape) -> None:
        self.poses = poses
        self.arrays: dict[str, NDArray[Any]] = {}

    @abstractmethod
    def fit(self, windows: Windows, context: Context) -> None:
        """Learns from normal windows, and keeps what it learned by `keep`."""

    @abstractmethod
    def measure(self, windows: Windows) -> Measure:
        """How batches of these windows are scored, each window by itself; made ready once for all batches."""

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        """(W,) scores, in the unit that the class says."""
        measure = self.measure(windows)
        scores = np.zeros(len(windows))
        with context.progress.task(f"score {context.name}", len(windows)) as advance:
            for begin in range(0, len(windows), self.scored_at_once):
                batch = windows.batch(slice(begin, begin + self.scored_at_once))
                scores[batch.index] = measure(batch)
                advance(len(batch.index))
        return scores

    def keep(self, **arrays: ArrayLike) -> None:
        """Takes arrays as the state, in the order in which they are stored.

        A product's rounding depends on that order, and loaded weights must score as those that were stored.
        """
        self.arrays |= {name: np.array(values, order="C") for name, values in arrays.items()}

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The arrays by name."""
        return {name: torch.from_numpy(values) for name, values in self.arrays.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave."""
        self.arrays = {name: np.asarray(values) for name, values in state_dict.items()}


@dataclass(frozen=True, slots=True)
class Demand:
    """How many training windows a detector needs, and the setting that lowers the number (none where nothing does)."""

    windows: int = 2
    setting: str = ""


class PrincipalDetector(ArrayDetector):
    """Looks at windows along the directions that vary most in training: flattened, centred, and turned into them.

    Args:
        poses: Shape of a window.
        width: How many coordinates: a number, or the share of the training windows' variance that they are to explain.
        kept: Training windows that it learns from; drawn at random where there are more.
        demand: How many it needs.
        rest: Whether the length of what the coordinates leave unexplained is one more coordinate. Without it a window that no
            training window resembles may pass for their mean: it lies beyond their directions, and little of it along them.
    """

    def __init__(self, poses: PoseShape, *, width: float, kept: int, demand: Demand | None = None, rest: bool = True) -> None:
        super().__init__(poses)
        self._width, self._kept, self._demand, self._rest = width, kept, demand or Demand(), rest

    def learn(self, coordinates: NDArray[np.float32], rng: np.random.Generator, context: Context) -> None:
        """Learns from the coordinates (n, K) of the training windows; nothing, unless a subclass does."""

    def fit(self, windows: Windows, context: Context) -> None:
        """Principal components of random training windows, then `learn`.

        Raises:
            DataError: for too few windows, or windows that are all alike.
        """
        rng = context.rng()
        rows = flattened(random_windows(windows, self._kept, rng))
        require(len(rows), self._demand, context)
        if not (rows != rows[0]).any():
            raise DataError("the training windows are all alike", where=context.name, remedy="train on poses that move")
        # Of n windows no more than n directions can be told.
        width = min(self._width, *rows.shape) if isinstance(self._width, int) else self._width
        with context.progress.task(f"fit {context.name}", 1) as advance:
            pca = PCA(width, random_state=int(rng.integers(2**31))).fit(rows)
            self.keep(mean=pca.mean_.astype(np.float32), components=pca.components_.astype(np.float32))
            self.learn(self.coordinates(rows), rng, context)
            advance(1)
        if not isinstance(self._width, int):
            context.chosen("components", len(self.arrays["components"]), by="training")

    def coordinates(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Flattened windows (B, N) in principal coordinates (B, K), the length of the rest among them where it is wanted."""
        away, components = rows - self.arrays["mean"], self.arrays["components"]
        if not self._rest:
            return np.asarray(away @ components.T, dtype=np.float32)
        # In double precision, and rounded afterwards: the last digit of a product depends on how many rows there are, and
        # a threshold or a rank may step at it.
        away = away.astype(np.float64)
        found = away @ components.T.astype(np.float64)
        # The directions are at right angles and of length 1, so squares add up.
        square = np.square(away).sum(axis=1) - np.square(found).sum(axis=1)
        return np.column_stack([found, np.sqrt(np.maximum(square, 0))]).astype(np.float32)


class CoordinateDetector(PrincipalDetector):
    """Judges windows by their principal coordinates alone."""

    @abstractmethod
    def judge(self) -> Judge:
        """How coordinates are scored; made ready once for all batches."""

    def measure(self, windows: Windows) -> Measure:  # noqa: ARG002 - a batch says all
        """Scores by `judge`."""
        judge = self.judge()
        return lambda batch: judge(self.coordinates(flattened(batch)))


def flattened(batch: Batch) -> NDArray[np.float32]:
    """(B, N) with N = C T J: each window as one row."""
    return batch.x.reshape(len(batch.x), math.prod(batch.x.shape[1:]))


def random_windows(windows: Windows, most: int, rng: np.random.Generator) -> Batch:
    """``most`` windows drawn at random, or all where there are fewer; in their order."""
    return windows.batch(np.sort(rng.permutation(len(windows))[:most]))


def require(found: int, demand: Demand, context: Context) -> None:
    """Raises `DataError` where fewer training windows were found than are needed."""
    if found < demand.windows:
        raise DataError(
            f"{found} training windows are too few: at least {demand.windows} are needed",
            where=context.name,
            remedy=f"lower {demand.setting}, or train on more data" if demand.setting else "train on more data",
        )

"""k-nearest neighbours: the mean distance of a normalised window to its nearest training windows, after PCA.

No motion is learned; a window is anomalous when training shows nothing like it. What every learned method has to beat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import Field
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from vadbench.api import ComponentConfig, Context, DataError, PoseShape, Windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_BATCH = 4096


class KNNConfig(ComponentConfig):
    """Settings of the k-nearest-neighbour detector."""

    neighbours: int = Field(default=5, ge=1, description="k")
    components: int = Field(default=80, ge=1, description="principal components that distances are taken in")
    windows: int = Field(default=20_000, ge=1, description="training windows kept, drawn at random")


class KNN:
    """Mean Euclidean distance to the k nearest kept training windows; fulfils `vadbench.api.Detector`."""

    def __init__(self, config: KNNConfig, poses: PoseShape) -> None:
        self.config = config
        numbers = poses.channels * poses.frames * poses.joints
        width = min(config.components, numbers)
        self._mean = np.zeros(numbers, dtype=np.float32)
        self._components = np.zeros((width, numbers), dtype=np.float32)
        self._bank = np.zeros((0, width), dtype=np.float32)

    def fit(self, windows: Windows, context: Context) -> None:
        """Keeps random training windows in PCA coordinates; raises `DataError` if they are fewer than k."""
        rng = context.rng()
        picked = np.sort(rng.permutation(len(windows))[: self.config.windows])
        rows = windows.batch(picked).x.reshape(len(picked), -1)
        width = min(len(self._components), len(rows))
        if len(rows) < self.config.neighbours:
            raise DataError(
                f"{len(rows)} training windows are fewer than {self.config.neighbours} neighbours",
                where=context.name,
                remedy="lower detector.neighbours, or train on more data",
            )
        with context.progress.task(f"fit {context.name}", 1) as advance:
            pca = PCA(width, random_state=int(rng.integers(2**31))).fit(rows)
            advance(1)
        self._mean = pca.mean_.astype(np.float32)
        # In the order in which they are stored: a product's rounding depends on it, and loaded weights must score alike.
        self._components = np.ascontiguousarray(pca.components_, dtype=np.float32)
        self._bank = self._project(rows)
        context.logger.info("%s: %d windows kept, %d components", context.name, len(self._bank), width)

    def score(self, windows: Windows, context: Context) -> NDArray[np.float64]:
        """(W,) distances."""
        index = NearestNeighbors(n_neighbors=self.config.neighbours).fit(self._bank)
        scores = np.zeros(len(windows))
        with context.progress.task(f"score {context.name}", len(windows)) as advance:
            for begin in range(0, len(windows), _BATCH):
                batch = windows.batch(slice(begin, begin + _BATCH))
                distance, _ = index.kneighbors(self._project(batch.x.reshape(len(batch.index), -1)))
                scores[batch.index] = distance.mean(axis=1)
                advance(len(batch.index))
        return scores

    def state_dict(self) -> dict[str, torch.Tensor]:
        """PCA and the kept windows."""
        arrays = {"mean": self._mean, "components": self._components, "bank": self._bank}
        return {name: torch.from_numpy(value) for name, value in arrays.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any], /) -> None:
        """Takes back what `state_dict` gave."""
        arrays = {name: np.asarray(value) for name, value in state_dict.items()}
        self._mean, self._components, self._bank = arrays["mean"], arrays["components"], arrays["bank"]

    def _project(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray((rows - self._mean) @ self._components.T, dtype=np.float32)

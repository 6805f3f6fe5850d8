"""k-nearest neighbours: the mean distance of a normalised window to its nearest training windows, after PCA.

No motion is learned; a window is anomalous when training shows nothing like it. What every learned method has to beat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field
from sklearn.neighbors import NearestNeighbors

from vadbench.api import ComponentConfig, Context, PoseShape
from vadbench_baselines.array_detector import CoordinateDetector, Demand, Judge

if TYPE_CHECKING:
    from numpy.typing import NDArray


class KNNConfig(ComponentConfig):
    """Settings of the k-nearest-neighbour detector."""

    neighbours: int = Field(default=5, ge=1, description="k")
    components: int = Field(default=80, ge=1, description="principal components that distances are taken in")
    windows: int = Field(default=20_000, ge=1, description="training windows kept, drawn at random")


class KNN(CoordinateDetector):
    """Mean Euclidean distance to the k nearest kept training windows; fulfils `vadbench.api.Detector`."""

    def __init__(self, config: KNNConfig, poses: PoseShape) -> None:
        demand = Demand(config.neighbours, "detector.neighbours")
        super().__init__(poses, width=config.components, kept=config.windows, demand=demand, rest=False)
        self.config = config

    def learn(self, coordinates: NDArray[np.float32], rng: np.random.Generator, context: Context) -> None:  # noqa: ARG002
        """Keeps the windows."""
        self.keep(bank=coordinates)
        context.logger.info("%s: %d windows kept, %d components", context.name, *coordinates.shape)

    def judge(self) -> Judge:
        """Distances."""
        index = NearestNeighbors(n_neighbors=self.config.neighbours).fit(self.arrays["bank"])

        def distance(coordinates: NDArray[np.float32]) -> NDArray[np.float64]:
            found, _ = index.kneighbors(coordinates)
            return np.asarray(found.mean(axis=1), dtype=np.float64)

        return distance

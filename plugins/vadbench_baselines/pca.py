"""PCA reconstruction error: what of a window the directions in which training windows vary cannot express."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from vadbench.api import ComponentConfig, PoseShape, Windows
from vadbench_baselines.array_detector import Measure, PrincipalDetector, flattened

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Batch


class PCAConfig(ComponentConfig):
    """Settings of the PCA reconstruction."""

    variance: float = Field(default=0.95, gt=0, lt=1, description="share of the training variance that is reconstructed")
    windows: int = Field(default=20_000, ge=2, description="training windows that components are taken from, drawn at random")


class PCAError(PrincipalDetector):
    """Mean squared error of the reconstruction, in squared units of the normalised coordinates.

    Joints that are missing, and so were filled in, take no part in the mean; a window without any has the score 0.
    """

    def __init__(self, config: PCAConfig, poses: PoseShape) -> None:
        super().__init__(poses, width=config.variance, kept=config.windows, rest=False)
        self.config = config

    def measure(self, windows: Windows) -> Measure:  # noqa: ARG002 - a batch says all
        """Reconstruction errors."""

        def error(batch: Batch) -> NDArray[np.float64]:
            rows = flattened(batch)
            left = rows - (self.coordinates(rows) @ self.arrays["components"] + self.arrays["mean"])
            seen = batch.confidence[:, None] > 0
            square = np.where(seen, np.square(left.reshape(batch.x.shape), dtype=np.float64), 0).sum(axis=(1, 2, 3))
            return np.asarray(square / np.maximum(batch.x.shape[1] * seen.sum(axis=(1, 2, 3)), 1))

        return error

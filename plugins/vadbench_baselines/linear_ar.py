"""Linear autoregression: the last frames of a window predicted from those before by ridge regression (scikit-learn)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import Field
from sklearn.linear_model import Ridge

from vadbench.api import ComponentConfig, Context, PoseShape, Windows
from vadbench_baselines.array_detector import ArrayDetector, Demand, Measure, random_windows, require
from vadbench_baselines.frame_prediction import check_frames, weighted_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Batch

_LEAST_VARIANCE: Final = 1e-6
"""Of an error, in normalised units squared; below it lie rounding errors, and joints that training never shows."""


class LinearARConfig(ComponentConfig):
    """Settings of the linear autoregression."""

    frames: int = Field(default=6, ge=1, description="last frames of the window, predicted from those before")
    ridge: float = Field(
        default=1e-3, gt=0, description="penalty of the regression, as a share of the mean variance of the frames before"
    )
    windows: int = Field(default=20_000, ge=2, description="training windows that it is fitted to, drawn at random")


class LinearAR(ArrayDetector):
    """Squared errors in units of their training variance, averaged with the confidences as weights; x and y added.

    So a normal window has about 2. Missing joints are read where the harness filled them in, and not predicted.

    Raises:
        ConfigError: where ``frames`` is the whole window.
    """

    def __init__(self, config: LinearARConfig, poses: PoseShape) -> None:
        check_frames(config.frames, poses.frames)
        super().__init__(poses)
        self.config = config

    def fit(self, windows: Windows, context: Context) -> None:
        """Regression, and the variance of its errors where the joint is there; raises `DataError` for one window."""
        batch = random_windows(windows, self.config.windows, context.rng())
        require(len(batch.x), Demand(2), context)
        past, future = self._parts(batch.x)
        with context.progress.task(f"fit {context.name}", 1) as advance:
            # scikit-learn's penalty stands beside a sum over windows.
            penalty = self.config.ridge * len(past) * float(past.var(axis=0).mean())
            found = Ridge(alpha=max(penalty, np.finfo(np.float64).tiny)).fit(past, future)
            self.keep(weights=found.coef_.T, constant=found.intercept_)
            advance(1)
        square = np.square(future - self._predicted(past)).reshape(len(past), *self._shape)
        seen = np.broadcast_to(batch.confidence[:, None, -self.config.frames :] > 0, square.shape)
        variance = np.where(seen, square, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        self.keep(variance=np.maximum(variance, _LEAST_VARIANCE))

    def measure(self, windows: Windows) -> Measure:  # noqa: ARG002 - a batch says all
        """Errors."""

        def error(batch: Batch) -> NDArray[np.float64]:
            past, future = self._parts(batch.x)
            square = np.square(future - self._predicted(past)).reshape(len(past), *self._shape)
            return weighted_error(square / self.arrays["variance"], batch.confidence[:, -self.config.frames :])

        return error

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.poses.channels, self.config.frames, self.poses.joints

    def _parts(self, x: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Windows (B, 2, T, J) as what is given (B, N) and what is predicted (B, M)."""
        past, future = x[:, :, : -self.config.frames], x[:, :, -self.config.frames :]
        return past.reshape(len(x), -1).astype(np.float64), future.reshape(len(x), -1).astype(np.float64)

    def _predicted(self, past: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(past @ self.arrays["weights"] + self.arrays["constant"])

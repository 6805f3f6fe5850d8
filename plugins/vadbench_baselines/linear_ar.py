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
"""Of an error, in normalised units squared; below it lie rounding errors."""

_SMALLEST: Final = 1e-3
"""Standard deviation below which the frames before have no size."""


class LinearARConfig(ComponentConfig):
    """Settings of the linear autoregression."""

    frames: int = Field(default=6, ge=1, description="last frames of the window, predicted from those before")
    ridge: float = Field(
        default=1e-3, gt=0, description="penalty of the regression, as a share of the mean variance of the frames before"
    )
    windows: int = Field(default=20_000, ge=2, description="training windows that it is fitted to, drawn at random")


class LinearAR(ArrayDetector):
    """Squared errors in units of their training variance, averaged with the confidences as weights; x and y added.

    So a normal window has about 2. Missing joints are read at their mean over the frames before, and not predicted.

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
        past, future = self._parts(batch)
        with context.progress.task(f"fit {context.name}", 1) as advance:
            # scikit-learn's penalty stands beside a sum over windows.
            penalty = self.config.ridge * len(past) * float(past.var(axis=0).mean())
            found = Ridge(alpha=max(penalty, np.finfo(np.float64).tiny)).fit(past, future)
            self.keep(weights=found.coef_.T, constant=found.intercept_)
            advance(1)
        square = np.square(future - self._predicted(past)).reshape(len(past), *self._shape)
        seen = np.broadcast_to(batch.confidence[:, None, -self.config.frames :] > 0, square.shape)
        variance = np.where(seen, square, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        # A joint that training never shows says nothing, whatever it does later.
        self.keep(variance=np.where(seen.any(axis=0), np.maximum(variance, _LEAST_VARIANCE), np.inf))

    def measure(self, windows: Windows) -> Measure:  # noqa: ARG002 - a batch says all
        """Errors."""

        def error(batch: Batch) -> NDArray[np.float64]:
            past, future = self._parts(batch)
            square = np.square(future - self._predicted(past)).reshape(len(past), *self._shape)
            return weighted_error(square / self.arrays["variance"], batch.confidence[:, -self.config.frames :])

        return error

    @property
    def _shape(self) -> tuple[int, int, int]:
        return self.poses.channels, self.config.frames, self.poses.joints

    def _parts(self, batch: Batch) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What is given (B, N) and what is predicted (B, M), both in units of what is given.

        The harness normalises whole windows, and puts a missing joint where it is on average in the whole window: both tell of
        the frames to be predicted, the sum of all coordinates being 0. So the mean of the frames before becomes 0, their
        standard deviation in y becomes 1, and a missing joint stands at its mean over them, or in their middle.
        """
        frames = self.config.frames
        x, seen = batch.x.astype(np.float64), batch.confidence[:, None, :-frames] > 0
        number = np.maximum(seen.sum(axis=(2, 3), keepdims=True), 1)
        centre = np.where(seen, x[:, :, :-frames], 0).sum(axis=(2, 3), keepdims=True) / number
        away = np.where(seen, x[:, :, :-frames] - centre, 0)
        size = np.sqrt(np.square(away[:, 1:]).sum(axis=(2, 3), keepdims=True) / number)
        size = np.where(size > _SMALLEST, size, 1)
        mean = away.sum(axis=2, keepdims=True) / np.maximum(seen.sum(axis=2, keepdims=True), 1)
        past, future = np.where(seen, away, mean) / size, (x[:, :, -frames:] - centre) / size
        return past.reshape(len(x), -1), future.reshape(len(x), -1)

    def _predicted(self, past: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(past @ self.arrays["weights"] + self.arrays["constant"])

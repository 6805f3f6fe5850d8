"""Last-frame repeat: the error of the simplest prediction, that nothing moves. What any method that predicts has to beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from vadbench.api import ComponentConfig, Context, PoseShape, Windows
from vadbench_baselines.array_detector import ArrayDetector, Measure
from vadbench_baselines.frame_prediction import check_frames, weighted_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Batch


class LastFrameConfig(ComponentConfig):
    """Settings of the last-frame repeat."""

    frames: int = Field(
        default=0,
        ge=0,
        description="last frames of the window that are predicted by the frame before them; 0: each frame by the one before it",
    )


class LastFrame(ArrayDetector):
    """Mean squared distance of a joint from its prediction, weighted by confidence, in normalised units squared.

    Raises:
        ConfigError: where ``frames`` is the whole window.
    """

    def __init__(self, config: LastFrameConfig, poses: PoseShape) -> None:
        check_frames(config.frames, poses.frames)
        super().__init__(poses)
        self.config = config

    def fit(self, windows: Windows, context: Context) -> None:
        """Learns nothing."""

    def measure(self, windows: Windows) -> Measure:  # noqa: ARG002 - a batch says all
        """Errors; the weight is the product of both confidences, so a joint that is missing in either frame has none."""
        length, frames = self.poses.frames, self.config.frames
        target = slice(length - frames, None) if frames else slice(1, None)
        source = slice(length - frames - 1, length - frames) if frames else slice(None, -1)

        def error(batch: Batch) -> NDArray[np.float64]:
            away = batch.x[:, :, target].astype(np.float64) - batch.x[:, :, source]
            return weighted_error(np.square(away), batch.confidence[:, target] * batch.confidence[:, source])

        return error

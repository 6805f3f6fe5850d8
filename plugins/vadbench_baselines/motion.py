"""Motion heuristics: how fast joints move, and how fast that changes. Nothing is learned, and nothing is known of poses.

What fights, falls and bicycles have in common; whatever learns should find more than this. A high percentile over joints and
frames rather than the largest number, which as a rule is the largest error of the pose tracker.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from vadbench.api import ComponentConfig, ConfigError, Context, PoseShape, Windows
from vadbench_baselines.array_detector import ArrayDetector, Measure
from vadbench_baselines.pixel_poses import PixelPoses, percentile_of_seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Batch


class MotionConfig(ComponentConfig):
    """Settings of a motion heuristic."""

    percentile: float = Field(default=95.0, ge=0, le=100, description="over joints and frames; 100 is the largest")


class Motion(ArrayDetector):
    """A percentile of a quantity of motion over the joints and frames of a window; a subclass says of which."""

    def __init__(self, config: MotionConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config

    def fit(self, windows: Windows, context: Context) -> None:
        """Learns nothing."""

    @abstractmethod
    def quantity(self, poses: PixelPoses) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Of each moment and joint (B, M, J) the quantity in pixels, and whether it is known."""

    def measure(self, windows: Windows) -> Measure:
        """The percentile in units of the person's size; 0 where no joint is seen for long enough."""

        def measure(batch: Batch) -> NDArray[np.float64]:
            poses = PixelPoses.of(windows, batch)
            values, known = self.quantity(poses)
            count = len(values)
            found = percentile_of_seen(values.reshape(count, -1), known.reshape(count, -1), self.config.percentile)
            return found / poses.size

        return measure


class Speed(Motion):
    """Displacement of a joint from row to row, per frame; in heights of the person a frame."""

    def quantity(self, poses: PixelPoses) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(B, T - 1, J); a joint that is missing in either row takes no part."""
        velocity, known = _velocity(poses)
        return np.linalg.norm(velocity, axis=1), known


class Acceleration(Motion):
    """Change of a joint's velocity, per frame; in heights of the person a frame squared.

    Raises:
        ConfigError: for windows of two frames, which have one velocity.
    """

    def __init__(self, config: MotionConfig, poses: PoseShape) -> None:
        if poses.frames < 3:
            raise ConfigError(
                "an acceleration needs three frames, and windows have two",
                where="windows.length",
                remedy="set windows.length to 3 or more",
            )
        super().__init__(config, poses)

    def quantity(self, poses: PixelPoses) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(B, T - 2, J); a joint that is missing in any of three rows takes no part."""
        velocity, known = _velocity(poses)
        # A velocity stands in the middle of its two frames, so two neighbours are half of both gaps apart.
        time = (poses.frame[:, 2:] - poses.frame[:, :-2]) / 2
        change = np.diff(velocity, axis=2) / time[:, None, :, None]
        return np.linalg.norm(change, axis=1), known[:, 1:] & known[:, :-1]


def _velocity(poses: PixelPoses) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(B, 2, T - 1, J) pixels a frame, and (B, T - 1, J) whether the joint is there in both rows."""
    time = np.diff(poses.frame, axis=1)
    return np.diff(poses.xy, axis=2) / time[:, None, :, None], poses.seen[:, 1:] & poses.seen[:, :-1]

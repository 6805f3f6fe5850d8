"""Bone-length heuristic: how far the proportions of a body depart from those that training poses show.

Bones do not change, but their projections do when a person bends, lies or turns to the camera; and a pose tracker that
fails stretches them. A bone's length is taken in units of the median bone of the same pose, so that nobody's size matters
and a missing joint changes little, and its deviation from the training median in units of the training poses' spread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from pydantic import Field

from vadbench.api import ComponentConfig, ConfigError, Context, PoseShape, Windows
from vadbench_baselines.array_detector import ArrayDetector, Demand, Measure, random_windows, require
from vadbench_baselines.pixel_poses import PixelPoses, percentile_of_seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Batch

_NORMAL: Final = 1.4826
"""Standard deviation of a normal distribution in units of its median absolute deviation."""
_LEAST_SPREAD: Final = 0.01
"""In units of the median bone: where training poses hardly differ, a rounding error is no anomaly."""


class BoneLengthConfig(ComponentConfig):
    """Settings of the bone-length heuristic."""

    percentile: float = Field(default=95.0, ge=0, le=100, description="over bones and frames; 100 is the largest")
    windows: int = Field(default=5_000, ge=1, description="training windows that medians are taken over, drawn at random")


class BoneLength(ArrayDetector):
    """A percentile over bones and frames of |proportion - median| / spread; fulfils `vadbench.api.Detector`.

    Raises:
        ConfigError: for a layout without edges.
    """

    def __init__(self, config: BoneLengthConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config
        if not poses.layout.edges:
            raise ConfigError(
                f"the layout {poses.layout.name} has no bones",
                where="windows.layout",
                remedy="choose a layout with edges, such as coco-18",
            )

    def fit(self, windows: Windows, context: Context) -> None:
        """Median and spread of each bone's proportion over the training poses; raises `DataError` for no window."""
        batch = random_windows(windows, self.config.windows, context.rng())
        require(len(batch.x), Demand(1), context)
        proportion, seen = bone_proportions(PixelPoses.of(windows, batch), self.poses.layout.edge_indices)
        bones = proportion.shape[-1]
        values, there = proportion.reshape(-1, bones).T, seen.reshape(-1, bones).T
        median = percentile_of_seen(values, there, 50.0)
        spread = _NORMAL * percentile_of_seen(np.abs(values - median[:, None]), there, 50.0)
        # A bone that training never shows says nothing.
        weight = np.where(there.any(axis=1), 1 / np.maximum(spread, _LEAST_SPREAD), 0)
        self.keep(median=median, weight=weight)

    def measure(self, windows: Windows) -> Measure:
        """Deviations in robust standard deviations; 0 where no bone is seen."""

        def measure(batch: Batch) -> NDArray[np.float64]:
            proportion, seen = bone_proportions(PixelPoses.of(windows, batch), self.poses.layout.edge_indices)
            away = np.abs(proportion - self.arrays["median"]) * self.arrays["weight"]
            known = seen & (self.arrays["weight"] > 0)
            count = len(away)
            return percentile_of_seen(away.reshape(count, -1), known.reshape(count, -1), self.config.percentile)

        return measure


def bone_proportions(poses: PixelPoses, edges: tuple[tuple[int, int], ...]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(B, T, E): length of each bone in units of the median bone of its pose, and whether both of its ends are there.

    Args:
        poses: The windows.
        edges: Pairs of joint indices, E of them.
    """
    one, other = np.array(edges).T
    length = np.linalg.norm(poses.xy[..., one] - poses.xy[..., other], axis=1)
    seen = poses.seen[..., one] & poses.seen[..., other]
    middle = percentile_of_seen(length.reshape(-1, len(edges)), seen.reshape(-1, len(edges)), 50.0).reshape(length.shape[:2])
    # Where joints fall together a bone of a pixel stands for the median one.
    return length / np.maximum(middle, 1.0)[..., None], seen

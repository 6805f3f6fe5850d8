"""Random scores: a number in [0, 1) for each window that has nothing to do with what it shows. Chance level, measured.

A function of the seed, the coordinates of the window's first pose, the person, the first frame and the view alone, so that a
window keeps its score whatever else is scored, in whatever order, and whatever its clip is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vadbench_baselines.array_detector import ArrayDetector, Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import Batch, Context, NoConfig, PoseShape, Windows


class RandomScore(ArrayDetector):
    """Uniform in [0, 1); fulfils `vadbench.api.Detector`."""

    learns = False
    """It finds no window stranger than another."""

    def __init__(self, config: NoConfig, poses: PoseShape) -> None:
        super().__init__(poses)
        self.config = config

    def fit(self, windows: Windows, context: Context) -> None:  # noqa: ARG002 - it does not look at them
        """Draws the seed of the scores."""
        self.keep(seed=np.int64(context.rng().integers(2**62)))

    def measure(self, windows: Windows) -> Measure:
        """Scores."""
        seed = np.uint64(self.arrays["seed"])
        # NaN, which a missing joint has, has bits as well.
        poses = windows.tracks.planes.transpose(1, 0, 2).reshape(len(windows.tracks), -1)

        def chance(batch: Batch) -> NDArray[np.float64]:
            chosen = windows.select(batch.index)
            bits = np.ascontiguousarray(poses[chosen.first]).view(np.uint32).astype(np.uint64)
            weights = _mixed(seed + np.arange(bits.shape[1], dtype=np.uint64)) | np.uint64(1)
            key = _mixed((bits * weights).sum(axis=1, dtype=np.uint64))
            for number in (chosen.person, chosen.start, chosen.view):
                key = _mixed(key + number.astype(np.int64).astype(np.uint64))
            return np.asarray((key >> np.uint64(11)).astype(np.float64) / 2**53)

        return chance


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The step of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014), modulo 2^64."""
    key = key + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))

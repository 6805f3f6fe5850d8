"""What the baselines that predict frames have in common: how an error is weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_frames(frames: int, length: int) -> None:
    """Raises `ConfigError` where windows of ``length`` frames leave nothing to predict ``frames`` of them from."""
    if frames >= length:
        raise ConfigError(
            f"{frames} frames cannot be predicted in windows of {length}: at least one must come before them",
            where="detector.frames",
            remedy=f"set detector.frames to {length - 1} or fewer, or lengthen the windows",
        )


def weighted_error(square: NDArray[np.float64], weight: NDArray[np.float32]) -> NDArray[np.float64]:
    """(B,): mean over frames and joints of squared errors (B, 2, F, J), x and y added, weighted by (B, F, J).

    0 where every weight is.
    """
    total = np.einsum("bfj,bcfj->b", weight.astype(np.float64), square)
    weights = weight.sum(axis=(1, 2), dtype=np.float64)
    return np.where(weights > 0, total / np.where(weights > 0, weights, 1), 0.0)

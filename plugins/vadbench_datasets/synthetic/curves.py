"""Curves over time from which every motion is made: eased steps, windows in time, slowly varying noise.

Everything is vectorised over frames; time is in seconds, a frame lasts 1 / `FRAME_RATE`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]

FRAME_RATE: Final = 24.0
"""Frames a second."""


def seconds(frames: int) -> Floats:
    """(T,) the time of each frame."""
    return np.arange(frames) / FRAME_RATE


def ease(x: Floats) -> Floats:
    """The cubic step ``3x^2 - 2x^3``, 0 before 0 and 1 after 1: a change without a jerk at either end."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def window(time: Floats, start: float, stop: float, ramp: float) -> Floats:
    """(T,) 1 between ``start`` and ``stop``, 0 outside, one half at both; each change takes ``ramp`` seconds."""
    return ease((time - start) / ramp + 0.5) * ease((stop - time) / ramp + 0.5)


def settle(target: Floats, width: float) -> Floats:
    """(T,) ``target`` averaged under a Hann window of ``width`` seconds: a body cannot change its speed at once."""
    half = max(1, round(width * FRAME_RATE / 2))
    kernel = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(target, half, mode="edge")
    smooth: Floats = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return smooth


def drift(rng: np.random.Generator, frames: int, columns: int, correlation: float) -> Floats:
    """(T, columns) Gaussian noise of unit variance that varies slowly.

    Args:
        rng: Where the noise comes from.
        frames: T.
        columns: How many independent curves.
        correlation: Standard deviation of the smoothing kernel, in seconds.
    """
    from scipy.ndimage import gaussian_filter1d  # half of what opening the data set would cost

    sigma = correlation * FRAME_RATE
    white = rng.standard_normal((frames, columns))
    # White noise smoothed by a Gaussian of width sigma keeps the variance 1 / (2 sigma sqrt(pi)); wrapping keeps it so at
    # both ends.
    smooth: Floats = gaussian_filter1d(white, sigma, axis=0, mode="wrap", truncate=3.0)
    return smooth * math.sqrt(2.0 * sigma * math.sqrt(math.pi))


def pulses(time: Floats, at: Floats, width: float) -> Floats:
    """(T,) a sum of bumps of height 1 at the times ``at`` (n,), Gaussian with standard deviation ``width`` seconds."""
    bumps: Floats = np.exp(-0.5 * ((time[:, None] - at) / width) ** 2).sum(axis=1)
    return np.minimum(bumps, 1.0)

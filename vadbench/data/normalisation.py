"""Named normalisations of windows, each a `Placement` in the picture and so with an inverse, each with its source.

A normalisation that learns from the training poses is fitted first; NaN marks a missing joint and takes no part in a statistic.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from vadbench.api import ConfigError, Normaliser, PixelWindows, Placement, Tracks, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_REFERENCE_PICTURE: Final = np.array([856.0, 480.0], dtype=np.float32)
"""Width and height that STG-NF and GEPC scale by, whatever the data set."""
_NO_SIZE: Final = 5e-4
"""Standard deviation in pixels up to which it is a rounding error."""
_POSES_ENOUGH: Final = 200_000
"""Poses from which percentiles are taken; more change nothing but the memory it takes."""


@dataclass(frozen=True, slots=True)
class WindowNormaliser:
    """A normalisation that looks at nothing but the window."""

    place: Callable[[PixelWindows], Placement]
    missing: Literal["window-mean", "zero"] = "window-mean"

    def __call__(self, windows: PixelWindows) -> Placement:
        """The placement of each window."""
        return self.place(windows)


def _place_stg_nf(windows: PixelWindows) -> Placement:
    """STG-NF's window normalisation as its released code executes it (arXiv 2211.10946).

    x / 856 and y / 480, also for data sets of another resolution; minus the mean over T and J; both coordinates divided
    by the standard deviation of y over T and J, so that proportions are kept and position and size are removed.
    """
    mean = _mean(windows.xy)
    height = _standard_deviation(windows.xy[:, 1], mean[:, 1])
    # A window whose joints all lie at one height has no size; it is scaled to the picture rather than by a rounding error.
    height = np.where(height > _NO_SIZE, height / _REFERENCE_PICTURE[1], 1).astype(np.float32)
    return Placement(mean[:, :, None, None], (height[:, None] * _REFERENCE_PICTURE)[:, :, None, None])


def _place_gepc(windows: PixelWindows) -> Placement:
    """GEPC's (arXiv 1912.11850): x / 856 and y / 480, mapped to [-1, 1], minus the mean over T and J; sizes stay."""
    half = np.tile(_REFERENCE_PICTURE / np.float32(2), (len(windows.xy), 1))
    return Placement(_mean(windows.xy)[:, :, None, None], half[:, :, None, None])


def _place_none(windows: PixelWindows) -> Placement:
    """Pixels as they are."""
    one = np.ones((len(windows.xy), 1, 1, 1), dtype=np.float32)
    return Placement(np.zeros_like(one), one)


@dataclass(frozen=True, slots=True)
class RobustBox:
    """Coordinates in each frame's bounding box, then robust scaling: the 'robust' of MoCoDAD (arXiv 2307.07205, after MPED-RNN).

    Each pose relative to the centre of its box and divided by the box's width and height; then, joint by joint and
    coordinate by coordinate, minus the median and divided by the distance of the 10th and 90th percentile of the training
    poses. The box is that of the joints that are there, rounded to pixels, enlarged by a tenth to every side, clipped to
    the picture and rounded again. A missing joint stands at 0.

    Args:
        median: (2, J) float32.
        spread: (2, J) float32, positive.
    """

    median: NDArray[np.float32]
    spread: NDArray[np.float32]

    @property
    def missing(self) -> Literal["window-mean", "zero"]:
        """At 0, the median place."""
        return "zero"

    def __call__(self, windows: PixelWindows) -> Placement:
        """The placement of each pose and joint."""
        centre, size = pose_boxes(windows.xy, windows.picture[:, :, None])
        median, spread = self.median[None, :, None], self.spread[None, :, None]
        return Placement(centre[..., None] + size[..., None] * median, size[..., None] * spread)


def fit_robust(tracks: Tracks) -> RobustBox:
    """Median and spread of the poses' box coordinates, over every pose, or every n-th where there are more than 200,000."""
    every = slice(None, None, 1 + len(tracks) // _POSES_ENOUGH)
    xy = tracks.planes[:2, every, None].transpose(1, 0, 2, 3)
    centre, size = pose_boxes(xy, pictures(tracks)[every, :, None])
    with warnings.catch_warnings():
        # A joint that is never there has no percentiles: it stays where it is, as nobody will ask for it.
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, median, high = np.nanpercentile((xy - centre[..., None]) / size[..., None], (10, 50, 90), axis=(0, 2))
    spread = np.where(high - low > 0, high - low, 1)
    return RobustBox(np.nan_to_num(median).astype(np.float32), np.nan_to_num(spread, nan=1).astype(np.float32))


def pose_boxes(xy: NDArray[np.float32], picture: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centre and size (B, 2, T), at least 1 pixel, of each pose's box; see `RobustBox` for the rule.

    Args:
        xy: (B, 2, T, J) pixels.
        picture: Broadcasts to (B, 2, T), width and height.
    """
    low, high = (np.rint(bound) for bound in (np.fmin.reduce(xy, axis=-1), np.fmax.reduce(xy, axis=-1)))
    margin = (high - low + 1) / 10
    low, high = np.rint(np.clip(low - margin, 0, picture - 1)), np.rint(np.clip(high + margin, 0, picture - 1))
    centre, size = (low + high) / 2, np.maximum(high - low, 1)
    # A pose without any joint has no box; any will do, as none of its joints is there.
    return np.nan_to_num(centre).astype(np.float32), np.nan_to_num(size, nan=1).astype(np.float32)


def pictures(tracks: Tracks) -> NDArray[np.float32]:
    """(N, 2) float32: width and height of the picture that each pose stands in."""
    sizes = np.array([clip.resolution for clip in tracks.clips], dtype=np.float32).reshape(-1, 2)
    return np.asarray(sizes[tracks.clip])


def _mean(xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B, 2): mean over T and J of what is there; 0 where nothing is."""
    flat = xy.reshape(len(xy), 2, xy.shape[2] * xy.shape[3])
    mean = flat.mean(axis=-1)
    gaps = np.isnan(mean).any(axis=1)
    if gaps.any():
        seen = ~np.isnan(flat[gaps])
        count = np.maximum(seen.sum(axis=-1), 1)
        mean[gaps] = np.where(seen, flat[gaps], 0).sum(axis=-1) / count
    return np.asarray(mean, dtype=np.float32)


def _standard_deviation(values: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """(B,): root mean square distance from ``mean`` (B,) over T and J of what is there; 0 where nothing is."""
    away = (values - mean[:, None, None]).reshape(len(values), values.shape[1] * values.shape[2])
    square = np.einsum("bn,bn->b", away, away) / away.shape[1]
    gaps = np.isnan(square)
    if gaps.any():
        seen = ~np.isnan(away[gaps])
        square[gaps] = (np.where(seen, away[gaps], 0) ** 2).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return np.asarray(np.sqrt(square), dtype=np.float32)


STG_NF: Final = WindowNormaliser(_place_stg_nf)
GEPC: Final = WindowNormaliser(_place_gepc)
NONE: Final = WindowNormaliser(_place_none)

NORMALISATIONS: Final[dict[str, Callable[[Tracks], Normaliser]]] = {
    "stg-nf": lambda _tracks: STG_NF,
    "gepc": lambda _tracks: GEPC,
    "robust": fit_robust,
    "none": lambda _tracks: NONE,
}
"""Every normalisation by name: given the training poses, the normaliser."""


LEARNED: Final = frozenset({"robust"})
"""Those that depend on the training poses."""


def check_normalisation(name: str) -> None:
    """Raises `ConfigError` for a name that no normalisation has."""
    if name not in NORMALISATIONS:
        raise ConfigError(f"no normalisation is named {name!r}", remedy=did_you_mean(name, NORMALISATIONS))


def fit_normaliser(name: str, training: Tracks) -> Normaliser:
    """The normalisation of a name, fitted to the training poses; raises `ConfigError` for an unknown one."""
    check_normalisation(name)
    return NORMALISATIONS[name](training)

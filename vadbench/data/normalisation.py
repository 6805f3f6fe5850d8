"""Named normalisations of windows: xy (B, T, J, 2) in pixels to model coordinates, window by window.

NaN marks a missing joint; it stays NaN and takes no part in a statistic.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import ConfigError, Normaliser, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STGNF_PICTURE: Final = np.array([856.0, 480.0], dtype=np.float32)
_NO_SIZE: Final = 1e-6
"""Standard deviation, in heights of the picture, up to which it is a rounding error: less than a thousandth of a pixel."""


def stg_nf(xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """STG-NF's window normalisation as its released code executes it (arXiv 2211.10946).

    x / 856 and y / 480, also for data sets of another resolution; minus the mean over T and J; both coordinates divided
    by the standard deviation of y over T and J, so that proportions are kept and position and size are removed.
    """
    scaled = xy / _STGNF_PICTURE
    missing = np.isnan(scaled).any()
    mean, std = (np.nanmean, np.nanstd) if missing else (np.mean, np.std)
    with warnings.catch_warnings():
        # A window without a single joint has no mean: it stays NaN as a whole.
        warnings.filterwarnings("ignore", "Mean of empty slice|Degrees of freedom", RuntimeWarning)
        centred = scaled - mean(scaled, axis=(1, 2), keepdims=True)
        spread = std(scaled[..., 1], axis=(1, 2))
    # A window whose joints all lie at one height has no size; leave it unscaled rather than divide by a rounding error.
    spread = np.where(spread > _NO_SIZE, spread, 1).astype(np.float32)
    return np.asarray(centred / spread[:, None, None, None], dtype=np.float32)


def none(xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Pixels as they are."""
    return xy.copy()


NORMALISATIONS: Final[dict[str, Normaliser]] = {"stg-nf": stg_nf, "none": none}
"""Every normalisation by name."""


def normaliser(name: str) -> Normaliser:
    """The normalisation of a name; raises `ConfigError` for an unknown one."""
    if name not in NORMALISATIONS:
        raise ConfigError(f"no normalisation is named {name!r}", remedy=did_you_mean(name, NORMALISATIONS))
    return NORMALISATIONS[name]

"""Short decimal numbers that read back as the very same float32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PLACES: Final = 10


def exact_decimals(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Float64 numbers whose shortest decimal form is short, and which become ``values`` again when rounded to float32.

    Each is the value rounded to the fewest decimal places that lose nothing, or the value itself where ten do not do.
    ``values`` must be finite.
    """
    flat = np.ascontiguousarray(values).ravel()
    short = flat.astype(np.float64)
    left = np.arange(len(flat))
    for places in range(_PLACES + 1):
        rounded = np.round(flat[left].astype(np.float64), places)
        fits = rounded.astype(np.float32) == flat[left]
        short[left[fits]] = rounded[fits]
        left = left[~fits]
        if not len(left):
            break
    return short.reshape(values.shape)

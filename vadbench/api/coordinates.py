"""From pixels to what a model sees: how windows are seen (augmentations) and how they are normalised, as contracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PixelWindows:
    """B windows in pixels, before normalisation.

    Args:
        xy: (B, 2, T, J) float32, x and y in pixels; NaN marks a missing joint.
        confidence: (B, T, J) float32 in [0, 1]; 0 for a missing joint.
        picture: (B, 2) float32, width and height of each window's picture.
        key: (B,) int64, a number of its own for each window, the same whatever batch the window is in.
    """

    xy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    picture: NDArray[np.float32]
    key: NDArray[np.int64]


class View(Protocol):
    """A way of seeing windows: an augmentation of training windows, or one of those that test scores are averaged over.

    Acts on pixels, before normalisation. The same window is always seen the same way: chance comes from its ``key`` alone.
    """

    @property
    def name(self) -> str:
        """As in a configuration, e.g. ``flip``."""
        ...

    def __call__(self, windows: PixelWindows) -> PixelWindows:
        """The windows as they are seen; does not write to the arrays it is given."""
        ...


@dataclass(frozen=True, slots=True)
class Placement:
    """Where normalised windows stand in the picture: ``pixels = model * scale + offset``.

    Every normalisation is of this form, which is why each has an inverse.

    Args:
        offset: float32, broadcasts to (B, 2, T, J), pixels.
        scale: The same; positive.
    """

    offset: NDArray[np.float32]
    scale: NDArray[np.float32]

    def to_model(self, xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels (B, 2, T, J) to model coordinates; a new array."""
        done = xy - self.offset
        done /= self.scale
        return done

    def to_pixels(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Model coordinates (B, 2, T, J) to pixels; a new array."""
        done = x * self.scale
        done += self.offset
        return done


class Normaliser(Protocol):
    """Places windows, each by itself; NaN takes no part."""

    @property
    def missing(self) -> Literal["window-mean", "zero"]:
        """Where a missing joint stands in model coordinates: at its mean over the window's other frames, or at 0."""
        ...

    def __call__(self, windows: PixelWindows) -> Placement:
        """The placement of each window."""
        ...

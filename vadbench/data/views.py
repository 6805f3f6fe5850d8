"""Named ways of seeing a window: augmentations for training, or what test scores are averaged over. Composed with ``+``.

Every step acts on pixels, before normalisation. A random step draws from the window's own key, so that a window is seen the
same way in every epoch and in every batch, and no generator is involved.

==================  ====================================================================================================
step                what it does
==================  ====================================================================================================
``flip``            the picture mirrored, joints keep their names: STG-NF's (arXiv 2211.10946: x negated, sides not swapped)
``flip-swap``       the picture mirrored, left and right joints exchanged: a person who does the same with the other side
``rotate:A``        turned by A degrees about the window's mean place, clockwise as seen (y points down)
``shear:S``         x moves by S times the height over the window's mean place
``random-rotate:A``, ``random-shear:S``  the same by a number between -A and A (-S and S), one a window
``drop-joints:P``   each joint missing throughout the window with probability P
==================  ====================================================================================================

GEPC (arXiv 1912.11850) trains and averages over five views: as it is, ``flip``, ``rotate:90``, ``rotate:90+flip``, ``rotate:45``;
COSKAD and MoCoDAD follow it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import ConfigError, PixelWindows, SkeletonLayout, View, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_STEPS: Final = 8
_STEP: Final = re.compile(r"([a-z-]+)(?::(.+))?")
Change = Callable[[PixelWindows], PixelWindows]


@dataclass(frozen=True, slots=True)
class NamedView:
    """Steps one after another; fulfils `vadbench.api.View`."""

    name: str
    steps: tuple[Change, ...]

    def __call__(self, windows: PixelWindows) -> PixelWindows:
        """The windows as they are seen after every step."""
        for step in self.steps:
            windows = step(windows)
        return windows


def named_view(name: str, layout: SkeletonLayout) -> View:
    """The view of a name such as ``rotate:90+flip``.

    Raises:
        ConfigError: for an unknown step, or a number that is missing, superfluous or out of range, or too many steps.
    """
    if name.count("+") >= _MOST_STEPS:
        raise ConfigError(f"a view has at most {_MOST_STEPS} steps", where=f"view {name!r}", remedy="leave some out")
    return NamedView(name, tuple(_step(text.strip(), position, name, layout) for position, text in enumerate(name.split("+"))))


def _step(text: str, position: int, name: str, layout: SkeletonLayout) -> Change:
    found = _STEP.fullmatch(text)
    kind, number = (found[1], found[2]) if found else (text, None)
    if kind not in _STEPS:
        raise ConfigError(f"no view has the step {text!r}", where=f"view {name!r}", remedy=did_you_mean(kind, _STEPS))
    make, largest = _STEPS[kind]
    if largest is None:
        if number is not None:
            raise ConfigError(f"the step {kind!r} takes no number", where=f"view {name!r}", remedy=f"write {kind}")
        return make(0.0, position, layout)
    try:
        value = float(number or "")
    except ValueError:
        value = math.nan
    if not abs(value) <= largest or (kind in _SHARES and value < 0):
        low = 0 if kind in _SHARES else -largest
        raise ConfigError(
            f"the step {text!r} needs a number from {low:g} to {largest:g}",
            where=f"view {name!r}",
            remedy=f"e.g. {kind}:{largest / 10:g}",
        )
    return make(value, position, layout)


def _flip(_value: float, _position: int, _layout: SkeletonLayout) -> Change:
    def flip(windows: PixelWindows) -> PixelWindows:
        xy = windows.xy.copy()
        xy[:, 0] = windows.picture[:, 0, None, None] - xy[:, 0]
        return replace(windows, xy=xy)

    return flip


def _flip_swap(_value: float, _position: int, layout: SkeletonLayout) -> Change:
    flip, partner = _flip(0, 0, layout), list(layout.mirror)

    def flip_swap(windows: PixelWindows) -> PixelWindows:
        return replace(windows, xy=flip(windows).xy[..., partner], confidence=windows.confidence[..., partner])

    return flip_swap


def _linear(matrices: Callable[[PixelWindows], NDArray[np.float64]]) -> Change:
    """Each window mapped by its matrix (B, 2, 2) about its mean place."""

    def change(windows: PixelWindows) -> PixelWindows:
        count, _, frames, joints = windows.xy.shape
        flat = windows.xy.reshape(count, 2, frames * joints)
        seen = ~np.isnan(flat)
        mean = np.where(seen, flat, 0).sum(axis=-1, keepdims=True) / np.maximum(seen.sum(axis=-1, keepdims=True), 1)
        moved = matrices(windows) @ (flat - mean) + mean
        return replace(windows, xy=moved.reshape(windows.xy.shape).astype(np.float32))

    return change


def _turned(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=-1).reshape(-1, 2, 2)


def _sheared(amount: NDArray[np.float64]) -> NDArray[np.float64]:
    one, zero = np.ones_like(amount), np.zeros_like(amount)
    return np.stack([one, amount, zero, one], axis=-1).reshape(-1, 2, 2)


def _fixed(matrix: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Callable[[float, int, SkeletonLayout], Change]:
    return lambda value, _position, _layout: _linear(lambda windows: matrix(np.full(len(windows.key), value)))


def _random(matrix: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Callable[[float, int, SkeletonLayout], Change]:
    return lambda value, position, _layout: _linear(
        lambda windows: matrix(value * (2 * _chance(windows.key, position, 1)[:, 0] - 1))
    )


def _drop_joints(share: float, position: int, layout: SkeletonLayout) -> Change:
    def drop(windows: PixelWindows) -> PixelWindows:
        dropped = _chance(windows.key, position, len(layout)) < share
        return replace(
            windows,
            xy=np.where(dropped[:, None, None], np.float32(np.nan), windows.xy),
            confidence=np.where(dropped[:, None], np.float32(0), windows.confidence),
        )

    return drop


def _chance(key: NDArray[np.int64], position: int, numbers: int) -> NDArray[np.float64]:
    """(B, numbers) in [0, 1), a function of window, step and column alone.

    A counter through the mixing of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
    """
    counter = (key.astype(np.uint64)[:, None] << np.uint64(16)) + np.arange(numbers, dtype=np.uint64) + np.uint64(position << 60)
    with np.errstate(over="ignore"):
        mixed: Any = (counter + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)
    return np.asarray(mixed, dtype=np.float64) / 2**53


_STEPS: Final[dict[str, tuple[Callable[[float, int, SkeletonLayout], Change], float | None]]] = {
    "flip": (_flip, None),
    "flip-swap": (_flip_swap, None),
    "rotate": (_fixed(_turned), 360.0),
    "random-rotate": (_random(_turned), 180.0),
    "shear": (_fixed(_sheared), 2.0),
    "random-shear": (_random(_sheared), 2.0),
    "drop-joints": (_drop_joints, 0.9),
}
"""Step to how it is made, and the largest size of its number; None for a step without one."""
_SHARES: Final = frozenset({"drop-joints"})

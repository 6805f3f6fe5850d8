"""Normal windows made odd, as views: what a method can be tried on without a test label.

None of them is like a labelled anomaly of any data set by design. They break, one at a time, what makes a motion human: its
order in time, the accord of its parts, its amount, its posture, its pace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from vadbench.api import PixelWindows, SkeletonLayout, Windows

_ARMS = ("shoulder", "elbow", "wrist")
_LEGS = ("hip", "knee", "ankle")
_LARGER = 1.6
"""How much further each joint goes from its mean place."""
_LEAN = 35.0
"""Degrees by which the body is tilted."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """A view of windows, some with a stranger's share in them; fulfils `vadbench.api.View`.

    Args:
        name: Of the kind.
        donors: (N, 2, T, J) pixels of normal windows, each minus its mean and divided by its height.
        layout: Which joint is which.
        change: Own poses and a donor's, both (B, 2, T, J) about their means and in heights, to the odd ones.
    """

    name: str
    donors: NDArray[np.float32]
    layout: SkeletonLayout
    change: Callable[[NDArray[np.float32], NDArray[np.float32], SkeletonLayout], NDArray[np.float32]]

    def __call__(self, windows: PixelWindows) -> PixelWindows:
        """The windows made odd; which stranger a window gets depends on the window alone."""
        mean, height = _place(windows.xy)
        donor = self.donors[(windows.key * 7919 + 13) % len(self.donors)]
        odd = self.change((windows.xy - mean) / height, donor, self.layout)
        return replace(windows, xy=(odd * height + mean).astype(np.float32))


def oddities(normal: Windows, layout: SkeletonLayout, count: int = 2000) -> tuple[Oddity, ...]:
    """Every kind, with strangers drawn evenly from ``normal``."""
    picked = np.linspace(0, len(normal) - 1, min(count, len(normal))).astype(np.int64)
    batch = normal.batch(picked)
    pixels = normal.placement(picked).to_pixels(batch.x)
    mean, height = _place(pixels)
    donors = ((pixels - mean) / height).astype(np.float32)
    return tuple(Oddity(name, donors, layout, change) for name, change in _KINDS.items())


def _place(xy: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean place (B, 2, 1, 1), and height (B, 1, 1, 1) in standard deviations, of what is there."""
    mean = np.nanmean(xy, axis=(2, 3), keepdims=True)
    height = np.nanstd(xy[:, 1:], axis=(1, 2, 3), keepdims=True)
    return mean, np.maximum(height, 1e-3)


def _spliced(own: NDArray[np.float32], donor: NDArray[np.float32], _layout: SkeletonLayout) -> NDArray[np.float32]:
    """The second half is a stranger's."""
    half = own.shape[2] // 2
    return np.concatenate([own[:, :, :half], donor[:, :, half:]], axis=2)


def _part_of(names: tuple[str, ...], root: str) -> Callable[..., NDArray[np.float32]]:
    """Some joints are a stranger's, about the middle of one's own ``root`` joints."""

    def change(own: NDArray[np.float32], donor: NDArray[np.float32], layout: SkeletonLayout) -> NDArray[np.float32]:
        joints = [i for i, joint in enumerate(layout.joints) if joint.rpartition("_")[2] in names]
        middle = [i for i, joint in enumerate(layout.joints) if joint.rpartition("_")[2] == root]
        odd = own.copy()
        about = [poses[..., middle].mean(axis=-1, keepdims=True) for poses in (own, donor)]
        odd[..., joints] = donor[..., joints] - about[1] + about[0]
        return odd

    return change


def _larger(own: NDArray[np.float32], _donor: NDArray[np.float32], _layout: SkeletonLayout) -> NDArray[np.float32]:
    """Every joint goes further from its mean place."""
    rest = np.nanmean(own, axis=2, keepdims=True)
    return rest + _LARGER * (own - rest)


def _leaning(own: NDArray[np.float32], _donor: NDArray[np.float32], _layout: SkeletonLayout) -> NDArray[np.float32]:
    """The body is tilted."""
    angle = np.radians(_LEAN)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float32)
    return np.einsum("ij,bjtv->bitv", turn, own)


def _back_and_forth(own: NDArray[np.float32], _donor: NDArray[np.float32], _layout: SkeletonLayout) -> NDArray[np.float32]:
    """At twice the pace, there and back."""
    return np.concatenate([own[:, :, ::2], own[:, :, 1::2][:, :, ::-1]], axis=2)


_KINDS: dict[str, Callable[..., NDArray[np.float32]]] = {
    "splice": _spliced,
    "arms": _part_of(_ARMS, "shoulder"),
    "legs": _part_of(_LEGS, "hip"),
    "larger": _larger,
    "lean": _leaning,
    "pace": _back_and_forth,
}

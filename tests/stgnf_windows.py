"""STG-NF's way from a pose file to windows, restated loop by loop from its published rules, in double precision.

Slow on purpose: one dictionary look-up a pose, one list a window, as research code does it. The tests hold vadbench's windows
against it, and the loading benchmark runs it beside vadbench.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COCO_18_ORDER = (0, 17, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""COCO-17 with the neck appended, in OpenPose's order."""


@dataclass(frozen=True)
class ReferenceWindow:
    """One window: whose it is, the frame it starts at, and (2, T, 18) normalised."""

    person: int
    start: int
    x: NDArray[np.float64]


def windows_of(document: Mapping[str, Any], *, length: int, stride: int, missing: int = 2) -> Iterator[ReferenceWindow]:
    """The windows of one pose file, person by person."""
    for person, frames in document.items():
        # The poses stand in the order of their keys as text, the keys themselves in the order of their numbers.
        poses = np.array([with_neck(frames[key]["keypoints"]) for key in sorted(frames)])
        keys = sorted(int(key) for key in frames)
        for i in range(max(math.ceil((len(keys) - length) / stride), 0)):
            first = i * stride
            rows = keys[first : first + length]
            if sum(rows[0] <= key < rows[0] + length for key in rows) >= length - missing:
                yield ReferenceWindow(int(person), rows[0], normalised(poses[first : first + length]))


def with_neck(keypoints: list[float]) -> NDArray[np.float64]:
    """(18, 3) of 51 numbers: the neck is the mean of the shoulders, confidence included."""
    joints = np.array(keypoints, dtype=np.float64).reshape(17, 3)
    return np.concatenate([joints, (joints[5:6] + joints[6:7]) / 2])[list(COCO_18_ORDER)]


def normalised(poses: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, T, 18) of (T, 18, 3): by 856 and 480, minus the mean, both by the standard deviation of y."""
    x, y = poses[..., 0] / 856, poses[..., 1] / 480
    return np.stack([x - x.mean(), y - y.mean()]) / y.std()

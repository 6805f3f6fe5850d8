"""Checked conversions between skeleton layouts.

Only conversions that say where every joint comes from are offered. The neck of COCO-18 is the mean of the shoulders in
coordinates and confidence, as GEPC (arXiv 1912.11850) and STG-NF (arXiv 2211.10946) make it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import LAYOUTS, ConfigError, SkeletonLayout, Tracks, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DERIVED = {"neck": ("left_shoulder", "right_shoulder")}
"""Joints that may be computed as the mean of two others."""


def convert_layout(tracks: Tracks, layout: str) -> Tracks:
    """``tracks`` with its joints in the order of another layout.

    Joints of the same name are taken over, joints that the target lacks are dropped, and a joint that the source
    lacks is computed if a rule for it is known. A computed joint is missing when either of its parents is.

    Raises:
        ConfigError: for an unknown layout, or one with a joint that the source cannot give.
    """
    source, target = tracks.layout, layout_named(layout)
    if source == target:
        return tracks
    columns = [_joint(tracks.keypoints, source, target, joint) for joint in target.joints]
    return replace(tracks, layout=target, keypoints=np.stack(columns, axis=1))


def layout_named(name: str) -> SkeletonLayout:
    """The layout of a name; raises `ConfigError` for an unknown one."""
    if name not in LAYOUTS:
        raise ConfigError(f"no skeleton layout is named {name!r}", remedy=did_you_mean(name, LAYOUTS))
    return LAYOUTS[name]


def _joint(keypoints: NDArray[np.float32], source: SkeletonLayout, target: SkeletonLayout, joint: str) -> NDArray[np.float32]:
    if joint in source.joints:
        return keypoints[:, source.index(joint)]
    parents = _DERIVED.get(joint, ())
    if not parents or not set(parents) <= set(source.joints):
        raise ConfigError(
            f"layout {source.name} has no {joint}, and it cannot be computed from what it has",
            where=f"conversion to {target.name}",
            remedy="choose a layout whose joints the data set has, with windows.layout",
        )
    a, b = (keypoints[:, source.index(parent)] for parent in parents)
    mean = (a + b) / 2
    mean[(a[:, 2] == 0) | (b[:, 2] == 0), 2] = 0
    return np.asarray(mean, dtype=np.float32)

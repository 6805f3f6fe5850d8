"""Checked conversions between skeleton layouts: joints are taken over by name, computed by a rule, or refused.

A joint name means one place of the body in every layout (`vadbench.api.layouts`), so a joint of the same name is taken
over as it is; a neck that the pose estimator found stays that neck. `COMPUTED` lists all that is ever computed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import LAYOUTS, ConfigError, SkeletonLayout, Tracks, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

COMPUTED: Final = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
"""Joints that may be computed as the mean of two others, in coordinates and confidence.

The neck as GEPC (arXiv 1912.11850) and STG-NF (arXiv 2211.10946) make it; the middle of the hips likewise.
"""


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """What becomes of every joint when poses change from one layout to another.

    Args:
        source: The layout the poses have.
        target: The layout they are to have.
        kept: Joints of the target that are taken over, in the target's order.
        computed: Joints of the target that are computed; see `COMPUTED`.
        impossible: Joints of the target that the source neither has nor gives by a rule.
        dropped: Joints of the source that are lost, in the source's order.
    """

    source: SkeletonLayout
    target: SkeletonLayout
    kept: tuple[str, ...]
    computed: tuple[str, ...]
    impossible: tuple[str, ...]
    dropped: tuple[str, ...]


def conversion_plan(source: SkeletonLayout, target: SkeletonLayout) -> ConversionPlan:
    """What a conversion does, before it is done; raises nothing."""
    computed = {joint for joint, parents in COMPUTED.items() if joint not in source.joints and set(parents) <= set(source.joints)}
    return ConversionPlan(
        source=source,
        target=target,
        kept=tuple(joint for joint in target.joints if joint in source.joints),
        computed=tuple(joint for joint in target.joints if joint in computed),
        impossible=tuple(joint for joint in target.joints if joint not in source.joints and joint not in computed),
        dropped=tuple(joint for joint in source.joints if joint not in target.joints),
    )


def convert_layout(tracks: Tracks, layout: str, *, leave_missing: bool = False) -> Tracks:
    """``tracks`` with the joints of another layout, in planar memory.

    Joints of the same name are taken over, joints that the target lacks are dropped, and a joint that the source lacks
    is computed if `COMPUTED` has a rule for it. A computed joint is missing when either of its parents is missing, and
    has confidence 0 when either of them has.

    Args:
        tracks: The poses; left as they are.
        layout: Name of the target layout.
        leave_missing: Leave joints that cannot be had missing in every pose, rather than refuse the conversion.

    Raises:
        ConfigError: for an unknown layout; and, without ``leave_missing``, for one with joints that cannot be had.
    """
    plan = conversion_plan(tracks.layout, layout_named(layout))
    if plan.source == plan.target:
        return tracks
    if plan.impossible and not leave_missing:
        raise ConfigError(
            f"layout {plan.source.name} has no {', '.join(plan.impossible)}, and no rule computes "
            f"{'it' if len(plan.impossible) == 1 else 'them'} from what it has; vadbench does not invent joints",
            where=f"conversion from {plan.source.name} to {plan.target.name}",
            remedy="choose a layout whose joints the data set has, with windows.layout",
        )
    return replace(tracks, layout=plan.target, keypoints=_converted(tracks.planes, plan).transpose(1, 2, 0))


def layout_named(name: str) -> SkeletonLayout:
    """The layout of a name; raises `ConfigError` for an unknown one."""
    if name not in LAYOUTS:
        raise ConfigError(f"no skeleton layout is named {name!r}", remedy=did_you_mean(name, LAYOUTS))
    return LAYOUTS[name]


def _converted(given: NDArray[np.float32], plan: ConversionPlan) -> NDArray[np.float32]:
    """Planes (3, N, J) of the source layout to planes of the target layout."""
    planes = np.empty((3, given.shape[1], len(plan.target)), dtype=np.float32)
    if plan.kept:
        # All columns in one gather is several times faster than column by column, and "clip" saves NumPy a buffer.
        # Columns that are not taken over get any joint here and their own below.
        columns = [plan.source.index(joint) if joint in plan.kept else 0 for joint in plan.target.joints]
        np.take(given, columns, axis=2, out=planes, mode="clip")
    for joint in plan.computed:
        a, b = (given[:, :, plan.source.index(parent)] for parent in COMPUTED[joint])
        mean = (a + b) * np.float32(0.5)
        mean[2, (a[2] == 0) | (b[2] == 0)] = 0
        planes[:, :, plan.target.index(joint)] = mean
    absent = [plan.target.index(joint) for joint in plan.impossible]
    planes[:2, :, absent] = np.nan
    planes[2, :, absent] = 0
    return planes

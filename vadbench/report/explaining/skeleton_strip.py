"""Skeletons side by side: how a stretch of poses is drawn in every picture.

Each pose is moved so that its joints are centred on its place in the strip: how a person moves across the picture is not shown,
how the body moves is. Up and down is kept, and all poses of a strip have one scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from vadbench.report.figure_style import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from vadbench.api import SkeletonLayout
    from vadbench.engine.explaining.explanation import Poses

LEFT: Final = COLOURS[0]
RIGHT: Final = COLOURS[1]
MIDDLE: Final = "#4D4D4D"
"""Colours of the limbs of the left side, of the right side, and of what has no side."""
MOST_SD: Final = 10.0
"""Where the scale of joints ends at most, in standard deviations."""
SURPRISE_COLOURS: Final = "YlOrRd"
"""From light to dark, which every reader can tell apart."""


@dataclass(frozen=True, slots=True)
class JointColours:
    """Colours of joints by a number.

    Args:
        values: (F, J), one for each joint of each pose.
        highest: What has the darkest colour; 0 and below have the lightest.
    """

    values: NDArray[np.float64]
    highest: float


def draw_strip(
    axes: Axes,
    layout: SkeletonLayout,
    poses: Poses,
    *,
    every: int = 1,
    left: float = 0.0,
    joints: JointColours | None = None,
    line_width: float = 1.6,
) -> float:
    """Draws poses from left to right, each about 1 high; joints that are not seen are left out, with their limbs.

    Args:
        axes: Where; `frame_strips` gives them their limits when all is drawn.
        layout: Of the poses.
        poses: In order of time.
        every: Draws each n-th.
        left: Where the strip begins.
        joints: Colours the joints.
        line_width: Of a limb, points.

    Returns:
        Where the strip ends.
    """
    rows = np.arange(0, len(poses.frames), every)
    xy, seen = placed(poses, rows)
    spacing = max(0.62, 1.12 * float(np.nanmax(np.ptp(xy[0], axis=1), initial=0.0)))
    for i, row in enumerate(rows.tolist()):
        middle = left + (i + 0.5) * spacing
        draw_pose(axes, layout, xy[:, i] + np.array([[middle], [0.0]]), seen[i], line_width=line_width, faint=joints is not None)
        if joints is not None:
            shown = seen[i]
            axes.scatter(
                xy[0, i][shown] + middle,
                xy[1, i][shown],
                c=joints.values[row][shown],
                cmap=SURPRISE_COLOURS,
                norm=Normalize(0, joints.highest),
                s=13,
                linewidths=0.35,
                edgecolors="black",
                zorder=3,
            )
    return left + len(rows) * spacing


def draw_pose(
    axes: Axes,
    layout: SkeletonLayout,
    xy: NDArray[np.floating],
    seen: NDArray[np.bool_],
    *,
    line_width: float = 1.6,
    faint: bool = False,
) -> None:
    """One pose (2, J), y upwards, in the coordinates of the axes."""
    edges = [(a, b) for a, b in layout.edge_indices if seen[a] and seen[b]]
    colours = limb_colours(layout)
    by_edge = dict(zip(layout.edge_indices, colours, strict=True))
    axes.add_collection(
        LineCollection(
            [np.stack([xy[:, a], xy[:, b]]) for a, b in edges],
            colors=[by_edge[edge] for edge in edges],
            linewidths=line_width,
            alpha=0.55 if faint else 1.0,
            capstyle="round",
            zorder=2,
        )
    )


def limb_colours(layout: SkeletonLayout) -> list[str]:
    """The colour of each edge: that of its side, if none of its joints is of the other side."""
    lefts = {layout.index(pair[0]) for pair in layout.pairs}
    rights = {layout.index(pair[1]) for pair in layout.pairs}
    found = []
    for edge in layout.edge_indices:
        on_left, on_right = bool(lefts & set(edge)), bool(rights & set(edge))
        found.append(MIDDLE if on_left == on_right else LEFT if on_left else RIGHT)
    return found


def placed(poses: Poses, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Poses (2, n, J) with y upwards, each centred on 0 from left to right, 1 high in all or 1 wide at most; and (n, J) seen."""
    seen = poses.seen[rows]
    # Of a pose without any joint nothing is drawn; it must not disturb the others.
    xy = np.where(seen, poses.xy[:, rows].astype(np.float64), np.nan)
    empty = ~seen.any(axis=1)
    xy[:, empty] = 0.0
    low, high = np.nanmin(xy, axis=2), np.nanmax(xy, axis=2)
    rise = float(high[1].max() - low[1].min()) if len(rows) else 0.0
    size = max(float((high[0] - low[0]).max(initial=0.0)), rise, 1e-6)
    centre_x = (low[0] + high[0]) / 2
    centre_y = (
        float((low[1].min(initial=0.0 if not len(rows) else np.inf) + high[1].max(initial=-np.inf)) / 2) if len(rows) else 0.0
    )
    shown = np.stack([(xy[0] - centre_x[:, None]) / size, -(xy[1] - centre_y) / size])
    return np.nan_to_num(shown), seen


def frame_strips(axes: Axes, right: float, *, height: float = 1.3) -> None:
    """Gives axes with strips their limits, one scale for both directions, and no frame."""
    axes.set(xlim=(0, max(right, 0.1)), ylim=(-height / 2, height / 2))
    axes.set_aspect("equal", anchor="W")
    axes.set_axis_off()


def side_legend(figure: Figure, note: str) -> None:
    """At the foot of a figure, a note and below it what the colours of limbs mean."""
    names = {"left side": LEFT, "right side": RIGHT, "middle": MIDDLE}
    marks = [Line2D([], [], color=colour, linewidth=2.5, label=name) for name, colour in names.items()]
    figure.legend(handles=marks, loc="outside lower center", ncols=3, fontsize=9, title=note, title_fontsize=9)

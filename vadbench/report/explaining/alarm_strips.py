"""Skeleton strips of alarms, each beside the training window that lies nearest to it; and of one frame, with its primitives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vadbench.engine.explaining.explanation import poses_of
from vadbench.report.explaining.skeleton_strip import (
    MOST_SD,
    SURPRISE_COLOURS,
    JointColours,
    draw_strip,
    frame_strips,
    side_legend,
)
from vadbench.report.figure_style import as_text, figure_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vadbench.engine.explaining.clip import Alarm
    from vadbench.engine.explaining.codebook import Example, Primitive
    from vadbench.engine.explaining.explanation import Explained

_POSES: Final = 9
"""Poses of a window that are drawn, at most."""
_ROW_INCHES: Final = 1.45
_HEAD_INCHES: Final = 1.5


def draw_alarms(run: Explained, alarms: Sequence[Alarm], nearest: Sequence[Example], title: str) -> Figure:
    """A row for each alarm: what it is, its window, and the nearest training window.

    Args:
        run: The run.
        alarms: At least one.
        nearest: As many.
        title: Of the picture.
    """
    windows = run.test.select(np.array([alarm.window for alarm in alarms]))
    odd = run.surprises(windows).odd
    highest = _highest(odd)
    with figure_style():
        figure = Figure(figsize=(14, _HEAD_INCHES + _ROW_INCHES * len(alarms)), layout="constrained")
        grid = figure.subplots(len(alarms), 3, squeeze=False, width_ratios=[2.5, 6, 6])
        for row, (alarm, example) in enumerate(zip(alarms, nearest, strict=True)):
            _describe(grid[row, 0], f"{row + 1}", alarm)
            joints = None if odd is None else JointColours(odd[row], highest)
            right = draw_strip(
                grid[row, 1], windows.tracks.layout, poses_of(windows, row), every=_step(windows.rule.length), joints=joints
            )
            frame_strips(grid[row, 1], right)
            right = draw_strip(grid[row, 2], windows.tracks.layout, example.poses, every=_step(windows.rule.length))
            frame_strips(grid[row, 2], right)
            grid[row, 2].set_title(
                f"training clip {example.clip}, person {example.person}, frames {example.first} to {example.last}; "
                f"distance {example.distance:.2f}",
                fontsize=8.5,
            )
            grid[row, 1].set_title(f"frames {alarm.first} to {alarm.last}", fontsize=8.5)
        _add_scale(figure, grid, highest if odd is not None else None)
        figure.suptitle(as_text(title, 130), x=0.01, ha="left")
        side_legend(
            figure,
            f"Left: the window that raised the alarm. Right: the training window nearest to it. One of "
            f"{_step(windows.rule.length)} frames is drawn; motion across the picture is taken out.",
        )
    return figure


def draw_frame(run: Explained, alarm: Alarm, frame: int, nearest: Sequence[tuple[Primitive, float]], title: str) -> Figure:
    """The window of one alarm around a frame, pose by pose, and the primitives nearest to the token that covers the frame.

    Args:
        run: The run.
        alarm: Of the most alarming person.
        frame: The frame.
        nearest: Primitives and their distances; may be empty.
        title: Of the picture.
    """
    windows = run.test.select(np.array([alarm.window]))
    odd = run.surprises(windows).odd
    highest, layout, length = _highest(odd), windows.tracks.layout, windows.rule.length
    rows = [slice(begin, min(begin + 12, length)) for begin in range(0, length, 12)]
    with figure_style():
        heights = [1.45] * len(rows) + ([1.5] if nearest else [])
        figure = Figure(figsize=(13, 2.1 + sum(heights)), layout="constrained")
        parts: Any = figure.subfigures(2 if nearest else 1, 1, height_ratios=[len(rows), 1.1] if nearest else None)
        upper, lower = parts if nearest else (parts, None)
        axes = upper.subplots(len(rows), 1, squeeze=False)
        for at, part in enumerate(rows):
            poses = poses_of(windows, 0, part)
            joints = None if odd is None else JointColours(odd[0][part], highest)
            right = draw_strip(axes[at, 0], layout, poses, joints=joints, line_width=2.0)
            frame_strips(axes[at, 0], right, height=1.45)
            spacing = right / len(poses.frames)
            for i, each in enumerate(poses.frames.tolist()):
                mark = each == frame
                axes[at, 0].text(
                    (i + 0.5) * spacing,
                    -0.72,
                    str(each),
                    ha="center",
                    va="bottom",
                    fontsize=8.5,
                    weight="bold" if mark else "normal",
                    bbox={"facecolor": "none", "edgecolor": "black", "pad": 1.5} if mark else None,
                )
        axes[0, 0].set_title(as_text(_in_words(alarm), 140), fontsize=10)
        if lower is not None:
            for panel, (primitive, distance) in zip(lower.subplots(1, len(nearest), squeeze=False)[0], nearest, strict=True):
                frame_strips(panel, draw_strip(panel, layout, primitive.decoded))
                panel.set_title(
                    f"primitive {primitive.code}: distance {distance:.2f}, {100 * primitive.share:.1f} % of training", fontsize=9
                )
            lower.suptitle(f"Primitives that decode nearest to the poses around frame {frame}", fontsize=10, x=0.01, ha="left")
        _add_scale(upper, axes, highest if odd is not None else None)
        figure.suptitle(as_text(title, 120), x=0.01, ha="left")
        side_legend(figure, "Motion across the picture is taken out.")
    return figure


def _describe(axes: Axes, name: str, alarm: Alarm) -> None:
    axes.set_axis_off()
    level = "" if alarm.level is None else f"\nraised by {alarm.level} ({alarm.standardised[alarm.level]:+.1f} sd)"
    codes = f"\ncodes {' '.join(str(token.code) for token in alarm.tokens)}" if alarm.tokens else ""
    text = f"person {alarm.person}, frame {alarm.frame}\nscore {alarm.score:.2f}{level}{codes}"
    axes.text(0, 0.95, f"{name}. {as_text(alarm.clip, 30)}", fontsize=10, weight="bold", va="top", transform=axes.transAxes)
    axes.text(0, 0.74, text, fontsize=9, va="top", linespacing=1.35, transform=axes.transAxes)


def _in_words(alarm: Alarm) -> str:
    level = "" if alarm.level is None else f", raised by {alarm.level}"
    codes = f"; codes {' '.join(str(token.code) for token in alarm.tokens)}" if alarm.tokens else ""
    return f"Person {alarm.person}, window of frames {alarm.first} to {alarm.last}: score {alarm.score:.2f}{level}{codes}"


def _step(length: int) -> int:
    return -(-length // _POSES)


def _highest(odd: NDArray[np.float64] | None) -> float:
    """Where the scale of joints ends: a few joints beyond it do not make all others look alike."""
    if odd is None or not odd.size:
        return 1.0
    # Bounded, or the joints of somebody who lies on the ground would leave no colour for those of anybody else.
    return min(max(float(np.percentile(odd, 98)), 1e-3), MOST_SD)


def _add_scale(figure: Any, grid: Any, highest: float | None) -> None:
    """The scale of the joints' colours, where there is one."""
    if highest is None:
        return
    scale = ScalarMappable(Normalize(0, highest), SURPRISE_COLOURS)
    bar = figure.colorbar(scale, ax=grid, shrink=0.6, aspect=40, fraction=0.03, pad=0.01, extend="max", panchor=False)
    bar.set_label("surprise of the joint,\nsd from its mean in training", fontsize=9)

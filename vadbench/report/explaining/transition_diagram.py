"""Which primitive follows which: the most used ones on a circle, arrows where one often goes over into another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path

from vadbench.report.explaining.skeleton_strip import draw_pose, placed, side_legend
from vadbench.report.figure_style import COLOURS, as_text, figure_style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vadbench.api import SkeletonLayout
    from vadbench.engine.explaining.codebook import Codebook, Primitive

THRESHOLD: Final = 0.08
"""Transitions that are at least as probable are drawn."""
_NODES: Final = 16
_SMALLEST, _LARGEST = 0.08, 0.12
"""Radius of a node, where the circle has radius 1."""


def draw_transitions(book: Codebook, layout: SkeletonLayout, title: str) -> Figure:
    """The most used primitives, 16 at most: a node is as large as its usage, an arrow as wide as the transition is probable.

    Probabilities are shares of all that follows a primitive in training tracks, primitives that are not drawn included.
    """
    shown = book.primitives[:_NODES]
    table = book.probabilities([primitive.code for primitive in shown])
    between = table.copy()
    np.fill_diagonal(between, 0)
    order = circular_order(between)
    with figure_style():
        figure = Figure(figsize=(10.5, 11.3), layout="constrained")
        axes = figure.subplots()
        axes.set(xlim=(-1.36, 1.36), ylim=(-1.33, 1.33))
        axes.set_aspect("equal")
        axes.set_axis_off()
        angle = np.empty(len(shown))
        angle[order] = np.pi / 2 - 2 * np.pi * np.arange(len(shown)) / max(len(shown), 1)
        centre = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        most = max([primitive.share for primitive in shown], default=1.0)
        radius = [_SMALLEST + (_LARGEST - _SMALLEST) * primitive.share / most for primitive in shown]
        for a, b in zip(*np.nonzero(between >= THRESHOLD), strict=True):
            _arrow(axes, centre[[a, b]], (radius[a], radius[b]), float(between[a, b]))
        for i, primitive in enumerate(shown):
            axes.add_patch(Circle(tuple(centre[i]), radius[i], facecolor="white", edgecolor="black", linewidth=1.2, zorder=4))
            xy, seen = placed(primitive.decoded, np.arange(len(primitive.decoded.frames)))
            middle = len(primitive.decoded.frames) // 2
            pose = 1.45 * radius[i] * xy[:, middle] + centre[i][:, None]
            draw_pose_above(axes, layout, pose, seen[middle])
            _name(axes, primitive, centre[i], radius[i], float(table[i, i]))
        figure.suptitle(as_text(title, 90), x=0.01, ha="left")
        side_legend(
            figure,
            f"The {len(shown)} most used primitives, each with its share of the training tokens. Arrows: at least "
            f"{100 * THRESHOLD:.0f} % of what\nfollows a primitive; the number in percent. 'stays': followed by itself.",
        )
    return figure


def circular_order(between: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) nodes in an order round a circle in which strong transitions are near; by moves until none helps.

    Args:
        between: (n, n), 0 on the diagonal.
    """
    n = len(between)
    weight = between + between.T
    order = np.arange(n, dtype=np.int64)
    step = np.abs(np.arange(n)[:, None] - np.arange(n))
    away = np.minimum(step, n - step)

    def cost(tried: NDArray[np.int64]) -> float:
        return float((weight[np.ix_(tried, tried)] * away).sum())

    best, better = cost(order), True
    while better:
        better = False
        for i in range(n):
            for j in range(i + 1, n):
                for tried in _moves(order, i, j):
                    if (found := cost(tried)) < best - 1e-12:
                        order, best, better = tried, found, True
    return order


def _moves(order: NDArray[np.int64], i: int, j: int) -> Iterator[NDArray[np.int64]]:
    """The order with places i < j exchanged, what lies between turned round, and what stands at each put to the other."""
    exchanged, turned = order.copy(), order.copy()
    exchanged[[i, j]] = order[[j, i]]
    turned[i : j + 1] = order[i : j + 1][::-1]
    yield exchanged
    yield turned
    for by in (-1, 1):
        moved = order.copy()
        moved[i : j + 1] = np.roll(order[i : j + 1], by)
        yield moved


def draw_pose_above(axes: Axes, layout: SkeletonLayout, xy: NDArray[np.float64], seen: NDArray[np.bool_]) -> None:
    """A pose above the node that it stands in."""
    before = len(axes.collections)
    draw_pose(axes, layout, xy, seen, line_width=1.3)
    for collection in list(axes.collections)[before:]:
        collection.set_zorder(5)


def _name(axes: Axes, primitive: Primitive, centre: NDArray[np.float64], radius: float, stays: float) -> None:
    """Beside a node, on the outside: its code, usage, and how often it follows itself."""
    x, y = centre * (1 + radius + 0.05)
    axes.text(
        x,
        y,
        f"{primitive.code}\n{100 * primitive.share:.1f} %\nstays {100 * stays:.0f} %",
        ha="left" if centre[0] > 0.3 else "right" if centre[0] < -0.3 else "center",
        va="bottom" if centre[1] > 0.85 else "top" if centre[1] < -0.85 else "center",
        fontsize=8.5,
        linespacing=1.15,
        zorder=6,
    )


def _arrow(axes: Axes, nodes: NDArray[np.float64], radii: tuple[float, float], share: float) -> None:
    """An arrow from ``nodes[0]`` to ``nodes[1]``, bent inwards, one of two directions more than the other, with its percent."""
    start, end = nodes
    way = end - start
    length = float(np.hypot(*way))
    side = np.array([way[1], -way[0]]) / length
    clockwise = start[0] * end[1] - start[1] * end[0] < 0
    bend = (0.14 if clockwise else 0.36) * (-1 if side @ (start + end) > 0 else 1)
    control = (start + end) / 2 + side * bend * length
    a = start + (control - start) / np.hypot(*(control - start)) * (radii[0] + 0.01)
    b = end + (control - end) / np.hypot(*(control - end)) * (radii[1] + 0.015)
    curve = Path([tuple(a), tuple(control), tuple(b)], [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    axes.add_patch(
        FancyArrowPatch(
            path=curve,
            arrowstyle="-|>",
            mutation_scale=9 + 14 * share,
            linewidth=0.8 + 7 * share,
            color=COLOURS[0],
            alpha=min(0.35 + share, 0.9),
            shrinkA=0,
            shrinkB=0,
            zorder=2,
        )
    )
    x, y = (a + b) / 4 + control / 2
    axes.text(
        x,
        y,
        f"{100 * share:.0f}",
        fontsize=7.5,
        ha="center",
        va="center",
        zorder=3,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )

"""A gallery of the codebook: each primitive as it is decoded, how often it is used, and where it occurs in training."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.figure import Figure

from vadbench.api import UsageError
from vadbench.engine.explaining.codebook import EXAMPLES
from vadbench.report.explaining.skeleton_strip import draw_pose, draw_strip, frame_strips, placed, side_legend
from vadbench.report.figure_style import FAINT, as_text, figure_style

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from vadbench.api import SkeletonLayout
    from vadbench.engine.explaining.codebook import Codebook, Primitive

_COLUMNS: Final = 3
_ANIMATED_COLUMNS: Final = 6
_POSES: Final = 5
"""Poses of a primitive that are drawn side by side, at most."""
_PER_SECOND: Final = 4
_PAUSE: Final = 2
"""Times that an animation stands still at its end, so that one sees where it begins again."""


def draw_codebook(book: Codebook, layout: SkeletonLayout, title: str) -> Figure:
    """The primitives, in columns, the most used first."""
    shown = book.primitives
    rows = max(-(-len(shown) // _COLUMNS), 1)
    with figure_style():
        figure = Figure(figsize=(15, 1.9 + 0.98 * rows), layout="constrained")
        grid = figure.subplots(rows, _COLUMNS, squeeze=False)
        width = max([_strips(grid.T.flat[i], layout, primitive) for i, primitive in enumerate(shown)], default=1.0)
        for i, axes in enumerate(grid.T.flat):
            if i >= len(shown):
                axes.set_axis_off()
                continue
            frame_strips(axes, width, height=1.2)
            axes.set_title(_caption(shown[i]), fontsize=9, pad=2)
        figure.suptitle(as_text(f"{title}\n{in_words(book)}", 130), x=0.01, ha="left")
        side_legend(
            figure,
            f"Each row: the primitive as it is decoded; then the {EXAMPLES} real training stretches of this code that lie "
            "nearest to it (clip/person @ frame).\nMotion across the picture is taken out.",
        )
    return figure


def animate_codebook(book: Codebook, layout: SkeletonLayout, path: Path) -> None:
    """Writes an animated GIF of the primitives as they are decoded; whole or not at all.

    Raises:
        UsageError: where it cannot be written.
    """
    shown = book.primitives
    frames = max((len(primitive.decoded.frames) for primitive in shown), default=0)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial.gif")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_frames(shown, frames, layout, partial)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"the animation cannot be written: {error.strerror or error}", where=path, remedy="give another path"
        ) from error


def in_words(book: Codebook) -> str:
    """How the codebook is used."""
    return (
        f"{book.used} of {book.size} codes occur in {book.windows:,} training windows; perplexity {book.perplexity:.1f}"
        f" ({100 * book.perplexity / book.size:.0f} % of the size)"
    )


def _write_frames(shown: tuple[Primitive, ...], frames: int, layout: SkeletonLayout, path: Path) -> None:
    rows = max(-(-len(shown) // _ANIMATED_COLUMNS), 1)
    with figure_style():
        figure = Figure(figsize=(1.45 * _ANIMATED_COLUMNS, 1.75 * rows), layout="constrained")
        grid = figure.subplots(rows, _ANIMATED_COLUMNS, squeeze=False)
        writer = PillowWriter(fps=_PER_SECOND)
        writer.setup(figure, path, dpi=72)
        for frame in [*range(frames), *[frames - 1] * _PAUSE]:
            for i, axes in enumerate(grid.flat):
                axes.clear()
                axes.set_axis_off()
                if i < len(shown):
                    _draw_moment(axes, shown[i], frame, layout)
            writer.grab_frame()
        writer.finish()


def _draw_moment(axes: Axes, primitive: Primitive, frame: int, layout: SkeletonLayout) -> None:
    xy, seen = placed(primitive.decoded, np.arange(len(primitive.decoded.frames)))
    at = min(frame, xy.shape[1] - 1)
    draw_pose(axes, layout, xy[:, at], seen[at], line_width=2.2)
    axes.set(xlim=(-0.6, 0.6), ylim=(-0.6, 0.6))
    axes.set_aspect("equal")
    axes.set_title(f"{primitive.code}  ({100 * primitive.share:.1f} %)", fontsize=9, loc="center", pad=2)


def _strips(axes: Axes, layout: SkeletonLayout, primitive: Primitive) -> float:
    """The decoded strip, then the examples, each after a line; where it ends."""
    every = -(-len(primitive.decoded.frames) // _POSES)
    right = draw_strip(axes, layout, primitive.decoded, every=every, line_width=2.0)
    for example in primitive.examples:
        line: dict[str, Any] = {"color": FAINT, "linewidth": 0.8, "linestyle": ":"}
        axes.plot([right + 0.2] * 2, [-0.5, 0.5], **line)
        right = draw_strip(axes, layout, example.poses, every=every, left=right + 0.4, line_width=1.1)
    return right


def _caption(primitive: Primitive) -> str:
    of = ", ".join(f"{each.clip}/{each.person} @ {each.first}" for each in primitive.examples)
    return f"{primitive.code}: {100 * primitive.share:.1f} %, {primitive.usage:,} tokens{f'; {of}' if of else ''}"

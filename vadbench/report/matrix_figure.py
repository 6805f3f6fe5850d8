"""The matrix method x protocol as a heat map: a panel for each data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from vadbench.report.figure_style import as_text, figure_style
from vadbench.report.score_table import UNPUBLISHED, matrix_cell, matrix_heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from vadbench.report.protocol_matrix import Matrix

_CELL: Final = (1.25, 0.62)
"""Inches a cell is wide and high."""
_COLOURS: Final = "cividis"
"""Even in lightness, and the same to colour-blind readers."""
_LETTERS: Final = 24


def draw_matrix(matrices: Sequence[Matrix]) -> Figure:
    """Cells say AUROC and rank. Colours run from the lowest to the highest AUROC of each column: they show how methods compare.

    How protocols compare stands in the figures alone, which cannot be read as better or worse.
    """
    columns = max(len(matrix.columns) for matrix in matrices)
    heights = [1.5 + _CELL[1] * len(matrix.labels) for matrix in matrices]
    with figure_style():
        figure = Figure(figsize=(2.9 + _CELL[0] * max(columns, 4), 1.3 + sum(heights)), layout="constrained")
        panels = figure.subplots(len(matrices), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, matrix in zip(panels, matrices, strict=True):
            _draw(axes, matrix)
        figure.suptitle("Methods under each protocol: AUROC in percent, rank in brackets", x=0.01, ha="left")
        figure.supxlabel(
            as_text(
                "Colour: from the lowest (dark) to the highest AUROC of the column. "
                + (f"{UNPUBLISHED} values of another data set." if _any_unpublished(matrices) else ""),
                110,
            ),
            fontsize=10,
        )
    return figure


def _draw(axes: Axes, matrix: Matrix) -> None:
    figures = np.array([[np.nan if each.mean is None else each.mean for each in line] for line in matrix.aurocs])
    shares = np.full(figures.shape, np.nan)
    for j, column in enumerate(figures.T):
        known = column[~np.isnan(column)]
        if len(known):
            # A column of equals has the middle of the scale: none of them is low or high.
            shares[:, j] = Normalize()(column) if known.max() > known.min() else np.where(np.isnan(column), np.nan, 0.5)
    colours = colormaps[_COLOURS].with_extremes(bad="#E6E6E6")
    axes.pcolormesh(np.ma.masked_invalid(shares), cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=2)
    axes.invert_yaxis()
    for i in range(len(matrix.labels)):
        for j in range(len(matrix.columns)):
            dark = not np.isnan(shares[i, j]) and _lightness(colours(shares[i, j])) < 0.5
            text = matrix_cell(matrix, i, j, apart="\n")
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", color="white" if dark else "black", fontsize=10)
    names = [column.protocol.name + UNPUBLISHED * (not column.published) for column in matrix.columns]
    taus = ["" if column.tau is None else f"\ntau {column.tau:.2f}" for column in matrix.columns]
    axes.set_xticks(np.arange(len(names)) + 0.5, [as_text(a, 14) + b for a, b in zip(names, taus, strict=True)])
    axes.set_yticks(np.arange(len(matrix.labels)) + 0.5, [as_text(label, _LETTERS) for label in matrix.labels])
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(as_text(matrix_heading(matrix), 100), pad=10)


def _lightness(colour: tuple[float, float, float, float]) -> float:
    red, green, blue, _ = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _any_unpublished(matrices: Sequence[Matrix]) -> bool:
    return any(not column.published for matrix in matrices for column in matrix.columns)

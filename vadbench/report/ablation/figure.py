"""The one-at-a-time ablation as pictures: differences from the base, sorted, and sweeps as curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure

from vadbench.report.ablation.table import ends
from vadbench.report.figure_style import COLOURS, FAINT, as_text, figure_style
from vadbench.report.formatting import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from vadbench.engine.ablation.grid import Grid, Sweep
    from vadbench.report.ablation.rows import AblationRow, AblationTable

CAUTION: Final = "Test labels made these figures: a variant or a weight that is chosen by them is no result on these data."
_ROW: Final = 0.34
"""Inches a variant is high."""


def draw_forest(tables: Sequence[AblationTable], grid: Grid) -> Figure | None:
    """A panel a data set: differences from the base with intervals over clips, from the highest to the lowest.

    What `draw_sweeps` shows as a curve is left out. None where there is no difference to draw.
    """
    drawn = [(table, _sorted(table, grid)) for table in tables]
    drawn = [(table, rows) for table, rows in drawn if rows]
    if not drawn:
        return None
    heights = [0.9 + _ROW * len(rows) for _, rows in drawn]
    with figure_style():
        figure = Figure(figsize=(9.2, 1.5 + sum(heights)), layout="constrained")
        panels = figure.subplots(len(drawn), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (table, rows) in zip(panels, drawn, strict=True):
            _draw_forest(axes, table, rows)
        figure.suptitle(f"Differences of AUROC from {drawn[0][0].base}, in points", x=0.01, ha="left")
        figure.supxlabel(
            as_text(
                "Thick: 95 % interval over clips. Thin: standard deviation over seeds. (read): from stored runs, with nothing "
                f"trained. {CAUTION}",
                125,
            ),
            fontsize=9,
        )
    return figure


def draw_sweeps(tables: Sequence[AblationTable], grid: Grid) -> Figure | None:
    """A panel a sweep, a curve a data set: AUROC with its interval over clips. None where no sweep has two points."""
    panels = [(sweep, drawn) for sweep in grid.sweep if (drawn := [t for t in tables if len(_points(sweep, t)) > 1])]
    if not panels:
        return None
    with figure_style():
        figure = Figure(figsize=(8.2, 1.0 + 3.3 * len(panels)), layout="constrained")
        for axes, (sweep, drawn) in zip(figure.subplots(len(panels), 1, squeeze=False)[:, 0], panels, strict=True):
            _draw_sweep(axes, sweep, drawn)
        figure.suptitle(f"{tables[0].method}: AUROC in percent over one setting", x=0.01, ha="left")
        figure.supxlabel(
            as_text(f"Bars: 95 % interval over clips; all points of a curve are of the same clips. {CAUTION}", 105), fontsize=9
        )
    return figure


def _sorted(table: AblationTable, grid: Grid) -> list[AblationRow]:
    in_curve = {row.variant for sweep in grid.sweep if len(points := _points(sweep, table)) > 1 for _, row in points}
    rows = [row for row in table.rows if row.difference is not None and not row.same_as and row.variant not in in_curve]
    return sorted(rows, key=lambda row: -(row.difference or 0.0))


def _draw_forest(axes: Axes, table: AblationTable, rows: Sequence[AblationRow]) -> None:
    axes.axvline(0, color=FAINT, linewidth=1)
    for y, row in enumerate(rows):
        difference = 100 * (row.difference or 0.0)
        found = None if row.difference_interval is None else ends(row.difference_interval)
        if row.difference_sd is not None:
            spread = 100 * row.difference_sd
            axes.plot([difference - spread, difference + spread], [y + 0.22, y + 0.22], color=COLOURS[1], linewidth=1.2)
        if found is not None:
            axes.plot([100 * found[0], 100 * found[1]], [y, y], color=COLOURS[0], linewidth=3, solid_capstyle="butt", alpha=0.55)
        axes.plot(difference, y, marker="o", color=COLOURS[0], markersize=5.5)
        axes.annotate(
            f"{difference:+.1f}",
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    names = [f"{row.variant} (read)" if row.source else row.variant for row in rows]
    axes.set_yticks(range(len(rows)), [as_text(name, 40) for name in names])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    base = table.row(table.base)
    level = "" if base is None or base.auroc.mean is None else f": {table.base} {100 * base.auroc.mean:.1f}"
    axes.set_title(as_text(f"{table.method} on {table.dataset}, {table.protocol}{level}" + _stand_in(table), 95))


def _points(sweep: Sweep, table: AblationTable) -> list[tuple[float, AblationRow]]:
    found = [(point.x, table.row(point.variant)) for point in sweep.at]
    return sorted(((x, row) for x, row in found if row is not None and row.auroc.mean is not None), key=lambda each: each[0])


def _draw_sweep(axes: Axes, sweep: Sweep, tables: Sequence[AblationTable]) -> None:
    for i, table in enumerate(tables):
        points, colour = _points(sweep, table), COLOURS[i % len(COLOURS)]
        x, mean = [x for x, _ in points], [100 * (row.auroc.mean or 0.0) for _, row in points]
        axes.plot(x, mean, marker="o", color=colour, label=as_text(table.dataset + _stand_in(table), 60))
        for at, row in points:
            if (found := ends(row.interval)) is not None:
                axes.plot([at, at], [100 * found[0], 100 * found[1]], color=colour, linewidth=1.4, alpha=0.5)
    if sweep.log:
        axes.set_xscale("log")
        axes.minorticks_off()
    ticks = sorted({point.x for point in sweep.at})
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel(as_text(sweep.axis, 90))
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(sweep.name)
    axes.legend(loc="best")


def _stand_in(table: AblationTable) -> str:
    return f" ({STAND_IN})" if table.stand_in else ""

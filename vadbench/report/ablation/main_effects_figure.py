"""Main effects of a factorial as a picture: a panel a factor, a column a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from matplotlib.figure import Figure

from vadbench.report.ablation.figure import CAUTION
from vadbench.report.ablation.table import ends
from vadbench.report.figure_style import COLOURS, FAINT, as_text, figure_style
from vadbench.report.formatting import STAND_IN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from vadbench.report.ablation.main_effects import Level, MainEffects

_ROW: Final = 0.55
"""Inches a level is high."""


def draw_main_effects(effects: Sequence[MainEffects]) -> Figure:
    """Of each level the mean AUROC over all runs with it, its intervals, and, faint, the AUROC of each single run.

    The thin line is the interval of the mean: it is as wide as the test clips are few, for all levels alike. The thick one is
    that of the difference from the mean over all runs, drawn about the level's mean: whether it crosses the dotted line says
    whether these clips tell the level from the average one.
    """
    slots = list(effects[0].factors)
    heights = [0.5 + _ROW * max(len(each.factors.get(slot, ())) for each in effects) for slot in slots]
    with figure_style():
        figure = Figure(figsize=(2.0 + 5.6 * len(effects), 1.8 + sum(heights)), layout="constrained")
        panels = figure.subplots(len(slots), len(effects), squeeze=False, sharex="col", height_ratios=heights)
        for column, each in enumerate(effects):
            for row, slot in enumerate(slots):
                axes = panels[row, column]
                _draw_factor(axes, each, each.factors.get(slot, ()))
                axes.set_title(slot if row else as_text(f"{_title(each)}\n{slot}", 75))
            panels[-1, column].set_xlabel("AUROC in percent")
        figure.suptitle("Main effects: mean AUROC of each level over all levels of the other parts", x=0.01, ha="left")
        figure.supxlabel(
            as_text(
                "Dotted: mean of all runs. Thick: 95 % interval of the difference from it; thin: of the mean itself, both over "
                f"clips. Faint dots: single runs. {CAUTION}",
                60 + 55 * len(effects),
            ),
            fontsize=9,
        )
    return figure


def _title(effects: MainEffects) -> str:
    runs = f"{effects.dataset}, {effects.protocol}, {effects.runs} runs" + ("" if effects.balanced else ", not balanced")
    return f"{runs} ({STAND_IN})" if effects.stand_in else runs


def _draw_factor(axes: Axes, effects: MainEffects, levels: Sequence[Level]) -> None:
    axes.axvline(100 * effects.mean, color=FAINT, linestyle=":", linewidth=1.2)
    for y, level in enumerate(levels):
        mean = 100 * level.mean
        # Spread by their order within the row, so that equal runs do not hide one another, and the picture is always the same.
        offsets = [0.18 + 0.16 * (i % 3) / 2 for i in range(len(level.single))]
        axes.plot(
            [100 * each for each in level.single], [y + each for each in offsets], ".", color=FAINT, alpha=0.35, markersize=4
        )
        if (found := ends(level.interval)) is not None:
            axes.plot([100 * found[0], 100 * found[1]], [y, y], color=COLOURS[0], linewidth=1)
        if (found := ends(level.effect_interval)) is not None:
            axes.plot(
                [100 * (effects.mean + end) for end in found],
                [y, y],
                color=COLOURS[0],
                linewidth=4.5,
                solid_capstyle="butt",
                alpha=0.6,
            )
        axes.plot(mean, y, marker="o", color=COLOURS[0], markersize=6)
        axes.annotate(f"{mean:.1f}", (mean, y), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=9)
    axes.set_yticks(range(len(levels)), [as_text(level.name, 24) for level in levels])
    axes.set_ylim(len(levels) - 0.4, -0.65)
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)

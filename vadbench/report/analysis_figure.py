"""One picture of an analysis: bounds, pairs, steps, scenes, and the stretches that cost the most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import rankdata

from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import FrameScores, frame_scores
from vadbench.report.figure_style import ABNORMAL, COLOURS, FAINT, UNSCORED, as_text, figure_style, figure_title, run_label
from vadbench.report.formatting import NOT_AVAILABLE, percent
from vadbench.report.recompute import run_pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels
    from vadbench.report.analysis import Analysis
    from vadbench.report.worst_stretches import Stretch
    from vadbench.store.folders import StoredRun

_SHOWN: Final = 3
"""Worst stretches of each kind."""
_SCENES: Final = 15


@dataclass(frozen=True, slots=True)
class _Shown:
    """Per clip what a timeline shows: places of the scores, abnormal frames, scored frames."""

    places: list[NDArray[np.float64]]
    abnormal: tuple[NDArray[np.bool_], ...]
    scored: tuple[NDArray[np.bool_], ...]


def draw_analysis(run: StoredRun, found: Analysis) -> Figure:
    """Bars of what bounds the AUROC and of what it consists of, and timelines of the costliest clips.

    Args:
        run: The run.
        found: What `vadbench.report.analysis.analyse` found of it.
    """
    labels, scenes = run.labels()
    frames = frame_scores(run.scores(), FrameAxis.of_labels(labels, scenes), run_pipeline(run))
    lines = max(len(found.false_alarms[:_SHOWN]), len(found.misses[:_SHOWN]))
    with figure_style():
        figure = Figure(figsize=(13, 7.6 + 1.7 * lines), layout="constrained")
        # Two parts, so that the long names of the bars do not narrow the timelines.
        parts: Any = figure.subfigures(2, 1, height_ratios=[7.0, 0.1 + 1.7 * lines])
        upper, lower = parts
        bars = upper.subplots(2, 2, height_ratios=[1, 1.35])
        _bounds(bars[0, 0], found)
        _pairs(bars[0, 1], found)
        _steps(bars[1, 0], found)
        _by_scene(bars[1, 1], found)
        grid = lower.subplots(max(lines, 1), 2, squeeze=False)
        shown = _Shown(_places(frames, labels), labels.abnormal, frames.scored)
        for column, (kind, stretches) in enumerate((("false alarm", found.false_alarms), ("miss", found.misses))):
            for row in range(max(lines, 1)):
                if row < len(stretches):
                    _timeline(grid[row, column], kind, stretches[row], labels.clips.index(stretches[row].clip), shown)
                else:
                    grid[row, column].set_axis_off()
        figure.suptitle(as_text(figure_title([run], f"What limits {run_label(run)}"), 120), x=0.01, ha="left")
        lower.supxlabel(
            "Frames of the clip against the place of its score among all frames, in percent. "
            "Shaded: abnormal; framed: the stretch; dark foot: no window scores the frame.",
            fontsize=9,
        )
    return figure


def _bounds(axes: Axes, found: Analysis) -> None:
    bars = {
        "chance": 0.5,
        "clips with an anomaly known": found.oracles.clip_level,
        "abnormal share of each clip known": found.oracles.clip_share,
        "this run": found.auroc,
        "right wherever windows score": found.ceiling,
    }
    colours = [COLOURS[0] if name == "this run" else FAINT for name in bars]
    _horizontal(axes, list(bars), [100 * value for value in bars.values()], colours)
    axes.set(xlim=(0, 112), title="AUROC in percent, beside detectors that know the labels in part")


def _pairs(axes: Axes, found: Analysis) -> None:
    shares = found.shares
    bars = {
        f"pairs of two clips ({_whole(1 - shares.within_pairs)} of all)": shares.between,
        f"pairs in one clip ({_whole(shares.within_pairs)})": shares.within,
        "each frame with its clip's mean score": shares.clip_means,
        "mean over clips (macro)": math.nan if found.macro_auroc is None else found.macro_auroc,
    }
    _horizontal(axes, list(bars), [100 * value for value in bars.values()], [COLOURS[2]] * len(bars))
    axes.set(xlim=(0, 112), title="AUROC of its parts, in percent")


def _steps(axes: Axes, found: Analysis) -> None:
    entries = [(change.name, 100 * change.difference) for change in found.changes]
    entries += [(f"left out: {each.label}", 100 * each.difference) for each in found.lost if each.frames]
    values = [value for _, value in entries]
    _horizontal(
        axes, [name for name, _ in entries], values, [COLOURS[1 if round(value, 1) < 0 else 2] for value in values], signed=True
    )
    reach = max([1.0, *(abs(value) for value in values if not math.isnan(value))])
    axes.set(xlim=(-1.35 * reach, 1.35 * reach), title="Points of AUROC when one step, or the frames evaluated, are changed")
    axes.axvline(0, color="black", linewidth=0.8)


def _by_scene(axes: Axes, found: Analysis) -> None:
    worst = sorted(found.scenes, key=lambda scene: (math.isnan(scene.auroc), scene.auroc))[:_SCENES]
    names = [f"{scene.name} ({scene.abnormal:,} of {scene.frames:,})" for scene in worst]
    _horizontal(axes, names, [100 * scene.auroc for scene in worst], [COLOURS[5]] * len(worst))
    some = f", the {_SCENES} lowest of {len(found.scenes)}" if len(found.scenes) > _SCENES else ""
    axes.set(xlim=(0, 112), title=f"AUROC by scene{some} (abnormal of all frames)")


def _horizontal(
    axes: Axes, names: Sequence[str], values: Sequence[float], colours: Sequence[str], *, signed: bool = False
) -> None:
    places = np.arange(len(names))
    axes.barh(places, [0.0 if math.isnan(value) else value for value in values], color=list(colours), height=0.66)
    for place, value in zip(places.tolist(), values, strict=True):
        known = not math.isnan(value)
        shown = round(value, 1) + 0.0 if known else value  # no minus zero
        text = f"{shown:+.1f}" if signed and known else f"{shown:.1f}" if known else NOT_AVAILABLE
        left = signed and known and value < 0
        axes.annotate(
            text,
            (value if known else 0.0, place),
            xytext=(-4 if left else 4, 0),
            textcoords="offset points",
            va="center",
            ha="right" if left else "left",
            fontsize=9,
        )
    axes.set_yticks(places, [as_text(name, 40) for name in names])
    axes.invert_yaxis()
    axes.tick_params(left=False)


def _timeline(axes: Axes, kind: str, stretch: Stretch, at: int, shown: _Shown) -> None:
    line, frame = shown.places[at], np.arange(len(shown.places[at]))
    across: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "linewidth": 0, "step": "mid"}
    axes.fill_between(frame, 0, 1, where=shown.abnormal[at].tolist(), color=ABNORMAL, **across)
    axes.fill_between(frame, 0, 0.06, where=(~shown.scored[at]).tolist(), color=UNSCORED, **across)
    axes.plot(frame, line, color="black", linewidth=1.5)
    axes.axvspan(stretch.first - 0.5, stretch.last + 0.5, facecolor="none", edgecolor=COLOURS[1], linewidth=1.8)
    who = "nobody scored" if stretch.person is None else f"person {stretch.person}"
    title = f"{kind}: clip {stretch.clip}, frames {stretch.first}-{stretch.last}, {who}: {100 * stretch.cost:.2f} points"
    axes.set_title(as_text(title, 90), fontsize=10)
    axes.set(xlim=(-0.5, max(len(line) - 0.5, 0.5)), ylim=(0, 102), yticks=[0, 50, 100])
    axes.tick_params(labelsize=9)


def _places(frames: FrameScores, labels: FrameLabels) -> list[NDArray[np.float64]]:
    """Per clip the rank of each frame's score among all frames that count, in percent; NaN for a frame that does not."""
    every = np.concatenate([part[keep] for part, keep in zip(frames.smoothed, labels.keep, strict=True)])
    places = 100 * rankdata(every) / max(len(every), 1)
    found, start = [], 0
    for keep in labels.keep:
        line = np.full(len(keep), np.nan)
        line[keep] = places[start : start + int(keep.sum())]
        start += int(keep.sum())
        found.append(line)
    return found


def _whole(share: float) -> str:
    return NOT_AVAILABLE if math.isnan(share) else f"{percent(share)} %"

"""ROC curves of stored runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from sklearn.metrics import roc_curve

from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.metrics import auroc
from vadbench.evaluation.report import pooled
from vadbench.report.figure_style import (
    COLOURS,
    FAINT,
    as_text,
    check_comparable,
    figure_style,
    figure_title,
    run_label,
    term_colour,
)
from vadbench.report.formatting import percent
from vadbench.report.recompute import run_pipeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels, WindowScores
    from vadbench.evaluation.protocol import Pipeline
    from vadbench.store.folders import StoredRun


def draw_roc(runs: Sequence[StoredRun]) -> Figure:
    """ROC curves over all frames that count: smoothed solid, not smoothed dashed; of a single run its terms as well.

    Raises:
        UsageError: if the runs are not of one data set, with the same labels and protocol.
        DriftError: if stored scores or labels have changed since they were recorded.
    """
    check_comparable(runs)
    with figure_style():
        figure = Figure(figsize=(7.2, 7.6 + 0.25 * len(runs)), layout="constrained")
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1, label="chance: 50.0")
        for i, run in enumerate(runs):
            _draw_run(axes, run, COLOURS[i % len(COLOURS)], terms=len(runs) == 1)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
        axes.set_xlabel("false positive rate (share of the normal frames)")
        axes.set_ylabel("true positive rate (share of the abnormal frames)")
        axes.grid(color="#E6E6E6", linewidth=0.8)
        axes.set_axisbelow(True)
        figure.suptitle(as_text(figure_title(runs, "ROC"), 70), x=0.02, ha="left")
        handles, labels = axes.get_legend_handles_labels()
        # The chance line is drawn first, below the curves, and named last.
        figure.legend([*handles[1:], handles[0]], [*labels[1:], labels[0]], loc="outside lower center", title="AUROC in percent")
    return figure


def _draw_run(axes: Axes, run: StoredRun, colour: str, *, terms: bool) -> None:
    scores, (labels, scenes), pipeline = run.scores(), run.labels(), run_pipeline(run)
    axis = FrameAxis.of_labels(labels, scenes)
    truth = pooled(labels.abnormal, labels).astype(bool)
    smoothed, raw = _pooled_scores(scores, labels, axis, pipeline)
    label = f"{run_label(run)}: {percent(_auroc(truth, smoothed))}, not smoothed (dashed) {percent(_auroc(truth, raw))}"
    if _auroc(truth, smoothed) is None:
        label += " (only one class)"
    _draw_curve(axes, truth, smoothed, as_text(label, 80), color=colour, linewidth=2.2, zorder=4)
    _draw_curve(axes, truth, raw, None, color=colour, linewidth=1, linestyle="--", zorder=3)
    for i, name in enumerate(scores.terms if terms else ()):
        alone, _ = _pooled_scores(scores.of_term(name), labels, axis, pipeline)
        _draw_curve(axes, truth, alone, f"term {name}: {percent(_auroc(truth, alone))}", color=term_colour(i), linewidth=1.2)


def _pooled_scores(
    scores: WindowScores, labels: FrameLabels, axis: FrameAxis, pipeline: Pipeline
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    frames = frame_scores(scores, axis, pipeline)
    return pooled(frames.smoothed, labels), pooled(frames.raw, labels)


def _auroc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> float | None:
    value = auroc(truth, score)
    return None if math.isnan(value) else value


def _draw_curve(axes: Axes, truth: NDArray[np.bool_], score: NDArray[np.float64], label: str | None, **style: Any) -> None:
    """A curve; where one class is absent only its line of the legend."""
    if truth.all() or not truth.any():
        axes.plot([], [], label=label, **style)
        return
    false_rate, true_rate, _ = roc_curve(truth, score)
    axes.plot(false_rate, true_rate, label=label, **style)

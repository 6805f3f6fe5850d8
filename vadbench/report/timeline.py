"""Score timelines of one clip: frame scores, persons and terms over the ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.figure import Figure

from vadbench.api import UsageError, did_you_mean
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores, person_timelines
from vadbench.report.figure_style import (
    ABNORMAL,
    COLOURS,
    FAINT,
    UNSCORED,
    as_text,
    check_comparable,
    figure_style,
    figure_title,
    run_label,
    term_colour,
)
from vadbench.report.recompute import run_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels, WindowScores
    from vadbench.evaluation.protocol import Pipeline
    from vadbench.store.folders import StoredRun

_NAMED_PERSONS: Final = len(COLOURS)
_TERM: Final = "term "
_RUN_INCHES, _TERM_INCHES, _FRAME_INCHES = 3.9, 2.2, 1.3


@dataclass(frozen=True, slots=True)
class _Shown:
    """The test set, and the steps of the protocol of one run on it."""

    labels: FrameLabels
    axis: FrameAxis
    pipeline: Pipeline


def draw_timeline(runs: Sequence[StoredRun], clip: str | None = None) -> Figure:
    """Scores of one clip over its frames, one panel a run, and one below it for the terms of its score.

    Args:
        runs: Of one data set, with the same labels and protocol.
        clip: Name of the clip; None for the one that `telling_clip` finds.

    Raises:
        UsageError: for an unknown clip, or runs that do not belong in one picture.
        DriftError: if stored scores or labels have changed since they were recorded.
    """
    check_comparable(runs)
    labels, scenes = runs[0].labels()
    axis = FrameAxis.of_labels(labels, scenes)
    loaded = [(run, run.scores()) for run in runs]
    if clip is None:
        clip = telling_clip(labels, loaded[0][1])
    elif clip not in labels.clips:
        raise UsageError(f"the test set has no clip {clip!r}", where=runs[0].path, remedy=did_you_mean(clip, labels.clips))
    heights = [height for _, scores in loaded for height in ([_RUN_INCHES, _TERM_INCHES] if scores.terms else [_RUN_INCHES])]
    with figure_style():
        figure = Figure(figsize=(12, sum(heights) + _FRAME_INCHES), layout="constrained")
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0].tolist()
        rest = iter(panels)
        for run, scores in loaded:
            shown = _Shown(labels, axis, run_pipeline(run))
            axes = next(rest)
            _draw_scores(axes, scores, clip, shown)
            axes.set_title(as_text(run_label(run), 130))
            if scores.terms:
                _draw_terms(next(rest), scores, clip, shown)
        n_frames = len(labels.abnormal[labels.clips.index(clip)])
        panels[-1].set(xlim=(-0.5, n_frames - 0.5), xlabel="frame of the clip")
        figure.suptitle(as_text(figure_title(runs, f"Clip {clip}"), 110), x=0.01, ha="left")
        _add_legend(figure, panels)
    return figure


def telling_clip(labels: FrameLabels, scores: WindowScores) -> str:
    """The clip to show where none is named; chosen by persons and ground truth, never by how well a method does.

    Of the clips with normal and abnormal frames that count: the one with the most persons that colours can still tell
    apart, then the longest abnormal part, then the first. Without such a clip the first with any abnormal frame, else
    the first.
    """

    def merit(i: int) -> tuple[bool, int, int, int]:
        counted = labels.abnormal[i][labels.keep[i]]
        persons = len(np.unique(scores.person[scores.clip == labels.clips[i]]))
        both = bool(counted.any() and not counted.all())
        return both, persons if persons <= _NAMED_PERSONS else -persons, int(counted.sum()), -i

    def abnormal(i: int) -> tuple[bool, int]:
        return bool(labels.abnormal[i].any()), -i

    candidates = range(len(labels.clips))
    best = max(candidates, key=merit)
    return labels.clips[best if merit(best)[0] else max(candidates, key=abnormal)]


def _draw_scores(axes: Axes, scores: WindowScores, clip: str, shown: _Shown) -> None:
    at = shown.labels.clips.index(clip)
    frames = frame_scores(scores, shown.axis, shown.pipeline)
    _draw_truth(axes, shown.labels, at)
    persons = person_timelines(scores, shown.axis, shown.pipeline, clip)
    together = f"{len(persons)} persons (colours repeat)" if len(persons) > _NAMED_PERSONS else None
    for i, (person, line) in enumerate(persons.items()):
        name = (together if i == 0 else None) if together else f"person {person}"
        _draw_person(axes, line, color=COLOURS[i % len(COLOURS)], label=name)
    # Below the persons: it coincides with the most anomalous one, and shows where nobody is scored.
    axes.plot(frames.raw[at], color="black", linewidth=0.9, linestyle=":", label="frame score, not smoothed", zorder=2)
    axes.plot(frames.smoothed[at], color="black", linewidth=2.4, label="frame score", zorder=5)
    axes.set_ylabel("anomaly score\n(higher = more anomalous)")
    label: str | None = "no window scores the frame"
    for first, last in _stretches(~frames.scored[at]):
        axes.axvspan(first - 0.5, last + 0.5, ymin=0, ymax=0.025, color=UNSCORED, linewidth=0, label=label, zorder=6)
        label = None


def _draw_terms(axes: Axes, scores: WindowScores, clip: str, shown: _Shown) -> None:
    """Each term alone, smoothed, in standard deviations from its mean over the clip.

    Over the clip and not the test set: a likelihood has a few enormous values somewhere, which would flatten it everywhere else.
    """
    at = shown.labels.clips.index(clip)
    _draw_truth(axes, shown.labels, at)
    for i, name in enumerate(scores.terms):
        smoothed = frame_scores(scores.of_term(name), shown.axis, shown.pipeline).smoothed[at]
        # Frames that left before smoothing have no score.
        mean, sd = float(np.nanmean(smoothed)), float(np.nanstd(smoothed))
        # A term that is the same everywhere deviates by rounding alone.
        line = (smoothed - mean) / sd if sd > 1e-9 * abs(mean) else np.zeros(len(smoothed))
        axes.plot(line, color=term_colour(i), linewidth=1.6, label=f"{_TERM}{name}")
    axes.axhline(0, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set_ylabel("term (sd from the\nclip's mean)")
    handles, names = axes.get_legend_handles_labels()
    of_terms = {name: handle for name, handle in zip(names, handles, strict=True) if name.startswith(_TERM)}
    # Above the panel, where no line can run through it.
    axes.legend(
        list(of_terms.values()), list(of_terms), loc="lower left", bbox_to_anchor=(0, 1), ncols=5, borderpad=0, borderaxespad=0.3
    )


def _draw_truth(axes: Axes, labels: FrameLabels, at: int) -> None:
    """Abnormal frames shaded; frames that do not count hatched."""
    label: str | None = "abnormal (ground truth)"
    for first, last in _stretches(labels.abnormal[at]):
        axes.axvspan(first - 0.5, last + 0.5, color=ABNORMAL, linewidth=0, label=label, zorder=0)
        label = None
    label = "frame does not count"
    for first, last in _stretches(~labels.keep[at]):
        axes.axvspan(first - 0.5, last + 0.5, facecolor="none", edgecolor=FAINT, hatch="//", linewidth=0, label=label, zorder=1)
        label = None


def _draw_person(axes: Axes, line: NDArray[np.float64], *, color: str, label: str | None) -> None:
    """A person's scores where there are any; broken where windows are missing, not where their stride leaves frames out."""
    frames = np.flatnonzero(~np.isnan(line))
    gaps = np.diff(frames)
    breaks = np.flatnonzero(gaps > gaps.min(initial=len(line))) + 1
    x, y = frames.astype(np.float64), line[frames]
    alone = "." if len(frames) == 1 else None
    axes.plot(
        np.insert(x, breaks, np.nan),
        np.insert(y, breaks, np.nan),
        color=color,
        linewidth=1.1,
        marker=alone,
        label=label,
        zorder=3,
    )


def _stretches(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last frame of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    for first, end in edges.reshape(-1, 2).tolist():
        yield first, end - 1


def _add_legend(figure: Figure, panels: Sequence[Axes]) -> None:
    """One legend for all panels, each thing once; terms are named in their own panel."""
    entries: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            if not label.startswith(_TERM):
                entries.setdefault(label, handle)
    fixed = ["frame score", "frame score, not smoothed", "abnormal (ground truth)"]
    fixed += ["no window scores the frame", "frame does not count"]
    order = [label for label in fixed if label in entries] + [label for label in entries if label not in fixed]
    figure.legend([entries[label] for label in order], order, loc="outside lower center", ncols=4 if len(order) <= 8 else 6)

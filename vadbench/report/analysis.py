"""What limits the figure of a finished run: bounds, ranking of clips and of frames, losses, scenes, and the worst stretches.

It reads the test labels, so it explains a result and must choose nothing: a setting that is changed because of it is tuned on
the test set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.metrics import auroc
from vadbench.evaluation.oracles import Oracles, coverage_ceiling, oracles
from vadbench.evaluation.ranking_shares import RankingShares, ranking_shares
from vadbench.evaluation.report import pooled
from vadbench.report.recompute import recompute, run_pipeline
from vadbench.report.worst_stretches import Stretch, worst_stretches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels, WindowScores
    from vadbench.evaluation.frames import FrameScores
    from vadbench.evaluation.protocol import Pipeline
    from vadbench.store.folders import StoredRun

_CHANGES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "not smoothed": ("without smoothing and shift", {"smoothing": (), "shift": 0}),
    "every frame": ("each window scores all its frames, the highest counts", {"placement": "every", "overlap": "max"}),
    "last frame": ("each window scores its last frame, as an online detector would", {"placement": "last"}),
    "filled backwards": (
        "each window scores its last frame, and the beginnings of tracks get their first window's score",
        {"placement": "last", "backfill": True},
    ),
    "centre frame": ("each window scores its middle frame alone", {"placement": "centre", "backfill": False}),
}
"""Name of a changed pipeline to what it says and what it changes."""


@dataclass(frozen=True, slots=True)
class Change:
    """The AUROC of the same window scores under a pipeline with one step changed.

    Args:
        name: Of the change.
        meaning: In a sentence.
        auroc: In [0, 1]; NaN where only one class is present.
        difference: From the run's, positive where the change raises it.
    """

    name: str
    meaning: str
    auroc: float
    difference: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene's AUROC, NaN where it has one class only."""

    name: str
    auroc: float
    frames: int
    abnormal: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Frames that count and that no window scores, for one reason or for all.

    Args:
        name: Of the reason, as in `vadbench.report.coverage.REASONS`; ``unscored`` for all of them.
        label: In a few words.
        frames: How many.
        abnormal: How many of them are abnormal.
        auroc_without: AUROC when these frames are left out of the evaluation, other scores as they are; NaN if undefined.
        difference: From the run's.
        ceiling_gain: How much higher the coverage ceiling would be if windows scored them.
    """

    name: str
    label: str
    frames: int
    abnormal: int
    auroc_without: float
    difference: float
    ceiling_gain: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that `analyse` finds; shares and AUROC in [0, 1].

    Args:
        auroc: The run's micro AUROC.
        oracles: Of the data set's labels.
        ceiling: AUROC of a detector that is right wherever windows score.
        coverage: Share of the abnormal frames that windows score.
        shares: Ranking of clips against ranking of frames within clips.
        macro_auroc: Mean over the clips with both classes.
        changes: Other pipelines on the same window scores.
        lost: Frames without a score, and by reason where poses could be read.
        scenes: By name.
        false_alarms: Stretches of normal frames that cost the most, worst first.
        misses: Stretches of abnormal frames that cost the most, worst first.
        notes: What could not be done, and why.
    """

    auroc: float
    oracles: Oracles
    ceiling: float
    coverage: float
    shares: RankingShares
    macro_auroc: float | None
    changes: tuple[Change, ...]
    lost: tuple[Lost, ...]
    scenes: tuple[Scene, ...]
    false_alarms: tuple[Stretch, ...]
    misses: tuple[Stretch, ...]
    notes: tuple[str, ...] = ()


def analyse(run: StoredRun, *, top: int = 5) -> Analysis:
    """What limits a run's figure, from its folder alone.

    Args:
        run: A finished run.
        top: How many of the worst stretches of each kind.

    Raises:
        DriftError: if the run's files or figures are not as they were recorded.
        DataError: if a file is missing or damaged.
    """
    metrics, pipeline = recompute(run), run_pipeline(run)
    scores, (labels, scenes) = run.scores(), run.labels()
    axis = FrameAxis.of_labels(labels, scenes)
    frames = frame_scores(scores, axis, pipeline)
    truth = pooled(labels.abnormal, labels).astype(bool)
    actual = auroc(truth, pooled(frames.smoothed, labels))
    false_alarms, misses = worst_stretches(scores, labels, axis, frames, pipeline, top=top)
    unscored = tuple(~part for part in frames.scored)
    return Analysis(
        auroc=actual,
        oracles=oracles(labels),
        ceiling=coverage_ceiling(labels, frames.scored, pipeline),
        coverage=_share(pooled(frames.scored, labels).astype(bool)[truth]),
        shares=ranking_shares(_counted(labels.abnormal, labels), _counted(frames.smoothed, labels)),
        macro_auroc=metrics.macro_auroc,
        changes=_changes(scores, labels, axis, pipeline, actual),
        lost=(lost_frames("unscored", "no window scores them", unscored, labels, frames, pipeline=pipeline),),
        scenes=_scenes(labels, axis, frames),
        false_alarms=false_alarms,
        misses=misses,
    )


def lost_frames(
    name: str,
    label: str,
    without: tuple[NDArray[np.bool_], ...],
    labels: FrameLabels,
    frames: FrameScores,
    *,
    pipeline: Pipeline,
) -> Lost:
    """What frames cost that no window scores.

    Args:
        name: Of the reason.
        label: In a few words.
        without: Per clip (n_frames,) bool, True for these frames.
        labels: Of the test set.
        frames: Of the run.
        pipeline: Of the run.
    """
    gone = pooled(without, labels).astype(bool)
    then = tuple(scored | lost for scored, lost in zip(frames.scored, without, strict=True))
    truth, score = pooled(labels.abnormal, labels).astype(bool), pooled(frames.smoothed, labels)
    left = auroc(truth[~gone], score[~gone])
    return Lost(
        name=name,
        label=label,
        frames=int(gone.sum()),
        abnormal=int((gone & truth).sum()),
        auroc_without=left,
        difference=left - auroc(truth, score),
        ceiling_gain=coverage_ceiling(labels, then, pipeline) - coverage_ceiling(labels, frames.scored, pipeline),
    )


def _changes(scores: WindowScores, labels: FrameLabels, axis: FrameAxis, pipeline: Pipeline, actual: float) -> tuple[Change, ...]:
    truth = pooled(labels.abnormal, labels).astype(bool)
    found = []
    for name, (meaning, steps) in _CHANGES.items():
        # Only the placement "target" takes a number of frames.
        other = replace(pipeline, **({"target_frames": 0, **steps} if "placement" in steps else steps))
        if other == pipeline:
            continue
        value = auroc(truth, pooled(frame_scores(scores, axis, other).smoothed, labels))
        found.append(Change(name, meaning, value, value - actual))
    return tuple(found)


def _scenes(labels: FrameLabels, axis: FrameAxis, frames: FrameScores) -> tuple[Scene, ...]:
    found = []
    for name in sorted(set(axis.scenes)):
        chosen = [scene == name for scene in axis.scenes]
        truth = pooled(labels.abnormal, labels, chosen).astype(bool)
        value = auroc(truth, pooled(frames.smoothed, labels, chosen))
        found.append(Scene(name, value, len(truth), int(truth.sum())))
    return tuple(found)


def _counted(parts: tuple[NDArray[Any], ...], labels: FrameLabels) -> list[NDArray[Any]]:
    return [part[keep] for part, keep in zip(parts, labels.keep, strict=True)]


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else math.nan

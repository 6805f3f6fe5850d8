"""The standardised report that every run carries: window scores and labels in, metrics out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.metrics import all_metrics, auroc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from vadbench.api import FrameLabels, WindowScores
    from vadbench.evaluation.protocol import Pipeline


def evaluate(
    scores: WindowScores,
    labels: FrameLabels,
    scenes: Mapping[str, str],
    pipeline: Pipeline,
    frame_rate: float | None = None,
) -> dict[str, Any]:
    """The metrics of window scores under a protocol.

    Args:
        scores: Of the windows of the test split.
        labels: Of every clip of the test split; a clip's length is that of its labels.
        scenes: Clip name to scene.
        pipeline: The steps of a protocol on the data set.
        frame_rate: Frames a second; None where it is not known.

    Returns:
        What `vadbench.evaluation.metrics.all_metrics` gives of the smoothed scores; ``headline``, that of them which is the
        protocol's metric; ``auroc_raw`` (micro, not smoothed); ``per_scene`` (scene to AUROC); ``coverage`` with the shares of
        ``frames`` and of ``abnormal_frames`` that some window scores; ``frames``, ``abnormal_frames``, ``clips``. NaN where a
        class is absent.

    Raises:
        DataError: if a window belongs to no clip of the labels, or lies outside its clip.
    """
    frames = frame_scores(scores, FrameAxis.of_labels(labels, scenes), pipeline)
    truth = pooled(labels.abnormal, labels).astype(bool)
    scored = pooled(frames.scored, labels).astype(bool)
    per_scene = {}
    for scene in sorted({scenes[name] for name in frames.clips}):
        chosen = [scenes[name] == scene for name in frames.clips]
        per_scene[scene] = auroc(pooled(labels.abnormal, labels, chosen).astype(bool), pooled(frames.smoothed, labels, chosen))
    figures = all_metrics(frames.smoothed, labels.abnormal, frame_rate, labels.keep)
    return {
        **figures,
        "headline": figures["auroc" if pipeline.metric == "micro-auroc" else "macro_auroc"],
        "auroc_raw": auroc(truth, pooled(frames.raw, labels)),
        "per_scene": per_scene,
        "coverage": {"frames": _share(scored), "abnormal_frames": _share(scored[truth])},
        "frames": len(truth),
        "abnormal_frames": int(truth.sum()),
        "clips": len(frames.clips),
    }


def pooled(
    parts: Sequence[NDArray[Any]], labels: FrameLabels, chosen: Sequence[bool] | NDArray[np.bool_] | None = None
) -> NDArray[Any]:
    """The frames that count, of all clips or the chosen ones, as one vector."""
    use = np.ones(len(parts), dtype=bool) if chosen is None else np.asarray(chosen)
    kept = [part[keep] for part, keep, yes in zip(parts, labels.keep, use, strict=True) if yes]
    return np.concatenate(kept) if kept else np.zeros(0)


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else math.nan

"""Metrics of frame scores against frame labels. Where a class is absent the metric is NaN, never an error or a warning.

Of a pooled vector: ``abnormal`` (n,) bool and ``score`` (n,) float64, the frames that count of all clips together. Scores are
finite, higher = more anomalous. Figures that depend on the order of frames in time are in `vadbench.evaluation.operating_points`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from vadbench.evaluation.operating_points import FALSE_ALARM_LIMITS, operating_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def auroc(abnormal: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve, ties by mid-ranks, in [0, 1]; NaN where only one class is present."""
    if one_class(abnormal):
        return math.nan
    return float(roc_auc_score(abnormal, score))


def average_precision(abnormal: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Average precision of the abnormal class, in [0, 1]; NaN where only one class is present."""
    if one_class(abnormal):
        return math.nan
    return float(average_precision_score(abnormal, score))


def equal_error_rate(abnormal: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Where the false positive rate equals the false negative rate, in [0, 1]; NaN where only one class is present.

    Read from the ROC polyline, which joins the points of all thresholds "at or above one of the scores" by straight lines: the
    rate at which it meets the line TPR = 1 - FPR. They meet once, because FPR + TPR grows from each point to the next.
    """
    if one_class(abnormal):
        return math.nan
    false_rate, true_rate, _ = roc_curve(abnormal, score, drop_intermediate=False)
    return float(np.interp(0.0, false_rate + true_rate - 1.0, false_rate))


def false_positive_rate_at(abnormal: NDArray[np.bool_], score: NDArray[np.float64], recall: float = 0.95) -> float:
    """The least false positive rate of the thresholds with a true positive rate of ``recall`` or more; NaN with only one class.

    Thresholds are "at or above one of the scores": nothing is read between two points of the ROC curve.

    Args:
        abnormal: (n,) bool.
        score: (n,).
        recall: In (0, 1].
    """
    if one_class(abnormal):
        return math.nan
    false_rate, true_rate, _ = roc_curve(abnormal, score, drop_intermediate=False)
    return float(false_rate[np.searchsorted(true_rate, recall)])


@dataclass(frozen=True, slots=True)
class MacroAuroc:
    """The AUROC of each clip alone, averaged.

    Args:
        mean: Over the clips that have both classes among their frames that count, each with the same weight; NaN without any.
        clips: How many those are.
        clips_without: How many clips have one class only, or no frame that counts, and take no part.
    """

    mean: float
    clips: int
    clips_without: int


def macro_auroc(abnormal: Sequence[NDArray[np.bool_]], score: Sequence[NDArray[np.float64]]) -> MacroAuroc:
    """The mean of the AUROC of the clips, ties by mid-ranks; per clip the frames that count."""
    found = [_auroc_by_ranks(truth, s) for truth, s in zip(abnormal, score, strict=True) if not one_class(truth)]
    return MacroAuroc(math.fsum(found) / len(found) if found else math.nan, len(found), len(abnormal) - len(found))


def all_metrics(
    scores: Sequence[NDArray[np.float64]],
    abnormal: Sequence[NDArray[np.bool_]],
    frame_rate: float | None = None,
    keep: Sequence[NDArray[np.bool_]] | None = None,
) -> dict[str, Any]:
    """Every metric of a test set, ready for JSON but for NaN, which stands for what is not defined.

    Args:
        scores: Per clip (n_frames,). A score where ``keep`` is false is never looked at and may be NaN.
        abnormal: Per clip (n_frames,) bool.
        frame_rate: Of the videos, frames a second; without it delays are in frames only and there is no figure per hour.
        keep: Per clip (n_frames,) bool, the frames that count; None for all.

    Returns:
        ``auroc`` (micro), ``macro_auroc``, ``macro_clips``, ``macro_clips_without``, ``ap``, ``eer``, ``fpr95``, and
        ``operating_points``, a list with what `vadbench.evaluation.operating_points.operating_point` gives for each limit.
    """
    scores, abnormal = kept(scores, keep), kept(abnormal, keep)
    pooled_scores, pooled_abnormal = _pooled(scores, np.float64), _pooled(abnormal, np.bool_)
    macro = macro_auroc(abnormal, scores)
    return {
        "auroc": auroc(pooled_abnormal, pooled_scores),
        "macro_auroc": macro.mean,
        "macro_clips": macro.clips,
        "macro_clips_without": macro.clips_without,
        "ap": average_precision(pooled_abnormal, pooled_scores),
        "eer": equal_error_rate(pooled_abnormal, pooled_scores),
        "fpr95": false_positive_rate_at(pooled_abnormal, pooled_scores),
        "operating_points": [operating_point(scores, abnormal, limit, frame_rate) for limit in FALSE_ALARM_LIMITS],
    }


def kept(parts: Sequence[NDArray[Any]], keep: Sequence[NDArray[np.bool_]] | None) -> list[NDArray[Any]]:
    """Per clip the frames that count, put side by side."""
    return list(parts) if keep is None else [part[counts] for part, counts in zip(parts, keep, strict=True)]


def one_class(abnormal: NDArray[np.bool_]) -> bool:
    """Whether the frames are all normal, all abnormal, or none at all."""
    return bool(abnormal.all() or not abnormal.any())


def _auroc_by_ranks(abnormal: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """The Mann-Whitney statistic. On hundreds of short clips, scikit-learn's checks would take twenty times as long as this."""
    n, n_abnormal = len(abnormal), int(abnormal.sum())
    above = float(rankdata(score)[abnormal].sum()) - n_abnormal * (n_abnormal + 1) / 2
    return above / (n_abnormal * (n - n_abnormal))


def _pooled(parts: Sequence[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.zeros(0, dtype=dtype)

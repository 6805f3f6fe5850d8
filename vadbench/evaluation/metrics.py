"""Metrics of frame scores against frame labels. Where a class is absent the metric is NaN, never an error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sklearn.metrics import average_precision_score, roc_auc_score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def auroc(abnormal: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Area under the ROC curve, ties by mid-ranks, in [0, 1]; NaN where only one class is present."""
    if abnormal.all() or not abnormal.any():
        return math.nan
    return float(roc_auc_score(abnormal, score))


def average_precision(abnormal: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Average precision of the abnormal class, in [0, 1]; NaN where only one class is present."""
    if abnormal.all() or not abnormal.any():
        return math.nan
    return float(average_precision_score(abnormal, score))

"""How far a data set's labels alone carry: detectors that know the clip and nothing of its frames.

Where most frames of an abnormal clip are abnormal, telling clips apart is most of the task: a method may look good without
having localised anything in time. These figures say how much of that there is. They are no methods and compete with none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.evaluation.metrics import auroc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vadbench.api import FrameLabels
    from vadbench.evaluation.protocol import Pipeline


@dataclass(frozen=True, slots=True)
class Oracles:
    """AUROC, micro over the frames that count, in [0, 1]; NaN where only one class is present.

    Args:
        clip_level: Every frame of a clip with any abnormal frame that counts has 1, all others 0: a perfect detector of clips.
        clip_share: Every frame of a clip has the clip's share of abnormal frames: the best that one constant a clip can do.
    """

    clip_level: float
    clip_share: float


def oracles(labels: FrameLabels) -> Oracles:
    """The figures of both oracles on these labels; frames that do not count play no part."""
    counted = [abnormal[keep] for abnormal, keep in zip(labels.abnormal, labels.keep, strict=True)]
    truth = np.concatenate([np.zeros(0, dtype=bool), *counted])
    level = [np.full(len(part), float(part.any())) for part in counted]
    share = [np.full(len(part), part.mean() if len(part) else 0.0) for part in counted]
    return Oracles(auroc(truth, _together(level)), auroc(truth, _together(share)))


def coverage_ceiling(labels: FrameLabels, scored: Sequence[NDArray[np.bool_]], pipeline: Pipeline) -> float:
    """The highest AUROC, before shift and smoothing, of any scores that stand at these frames and no others, in [0, 1].

    The best there is gives every scored abnormal frame more than any normal one. Frames without a score all have the same, by
    the rule of the fill. Let A and N be the abnormal and the normal frames that count, a and n those of them without a score.

    - ``minimum``, and ``zero`` where no score is below 0: a scored normal frame lies no lower than the fill, and ties with the
      abnormal frames that have it at best: 1 - a / (2 A), which is (1 + c) / 2 for a share c of the abnormal frames scored.
      Where the only scored frames are abnormal, one of them is the minimum and ties as well.
    - ``below-minimum``: they lose to every scored normal frame: 1 - a (N - n / 2) / (A N).
    - ``zero`` where scores may be below it: they can win against every scored normal frame: 1 - a n / (2 A N).

    Where windows share frames it is an upper bound. Smoothing spreads scores to frames that no window scores, and may lift a
    method above it.

    Args:
        labels: Of the test set.
        scored: Per clip (n_frames,) bool, as `FrameScores.scored`.
        pipeline: Its fill and its origin count.

    Returns:
        NaN where only one class is present.
    """
    parts = list(zip(labels.abnormal, labels.keep, scored, strict=True))
    truth = np.concatenate([np.zeros(0, dtype=bool), *(abnormal[keep] for abnormal, keep, _ in parts)])
    has = np.concatenate([np.zeros(0, dtype=bool), *(there[keep] for _, keep, there in parts)])
    abnormal, normal = int(truth.sum()), int((~truth).sum())
    if not abnormal or not normal:
        return math.nan
    lost, lost_normal = int((truth & ~has).sum()), int((~truth & ~has).sum())
    if pipeline.fill == "below-minimum":
        return 1 - lost * (normal - lost_normal / 2) / (abnormal * normal)
    if pipeline.fill == "zero" and pipeline.origin == "as-is":
        return 1 - lost * lost_normal / (2 * abnormal * normal)
    # A scored frame that does not count may be the minimum, too.
    only_abnormal = all((truth & keep)[there].all() for truth, keep, there in parts) and any(there.any() for *_, there in parts)
    return 1 - (lost + (pipeline.fill == "minimum" and only_abnormal)) / (2 * abnormal)


def _together(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *parts])

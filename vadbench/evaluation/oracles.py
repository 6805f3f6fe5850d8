"""How far a data set's labels alone carry: detectors that know the clip and nothing of its frames.

Where most frames of an abnormal clip are abnormal, telling clips apart is most of the task: a method may look good without
having localised anything in time. These figures say how much of that there is. They are no methods and compete with none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.evaluation.metrics import auroc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels


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


def coverage_ceiling(labels: FrameLabels, scored: tuple[NDArray[np.bool_], ...]) -> float:
    """The AUROC of a detector that is right in every frame that windows score, in [0, 1]; NaN where only one class is present.

    Frames that no window scores have the lowest score of all under a protocol that fills with the minimum. Scored normal
    frames can lie no lower than that, so abnormal frames that nothing scores tie with the normal ones at best: with a share c
    of the abnormal frames scored, the ceiling is (1 + c) / 2. Smoothing spreads scores to frames that no window scores, and
    may lift a method above it.

    Args:
        labels: Of the test set.
        scored: Per clip (n_frames,) bool, as `FrameScores.scored`.
    """
    counted = [
        (abnormal[keep], (abnormal & there)[keep].astype(np.float64))
        for abnormal, keep, there in zip(labels.abnormal, labels.keep, scored, strict=True)
    ]
    truth = np.concatenate([np.zeros(0, dtype=bool), *(part for part, _ in counted)])
    return auroc(truth, _together([best for _, best in counted]))


def _together(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *parts])

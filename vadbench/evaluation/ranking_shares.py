"""Which part of an AUROC comes from telling clips apart, and which from telling frames of one clip apart.

The AUROC is a mean over pairs of an abnormal and a normal frame. The two lie in one clip or in two, so it is the mean of two
AUROCs, weighted by how many pairs of each kind there are: exact, whatever the scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.evaluation.clip_pairs import clip_pairs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RankingShares:
    """An AUROC in its two parts: ``auroc = within_pairs * within + (1 - within_pairs) * between``.

    Args:
        auroc: Micro, in [0, 1].
        within_pairs: Share of the pairs that lie in one clip.
        within: AUROC over those; NaN where there are none.
        between: AUROC over the pairs of two clips; NaN where there are none.
        clip_means: AUROC when every frame has its clip's mean score: how far ranking the clips carries by itself.
    """

    auroc: float
    within_pairs: float
    within: float
    between: float
    clip_means: float

    @property
    def gain_within(self) -> float:
        """How much of the AUROC above one half comes from pairs in one clip; with `gain_between` it is ``auroc - 1 / 2``."""
        return 0.0 if self.within_pairs == 0 else self.within_pairs * (self.within - 0.5)

    @property
    def gain_between(self) -> float:
        """How much of the AUROC above one half comes from pairs of two clips."""
        return 0.0 if self.within_pairs == 1 else (1 - self.within_pairs) * (self.between - 0.5)


def ranking_shares(abnormal: Sequence[NDArray[np.bool_]], score: Sequence[NDArray[np.float64]]) -> RankingShares:
    """The parts of an AUROC.

    Args:
        abnormal: Per clip, of the frames that count.
        score: The same, higher = more anomalous.
    """
    pairs = clip_pairs(abnormal, score)
    means = [np.full(len(part), part.mean() if len(part) else 0.0) for part in score]
    number = np.outer(pairs.abnormal, pairs.normal)
    inside, every = int(np.trace(number)), int(number.sum())
    ordered_inside, ordered = int(np.trace(pairs.doubled)), int(pairs.doubled.sum())
    return RankingShares(
        auroc=pairs.auroc,
        within_pairs=_ratio(inside, every),
        within=_ratio(ordered_inside, 2 * inside),
        between=_ratio(ordered - ordered_inside, 2 * (every - inside)),
        clip_means=clip_pairs(abnormal, means).auroc,
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan

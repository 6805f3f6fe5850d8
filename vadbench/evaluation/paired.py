"""Two methods on the same frames: the interval of the difference of their AUROCs, and a permutation test of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.stats import rankdata

from vadbench.api import DataError
from vadbench.evaluation.clip_pairs import check_frames, check_same_frames
from vadbench.evaluation.intervals import LEVEL, RESAMPLES, interval, why_unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.evaluation.intervals import Interval, Method

DIFFERENCE_METHOD: Final[Method] = "percentile"
"""The method whose intervals of a difference cover best. The studentised ones, best for an AUROC, are too narrow for the
difference of two high AUROCs."""
_BLOCK: Final = 1 << 22
"""Signs that are held at a time."""


@dataclass(frozen=True, slots=True)
class Difference:
    """AUROC of ``a`` minus AUROC of ``b``, as a statistic of clips that are drawn for both at once.

    Raises:
        DataError: if the two are not on the same frames.
    """

    a: ClipPairs
    b: ClipPairs

    def __post_init__(self) -> None:
        check_same_frames(self.a, self.b)

    @property
    def value(self) -> float:
        """Of the test set itself; NaN where a class is absent."""
        return self.a.auroc - self.b.auroc

    def influences(self, block: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Differences, and their derivatives by the clips' weights; see `ClipPairs.influences`."""
        (theta_a, psi_a), (theta_b, psi_b) = self.a.influences(block), self.b.influences(block)
        return theta_a - theta_b, psi_a - psi_b


@dataclass(frozen=True, slots=True)
class ExchangeTest:
    """A paired permutation test.

    Args:
        difference: AUROC of the first method minus that of the second.
        p: Two-sided; NaN where a class is absent.
        permutations: How many were looked at, the one that was observed among them.
        exact: True where these are all there are.
    """

    difference: float
    p: float
    permutations: int
    exact: bool


def difference_interval(
    a: ClipPairs,
    b: ClipPairs,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    method: Method = DIFFERENCE_METHOD,
) -> Interval:
    """The interval of AUROC(a) - AUROC(b) by a paired cluster bootstrap: each resample draws the same clips for both.

    The two are correlated, since a hard clip is hard for both, so this interval may exclude 0 though those of the two AUROCs
    overlap. Assumptions and arguments are those of `auroc_interval`; the studentised form works on the difference itself.

    Returns:
        NaN with a reason where there are too few clips, or a class is absent or lies in one clip alone. Where no clip makes a
        difference, [0, 0].

    Raises:
        DataError: if the two are not on the same frames.
        UsageError: for too few resamples, or a level that is not between 0 and 1.
    """
    return interval(
        Difference(a, b), a.n_clips, resamples=resamples, level=level, seed=seed, method=method, reason=why_unknown(a)
    )


def exchange_test(
    abnormal: Sequence[NDArray[np.bool_]],
    a: Sequence[Sequence[NDArray[np.float64]]],
    b: Sequence[Sequence[NDArray[np.float64]]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> ExchangeTest:
    """Paired permutation of clips: the null hypothesis is that the two methods are exchangeable clip by clip.

    Under it, swapping the two methods' scores of any clip changes nothing but chance. Scores of two methods have no common
    scale, and AUROC knows ranks alone, so every frame's score is first replaced by its mid-rank among all frames of its own
    method. With s[c] = 1 where clip c is kept and -1 where it is swapped, each of the two mixed methods' AUROCs is a quadratic
    form in s, over the four matrices of pairs (frames of a or b against frames of a or b). The second is the first at -s: in
    their difference the even terms cancel, and the sum of s[c] d[c] is left, with d[c] from row and column sums of the four. All
    permutations are therefore exact in whole numbers, and cost one product.

    Assumed is, as for the intervals, that clips are independent of one another. The hypothesis is stronger than equal AUROCs:
    two methods that err on different clips, and on as many, need not be exchangeable.

    Args:
        abnormal: Per clip (n_frames,) bool, of the frames that count.
        a: Score sets of the first method, one a seed; each per clip (n_frames,), higher is more anomalous.
        b: Of the second; not necessarily as many. d is the mean over all pairs of a seed of a and a seed of b.
        resamples: Random permutations; where all 2^C are no more than that, all are looked at instead.
        seed: Of the draws.

    Returns:
        p = (1 + permutations at least as far from 0) / (1 + resamples), or, exact, the share of all 2^C.

    Raises:
        DataError: if a score is NaN, lengths differ, or a method has no scores.
    """
    if not a or not b:
        raise DataError("a method has no scores", where="permutation of clips", remedy="give those of one seed at least")
    for scores in (*a, *b):
        check_frames(abnormal, scores)
    counts = [i for i, part in enumerate(abnormal) if len(part)]
    truth = np.concatenate([abnormal[i] for i in counts]).astype(bool) if counts else np.zeros(0, bool)
    pairs = int(truth.sum()) * int((~truth).sum())
    if not pairs:
        return ExchangeTest(math.nan, math.nan, 0, exact=False)
    clip = np.repeat(np.arange(len(counts)), [len(abnormal[i]) for i in counts])
    ranks_a, ranks_b = ([_doubled_ranks(scores, counts) for scores in method] for method in (a, b))
    share = np.sum([_shares(truth, clip, one, other) for one in ranks_a for other in ranks_b], axis=0)
    difference = float(share.sum()) / (4 * pairs * len(a) * len(b))
    moved = share[share != 0].astype(np.float64)  # clips without influence may be swapped or not
    total = abs(moved.sum())
    if 2.0 ** len(moved) <= resamples:
        permutations = 1 << len(moved)
        signs = 1.0 - 2.0 * ((np.arange(permutations)[:, None] >> np.arange(len(moved))) & 1)
        far = int((np.abs(signs @ moved) >= total).sum())
        return ExchangeTest(difference, far / permutations, permutations, exact=True)
    rng = np.random.default_rng(seed)
    far, left = 1, resamples
    while left:
        rows = min(left, max(1, _BLOCK // len(moved)))
        far += int((np.abs((1.0 - 2.0 * rng.integers(2, size=(rows, len(moved)))) @ moved) >= total).sum())
        left -= rows
    return ExchangeTest(difference, far / (1 + resamples), 1 + resamples, exact=False)


def _doubled_ranks(scores: Sequence[NDArray[np.float64]], counts: Sequence[int]) -> NDArray[np.int64]:
    """(F,) mid-ranks among all frames that count, doubled: whole numbers."""
    ranks = rankdata(np.concatenate([scores[i] for i in counts]))
    return np.asarray(np.rint(2 * ranks), dtype=np.int64)


def _shares(truth: NDArray[np.bool_], clip: NDArray[np.int64], a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    """(C,) four times d, times the number of pairs.

    With rows(XY) the row sums of the matrix of abnormal frames under X against normal frames under Y, columns(XY) its column
    sums: 2 d = (rows + columns)(AA) + (rows - columns)(AB) - (rows - columns)(BA) - (rows + columns)(BB).
    """
    n_clips = int(clip[-1]) + 1

    def margins(x: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        abnormal, normal = x[truth], y[~truth]
        rows = _twice_above(abnormal, normal)
        columns = 2 * len(abnormal) - _twice_above(normal, abnormal)
        return _by_clip(rows, clip[truth], n_clips), _by_clip(columns, clip[~truth], n_clips)

    (aa_rows, aa_columns), (ab_rows, ab_columns) = margins(a, a), margins(a, b)
    (ba_rows, ba_columns), (bb_rows, bb_columns) = margins(b, a), margins(b, b)
    alike = aa_rows + aa_columns - bb_rows - bb_columns
    crossed = ab_rows - ab_columns - ba_rows + ba_columns
    return alike + crossed


def _twice_above(these: NDArray[np.int64], those: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each of these twice the number of those below it, and once that of those equal to it."""
    ordered = np.sort(those)
    return np.searchsorted(ordered, these, "left") + np.searchsorted(ordered, these, "right")


def _by_clip(value: NDArray[np.int64], clip: NDArray[np.int64], n_clips: int) -> NDArray[np.int64]:
    """(C,) sums over the frames of each clip, whose frames are sorted by clip."""
    total = np.concatenate([[0], np.cumsum(value)])
    ends = np.searchsorted(clip, np.arange(n_clips + 1))
    return np.asarray(total[ends[1:]] - total[ends[:-1]], dtype=np.int64)

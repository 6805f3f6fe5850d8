"""The clip-by-clip matrix of ordered frame pairs: what the AUROC of any resampling of clips is computed from.

The AUROC is the share of (abnormal frame, normal frame) pairs in which the abnormal frame scores higher, a tie counting one
half. Sorted by the clip of either frame, the pairs give a matrix P (C, C). A test set in which clip a occurs m[a] times has the
AUROC m'Pm / ((m.p) (m.n)), with p and n the abnormal and the normal frames of each clip: no frame is looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vadbench.api import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_BLOCK: Final = 1 << 19
"""Numbers of a (resamples, clips) block that are held at a time: 4 MiB."""


@dataclass(frozen=True, slots=True)
class ClipPairs:
    """Ordered pairs of frames, counted by clip.

    Counts are doubled, so that ties are whole numbers. Over several score sets on the same labels (seeds) they are summed: the
    AUROC is then the mean of theirs, for every resampling of clips.

    Args:
        abnormal: (C,) int64, abnormal frames of each clip.
        normal: (C,) int64, normal frames of each clip.
        doubled: (C, C) int64; [a, b] counts pairs of an abnormal frame of clip a and a normal frame of clip b: 2 where the
            abnormal one scores higher, 1 for a tie.
        score_sets: How many score sets are summed in ``doubled``.
    """

    abnormal: NDArray[np.int64]
    normal: NDArray[np.int64]
    doubled: NDArray[np.int64]
    score_sets: int = 1

    @property
    def n_clips(self) -> int:
        """C, the clips that have a frame that counts."""
        return len(self.abnormal)

    @property
    def auroc(self) -> float:
        """Of the test set itself, in [0, 1]; NaN where a class is absent."""
        return float(self.aurocs(np.ones((1, self.n_clips)))[0])

    def aurocs(self, counts: NDArray[Any]) -> NDArray[np.float64]:
        """The AUROC of each resampling of clips.

        Args:
            counts: (R, C) how often each clip occurs.

        Returns:
            (R,) in [0, 1]; NaN where a class is absent. Whole counts are summed without rounding while they stay below 2^53.
        """
        matrix = self.doubled.astype(np.float64)
        found = [((block @ matrix) * block).sum(axis=1) / self._pairs(block) for block in blocks(counts)]
        return np.concatenate(found) if found else np.zeros(0)

    def influences(self, block: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """AUROC of each resampling, and how much of it each clip is answerable for.

        The influence of clip a is the derivative of the AUROC by its weight: ``psi[a] = (sum over b of m[b] (P[a, b] + P[b, a] -
        theta (p[a] n[b] + p[b] n[a]))) / ((m.p) (m.n))``. The sum of m psi is 0. It is the clustered form of DeLong's
        structural components (Obuchowski, Biometrics 53, 1997).

        Args:
            block: (R, C) how often each clip occurs.

        Returns:
            ``(theta, psi)``: (R,) and (R, C); NaN where a class is absent.
        """
        theta = self.aurocs(block)
        either = (self.doubled + self.doubled.T).astype(np.float64)
        abnormal, normal = block @ self.abnormal, block @ self.normal
        expected = normal[:, None] * self.abnormal + abnormal[:, None] * self.normal
        pairs = self._pairs(block)[:, None]
        return theta, (block @ either - 2 * self.score_sets * theta[:, None] * expected) / pairs

    def _pairs(self, block: NDArray[np.float64]) -> NDArray[np.float64]:
        """(R,) what ``doubled`` would sum to if every pair were in order; NaN where there is none."""
        pairs = 2.0 * self.score_sets * (block @ self.abnormal) * (block @ self.normal)
        pairs[pairs == 0] = np.nan
        return pairs


def clip_pairs(abnormal: Sequence[NDArray[np.bool_]], score: Sequence[NDArray[np.float64]]) -> ClipPairs:
    """Counts the ordered pairs between all clips: one sort, and for each clip one running count over the sorted values.

    Args:
        abnormal: Per clip (n_frames,) bool, of the frames that count. A clip without any is left out: it is no part of what
            the AUROC is computed over, and no clip that a resampling could draw.
        score: Per clip (n_frames,), of the same frames; higher is more anomalous.

    Raises:
        DataError: if a score is NaN, or a clip's scores and labels differ in length.
    """
    check_frames(abnormal, score)
    used = [i for i, part in enumerate(abnormal) if len(part)]
    if not used:
        return ClipPairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 0), np.int64))
    truth = np.concatenate([abnormal[i] for i in used]).astype(bool)
    clip = np.repeat(np.arange(len(used)), [len(abnormal[i]) for i in used])
    values, code = np.unique(np.concatenate([score[i] for i in used]), return_inverse=True)
    n_abnormal = np.bincount(clip[truth], minlength=len(used))
    n_normal = np.bincount(clip[~truth], minlength=len(used))
    doubled = np.zeros((len(used), len(used)), dtype=np.int64)
    rows, high = np.flatnonzero(n_abnormal), code[truth]
    first = np.concatenate([[0], np.cumsum(n_abnormal[rows])[:-1]])
    low = np.split(code[~truth], np.cumsum(n_normal)[:-1])
    for column in np.flatnonzero(n_normal):
        here = np.bincount(low[column], minlength=len(values))
        # Twice the normal frames that score lower, and once those that score the same.
        below = 2 * np.cumsum(here) - here
        doubled[rows, column] = np.add.reduceat(below[high], first) if len(rows) else 0
    return ClipPairs(n_abnormal.astype(np.int64), n_normal.astype(np.int64), doubled)


def over_seeds(pairs: Sequence[ClipPairs]) -> ClipPairs:
    """Pairs of several score sets together, whose AUROC is the mean of theirs for every resampling of clips.

    Raises:
        DataError: if they are not on the same labels, or there are none.
    """
    if not pairs:
        raise DataError("there are no scores to take the mean of", where="clip pairs", remedy="give those of one seed at least")
    for other in pairs[1:]:
        check_same_frames(pairs[0], other)
    doubled = np.sum([each.doubled for each in pairs], axis=0)
    return ClipPairs(pairs[0].abnormal, pairs[0].normal, doubled, sum(each.score_sets for each in pairs))


def check_same_frames(a: ClipPairs, b: ClipPairs) -> None:
    """Raises `DataError` unless each clip of both has the same numbers of abnormal and of normal frames."""
    if not (np.array_equal(a.abnormal, b.abnormal) and np.array_equal(a.normal, b.normal)):
        raise DataError(
            "scores on different frames cannot be compared", where="clip pairs", remedy="score the same clips by the same labels"
        )


def check_frames(abnormal: Sequence[NDArray[np.bool_]], score: Sequence[NDArray[np.float64]]) -> None:
    """Raises `DataError` unless every frame of every clip has a label and a score."""
    for i, (truth, value) in enumerate(zip(abnormal, score, strict=True)):
        if truth.shape != value.shape:
            raise DataError(
                f"{value.shape} scores and {truth.shape} labels", where=f"clip {i}", remedy="give one score for each frame"
            )
        if np.isnan(value).any():
            raise DataError(
                f"{int(np.isnan(value).sum())} frames have no score",
                where=f"clip {i}",
                remedy="leave out frames that do not count",
            )


def blocks(counts: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """(R, C) counts a few rows at a time, as float64, so that R may be large."""
    rows = max(1, _BLOCK // max(1, counts.shape[1]))
    for start in range(0, len(counts), rows):
        yield counts[start : start + rows].astype(np.float64)

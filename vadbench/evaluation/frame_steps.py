"""The steps from the lines of persons to frame scores: persons, fill, shift, smoothing, scenes; each a function of its own.

Vectors are (F,) over the frames of a test set or of one clip; `UNSCORED` marks frames without a score until they are filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vadbench.api import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from vadbench.evaluation.frame_axis import FrameAxis
    from vadbench.evaluation.person_lines import PersonLines

UNSCORED: Final = -np.inf
"""The score of a frame in which no window scores anybody, before it is filled."""


def over_persons(
    lines: PersonLines, axis: FrameAxis, *, rule: str, absent_zero: bool
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The persons of each frame as one score.

    Args:
        lines: Of the persons.
        axis: The test set.
        rule: ``max``, ``min`` or ``mean-plus-log-range``; see `Pipeline`.
        absent_zero: Whether a person of the clip who has no score in a frame counts there with 0.

    Returns:
        ``(score, scored)``, (F,) each. Frames without any score are `UNSCORED`, but 0 where ``absent_zero`` has persons
        that count there.

    Raises:
        DataError: for ``mean-plus-log-range`` of scores of -1 or less, of which there is no logarithm.
    """
    n = int(axis.offsets[-1])
    cell = np.flatnonzero(lines.scored)
    frame, value = axis.offsets[lines.clip[lines.person[cell]]] + lines.frame[cell], lines.value[cell]
    present = np.bincount(frame, minlength=n)
    everybody = np.repeat(np.bincount(lines.clip, minlength=len(axis.clips)), axis.lengths)
    counted = everybody if absent_zero else present
    somebody_absent = present < counted
    highest, lowest = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(highest, frame, value)
    np.minimum.at(lowest, frame, value)
    highest[somebody_absent] = np.maximum(highest[somebody_absent], 0.0)
    lowest[somebody_absent] = np.minimum(lowest[somebody_absent], 0.0)
    some = counted > 0
    score = np.full(n, UNSCORED)
    if rule == "max":
        score[some] = highest[some]
    elif rule == "min":
        score[some] = lowest[some]
    else:
        if (value <= -1).any():
            raise DataError(
                "mean-plus-log-range takes the logarithm of 1 + score, and there are scores of -1 or less",
                where="protocol, persons",
                remedy="set origin to non-negative in the protocol",
            )
        mean = np.bincount(frame, value, minlength=n)[some] / counted[some]
        score[some] = mean + np.log1p(highest[some]) - np.log1p(lowest[some])
    return score, present > 0


def fill(score: NDArray[np.float64], rule: str) -> tuple[NDArray[np.float64], float]:
    """`UNSCORED` frames get the ``minimum`` of the others, 1 less (``below-minimum``), or ``zero``; where there are no others, 0.

    Returns:
        ``(filled, minimum)``; the minimum is that of the filled scores, 0 of no frame.
    """
    there = score != UNSCORED
    lowest = float(score[there].min()) if there.any() else 0.0
    value = {"minimum": lowest, "below-minimum": lowest - 1.0 if there.any() else 0.0, "zero": 0.0}[rule]
    filled = np.where(there, score, value)
    return filled, float(filled.min(initial=np.inf)) if len(filled) else 0.0


def shift(line: NDArray[np.float64], frames: int, vacated: float) -> NDArray[np.float64]:
    """Moves scores ``frames`` frames towards the end; the first frames get ``vacated``."""
    if frames == 0:
        return line
    return np.concatenate([np.full(min(frames, len(line)), vacated), line[: max(len(line) - frames, 0)]])


def smooth(line: NDArray[np.float64], sigmas: Sequence[float]) -> NDArray[np.float64]:
    """Gaussian filters of the given standard deviations (frames), one after another, mirrored at the ends; 0 changes nothing."""
    for sigma in sigmas:
        if sigma > 0 and len(line):
            line = gaussian_filter1d(line, sigma=sigma)
    return line


def quantiles(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F,) scores as their quantiles, uniform in [0, 1]; scikit-learn's `QuantileTransformer` over all of them."""
    from sklearn.preprocessing import QuantileTransformer

    if len(line) == 0:
        return line
    # 1000 quantiles are its default, and what MPED-RNN took. No subsampling: the result must not depend on chance.
    transformer = QuantileTransformer(n_quantiles=min(1000, len(line)), subsample=max(len(line), 1000))
    return np.asarray(transformer.fit_transform(line[:, None])[:, 0], dtype=np.float64)


def standardised(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less their mean, over their standard deviation, as scikit-learn's `StandardScaler` has it; zeros where all are equal.

    Equal but for rounding, as smoothing leaves a constant, is equal: what rounding made must not be blown up into scores.
    """
    from sklearn.preprocessing import StandardScaler

    if len(line) == 0 or np.ptp(line) <= 1e-9 * np.abs(line).max():
        return np.zeros(len(line))
    return np.asarray(StandardScaler().fit_transform(line[:, None])[:, 0], dtype=np.float64)

"""Intervals by the cluster bootstrap over clips, for anything that clip pairs give: an AUROC, or a difference of two.

The frames of a clip depend on one another, so clips are drawn, with replacement, as many as there are. What such an interval
covers is which clips the test set happened to have. It says nothing of how a training happened to go: that is what the standard
deviation over seeds is for, and the interval of a mean over seeds is that of these seeds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from vadbench.api import UsageError
from vadbench.evaluation.clip_pairs import blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.evaluation.clip_pairs import ClipPairs

Method = Literal["studentised", "bca", "percentile"]
DEFAULT_METHOD: Final[Method] = "studentised"
"""The method whose intervals of an AUROC cover best: see ``docs/comparing.md`` and ``tests/bench/interval_coverage.py``."""
RESAMPLES: Final = 10_000
LEVEL: Final = 0.95
FEWEST_RESAMPLES: Final = 100
FEWEST_CLIPS: Final = 10
"""Of fewer, intervals cover less than they say: of six clips, 95 % ones of a difference cover it in 84 to 89 % of test sets."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval of a figure.

    Args:
        low: Lower end; NaN where nothing can be said.
        high: Upper end; NaN where nothing can be said.
        level: How often such an interval is to cover the figure of all clips that might have been taken.
        method: How it was made.
        resamples: Resamples it is made of.
        left_out: Resamples that were drawn and left out, because a class is absent from them.
        reason: Why nothing can be said; empty where something can.
    """

    low: float
    high: float
    level: float
    method: Method
    resamples: int
    left_out: int
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether anything can be said."""
        return not self.reason

    def includes(self, value: float) -> bool:
        """Whether a value lies within, ends included; False where nothing can be said."""
        return self.low <= value <= self.high


class Statistic(Protocol):
    """A figure of a resampling of clips, and what each clip adds to it."""

    def influences(self, block: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of (R, C) counts the (R,) figures, NaN where undefined, and their (R, C) derivatives by the clips' weights."""
        ...


def draw_clips(n_clips: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """(R, C) how often each clip is drawn: each row multinomial, C draws of C equally likely clips."""
    drawn = np.random.default_rng(seed).integers(n_clips, size=(resamples, n_clips))
    drawn += np.arange(resamples)[:, None] * n_clips
    return np.bincount(drawn.ravel(), minlength=resamples * n_clips).reshape(resamples, n_clips)


def auroc_interval(
    pairs: ClipPairs,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    method: Method = DEFAULT_METHOD,
) -> Interval:
    """The interval of an AUROC, in [0, 1].

    ``percentile`` takes the quantiles of the resampled AUROCs. ``bca`` shifts them by bias and acceleration (Efron, JASA 82,
    1987; the jackknife leaves out one clip at a time). ``studentised`` takes the quantiles of (AUROC* - AUROC) / standard error*,
    both on the logit scale, so that it stays within 0 and 1 (Efron and Tibshirani 1993, chapter 12); the standard error of each
    resample is that of its clips' influences.

    Assumed is that the clips are drawn independently of one another from those that might have been taken. Clips of one camera,
    of one day or of one actor are not: then the interval is too narrow.

    Args:
        pairs: Of one score set, or of several seeds together (`over_seeds`): then of the mean of their AUROCs.
        resamples: How many.
        level: Of confidence.
        seed: Of the draws.
        method: ``studentised``, ``bca`` or ``percentile``.

    Returns:
        NaN with a reason where there are fewer than `FEWEST_CLIPS`, where a class is absent, where it lies in one clip alone, or
        where all pairs are in order (or all in the wrong one): no resampling of the clips then shows anything else.

    Raises:
        UsageError: for too few resamples, or a level that is not between 0 and 1.
    """
    reason = why_unknown(pairs)
    if not reason and pairs.auroc in (0.0, 1.0):
        reason = f"every resample of these clips has the AUROC {pairs.auroc:g}"
    return interval(pairs, pairs.n_clips, resamples=resamples, level=level, seed=seed, method=method, reason=reason, share=True)


def why_unknown(pairs: ClipPairs) -> str:
    """Why clips cannot be resampled: too few, or a class that is absent or lies in one clip alone. Empty where they can."""
    for name, frames in (("abnormal", pairs.abnormal), ("normal", pairs.normal)):
        clips = int((frames > 0).sum())
        if clips < 2:
            return f"{name} frames lie in one clip only" if clips else f"there are no {name} frames"
    return f"an interval takes {FEWEST_CLIPS} clips, and there are {pairs.n_clips}" if pairs.n_clips < FEWEST_CLIPS else ""


def interval(
    statistic: Statistic,
    n_clips: int,
    *,
    resamples: int,
    level: float,
    seed: int,
    method: Method,
    reason: str = "",
    share: bool = False,
) -> Interval:
    """The interval of a statistic of clips.

    Args:
        statistic: The figure.
        n_clips: Clips that are drawn from.
        resamples: How many.
        level: Of confidence.
        seed: Of the draws.
        method: As in `auroc_interval`.
        reason: Why nothing can be said, if so.
        share: True for a figure within 0 and 1: the studentised form then works on the logit scale.

    Raises:
        UsageError: as `auroc_interval` does.
    """
    if resamples < FEWEST_RESAMPLES:
        raise UsageError(
            f"{resamples} resamples are too few for an interval", where="resamples", remedy=f"ask for {FEWEST_RESAMPLES} or more"
        )
    if not 0 < level < 1:
        raise UsageError(f"{level} is no level of confidence", where="level", remedy="give a share between 0 and 1, such as 0.95")
    if reason:
        return Interval(math.nan, math.nan, level, method, 0, 0, reason)
    theta, error = _with_error(statistic, np.ones((1, n_clips)))
    drawn, drawn_error = _with_error(statistic, draw_clips(n_clips, resamples, seed))
    sound = ~np.isnan(drawn)
    drawn, drawn_error = drawn[sound], drawn_error[sound]
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "studentised":
        low, high = _studentised(theta[0], error[0], drawn, drawn_error, tails, share=share)
    elif method == "bca":
        without, _ = _with_error(statistic, 1.0 - np.eye(n_clips))
        low, high = _bca(theta[0], drawn, without, tails)
    else:
        low, high = np.quantile(drawn, tails)
    return Interval(float(low), float(high), level, method, len(drawn), int((~sound).sum()))


def _with_error(statistic: Statistic, counts: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(R,) figures and their (R,) standard errors over clips."""
    figures, errors = [], []
    for block in blocks(counts):
        theta, psi = statistic.influences(block)
        n = block.sum(axis=1)
        figures.append(theta)
        errors.append(np.sqrt(n / np.maximum(n - 1, 1) * (block * psi**2).sum(axis=1)))
    return np.concatenate(figures), np.concatenate(errors)


def _studentised(
    theta: float,
    error: float,
    drawn: NDArray[np.float64],
    drawn_error: NDArray[np.float64],
    tails: NDArray[np.float64],
    *,
    share: bool,
) -> tuple[float, float]:
    with np.errstate(divide="ignore", invalid="ignore"):
        if share:  # the error of logit(x) is that of x by x (1 - x)
            error, drawn_error = error / (theta * (1 - theta)), drawn_error / (drawn * (1 - drawn))
            theta, drawn = logit(theta), logit(drawn)
        pivot = (drawn - theta) / drawn_error
    # A resample without spread lies infinitely far off on its side, or, where it is the figure itself, nowhere. Quantiles
    # that are never interpolated can take that.
    beyond = ~np.isfinite(pivot)
    pivot[beyond] = np.where(drawn == theta, 0.0, np.copysign(np.inf, drawn - theta))[beyond]
    lower, upper = np.quantile(pivot, tails, method="inverted_cdf")
    ends = (theta, theta) if error == 0 else (theta - upper * error, theta - lower * error)
    return (expit(ends[0]), expit(ends[1])) if share else ends


def _bca(
    theta: float, drawn: NDArray[np.float64], without: NDArray[np.float64], tails: NDArray[np.float64]
) -> tuple[float, float]:
    # Ties with the figure itself count one half, so that a resample equal to it shifts nothing.
    below = ((drawn < theta).mean() + (drawn <= theta).mean()) / 2
    edge = 0.5 / len(drawn)
    bias = norm.ppf(np.clip(below, edge, 1 - edge))
    off = np.nanmean(without) - without[~np.isnan(without)]
    spread = (off**2).sum() ** 1.5
    acceleration = (off**3).sum() / (6 * spread) if spread else 0.0
    z = bias + norm.ppf(tails)
    low, high = np.quantile(drawn, norm.cdf(bias + z / (1 - acceleration * z)))
    return low, high

"""How often 95 % intervals cover the AUROC they are for: simulated test sets whose true AUROC is known.

    python tests/bench/interval_coverage.py [DATA_SETS] [RESAMPLES]

A test set has C clips. A clip has 40 to 200 frames; with probability 0.3 all of them are normal, with 0.15 all are abnormal, and
otherwise a uniformly distributed share, in one stretch. A frame scores ``u + (delta + w) abnormal + e``: u and w are of the clip,
normal, with standard deviations ``clip`` and ``clip / 2``; e is of the frame, autoregressive with 0.9 a frame, so that the frames
of a clip depend on one another; ``leaning`` is added to all frames of a clip that has abnormal ones. Frames of different clips
are independent, so the AUROC of all clips that might have been drawn is known in closed form.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.signal import lfilter
from scipy.stats import norm

from vadbench.evaluation.clip_pairs import ClipPairs, clip_pairs
from vadbench.evaluation.intervals import auroc_interval
from vadbench.evaluation.paired import difference_interval

METHODS = ("studentised", "bca", "percentile")
ALL_NORMAL, ALL_ABNORMAL = 0.3, 0.15
MEMORY = 0.9


@dataclass(frozen=True)
class Setting:
    """How test sets are drawn.

    ``delta`` is how much higher abnormal frames score, ``clip`` how much clips differ, ``leaning`` how much higher all frames
    of clips with abnormal frames score.
    """

    clips: int
    delta: float
    clip: float
    leaning: float = 0.0


SETTINGS = (
    *(
        Setting(107, delta, clip, leaning)
        for delta, clip, leaning in ((0.8, 0.0, 0.0), (1.0, 0.7, 0.0), (1.5, 1.5, 0.0), (0.8, 1.0, 0.8))
    ),
    Setting(107, 3.5, 1.0),
    *(
        Setting(40, delta, clip, leaning)
        for delta, clip, leaning in ((0.8, 0.0, 0.0), (1.0, 0.7, 0.0), (1.5, 1.5, 0.0), (0.8, 1.0, 0.8))
    ),
    Setting(40, 3.5, 1.0),
    *(Setting(clips, delta, clip) for clips in (20, 15, 10) for delta, clip in ((1.0, 0.7), (1.5, 1.5), (3.5, 1.0))),
)


def true_auroc(setting: Setting) -> float:
    """Of a frame of one clip against a frame of another: the limit for many clips.

    The two frames' scores differ by a normal variable; its mean is higher by ``leaning`` where the normal frame's clip has no
    abnormal frames. Of mixed clips one half of the frames is normal, on average.
    """
    sd = np.sqrt(2 * setting.clip**2 + (setting.clip / 2) ** 2 + 2)
    mixed = 0.5 * (1 - ALL_NORMAL - ALL_ABNORMAL)
    from_mixed = mixed / (mixed + ALL_NORMAL)
    above = [norm.cdf((setting.delta + lean) / sd) for lean in (0.0, setting.leaning)]
    return float(from_mixed * above[0] + (1 - from_mixed) * above[1])


def draw(setting: Setting, rng: np.random.Generator, methods: int = 1) -> list[ClipPairs]:
    """Pairs of one test set, for methods that are equally good: half of what clips and frames add is common to them."""
    truth: list[Any] = []
    scores: list[list[Any]] = [[] for _ in range(methods)]
    for _ in range(setting.clips):
        n = int(rng.integers(40, 201))
        kind = rng.uniform()
        share = 0.0 if kind < ALL_NORMAL else 1.0 if kind < ALL_NORMAL + ALL_ABNORMAL else rng.uniform()
        first = int(rng.integers(0, n - round(share * n) + 1))
        abnormal = np.zeros(n, dtype=bool)
        abnormal[first : first + round(share * n)] = True
        truth.append(abnormal)
        parts = [_parts(setting, n, rng) for _ in range(methods + 1)]
        for line, (u, w, e) in zip(scores, parts, strict=False):
            if methods > 1:
                u, w, e = (np.sqrt(0.5) * (own + common) for own, common in zip((u, w, e), parts[-1], strict=True))  # noqa: PLW2901
            line.append(u + setting.leaning * (share > 0) + (setting.delta + w) * abnormal + e)
    return [clip_pairs(truth, line) for line in scores]


def _parts(setting: Setting, n: int, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    noise = rng.normal(size=n)
    noise[1:] *= np.sqrt(1 - MEMORY**2)
    u, w = rng.normal(size=2) * (setting.clip, setting.clip / 2)
    return u, w, lfilter([1.0], [1.0, -MEMORY], noise)


def coverage(
    setting: Setting, data_sets: int, resamples: int, methods: tuple[str, ...] = METHODS
) -> dict[str, tuple[float, float, float]]:
    """Method to (share of intervals that cover the truth, mean width, share of paired intervals that cover a difference of 0)."""
    rng = np.random.default_rng(17)
    truth = true_auroc(setting)
    found: dict[str, list[tuple[bool, float, bool]]] = {method: [] for method in methods}
    for i in range(data_sets):
        a, b = draw(setting, rng, 2)
        for method in methods:
            own = auroc_interval(a, resamples=resamples, seed=i, method=method)
            paired = difference_interval(a, b, resamples=resamples, seed=i, method=method)
            found[method].append((own.includes(truth), own.high - own.low, paired.includes(0.0)))
    return {method: tuple(np.mean(rows, axis=0).tolist()) for method, rows in found.items()}


def main(data_sets: int = 500, resamples: int = 2000) -> None:
    """Prints the table of all settings and methods, in percent and in points."""
    write = sys.stdout.write
    write(f"{data_sets} test sets a line, {resamples} resamples an interval\n")
    write("clips  AUROC  clip  leaning  " + "  ".join(f"{name:^24}" for name in METHODS) + "\n")
    write(" " * 30 + "  ".join(f"{'covers  width  paired':^24}" for _ in METHODS) + "\n")
    for setting in SETTINGS:
        began = time.perf_counter()
        found = coverage(setting, data_sets, resamples)
        cells = "  ".join(f"{100 * c:6.1f}  {100 * w:5.1f}  {100 * p:6.1f}   " for c, w, p in (found[name] for name in METHODS))
        write(f"{setting.clips:5}  {100 * true_auroc(setting):5.1f}  {setting.clip:4.1f}  {setting.leaning:7.1f}  {cells}")
        write(f"  {time.perf_counter() - began:.0f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))

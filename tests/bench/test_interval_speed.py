"""What an interval costs beside a plain loop with scikit-learn, and how often it covers what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from interval_coverage import SETTINGS, Setting, coverage, true_auroc
from sklearn.metrics import roc_auc_score

from vadbench.evaluation.clip_pairs import clip_pairs
from vadbench.evaluation.intervals import auroc_interval, draw_clips
from vadbench.evaluation.paired import difference_interval, exchange_test

BENCHMARK_SIZE = [setting for setting in SETTINGS if setting.clips == 107]
LOOPED = 20
"""Resamples of the plain loop."""


@pytest.fixture(scope="module")
def shanghaitech_size():
    """Labels and scores of 107 clips with 40,791 frames."""
    rng = np.random.default_rng(0)
    ends = np.sort(rng.choice(np.arange(1, 40_791), 106, replace=False))
    truth = np.split(rng.uniform(size=40_791) < 0.4, ends)
    return truth, [rng.normal() + rng.normal(size=len(part)) + part for part in truth]


@pytest.mark.benchmark(group="interval at 107 clips, 40,791 frames")
def test_interval_of_10_000_resamples(benchmark, shanghaitech_size):
    truth, score = shanghaitech_size
    found = benchmark.pedantic(lambda: auroc_interval(clip_pairs(truth, score)), rounds=5)
    assert found.resamples + found.left_out == 10_000


@pytest.mark.benchmark(group="interval at 107 clips, 40,791 frames")
def test_plain_loop_of_20_resamples(benchmark, shanghaitech_size):
    truth, score = shanghaitech_size
    counts = draw_clips(107, LOOPED, 0)

    def loop():
        found = []
        for row in counts:
            chosen = np.repeat(np.arange(107), row)
            found.append(roc_auc_score(*(np.concatenate([part[i] for i in chosen]) for part in (truth, score))))
        return found

    looped = benchmark.pedantic(loop, rounds=3)
    np.testing.assert_allclose(clip_pairs(truth, score).aurocs(counts), looped, rtol=0, atol=1e-12)


@pytest.mark.benchmark(group="comparison at 107 clips, 40,791 frames")
def test_interval_of_a_difference(benchmark, shanghaitech_size):
    truth, score = shanghaitech_size
    a, b = clip_pairs(truth, score), clip_pairs(truth, [-part for part in score])
    benchmark(difference_interval, a, b)


@pytest.mark.benchmark(group="comparison at 107 clips, 40,791 frames")
def test_permutation_test(benchmark, shanghaitech_size):
    truth, score = shanghaitech_size
    benchmark(exchange_test, truth, [score], [[-part for part in score]])


def test_the_true_auroc_is_that_of_very_many_clips():
    from interval_coverage import draw

    setting = Setting(1500, 0.8, 1.0, 0.8)
    (pairs,) = draw(setting, np.random.default_rng(0))
    assert pairs.auroc == pytest.approx(true_auroc(setting), abs=0.03)


def test_intervals_of_few_test_sets_cover_about_as_often_as_they_say():
    found = coverage(Setting(60, 1.0, 0.7), 100, 400, ("studentised", "percentile"))
    # 95 of 100 are expected, with a standard deviation of 2.2.
    assert 0.88 <= found["studentised"][0] <= 1.0
    assert 0.88 <= found["percentile"][2] <= 1.0


@pytest.mark.slow
@pytest.mark.parametrize("setting", BENCHMARK_SIZE, ids=str)
def test_intervals_at_benchmark_size_cover_92_to_98_percent(setting):
    found = coverage(setting, 500, 1000, ("studentised", "percentile"))
    assert 0.92 <= found["studentised"][0] <= 0.98  # the default for an AUROC
    assert 0.92 <= found["percentile"][2] <= 0.98  # and for a difference

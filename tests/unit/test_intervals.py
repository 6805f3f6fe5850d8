"""Intervals of an AUROC by the cluster bootstrap over clips."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap

from vadbench.api import UsageError
from vadbench.evaluation.clip_pairs import clip_pairs, over_seeds
from vadbench.evaluation.intervals import FEWEST_CLIPS, RESAMPLES, auroc_interval, draw_clips, interval

METHODS = ("studentised", "bca", "percentile")


def made(clips=30, seed=0, skill=1.0, frames=20):
    rng = np.random.default_rng(seed)
    truth = [rng.uniform(size=frames) < rng.choice([0.0, 0.4, 1.0]) for _ in range(clips)]
    return truth, [rng.normal(size=frames) + rng.normal() + skill * part for part in truth]


@dataclass(frozen=True)
class Mean:
    """The mean of one number a clip: a statistic whose intervals others compute, too."""

    value: np.ndarray

    def influences(self, block):
        n = block.sum(axis=1, keepdims=True)
        theta = block @ self.value / n[:, 0]
        return theta, (self.value - theta[:, None]) / n


def test_draws_are_as_many_clips_as_there_are():
    counts = draw_clips(7, 1000, 3)
    assert counts.shape == (1000, 7)
    assert (counts.sum(axis=1) == 7).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.15)
    np.testing.assert_allclose(counts.var(axis=0), 1 - 1 / 7, atol=0.15)
    assert (draw_clips(7, 1000, 3) == counts).all()
    assert (draw_clips(7, 1000, 4) != counts).any()


def test_the_percentile_interval_is_the_quantiles_of_the_resampled_aurocs():
    pairs = clip_pairs(*made())
    drawn = pairs.aurocs(draw_clips(30, 2000, 5))
    found = auroc_interval(pairs, resamples=2000, seed=5, level=0.9, method="percentile")
    assert (found.low, found.high) == tuple(np.quantile(drawn, [0.05, 0.95]))


@pytest.mark.parametrize(("method", "theirs"), [("bca", "BCa"), ("percentile", "percentile")])
def test_the_interval_of_a_mean_is_that_of_scipy(method, theirs):
    value = np.random.default_rng(1).exponential(size=25)
    found = interval(Mean(value), 25, resamples=20_000, level=0.95, seed=0, method=method)
    rng = np.random.default_rng(7)
    expected = bootstrap((value,), np.mean, n_resamples=20_000, method=theirs, rng=rng).confidence_interval
    assert (found.low, found.high) == pytest.approx(tuple(expected), abs=0.02)


def test_the_studentised_interval_of_a_mean_is_its_definition():
    value = np.random.default_rng(1).exponential(size=25)
    counts = draw_clips(25, 3000, 0)
    drawn = [np.repeat(value, row) for row in counts]
    pivot = [(each.mean() - value.mean()) / (each.std(ddof=1) / 5) for each in drawn]
    lower, upper = np.quantile(pivot, [(1 - 0.95) / 2, (1 + 0.95) / 2], method="inverted_cdf")
    found = interval(Mean(value), 25, resamples=3000, level=0.95, seed=0, method="studentised")
    error = value.std(ddof=1) / 5
    assert (found.low, found.high) == pytest.approx((value.mean() - upper * error, value.mean() - lower * error), abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_interval(method):
    pairs = clip_pairs(*made())
    assert auroc_interval(pairs, method=method) == auroc_interval(pairs, method=method)
    assert auroc_interval(pairs, method=method) != auroc_interval(pairs, method=method, seed=1)


@pytest.mark.parametrize("method", METHODS)
def test_a_higher_level_gives_a_wider_interval(method):
    pairs = clip_pairs(*made())
    narrow, wide = (auroc_interval(pairs, level=level, method=method) for level in (0.8, 0.99))
    assert wide.low < narrow.low < pairs.auroc < narrow.high < wide.high


@pytest.mark.parametrize("method", METHODS)
def test_more_clips_give_a_narrower_interval(method):
    few, many = (auroc_interval(clip_pairs(*made(clips)), method=method) for clips in (20, 320))
    assert many.high - many.low < (few.high - few.low) / 2.5


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), clips=st.integers(2, 12), skill=st.floats(-3, 3))
def test_ends_are_shares_in_order_or_a_reason_is_given(method, seed, clips, skill):
    found = auroc_interval(clip_pairs(*made(clips, seed, skill, frames=5)), resamples=200, method=method)
    if found.known:
        assert 0 <= found.low <= found.high <= 1
        assert found.resamples + found.left_out == 200
    else:
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert not found.includes(0.5)


@pytest.mark.parametrize("method", METHODS)
def test_any_rising_function_of_the_scores_gives_the_same_interval(method):
    truth, score = made()
    found = auroc_interval(clip_pairs(truth, score), resamples=500, method=method)
    assert auroc_interval(clip_pairs(truth, [np.exp(part) for part in score]), resamples=500, method=method) == found


def test_frames_of_a_clip_are_not_independent_evidence():
    truth, score = made()
    once, tenfold = (
        auroc_interval(clip_pairs([np.repeat(part, n) for part in truth], [np.repeat(part, n) for part in score]))
        for n in (1, 10)
    )
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high), abs=1e-9)


def test_resamples_without_a_class_are_left_out_and_counted():
    truth = [np.array([i < 2] * 3) for i in range(10)]
    rng = np.random.default_rng(0)
    pairs = clip_pairs(truth, [rng.normal(size=3) for _ in truth])
    found = auroc_interval(pairs, resamples=4000)
    # No clip of the two abnormal ones is drawn in (8 / 10) ^ 10 of the resamples; the other class is practically always there.
    assert found.left_out / 4000 == pytest.approx(0.8**10, abs=0.02)
    assert found.resamples == 4000 - found.left_out
    assert found.known


@pytest.mark.parametrize(
    ("truth", "score", "reason"),
    [
        ([[0, 0], [0, 0]], [[1, 2], [3, 4]], "there are no abnormal frames"),
        ([[1, 1], [1, 1]], [[1, 2], [3, 4]], "there are no normal frames"),
        ([[0, 1], [0, 0]], [[1, 2], [3, 4]], "abnormal frames lie in one clip only"),
        ([[0, 1], [1, 1]], [[1, 2], [3, 4]], "normal frames lie in one clip only"),
        ([[0, 1]] * FEWEST_CLIPS, [[1, 8]] * FEWEST_CLIPS, "every resample of these clips has the AUROC 1"),
        ([[0, 1]] * 9, [[1, 8], [9, 3]] * 4 + [[1, 2]], "an interval takes 10 clips, and there are 9"),
        ([], [], "there are no abnormal frames"),
    ],
)
def test_where_nothing_can_be_said_the_reason_is(truth, score, reason):
    pairs = clip_pairs([np.array(part, bool) for part in truth], [np.array(part, float) for part in score])
    found = auroc_interval(pairs)
    assert found.reason == reason
    assert math.isnan(found.low)
    assert (found.resamples, found.left_out) == (0, 0)


def test_the_interval_over_seeds_is_narrower_than_one_over_their_noise():
    truth, score = made(60, skill=0.5)
    rng = np.random.default_rng(9)
    seeds = [clip_pairs(truth, [part + 3 * rng.normal() for part in score]) for _ in range(8)]
    mean, single = auroc_interval(over_seeds(seeds)), auroc_interval(seeds[0])
    assert mean.high - mean.low < single.high - single.low


def test_what_cannot_be_asked_for_is_refused():
    pairs = clip_pairs(*made())
    with pytest.raises(UsageError, match="too few"):
        auroc_interval(pairs, resamples=10)
    with pytest.raises(UsageError, match="level"):
        auroc_interval(pairs, level=95)


def test_the_default_is_ten_thousand_resamples():
    assert auroc_interval(clip_pairs(*made())).resamples == RESAMPLES == 10_000

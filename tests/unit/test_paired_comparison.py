"""Two methods on the same clips: the paired bootstrap, and the permutation test against swapping clips one by one."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, rankdata
from sklearn.metrics import roc_auc_score

from vadbench.api import DataError
from vadbench.evaluation.clip_pairs import clip_pairs, over_seeds
from vadbench.evaluation.intervals import auroc_interval, draw_clips
from vadbench.evaluation.paired import Difference, difference_interval, exchange_test


def made(clips, seed, *, frames=15, better=0.0, levels=None):
    """Labels, and scores of two methods; half of what they add is common to both."""
    rng = np.random.default_rng(seed)
    truth = [rng.uniform(size=frames) < rng.choice([0.0, 0.4, 1.0]) for _ in range(clips)]
    common = [rng.normal(size=frames) + rng.normal() + part for part in truth]
    a, b = ([line + rng.normal(size=frames) + rng.normal() for line in common] for _ in range(2))
    a = [line + better * part for line, part in zip(a, truth, strict=True)]
    if levels:
        a, b = ([np.round(line * levels) for line in each] for each in (a, b))
    return truth, a, b


def swapped_one_by_one(truth, a, b):
    """The differences of all ways to swap clips: mid-ranks over the whole, clips put together, scikit-learn."""
    bounds = np.cumsum([len(part) for part in truth])[:-1]
    rank_a, rank_b = (np.split(rankdata(np.concatenate(each)), bounds) for each in (a, b))
    together, found = np.concatenate(truth), []
    for swap in product([False, True], repeat=len(truth)):
        one = np.concatenate([y if s else x for x, y, s in zip(rank_a, rank_b, swap, strict=True)])
        other = np.concatenate([x if s else y for x, y, s in zip(rank_a, rank_b, swap, strict=True)])
        found.append(roc_auc_score(together, one) - roc_auc_score(together, other))
    return np.array(found)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), clips=st.integers(2, 6), levels=st.sampled_from([1, 3, None]))
def test_the_exact_test_equals_swapping_clips_one_by_one(seed, clips, levels):
    truth, a, b = made(clips, seed, frames=5, levels=levels)
    if not 0 < np.concatenate(truth).sum() < 5 * clips:
        return
    found = exchange_test(truth, [a], [b])
    differences = swapped_one_by_one(truth, a, b)
    assert found.exact
    assert found.difference == pytest.approx(differences[0], abs=1e-12)
    assert found.p == pytest.approx((np.abs(differences) >= abs(differences[0]) - 1e-9).mean(), abs=1e-12)


def test_random_permutations_approach_the_exact_test():
    truth, a, b = made(12, 2, better=0.5)
    exact, random = exchange_test(truth, [a], [b], resamples=4096), exchange_test(truth, [a], [b], resamples=4095)
    assert (exact.exact, exact.permutations) == (True, 4096)
    assert (random.exact, random.permutations) == (False, 4096)
    assert random.p == pytest.approx(exact.p, abs=0.03)
    assert random.p * 4096 == pytest.approx(round(random.p * 4096))
    assert random.p >= 1 / 4096


def test_p_is_uniform_where_the_methods_are_exchangeable():
    p = [exchange_test(truth, [a], [b], resamples=500).p for truth, a, b in (made(25, seed) for seed in range(300))]
    assert kstest(p, "uniform").pvalue > 0.01
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.09


def test_swapping_the_methods_turns_the_sign_alone():
    truth, a, b = made(20, 1, better=0.3)
    there, back = exchange_test(truth, [a], [b]), exchange_test(truth, [b], [a])
    assert there.difference == -back.difference
    assert there.p == back.p
    pairs_a, pairs_b = clip_pairs(truth, a), clip_pairs(truth, b)
    forth, reverse = difference_interval(pairs_a, pairs_b), difference_interval(pairs_b, pairs_a)
    assert (forth.low, forth.high) == pytest.approx((-reverse.high, -reverse.low), abs=1e-12)


def test_a_method_does_not_differ_from_itself():
    truth, a, _ = made(20, 1)
    found = exchange_test(truth, [a], [[np.exp(part) for part in a]])
    assert (found.difference, found.p) == (0.0, 1.0)
    interval = difference_interval(clip_pairs(truth, a), clip_pairs(truth, a))
    assert (interval.low, interval.high) == (0.0, 0.0)
    assert interval.includes(0.0)


def test_with_seeds_the_difference_is_that_of_the_means():
    truth, a, b = made(20, 1, better=0.3)
    _, c, _ = made(20, 1, better=0.6)
    found = exchange_test(truth, [a, c], [b])
    pairs = [clip_pairs(truth, each) for each in (a, c, b)]
    assert found.difference == pytest.approx((pairs[0].auroc + pairs[1].auroc) / 2 - pairs[2].auroc, abs=1e-12)
    assert Difference(over_seeds(pairs[:2]), pairs[2]).value == pytest.approx(found.difference, abs=1e-12)


def test_the_same_clips_are_drawn_for_both():
    truth, a, b = made(30, 4)
    pairs_a, pairs_b = clip_pairs(truth, a), clip_pairs(truth, b)
    counts = draw_clips(30, 1000, 0)
    drawn = pairs_a.aurocs(counts) - pairs_b.aurocs(counts)
    found = difference_interval(pairs_a, pairs_b, resamples=1000)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=1e-12)


def test_a_paired_interval_is_narrower_than_two_that_know_nothing_of_each_other():
    truth, a, b = made(60, 5, better=0.2)
    pairs = clip_pairs(truth, a), clip_pairs(truth, b)
    widths = [each.high - each.low for each in (*map(auroc_interval, pairs), difference_interval(*pairs))]
    assert widths[2] < math.hypot(widths[0], widths[1])


@pytest.mark.parametrize("method", ["percentile", "bca", "studentised"])
def test_a_clear_difference_is_found_by_interval_and_test(method):
    truth, a, b = made(60, 5, better=2.0)
    interval = difference_interval(clip_pairs(truth, a), clip_pairs(truth, b), method=method)
    assert interval.low > 0
    assert exchange_test(truth, [a], [b]).p < 0.01


def test_one_class_has_a_reason_and_no_p():
    truth = [np.zeros(3, bool), np.zeros(3, bool)]
    a = [np.arange(3.0), np.arange(3.0)]
    pairs = clip_pairs(truth, a)
    assert difference_interval(pairs, pairs).reason == "there are no abnormal frames"
    assert math.isnan(exchange_test(truth, [a], [a]).p)
    assert math.isnan(exchange_test([], [[]], [[]]).p)


def test_what_cannot_be_compared_is_refused():
    truth, a, b = made(5, 0)
    other = [~part for part in truth]
    with pytest.raises(DataError, match="different frames"):
        difference_interval(clip_pairs(truth, a), clip_pairs(other, b))
    with pytest.raises(DataError, match="no scores"):
        exchange_test(truth, [], [b])
    with pytest.raises(DataError, match="labels"):
        exchange_test(truth, [a], [[part[1:] for part in b]])

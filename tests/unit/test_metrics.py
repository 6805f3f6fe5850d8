"""Metrics against scikit-learn and against counting every pair."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from vadbench.evaluation.metrics import (
    auroc,
    average_precision,
    equal_error_rate,
    false_positive_rate_at,
    macro_auroc,
)

coarse = st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=1, max_size=60)
fine = st.lists(st.tuples(st.booleans(), st.floats(-1e9, 1e9)), min_size=1, max_size=60)


def columns(rows) -> tuple[np.ndarray, np.ndarray]:
    return np.array([row[0] for row in rows], dtype=bool), np.array([row[1] for row in rows], dtype=np.float64)


def mid_ranks(abnormal: np.ndarray, score: np.ndarray) -> float:
    """The share of (abnormal, normal) pairs in which the abnormal frame scores higher; a tie counts one half."""
    pairs = [(a > b) + 0.5 * (a == b) for a in score[abnormal] for b in score[~abnormal]]
    return float(sum(pairs) / len(pairs)) if pairs else math.nan


@given(st.one_of(coarse, fine))
def test_auroc_counts_pairs(rows):
    abnormal, score = columns(rows)
    assert auroc(abnormal, score) == pytest.approx(mid_ranks(abnormal, score), abs=1e-12, nan_ok=True)


@given(coarse)
def test_auroc_of_the_opposite_score(rows):
    abnormal, score = columns(rows)
    assert auroc(abnormal, -score) == pytest.approx(1 - auroc(abnormal, score), abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("levels", [2, 5, 10_000])
def test_against_scikit_learn(levels):
    rng = np.random.default_rng(levels)
    abnormal = rng.uniform(size=3000) < 0.4
    score = rng.integers(levels, size=3000) + 0.3 * levels * abnormal
    assert auroc(abnormal, score) == roc_auc_score(abnormal, score)
    assert average_precision(abnormal, score) == average_precision_score(abnormal, score)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_one_class(n):
    score = np.arange(n, dtype=float)
    assert math.isnan(auroc(np.zeros(n, bool), score))
    assert math.isnan(auroc(np.ones(n, bool), score))
    assert math.isnan(average_precision(np.zeros(n, bool), score))
    assert math.isnan(average_precision(np.ones(n, bool), score))


def test_constant_scores():
    abnormal, score = np.array([True, False, False]), np.zeros(3)
    assert auroc(abnormal, score) == 0.5
    assert average_precision(abnormal, score) == pytest.approx(1 / 3)
    assert equal_error_rate(abnormal, score) == 0.5
    assert false_positive_rate_at(abnormal, score) == 1


def rates(abnormal: np.ndarray, score: np.ndarray) -> list[tuple[float, float]]:
    """(false positive rate, true positive rate) of every threshold, by counting; the first raises no alarm."""
    n_abnormal, n_normal = int(abnormal.sum()), int((~abnormal).sum())
    points = [(0.0, 0.0)]
    for threshold in sorted(set(score.tolist()), reverse=True):
        alarm = score >= threshold
        points.append((int((alarm & ~abnormal).sum()) / n_normal, int((alarm & abnormal).sum()) / n_abnormal))
    return points


@given(st.one_of(coarse, fine))
def test_equal_error_rate_lies_on_the_polyline(rows):
    abnormal, score = columns(rows)
    found = equal_error_rate(abnormal, score)
    if abnormal.all() or not abnormal.any():
        assert math.isnan(found)
        return
    points = rates(abnormal, score)
    for (x0, y0), (x1, y1) in pairwise(points):
        # On the way from one point to the next, FPR + TPR passes 1.
        if x0 + y0 <= 1 <= x1 + y1:
            along = (1 - x0 - y0) / (x1 + y1 - x0 - y0)
            assert found == pytest.approx(x0 + along * (x1 - x0), abs=1e-12)
            break
    else:
        pytest.fail("the polyline does not meet TPR = 1 - FPR")


@given(coarse)
def test_equal_error_rate_of_the_opposite_score(rows):
    abnormal, score = columns(rows)
    assert equal_error_rate(abnormal, -score) == pytest.approx(1 - equal_error_rate(abnormal, score), abs=1e-12, nan_ok=True)


@given(st.one_of(coarse, fine), st.sampled_from([0.05, 0.5, 0.9, 0.95, 1.0]))
def test_false_positive_rate_is_the_least_with_that_recall(rows, recall):
    abnormal, score = columns(rows)
    found = false_positive_rate_at(abnormal, score, recall)
    if abnormal.all() or not abnormal.any():
        assert math.isnan(found)
        return
    assert found == min(x for x, y in rates(abnormal, score) if y >= recall)
    false_rate, true_rate, _ = roc_curve(abnormal, score, drop_intermediate=False)
    assert found == false_rate[true_rate >= recall].min()


def test_nineteen_of_twenty_is_enough():
    abnormal = np.arange(40) < 20
    score = np.where(abnormal, 5.0, 0.0)
    score[0], score[20:25] = -1, 7
    assert false_positive_rate_at(abnormal, score) == 5 / 20


@given(st.lists(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), max_size=30), max_size=6))
def test_macro_auroc_is_the_mean_over_clips_with_both_classes(clips):
    parts = [columns(rows) for rows in clips]
    found = macro_auroc([abnormal for abnormal, _ in parts], [score for _, score in parts])
    single = [roc_auc_score(abnormal, score) for abnormal, score in parts if abnormal.any() and not abnormal.all()]
    assert (found.clips, found.clips_without) == (len(single), len(parts) - len(single))
    assert found.mean == pytest.approx(np.mean(single) if single else math.nan, abs=1e-12, nan_ok=True)


def test_a_clip_weighs_the_same_however_long_it_is():
    right, wrong = (np.array([False, True]), np.array([0.0, 1.0])), (np.arange(90) < 45, np.arange(90.0))
    assert macro_auroc([right[0], wrong[0]], [right[1], wrong[1]]).mean == 0.5

"""Metrics against scikit-learn and against counting every pair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from vadbench.evaluation.metrics import auroc, average_precision

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
    assert auroc(np.array([True, False, False]), np.zeros(3)) == 0.5



"""An AUROC in two parts: pairs in one clip, and pairs of two."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from vadbench.evaluation.ranking_shares import ranking_shares

clips = st.lists(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), max_size=10), min_size=1, max_size=5)


def columns(rows):
    return [np.array([a for a, _ in part], dtype=bool) for part in rows], [np.array([s for _, s in part], float) for part in rows]


def pairs_by_loop(abnormal, score, *, within: bool) -> float:
    found = [
        (s > t) + 0.5 * (s == t)
        for i, (a, x) in enumerate(zip(abnormal, score, strict=True))
        for j, (b, y) in enumerate(zip(abnormal, score, strict=True))
        if (i == j) == within
        for s in x[a]
        for t in y[~b]
    ]
    return sum(found) / len(found) if found else math.nan


@given(clips)
def test_parts_are_those_of_a_loop_and_make_the_whole(rows):
    abnormal, score = columns(rows)
    found = ranking_shares(abnormal, score)
    assert found.within == pytest.approx(pairs_by_loop(abnormal, score, within=True), nan_ok=True)
    assert found.between == pytest.approx(pairs_by_loop(abnormal, score, within=False), nan_ok=True)
    truth = np.concatenate(abnormal)
    if truth.all() or not truth.any():
        assert math.isnan(found.auroc)
        return
    assert found.auroc == pytest.approx(roc_auc_score(truth, np.concatenate(score)))
    assert 0.5 + found.gain_within + found.gain_between == pytest.approx(found.auroc)


def test_a_detector_of_clips_gains_nothing_within():
    abnormal = [np.array([0, 1, 1, 0], bool), np.zeros(5, bool)]
    found = ranking_shares(abnormal, [np.ones(4), np.zeros(5)])
    assert (found.within, found.between, found.gain_within) == (0.5, 1.0, 0.0)
    assert found.clip_means == found.auroc


def test_a_detector_of_frames_in_clips_of_any_level():
    abnormal = [np.array([0, 1], bool), np.array([0, 1], bool)]
    found = ranking_shares(abnormal, [np.array([0.0, 1]), np.array([10.0, 11])])
    assert (found.within_pairs, found.within, found.between, found.auroc) == (0.5, 1.0, 0.5, 0.75)
    assert found.clip_means == 0.5


def test_scores_that_many_frames_share_as_means():
    abnormal = [np.array([0, 0, 1], bool), np.array([0, 1, 1], bool)]
    score = [np.array([0.0, 3, 3]), np.array([3.0, 3, 9])]
    means = np.repeat([2.0, 5.0], 3)
    assert ranking_shares(abnormal, score).clip_means == pytest.approx(roc_auc_score(np.concatenate(abnormal), means))

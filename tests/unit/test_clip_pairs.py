"""The clip-by-clip matrix of ordered pairs against counting them, and against scikit-learn on resampled clips."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from vadbench.api import DataError
from vadbench.evaluation import clip_pairs as module
from vadbench.evaluation.clip_pairs import clip_pairs, over_seeds
from vadbench.evaluation.intervals import draw_clips

frame = st.tuples(st.booleans(), st.integers(-2, 2))
clips_of_frames = st.lists(st.lists(frame, max_size=8), min_size=1, max_size=7)


def parts(clips):
    truth = [np.array([abnormal for abnormal, _ in clip], dtype=bool) for clip in clips]
    return truth, [np.array([score for _, score in clip], dtype=float) for clip in clips]


def counted(truth, score):
    """Every pair one by one."""
    return [
        [2 * sum((x > y) + (x == y) / 2 for x in score[a][truth[a]] for y in score[b][~truth[b]]) for b in range(len(truth))]
        for a in range(len(truth))
    ]


def looped(truth, score, counts):
    """A plain resampling loop: the clips put together as often as they were drawn, and scikit-learn."""
    found = []
    for row in counts:
        chosen = np.repeat(np.arange(len(row)), row)
        together, values = (np.concatenate([each[i] for i in chosen]) for each in (truth, score))
        found.append(roc_auc_score(together, values) if 0 < together.sum() < len(together) else np.nan)
    return np.array(found)


@given(clips_of_frames)
def test_the_matrix_counts_every_pair(clips):
    truth, score = parts([clip for clip in clips if clip])
    pairs = clip_pairs(truth, score)
    np.testing.assert_array_equal(pairs.doubled, np.array(counted(truth, score)).reshape(pairs.doubled.shape))
    assert pairs.abnormal.tolist() == [part.sum() for part in truth]
    assert pairs.normal.tolist() == [(~part).sum() for part in truth]


def test_a_matrix_small_enough_to_follow_on_paper():
    # Clip 0: abnormal 3, normal 1. Clip 1: normal 3 and 5. 3 > 1: one pair; 3 = 3: half a pair; 3 < 5: none.
    pairs = clip_pairs([np.array([True, False]), np.array([False, False])], [np.array([3.0, 1.0]), np.array([3.0, 5.0])])
    assert pairs.doubled.tolist() == [[2, 1], [0, 0]]
    assert pairs.auroc == 1.5 / 3
    # Clip 1 taken twice: 1.5 + 0.5 ordered of 5 pairs.
    assert pairs.aurocs(np.array([[1, 2]])).tolist() == [2 / 5]


@given(clips_of_frames, st.integers(0, 99))
def test_every_resample_equals_a_plain_loop_with_scikit_learn(clips, seed):
    truth, score = parts([clip for clip in clips if clip])
    if truth:
        counts = draw_clips(len(truth), 5, seed)
        np.testing.assert_allclose(clip_pairs(truth, score).aurocs(counts), looped(truth, score, counts), rtol=0, atol=1e-12)


@pytest.mark.parametrize("levels", [3, 50, 10**9])
def test_many_resamples_of_a_larger_set_equal_the_loop(levels):
    rng = np.random.default_rng(levels)
    truth = [rng.uniform(size=n) < rng.choice([0, 0.3, 0.9, 1]) for n in rng.integers(1, 200, size=40)]
    score = [rng.integers(levels, size=len(part)) + 0.2 * levels * part for part in truth]
    counts = draw_clips(40, 100, 1)
    np.testing.assert_allclose(clip_pairs(truth, score).aurocs(counts), looped(truth, score, counts), rtol=0, atol=1e-12)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    truth = [rng.uniform(size=9) < 0.5 for _ in range(6)]
    pairs = clip_pairs(truth, [rng.normal(size=9) for _ in truth])
    counts = draw_clips(6, 100, 0)
    whole = pairs.aurocs(counts)
    monkeypatch.setattr(module, "_BLOCK", 20)
    np.testing.assert_array_equal(pairs.aurocs(counts), whole)


def test_influences_are_the_derivatives_by_the_weights():
    rng = np.random.default_rng(3)
    truth = [rng.uniform(size=9) < 0.5 for _ in range(6)]
    pairs = clip_pairs(truth, [rng.integers(4, size=9).astype(float) for _ in truth])
    weights = rng.uniform(0.5, 2, size=(1, 6))
    _, psi = pairs.influences(weights)
    for clip in range(6):
        step = np.zeros((1, 6))
        step[0, clip] = 1e-5
        slope = (pairs.aurocs(weights + step) - pairs.aurocs(weights - step)) / 2e-5
        assert psi[0, clip] == pytest.approx(slope[0], abs=1e-8)


def test_the_pairs_of_several_seeds_give_the_mean_of_their_aurocs():
    rng = np.random.default_rng(5)
    truth = [rng.uniform(size=12) < 0.4 for _ in range(8)]
    each = [clip_pairs(truth, [rng.integers(3, size=12) + 0.5 * part for part in truth]) for _ in range(3)]
    counts = draw_clips(8, 50, 0)
    means = np.mean([pairs.aurocs(counts) for pairs in each], axis=0)
    np.testing.assert_allclose(over_seeds(each).aurocs(counts), means, rtol=0, atol=1e-12)
    _, psi = over_seeds(each).influences(counts.astype(float))
    np.testing.assert_allclose(psi, np.mean([pairs.influences(counts.astype(float))[1] for pairs in each], axis=0), atol=1e-12)


def test_a_clip_without_a_frame_that_counts_is_no_clip():
    truth, score = [np.array([True]), np.zeros(0, bool), np.array([False])], [np.array([2.0]), np.zeros(0), np.array([1.0])]
    assert clip_pairs(truth, score).n_clips == 2
    assert clip_pairs(truth, score).auroc == 1.0
    assert clip_pairs([np.zeros(0, bool)], [np.zeros(0)]).n_clips == 0


def test_resamples_without_a_class_have_no_auroc():
    pairs = clip_pairs([np.array([True]), np.array([False])], [np.array([2.0]), np.array([1.0])])
    assert np.isnan(pairs.aurocs(np.array([[2, 0], [0, 2], [1, 1]]))).tolist() == [True, True, False]


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(DataError, match="1 frames have no score"):
        clip_pairs([np.array([True, False])], [np.array([np.nan, 1.0])])
    with pytest.raises(DataError, match="labels"):
        clip_pairs([np.array([True, False])], [np.array([1.0])])
    one, other = (clip_pairs([np.array([first, False])], [np.array([1.0, 2.0])]) for first in (True, False))
    with pytest.raises(DataError, match="different frames"):
        over_seeds([one, other])
    with pytest.raises(DataError, match="no scores"):
        over_seeds([])

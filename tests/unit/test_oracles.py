"""Oracles and the coverage ceiling: by hand, and as bounds that hold whatever a detector does."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from vadbench.api import FrameLabels
from vadbench.evaluation.frame_steps import UNSCORED, fill
from vadbench.evaluation.oracles import coverage_ceiling, oracles
from vadbench.evaluation.protocol import Pipeline

clips = st.lists(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12), min_size=1, max_size=5)
"""Per clip and frame: abnormal, counts."""


def labels_of(*parts: list[int], keep: list[list[int]] | None = None) -> FrameLabels:
    abnormal = tuple(np.array(part, dtype=bool) for part in parts)
    counts = tuple(np.ones(len(part), dtype=bool) for part in parts) if keep is None else tuple(np.array(k, bool) for k in keep)
    return FrameLabels(tuple(f"c{i}" for i in range(len(parts))), abnormal, counts)


def test_by_hand():
    # Shares 1/2, 0 and 3/4. Clip level: 5 abnormal frames all at 1; 3 of 7 normal frames too: (4 + 3 / 2) / 7.
    found = oracles(labels_of([0, 0, 1, 1], [0, 0, 0, 0], [1, 1, 1, 0]))
    assert found.clip_level == pytest.approx((4 + 3 / 2) / 7)
    # Share: two frames at 1/2 beat 4 and tie with 2 of 7 normal ones, three at 3/4 beat 6 and tie with 1.
    assert found.clip_share == pytest.approx((2 * (4 + 2 / 2) + 3 * (6 + 1 / 2)) / (5 * 7))


def test_frames_that_do_not_count_play_no_part():
    whole = oracles(labels_of([0, 1, 1], [0, 0]))
    assert oracles(labels_of([0, 1, 1, 1, 1], [1, 0, 0], keep=[[1, 1, 1, 0, 0], [0, 1, 1]])) == whole


@pytest.mark.parametrize("part", [[0, 0], [1, 1], []])
def test_one_class(part):
    found = oracles(labels_of(part))
    assert math.isnan(found.clip_level)
    assert math.isnan(found.clip_share)
    assert math.isnan(coverage_ceiling(labels_of(part), (np.zeros(len(part), bool),), Pipeline()))


@given(clips, st.lists(st.integers(-3, 3), min_size=5, max_size=5))
def test_no_constant_a_clip_beats_the_share(rows, constants):
    labels = labels_of(*([a for a, _ in part] for part in rows), keep=[[k for _, k in part] for part in rows])
    truth = np.concatenate([a[k] for a, k in zip(labels.abnormal, labels.keep, strict=True)])
    if truth.all() or not truth.any():
        return
    score = np.concatenate([np.full(int(k.sum()), c) for k, c in zip(labels.keep, constants, strict=False)])
    assert roc_auc_score(truth, score) <= oracles(labels).clip_share + 1e-12
    assert oracles(labels).clip_level <= oracles(labels).clip_share + 1e-12


@pytest.mark.parametrize(
    "pipeline", [Pipeline(), Pipeline(fill="below-minimum"), Pipeline(fill="zero"), Pipeline(fill="zero", origin="non-negative")]
)
@given(rows=clips, random=st.randoms())
def test_no_scores_beat_the_ceiling_and_the_best_ones_reach_it(pipeline, rows, random):
    labels = labels_of(*([a for a, _ in part] for part in rows), keep=[[k for _, k in part] for part in rows])
    scored = tuple(np.array([random.random() < 0.6 for _ in part]) for part in rows)
    truth, there = (np.concatenate([a[k] for a, k in zip(x, labels.keep, strict=True)]) for x in (labels.abnormal, scored))
    if truth.all() or not truth.any():
        return
    ceiling = coverage_ceiling(labels, scored, pipeline)

    def reached(value) -> float:
        """Of scores by frame, all frames without one filled by the rule; those that do not count have scores, too."""
        flat = np.concatenate(
            [
                np.where(s, [value(a, k) for a, k in zip(x, y, strict=True)], UNSCORED)
                for x, y, s in zip(labels.abnormal, labels.keep, scored, strict=True)
            ]
        )
        score, _ = fill(flat, pipeline.fill)
        return roc_auc_score(truth, score[np.concatenate(labels.keep)])

    lowest = -1.0 if pipeline.origin == "as-is" else 0.0
    assert reached(lambda *_: lowest + random.random() * 2) <= ceiling + 1e-12
    assert reached(lambda abnormal, keep: 2.0 + random.random() if abnormal and keep else lowest) == pytest.approx(ceiling)
    if pipeline == Pipeline() and (there & ~truth).any():
        assert ceiling == pytest.approx((1 + there[truth].mean()) / 2)

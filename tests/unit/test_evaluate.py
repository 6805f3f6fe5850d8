"""The standardised report: masks after smoothing, coverage, scenes, and nothing that crashes on one class."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from frame_axes import axis_of
from made_tracks import made_windows
from sklearn.metrics import average_precision_score, roc_auc_score

from vadbench.api import DataError, FrameLabels, WindowRule, WindowScores
from vadbench.evaluation.frame_steps import smooth
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.published_protocols import STANDARD_V1
from vadbench.evaluation.report import evaluate
from vadbench.store.record import Metrics

STANDARD = STANDARD_V1.on("any")
N = 60
T = 4


def scores_of(*clips: np.ndarray) -> WindowScores:
    """One person a clip, scored in every frame in which a window can score."""
    starts = np.arange(N - T)
    return WindowScores(
        np.repeat([f"c{i}" for i in range(len(clips))], len(starts)),
        np.ones(len(starts) * len(clips), dtype=np.int64),
        np.tile(starts, len(clips)),
        np.concatenate([clip[starts + T // 2] for clip in clips]),
        T,
    )


def labels_of(*clips: tuple[int, int], keep: tuple[np.ndarray, ...] | None = None) -> FrameLabels:
    abnormal = []
    for first, end in clips:
        line = np.zeros(N, dtype=bool)
        line[first:end] = True
        abnormal.append(line)
    keep = keep or tuple(np.ones(N, dtype=bool) for _ in clips)
    return FrameLabels(tuple(f"c{i}" for i in range(len(clips))), tuple(abnormal), keep)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=N)


SCENES = {"c0": "01", "c1": "02", "c2": "02"}


def test_by_hand():
    lines = [noise(0), noise(1), noise(2)]
    labels = labels_of((10, 30), (0, 5), (40, 60))
    report = evaluate(scores_of(*lines), labels, SCENES, STANDARD)
    lowest = min(line[T // 2 : N - T // 2].min() for line in lines)
    raw = [np.where((np.arange(N) >= T // 2) & (np.arange(N) < N - T // 2), line, lowest) for line in lines]
    smoothed = [smooth(line, STANDARD.smoothing) for line in raw]
    truth = np.concatenate(labels.abnormal)
    assert report["auroc"] == roc_auc_score(truth, np.concatenate(smoothed))
    assert report["auroc_raw"] == roc_auc_score(truth, np.concatenate(raw))
    assert report["ap"] == average_precision_score(truth, np.concatenate(smoothed))
    assert report["per_scene"]["01"] == roc_auc_score(labels.abnormal[0], smoothed[0])
    assert report["per_scene"]["02"] == roc_auc_score(truth[N:], np.concatenate(smoothed[1:]))
    assert (report["frames"], report["abnormal_frames"], report["clips"]) == (3 * N, 45, 3)


def test_masked_frames_leave_after_smoothing():
    line = noise(3)
    line[20:26] += 30
    keep = np.ones(N, dtype=bool)
    keep[20:26] = False
    labels = labels_of((12, 32), keep=(keep,))
    report = evaluate(scores_of(line), labels, SCENES, STANDARD)
    filled = frame_scores(scores_of(line), axis_of({"c0": N}), STANDARD).raw[0]
    after = roc_auc_score(labels.abnormal[0][keep], smooth(filled, STANDARD.smoothing)[keep])
    before = roc_auc_score(labels.abnormal[0][keep], smooth(filled[keep], STANDARD.smoothing))
    assert abs(after - before) > 0.05, "the case tells the two orders apart"
    assert report["auroc"] == after
    assert report["frames"] == N - 6
    assert report["abnormal_frames"] == 14


def test_masked_frames_still_decide_the_fill():
    line = noise(4)
    line[30] = -50
    keep = np.ones(N, dtype=bool)
    keep[30] = False
    labels = labels_of((0, 2), keep=(keep,))
    # The lowest score of all, on a masked frame, is what frames 0 and 1 are filled with.
    assert evaluate(scores_of(line), labels, SCENES, STANDARD)["auroc_raw"] == pytest.approx(1 / 57, abs=0.02)


def test_one_class_is_nan_and_null():
    for part in ((0, 0), (0, N)):
        report = evaluate(scores_of(noise(0)), labels_of(part), SCENES, STANDARD)
        assert math.isnan(report["auroc"])
        assert math.isnan(report["auroc_raw"])
        assert math.isnan(report["per_scene"]["01"])
        assert Metrics.of(report).auroc is None
        assert Metrics.of(report).per_scene == {"01": None}


def test_a_scene_of_one_class_does_not_spoil_the_others():
    report = evaluate(scores_of(noise(0), noise(1)), labels_of((0, 0), (5, 9)), SCENES, STANDARD)
    assert math.isnan(report["per_scene"]["01"])
    assert 0 <= report["per_scene"]["02"] <= 1
    assert 0 <= report["auroc"] <= 1


def test_no_frame_counts():
    nothing = np.zeros(N, dtype=bool)
    report = evaluate(scores_of(noise(0)), labels_of((5, 9), keep=(nothing,)), SCENES, STANDARD)
    assert math.isnan(report["auroc"])
    assert math.isnan(report["ap"])
    assert math.isnan(report["coverage"]["frames"])
    assert report["frames"] == 0


def test_window_of_another_test_set():
    with pytest.raises(DataError):
        evaluate(scores_of(noise(0), noise(1)), labels_of((5, 9)), SCENES, STANDARD)


class TestCoverage:
    def test_shares(self):
        coverage = evaluate(scores_of(noise(0)), labels_of((0, 10)), SCENES, STANDARD)["coverage"]
        assert coverage == {"frames": (N - T) / N, "abnormal_frames": (10 - T // 2) / 10}

    @pytest.mark.parametrize(("rows", "length"), [(100, 24), (60, 16), (25, 24), (24, 24), (40, 9)])
    def test_one_unbroken_track_scores_as_many_frames_as_it_is_longer_than_a_window(self, rows, length):
        windows = made_windows({1: range(7, 7 + rows)}, rule=WindowRule(length))
        scores = WindowScores(
            np.array(["c0"] * len(windows)), windows.person, windows.start, np.ones(len(windows)), length=length
        )
        scored = frame_scores(scores, axis_of({"c0": 200}), STANDARD).scored[0]
        first = 7 + length // 2
        assert np.flatnonzero(scored).tolist() == list(range(first, first + rows - length))

    def test_a_break_costs_a_window_more(self):
        windows = made_windows({1: [*range(50), *range(60, 110)]}, rule=WindowRule(24))
        scores = WindowScores(np.array(["c0"] * len(windows)), windows.person, windows.start, np.ones(len(windows)), 24)
        # Windows that reach over the break with at most two rows are accepted: two more than in two separate tracks.
        assert frame_scores(scores, axis_of({"c0": 110}), STANDARD).scored[0].sum() == (50 - 24) + 1 + 2 + (50 - 24)


def test_smoothing_is_the_protocols():
    plain = replace(STANDARD, smoothing=())
    report = evaluate(scores_of(noise(0)), labels_of((10, 30)), SCENES, plain)
    assert report["auroc"] == report["auroc_raw"]
    assert report["auroc"] != evaluate(scores_of(noise(0)), labels_of((10, 30)), SCENES, STANDARD)["auroc"]

"""Last-frame repeat: errors by a loop, and what has none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from posed_windows import others, posed_windows, scores, standing

from vadbench.api import COCO_18, ConfigError, PoseShape
from vadbench_baselines.last_frame import LastFrame, LastFrameConfig

POSES = PoseShape(2, 8, COCO_18)


def detector(frames: int = 0, shape: PoseShape = POSES) -> LastFrame:
    return LastFrame(LastFrameConfig(frames=frames), shape)


@pytest.mark.parametrize("frames", [0, 1, 5, 23])
def test_scores_are_weighted_mean_squared_distances(frames) -> None:
    windows = others()
    batch = windows.batch(slice(None))
    length = batch.x.shape[2]
    pairs = [(t, t - 1) for t in range(1, length)]
    if frames:
        pairs = [(t, length - frames - 1) for t in range(length - frames, length)]
    found = scores(detector(frames, windows.shape), windows)
    for i in range(0, len(windows), 37):
        total = weights = 0.0
        for t, s in pairs:
            for j in range(18):
                weight = float(batch.confidence[i, t, j]) * float(batch.confidence[i, s, j])
                total += weight * float(np.sum((batch.x[i, :, t, j].astype(float) - batch.x[i, :, s, j]) ** 2))
                weights += weight
        assert found[i] == pytest.approx(total / weights, rel=1e-5)


@given(st.integers(0, 2**31), st.integers(0, 7))
def test_a_frozen_pose_has_no_error(seed, frames) -> None:
    assert scores(detector(frames), posed_windows(standing(8, seed=seed)))[0] == 0


def test_twice_the_motion_has_four_times_the_error_of_a_frame() -> None:
    found = []
    for swing in (1, 2):
        poses = standing(8)
        # A swing that leaves the mean and, to first order, the height as they are.
        poses[0, :, 4, 0] += swing * np.tile([1, -1], 4)
        found.append(scores(detector(), posed_windows(poses))[0])
    assert found[1] == pytest.approx(4 * found[0], rel=1e-3)


def test_a_missing_joint_has_no_error_in_either_frame() -> None:
    poses = standing(8)
    poses[0, 3, 6] += 50
    poses[0, 3, 7] = np.nan
    moved = scores(detector(), posed_windows(poses))[0]
    poses[0, 3, 6] = np.nan
    assert moved > 0
    assert scores(detector(), posed_windows(poses))[0] == pytest.approx(0, abs=1e-12)


def test_nobody_has_no_error() -> None:
    assert scores(detector(), posed_windows(np.full((1, 8, 18, 2), np.nan)))[0] == 0


@pytest.mark.parametrize("frames", [8, 100])
def test_a_window_that_is_all_prediction_is_refused(frames) -> None:
    with pytest.raises(ConfigError, match=f"{frames} frames cannot be predicted in windows of 8") as caught:
        detector(frames)
    assert caught.value.where == "detector.frames"
    assert "7 or fewer" in str(caught.value.remedy)

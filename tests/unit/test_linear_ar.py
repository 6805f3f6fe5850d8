"""Linear autoregression: normal equations by hand, and motions that are linear."""

from __future__ import annotations

import numpy as np
import pytest
from posed_windows import fitted, others, posed_windows, reloaded, scores, standing

from vadbench.api import COCO_18, ConfigError, Context, DataError, PoseShape
from vadbench.testing.sample import sample_windows
from vadbench_baselines.linear_ar import LinearAR, LinearARConfig

SHAPE = sample_windows().shape


def parts(windows, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is given (W, N), what is predicted (W, 2, F, J), and its confidences (W, F, J), window by window."""
    batch = windows.batch(slice(None))
    given, wanted = [], []
    for x, confidence in zip(batch.x.astype(np.float64), batch.confidence, strict=True):
        past, seen = x[:, :-frames].copy(), confidence[:-frames] > 0
        centre = past[:, seen].mean(axis=1)
        size = np.sqrt(np.mean((past[1, seen] - centre[1]) ** 2))
        for joint in range(past.shape[2]):
            here = seen[:, joint]
            past[:, ~here, joint] = past[:, here, joint].mean(axis=1, keepdims=True) if here.any() else centre[:, None]
        given.append(((past - centre[:, None, None]) / size).ravel())
        wanted.append((x[:, -frames:] - centre[:, None, None]) / size)
    return np.array(given), np.array(wanted), batch.confidence[:, -frames:].astype(np.float64)


@pytest.mark.parametrize("frames", [1, 6])
def test_scores_are_standardised_errors_of_a_ridge_regression(frames) -> None:
    ridge = 1e-2
    detector = fitted(LinearAR(LinearARConfig(frames=frames, ridge=ridge), SHAPE))
    past, future, confidence = parts(sample_windows(), frames)
    target = future.reshape(len(past), -1)
    centred = past - past.mean(axis=0)
    penalty = ridge * len(past) * past.var(axis=0).mean()
    weights = np.linalg.solve(
        centred.T @ centred + penalty * np.eye(centred.shape[1]), centred.T @ (target - target.mean(axis=0))
    )

    def errors(given, wanted):
        predicted = target.mean(axis=0) + (given - past.mean(axis=0)) @ weights
        return (wanted - predicted.reshape(wanted.shape)) ** 2

    seen = np.broadcast_to(confidence[:, None] > 0, future.shape)
    variance = np.where(seen, errors(past, future), 0).sum(axis=0) / seen.sum(axis=0)
    given, wanted, weight = parts(others(), frames)
    square = (errors(given, wanted) / variance).sum(axis=1)
    expected = (square * weight).sum(axis=(1, 2)) / weight.sum(axis=(1, 2))
    np.testing.assert_allclose(scores(detector, others()), expected, rtol=1e-5)


def test_a_normal_window_has_about_two() -> None:
    detector = fitted(LinearAR(LinearARConfig(), SHAPE))
    assert scores(detector, sample_windows()).mean() == pytest.approx(2, rel=0.1)


def test_an_unheard_of_turn_scores_higher() -> None:
    rng = np.random.default_rng(0)
    shape = PoseShape(2, 8, COCO_18)
    poses = standing(8, people=200) + rng.normal(0, 0.3, (200, 8, 18, 2))
    speed = rng.uniform(-4, 4, (200, 1, 1))
    poses[..., 0] += speed * np.arange(8)[None, :, None]
    detector = LinearAR(LinearARConfig(frames=3), shape)
    detector.fit(posed_windows(poses[:150]), Context())
    straight = scores(detector, posed_windows(poses[150:]))
    poses[150:, 5:, :, 0] -= 2 * speed[150:] * np.arange(1, 4)[None, :, None]
    assert scores(detector, posed_windows(poses[150:])).mean() > 3 * straight.mean()


def test_missing_joints_are_not_predicted() -> None:
    detector = fitted(LinearAR(LinearARConfig(), SHAPE))
    poses = others().tracks.keypoints[None, :24].copy().astype(float)
    poses[0, -3:, 4] = (np.nan, np.nan, 0)
    windows = posed_windows(poses, length=24)
    batch = windows.batch(slice(None))
    assert (batch.confidence[0, -3:, 4] == 0).all()
    plain = scores(detector, windows)
    # The place where the harness filled it in: if it counted, a far training mean would be seen in the score.
    detector.arrays["constant"].reshape(2, 6, 18)[:, -3:, 4] += 100
    np.testing.assert_allclose(scores(detector, windows), plain, rtol=1e-9)
    detector.arrays["constant"].reshape(2, 6, 18)[:, 0, 4] += 100
    assert scores(detector, windows)[0] > 10 * plain[0]


def test_a_normalisation_that_looks_ahead_tells_nothing_of_the_future() -> None:
    detector = fitted(LinearAR(LinearARConfig(), SHAPE))
    poses = others().tracks.keypoints[None, :24].copy().astype(float)
    jumped = poses.copy()
    jumped[0, -6:, :, 0] += 100
    before, after = (detector._parts(posed_windows(given, length=24).batch(slice(None)))[0] for given in (poses, jumped))
    np.testing.assert_allclose(detector._predicted(after), detector._predicted(before), atol=1e-3)


def test_a_joint_that_training_never_shows_says_nothing() -> None:
    rng = np.random.default_rng(1)
    poses = standing(8, people=30) + rng.normal(0, 1, (30, 8, 18, 2))
    hidden = poses.copy()
    hidden[:, :, 3] = np.nan
    detector = LinearAR(LinearARConfig(frames=2), PoseShape(2, 8, COCO_18))
    detector.fit(posed_windows(hidden), Context())
    plain = scores(detector, posed_windows(poses))
    assert np.isfinite(plain).all()
    wild = poses.copy()
    wild[:, -2:, 3] += rng.normal(0, 50, (30, 2, 2))
    assert np.median(scores(detector, posed_windows(wild))) < 2 * np.median(plain)


def test_loaded_weights_score_alike() -> None:
    detector = fitted(LinearAR(LinearARConfig(), SHAPE))
    fresh = reloaded(detector, LinearAR(LinearARConfig(), SHAPE))
    assert np.array_equal(scores(fresh, others()), scores(detector, others()))


def test_a_window_that_is_all_prediction_is_refused() -> None:
    with pytest.raises(ConfigError, match="24 frames cannot be predicted in windows of 24"):
        LinearAR(LinearARConfig(frames=24), SHAPE)


def test_one_window_teaches_nothing() -> None:
    with pytest.raises(DataError, match="1 training windows are too few"):
        LinearAR(LinearARConfig(), SHAPE).fit(sample_windows().select(np.arange(1)), Context())

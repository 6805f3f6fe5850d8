"""PCA reconstruction error against scikit-learn's own reconstruction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from posed_windows import fitted, others, rows, scores
from sklearn.decomposition import PCA

from vadbench.testing.sample import absurd_windows, sample_windows
from vadbench_baselines.pca import PCAConfig, PCAError

SHAPE = sample_windows().shape


def without(windows, *joints):
    """The windows of tracks in which these joints are never seen."""
    keypoints = windows.tracks.keypoints.copy()
    keypoints[:, joints] = (np.nan, np.nan, 0)
    return replace(windows, tracks=replace(windows.tracks, keypoints=keypoints))


@pytest.mark.parametrize("variance", [0.5, 0.95])
def test_scores_are_the_mean_squared_error_over_joints_that_are_there(variance) -> None:
    detector = fitted(PCAError(PCAConfig(variance=variance), SHAPE))
    reference = PCA(variance, svd_solver="full").fit(rows(sample_windows()).astype(np.float64))
    batch = others().batch(slice(None))
    test = rows(others()).astype(np.float64)
    square = (test - reference.inverse_transform(reference.transform(test))).reshape(batch.x.shape) ** 2
    seen = np.broadcast_to(batch.confidence[:, None] > 0, square.shape)
    assert not seen.all()
    wanted = [square[i][seen[i]].mean() for i in range(len(square))]
    np.testing.assert_allclose(scores(detector, others()), wanted, rtol=1e-3)


def test_more_components_leave_less_of_normal_windows() -> None:
    few, many = (fitted(PCAError(PCAConfig(variance=share), SHAPE)) for share in (0.5, 0.99))
    assert scores(many, others()).mean() < 0.2 * scores(few, others()).mean()
    assert scores(many, absurd_windows(others())).mean() > 10 * scores(many, others()).mean()


def test_nobody_has_the_score_0() -> None:
    detector = fitted(PCAError(PCAConfig(), SHAPE))
    assert (scores(detector, without(others(), *range(18))) == 0).all()


@pytest.mark.parametrize("variance", [0, 1, 1.5])
def test_the_share_lies_between_0_and_1(variance) -> None:
    with pytest.raises(ValueError, match="variance"):
        PCAConfig(variance=variance)

"""One-class SVM against scikit-learn's own decision function."""

from __future__ import annotations

import numpy as np
import pytest
from posed_windows import fitted, others, reloaded, rows, scores
from sklearn.svm import OneClassSVM

from vadbench.testing.sample import absurd_windows, sample_windows
from vadbench_baselines.ocsvm import OneClass, OneClassSVMConfig

SHAPE = sample_windows().shape


@pytest.mark.parametrize("gamma", [None, 0.01])
def test_scores_are_minus_scikit_learns_decision_function(gamma) -> None:
    detector = fitted(OneClass(OneClassSVMConfig(gamma=gamma, nu=0.2), SHAPE))
    known, test = (detector.coordinates(rows(w)).astype(np.float64) for w in (sample_windows(), others()))
    machine = OneClassSVM(nu=0.2, gamma=gamma or 1 / known.var(axis=0).sum()).fit(known)
    np.testing.assert_allclose(scores(detector, others()), -machine.decision_function(test), atol=1e-9)


def test_about_the_share_nu_of_training_windows_lies_outside() -> None:
    detector = fitted(OneClass(OneClassSVMConfig(nu=0.3), SHAPE))
    assert (scores(detector, sample_windows()) > 0).mean() == pytest.approx(0.3, abs=0.05)


def test_far_away_it_comes_to_its_highest_value() -> None:
    detector = fitted(OneClass(OneClassSVMConfig(), SHAPE))
    found = detector.judge()(np.full((1, detector.arrays["vectors"].shape[1]), 1e4, dtype=np.float32))
    assert found[0] == pytest.approx(-float(detector.arrays["intercept"]))
    assert (scores(detector, absurd_windows(others())) <= found[0] + 1e-9).all()


def test_it_is_fitted_to_no_more_windows_than_the_setting_says() -> None:
    detector = fitted(OneClass(OneClassSVMConfig(windows=40, nu=0.9), SHAPE))
    assert 36 <= len(detector.arrays["vectors"]) <= 40


def test_loaded_weights_score_alike() -> None:
    detector = fitted(OneClass(OneClassSVMConfig(), SHAPE))
    fresh = reloaded(detector, OneClass(OneClassSVMConfig(), SHAPE))
    assert np.array_equal(scores(fresh, others()), scores(detector, others()))


@pytest.mark.parametrize("setting", [{"nu": 0}, {"nu": 1}, {"gamma": 0}])
def test_settings_out_of_range_are_refused(setting) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        OneClassSVMConfig(**setting)

"""Gaussian mixture against scikit-learn's own density, and against one Gaussian of SciPy."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from posed_windows import fitted, others, reloaded, rows, scores
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture

from vadbench.api import Context
from vadbench.testing.sample import sample_windows
from vadbench_baselines import gmm
from vadbench_baselines.gmm import GMM, GMMConfig

SHAPE = sample_windows().shape


def coordinates(detector: GMM) -> np.ndarray:
    return detector.coordinates(rows(others())).astype(np.float64)


def test_scores_are_minus_scikit_learns_log_densities_in_nats() -> None:
    detector = fitted(GMM(GMMConfig(mixtures=4), SHAPE))
    reference = GaussianMixture(4)
    reference.weights_, reference.means_, reference.precisions_cholesky_ = (
        detector.arrays[name] for name in ("weights", "means", "whitenings")
    )
    wanted = -reference.score_samples(coordinates(detector))
    np.testing.assert_allclose(scores(detector, others()), wanted, rtol=1e-9)


def test_one_gaussian_is_that_of_the_training_windows() -> None:
    detector = fitted(GMM(GMMConfig(mixtures=1, ridge=1e-2), SHAPE))
    known = detector.coordinates(rows(sample_windows())).astype(np.float64)
    covariance = np.cov(known.T, bias=True) + 1e-2 * known.var(axis=0).mean() * np.eye(known.shape[1])
    wanted = -multivariate_normal(known.mean(axis=0), covariance).logpdf(coordinates(detector))
    np.testing.assert_allclose(scores(detector, others()), wanted, rtol=1e-6)


def test_loaded_weights_score_alike() -> None:
    detector = fitted(GMM(GMMConfig(), SHAPE))
    fresh = reloaded(detector, GMM(GMMConfig(), SHAPE))
    assert np.array_equal(scores(fresh, others()), scores(detector, others()))


def test_a_mixture_that_does_not_converge_is_logged_and_not_printed(caplog, monkeypatch, recwarn) -> None:
    monkeypatch.setattr(gmm, "GaussianMixture", lambda *a, **k: GaussianMixture(*a, **k, max_iter=1, tol=0))
    with caplog.at_level(logging.WARNING):
        GMM(GMMConfig(mixtures=6), SHAPE).fit(sample_windows(), Context(name="gmm"))
    assert "gmm: not converged after 1 iterations" in caplog.text
    assert not recwarn.list


@pytest.mark.parametrize("setting", [{"mixtures": 0}, {"ridge": 0}, {"variance": 1}])
def test_settings_out_of_range_are_refused(setting) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        GMMConfig(**setting)

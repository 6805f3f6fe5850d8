"""The Gaussian flow: the density that SciPy gives, its regression, its shrinkage, and the shares of the joints."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from made_tracks import made_windows
from scipy.stats import multivariate_normal
from sklearn.covariance import oas

from vadbench.api import COCO_18, Context, DataError, Flow, Localised, PoseShape, SkeletonLayout, TokenShape, WindowRule
from vadbench_msgflow import window_moments as moments_module
from vadbench_msgflow.conditional_gaussian import oracle_shrinkage
from vadbench_msgflow.gaussian import GaussianConfig, GaussianFlow
from vadbench_msgflow.window_moments import Moments, window_moments

POSES = PoseShape(2, 3, COCO_18)
TOKENS = TokenShape(4, 1, 3)
N = 2 * 3 * 18


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(200), 2: range(150)}, rule=WindowRule(3))


@pytest.fixture(scope="module")
def x(windows):
    return torch.from_numpy(windows.batch(slice(None)).x)


@pytest.fixture(scope="module")
def condition(x):
    mixing = torch.randn(N, 3, generator=torch.Generator().manual_seed(1))
    return (x.flatten(1) @ mixing)[:, None]


def fitted(windows, condition=None, **settings) -> GaussianFlow:
    flow = GaussianFlow(GaussianConfig(**settings), POSES, None if condition is None else TOKENS)
    flow.fit(windows, condition, Context())
    return flow


def test_the_density_is_scipys(windows, x):
    flow = fitted(windows, shrinkage=0.1)
    rows = x.flatten(1).double().numpy()
    covariance = np.cov(rows.T, bias=True)
    shrunk = 0.9 * covariance + 0.1 * np.trace(covariance) / N * np.eye(N)
    wanted = multivariate_normal(rows.mean(axis=0), shrunk).logpdf(rows)
    assert flow.log_prob(x, None).tolist() == pytest.approx(wanted.tolist(), rel=1e-5)


def test_forward_and_inverse_give_the_density(windows, x, condition):
    for given in (None, condition):
        flow = fitted(windows, given)
        z, log_det = flow.forward(x, given)
        assert z.shape == x.shape
        assert z.dtype == log_det.dtype == torch.float32
        torch.testing.assert_close(flow.inverse(z, given), x, rtol=0, atol=1e-4)
        base = -0.5 * (z.square().sum(dim=(1, 2, 3)) + N * math.log(2 * math.pi))
        torch.testing.assert_close(flow.log_prob(x, given), base + log_det, rtol=1e-5, atol=1e-3)
        assert isinstance(flow, Flow)


def test_training_windows_are_whitened(windows, x):
    z, _ = fitted(windows, shrinkage=1e-6).forward(x, None)
    rows = z.flatten(1).double()
    assert rows.mean(dim=0).abs().max() < 1e-3
    variance = torch.cov(rows.T, correction=0)
    varies = variance.diagonal() > 0.5  # the neck lies between the shoulders and adds nothing of its own
    assert varies.sum() >= N - 2 * 3 - 3
    torch.testing.assert_close(variance[varies][:, varies], torch.eye(int(varies.sum()), dtype=torch.float64), atol=0.02, rtol=0)


def test_the_regression_is_ridges(windows, x, condition):
    flow = fitted(windows, condition, ridge=1e-3)
    rows, given = x.flatten(1).double(), condition.flatten(1).double()
    given = given - given.mean(dim=0)
    gram = given.T @ given / len(given)
    penalty = 1e-3 * gram.diagonal().mean()
    wanted = torch.linalg.solve(
        gram + penalty * torch.eye(3, dtype=torch.float64), given.T @ (rows - rows.mean(dim=0)) / len(given)
    )
    torch.testing.assert_close(flow.weights.data, wanted)
    left = rows - rows.mean(dim=0) - given @ wanted
    factor = torch.linalg.inv(flow.whitening)
    share = max(oracle_shrinkage(torch.cov(left.T, correction=0), len(rows)), 1e-6)
    covariance = torch.cov(left.T, correction=0)
    shrunk = (1 - share) * covariance + share * covariance.diagonal().mean() * torch.eye(N)
    torch.testing.assert_close(factor @ factor.T, shrunk)


def test_a_condition_that_tells_something_raises_the_likelihood(windows, x, condition):
    alone, helped = fitted(windows), fitted(windows, condition)
    assert helped.log_prob(x, condition).mean() > alone.log_prob(x, None).mean() + 1
    other = condition.flip(0)
    assert helped.log_prob(x, other).mean() < helped.log_prob(x, condition).mean() - 1


def test_joint_shares_sum_to_the_surprise(windows, x, condition):
    for given in (None, condition):
        flow = fitted(windows, given)
        shares = flow.joint_surprise(x, given)
        assert shares.shape == (len(x), 3, 18)
        assert shares.dtype == torch.float32
        torch.testing.assert_close(shares.sum(dim=(1, 2)), -flow.log_prob(x, given), rtol=1e-4, atol=1e-2)
        assert isinstance(flow, Localised)


def test_a_joint_that_jumps_has_the_largest_share(windows, x):
    flow = fitted(windows)
    odd = x[:20].clone()
    odd[:, :, 1, 7] += 3
    shares = flow.joint_surprise(odd, None).flatten(1)
    assert (shares.argmax(dim=1) == 18 + 7).all()


def test_it_integrates_to_one():
    poses = PoseShape(1, 1, SkeletonLayout("pair", ("a", "b"), (("a", "b"),), ()))
    flow = GaussianFlow(GaussianConfig(), poses, None)
    flow.learn(Moments(1000, torch.tensor([0.5, -1.0]).double(), torch.tensor([[1.0, 0.6], [0.6, 0.8]]).double()))
    axis = torch.linspace(-8, 8, 401)
    grid = torch.cartesian_prod(axis, axis)[:, None, None]
    assert flow.log_prob(grid, None).exp().sum() * 0.04**2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("count", "numbers"), [(30, 10), (200, 10), (2000, 10), (50, 80)])
def test_shrinkage_is_that_of_chen_and_others(count, numbers):
    rows = np.random.default_rng(0).normal(size=(count, numbers)) * np.linspace(0.1, 3, numbers)
    rows -= rows.mean(axis=0)
    found = oracle_shrinkage(torch.from_numpy(rows.T @ rows / count), count)
    # scikit-learn leaves out two terms in 2 / numbers.
    assert found == pytest.approx(oas(rows, assume_centered=True)[1], rel=0.25)
    assert 0 < found <= 1


def test_more_windows_shrink_less():
    covariance = torch.diag(torch.linspace(0.1, 3, 20)).double()
    shares = [oracle_shrinkage(covariance, count) for count in (5, 50, 500, 5000)]
    assert shares == sorted(shares, reverse=True)
    assert oracle_shrinkage(torch.eye(5).double(), 100) == 1


def test_state_round_trip(windows, x, condition):
    flow = fitted(windows, condition)
    other = GaussianFlow(flow.config, POSES, TOKENS)
    other.load_state_dict(flow.state_dict())
    assert torch.equal(other.log_prob(x, condition), flow.log_prob(x, condition))


def test_no_windows_to_learn_from(windows):
    with pytest.raises(DataError, match="1 training windows have no covariance") as caught:
        fitted(windows.select(np.array([0])))
    assert "more or longer" in caught.value.remedy


class TestMoments:
    def test_are_those_of_the_rows(self, windows, x, condition, monkeypatch):
        monkeypatch.setattr(moments_module, "_BATCH", 50)
        rows = torch.cat([x.flatten(1), condition.flatten(1)], dim=1).double()
        found = window_moments(windows, condition, Context())
        assert found.count == len(rows)
        torch.testing.assert_close(found.mean, rows.mean(dim=0))
        torch.testing.assert_close(found.covariance, torch.cov(rows.T, correction=0))

    def test_without_condition(self, windows, x):
        assert window_moments(windows, None, Context()).mean.shape == (N,)

    def test_far_from_the_origin(self, windows, condition):
        """Squares of large numbers do not cancel."""
        near = window_moments(windows, condition, Context()).covariance
        far = window_moments(windows, condition.double() + 1e6, Context()).covariance
        torch.testing.assert_close(far, near, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("wrong", [{"shrinkage": 0}, {"shrinkage": 1.5}, {"ridge": 0}])
def test_settings(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GaussianConfig(**wrong)

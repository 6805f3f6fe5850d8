"""The neural spline flow on principal components: a proper density, exact both ways, and an extra that may be missing."""

from __future__ import annotations

import importlib
import math
import sys

import pytest
import torch
from made_tracks import made_windows

from vadbench.api import COCO_18, ConfigError, Context, Flow, PoseShape, SkeletonLayout, TokenShape, WindowRule
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.gaussian import GaussianConfig, GaussianFlow
from vadbench_msgflow.nsf import ZukoNSF, ZukoNSFConfig

POSES = PoseShape(2, 3, COCO_18)
TOKENS = TokenShape(4, 1, 3)
N = 2 * 3 * 18
SMALL = {"components": 4, "transforms": 2, "hidden": 16, "epochs": 3, "batch_size": 32}


def test_without_zuko(monkeypatch):
    monkeypatch.setitem(sys.modules, "zuko.flows", None)
    with pytest.raises(ConfigError, match="zuko, which is not installed") as caught:
        ZukoNSF(ZukoNSFConfig(), PoseShape(2, 24, COCO_18), None)
    assert caught.value.where == "flow.name"
    assert "pip install zuko" in caught.value.remedy


def test_more_components_than_numbers():
    with pytest.raises(ConfigError) as caught:
        ZukoNSF(ZukoNSFConfig(components=N), POSES, None)
    assert caught.value.where == "flow.components"
    assert f"fewer than {N}" in caught.value.remedy


@pytest.fixture(scope="module", autouse=True)
def zuko():
    return importlib.import_module("zuko")


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


def fitted(windows, condition=None, seed=0, **settings) -> ZukoNSF:
    with seeded(1):
        flow = ZukoNSF(ZukoNSFConfig(**{**SMALL, **settings}), POSES, None if condition is None else TOKENS)
    with seeded(seed), torch.enable_grad():
        flow.fit(windows, condition, Context(seed=seed, trainer=train))
    return flow


@pytest.fixture(scope="module")
def flows(windows, condition):
    return [(fitted(windows), None), (fitted(windows, condition), condition)]


@torch.no_grad()
def test_forward_and_inverse_give_the_density(flows, x):
    for flow, given in flows:
        z, log_det = flow.forward(x, given)
        assert z.shape == x.shape
        assert z.dtype == log_det.dtype == flow.log_prob(x, given).dtype == torch.float32
        torch.testing.assert_close(flow.inverse(z, given), x, rtol=0, atol=1e-4)
        base = -0.5 * (z.square().sum(dim=(1, 2, 3)) + N * math.log(2 * math.pi))
        torch.testing.assert_close(flow.log_prob(x, given), base + log_det, rtol=1e-5, atol=1e-2)
        assert isinstance(flow, Flow)


def test_log_det_is_that_of_the_jacobian(windows, x, condition):
    flow = fitted(windows, condition, epochs=1).double()
    one, given = x[:1].double(), condition[:1].double()
    jacobian = torch.autograd.functional.jacobian(lambda a: flow.forward(a.view_as(one), given)[0].flatten(), one.flatten())
    assert flow.forward(one, given)[1].item() == pytest.approx(torch.linalg.slogdet(jacobian).logabsdet.item(), abs=1e-3)


@torch.no_grad()
def test_what_lies_outside_of_the_components_is_gaussian_with_one_variance(flows, x):
    flow, _ = flows[0]
    z, _ = flow.forward(x, None)
    rest = z.flatten(1)[:, 4:]
    assert rest.square().mean().item() == pytest.approx(1, abs=1e-3)
    assert flow.scale[4:].unique().numel() == 1
    assert (flow.scale[:4].diff() <= 0).all(), "components come by their variance"
    assert flow.scale[3] > flow.scale[4]


@torch.no_grad()
def test_it_integrates_to_one(windows):
    poses = PoseShape(1, 1, SkeletonLayout("pair", ("a", "b"), (("a", "b"),), ()))
    with seeded(3):
        flow = ZukoNSF(ZukoNSFConfig(components=1, transforms=2, hidden=8), poses, None)
    for parameter in flow.parameters():
        parameter.mul_(3)
    angle = 0.4
    flow.basis.copy_(torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]))
    flow.scale.copy_(torch.tensor([1.3, 0.5]))
    axis = torch.linspace(-9, 9, 601)
    grid = torch.cartesian_prod(axis, axis)[:, None, None]
    assert flow.log_prob(grid, None).exp().sum() * 0.03**2 == pytest.approx(1, abs=2e-3)


@torch.no_grad()
def test_condition_matters(flows, x):
    flow, condition = flows[1]
    assert (flow.log_prob(x, condition) != flow.log_prob(x, condition.flip(0))).float().mean() > 0.9


@torch.no_grad()
def test_training_raises_the_likelihood(windows, x, condition):
    one, many = (fitted(windows, condition, epochs=epochs).log_prob(x, condition).mean() for epochs in (1, 20))
    assert many > one + 0.3


@torch.no_grad()
def test_no_worse_than_a_gaussian_of_the_same_form(windows, x):
    """Splines hold the identity, so the spline flow starts about where probabilistic PCA is."""
    gaussian = GaussianFlow(GaussianConfig(shrinkage=1.0), POSES, None)
    gaussian.fit(windows, None, Context())
    assert fitted(windows, epochs=10).log_prob(x, None).mean() > gaussian.log_prob(x, None).mean()


@torch.no_grad()
def test_no_windows(flows):
    nothing = torch.zeros(0, 2, 3, 18)
    for flow, given in flows:
        none = None if given is None else given[:0]
        z, log_det = flow.forward(nothing, none)
        assert z.shape == nothing.shape
        assert log_det.shape == flow.log_prob(nothing, none).shape == (0,)
        assert flow.inverse(z, none).shape == nothing.shape


@torch.no_grad()
def test_the_seed_decides_and_the_state_holds_it(windows, x):
    first, again, other = fitted(windows), fitted(windows), fitted(windows, seed=1)
    assert torch.equal(first.log_prob(x, None), again.log_prob(x, None))
    assert not torch.equal(first.log_prob(x, None), other.log_prob(x, None))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first.log_prob(x, None), other.log_prob(x, None))

"""The coupling flow: exactly invertible, its density exact, its condition silent at first."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from made_tracks import made_windows

from vadbench.api import COCO_17, COCO_18, ConfigError, Context, Flow, Localised, PoseShape, SkeletonLayout, TokenShape
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.flow import STGCNCouplingConfig, STGCNCouplingFlow
from vadbench_msgflow.stgcn import _affine_of_norm, _moments
from vadbench_msgflow.window_moments import Moments

POSES = PoseShape(2, 8, COCO_17)
TOKENS = TokenShape(codebook_size=6, tokens=2, width=3)


def made(poses: PoseShape = POSES, condition: TokenShape | None = TOKENS, *, shaken: bool = True, **settings):
    """A flow; ``shaken`` gives every parameter and statistic a random value, as after some training."""
    with seeded(0):
        flow = STGCNCouplingFlow(STGCNCouplingConfig(**{"steps": 3, **settings}), poses, condition).eval()
        if shaken:
            for name, value in flow.state_dict().items():
                if value.is_floating_point():
                    value.add_(0.3 * torch.randn_like(value).abs() if "var" in name else 0.3 * torch.randn_like(value))
    return flow


def drawn(poses: PoseShape = POSES, n: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(n, 2, poses.frames, poses.joints, generator=generator), torch.randn(n, 2, 3, generator=generator)


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(60), 2: range(40)})


@pytest.mark.parametrize("frames", [8, 10, 24])
@pytest.mark.parametrize("conditioned", [True, False])
@torch.no_grad()
def test_inverse(frames, conditioned):
    poses = PoseShape(2, frames, COCO_18)
    flow = made(poses, TOKENS if conditioned else None)
    x, condition = drawn(poses)
    z, log_det = flow(x, condition if conditioned else None)
    assert z.shape == x.shape
    assert log_det.shape == (5,)
    assert not torch.allclose(z, x)
    torch.testing.assert_close(flow.inverse(z, condition if conditioned else None), x, rtol=1e-4, atol=1e-4)
    assert isinstance(flow, Flow)


@pytest.mark.parametrize("conditioned", [True, False])
def test_log_det_is_that_of_the_jacobian(conditioned):
    poses = PoseShape(2, 4, SkeletonLayout("small", ("a", "b", "c"), (), ()))
    flow = made(poses, TOKENS if conditioned else None).double()
    x, condition = (value.double() for value in drawn(poses, n=3))
    _, log_det = flow(x, condition if conditioned else None)
    log_det = log_det.detach()
    for i in range(3):
        own = condition[[i]] if conditioned else None
        jacobian = torch.autograd.functional.jacobian(lambda v, own=own: flow(v[None], own)[0][0], x[i]).reshape(24, 24)
        assert float(log_det[i]) == pytest.approx(float(torch.linalg.slogdet(jacobian).logabsdet), abs=1e-9)


def test_batch_norm_as_one_affine_map_is_batch_norm():
    """The residual path by torch's own batch norm, in training and after it, with the running statistics of several steps."""
    generator = torch.Generator().manual_seed(0)
    block = made(steps=2).steps[1].conditioner
    linear, norm, own = block.residual, block.residual_norm, copy.deepcopy(block.residual_norm)
    for training in (True, True, False):
        norm.train(training)
        own.train(training)
        a = torch.randn(7, 8, 17, generator=generator) + 2
        slope, offset = _affine_of_norm(linear, norm, _moments(a), a.numel())
        expected = own(linear(a.flatten(1)[..., None]).transpose(1, 2)).unflatten(2, a.shape[1:])
        torch.testing.assert_close(slope[:, None, None] * a[:, None] + offset[:, None, None], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm.state_dict(), own.state_dict())


class TestCondition:
    def test_silent_before_training(self):
        flow, x, condition = made(shaken=False), *drawn()
        torch.testing.assert_close(flow.log_prob(x, condition), flow.log_prob(x, None), rtol=0, atol=0)
        torch.testing.assert_close(flow(x, condition)[0], flow(x, None)[0], rtol=0, atol=0)

    def test_same_start_as_without(self):
        conditioned, plain = made(shaken=False).state_dict(), made(condition=None, shaken=False)
        x, _ = drawn()
        plain.load_state_dict({name: value for name, value in conditioned.items() if name in plain.state_dict()})
        torch.testing.assert_close(plain.log_prob(x, None), made(shaken=False).log_prob(x, None))

    @pytest.mark.parametrize("place", [{"couplings": True, "mean": False}, {"couplings": False, "mean": True}])
    def test_each_place_counts_after_training(self, place):
        flow, (x, condition) = made(**place), drawn()
        assert not torch.allclose(flow.log_prob(x, condition), flow.log_prob(x, condition + 1))
        assert torch.allclose(flow(x, condition)[0], flow(x, condition + 1)[0]) == place["mean"]

    def test_nowhere(self):
        flow, (x, condition) = made(couplings=False, mean=False), drawn()
        torch.testing.assert_close(flow.log_prob(x, condition), flow.log_prob(x, condition + 1))

    def test_a_token_moves_the_mean_of_its_own_frames(self):
        flow, (_, condition) = made(couplings=False), drawn()
        other = condition.clone()
        other[:, 1] += 1
        moved = (flow.base.centred(condition) - flow.base.centred(other)).abs().amax(dim=(0, 1, 3))
        assert (moved[:4] == 0).all()
        assert (moved[4:] > 0).all()

    def test_tokens_that_do_not_divide_the_frames(self):
        with pytest.raises(ConfigError) as caught:
            made(condition=TokenShape(6, 3, 3))
        assert "3 tokens cannot be spread over 8 frames" in caught.value.what
        assert "condition=none" in caught.value.remedy


def settled(flow: STGCNCouplingFlow, n: int = 400) -> STGCNCouplingFlow:
    """With the covariance of the latents of random windows and conditions, as after its training."""
    generator = torch.Generator().manual_seed(7)
    shape = (flow.poses.channels, flow.poses.frames, flow.poses.joints)
    rows = flow(torch.randn(n, *shape, generator=generator).to(flow.base.whitening.dtype), None)[0].detach().flatten(1).double()
    if flow.condition is not None:
        given = torch.randn(n, flow.condition.tokens * flow.condition.width, generator=generator).double()
        rows = torch.cat([rows + given.mean(dim=1, keepdim=True), given], dim=1)
    flow.base.settle(Moments(n, rows.mean(dim=0), torch.cov(rows.T, correction=0)))
    return flow


class TestFullCovariance:
    @torch.no_grad()
    def test_is_the_gaussian_of_the_latents(self):
        poses = PoseShape(2, 4, SkeletonLayout("small", ("a", "b", "c"), (), ()))
        generator = torch.Generator().manual_seed(0)
        mixing = torch.randn(24, 24, generator=generator).double() + 3 * torch.eye(24)
        weights = torch.randn(6, 24, generator=generator).double()
        given = torch.randn(40_000, 6, generator=generator).double()
        rows = 5 + given @ weights + torch.randn(40_000, 24, generator=generator).double() @ mixing.T
        both = torch.cat([rows, given], dim=1)
        base = made(poses, covariance="full", shaken=False).double().base
        base.settle(Moments(len(both), both.mean(dim=0), torch.cov(both.T, correction=0)))
        z, condition = rows[:50].view(50, 2, 4, 3), given[:50].view(50, 2, 3)
        truth = torch.distributions.MultivariateNormal(5 + given[:50] @ weights, mixing @ mixing.T)
        torch.testing.assert_close(base.log_prob(z, condition), truth.log_prob(rows[:50]), rtol=0.02, atol=0.2)

    def test_trained_it_models_what_one_variance_cannot(self, windows):
        x = torch.from_numpy(windows.batch(slice(None)).x)
        found = {}
        for covariance in ("identity", "full"):
            flow = TestFit().fitted(windows, covariance=covariance, learning_rate=0.01)
            assert flow.base.is_settled() == (covariance == "full")
            found[covariance] = float(flow.log_prob(x, None).mean().detach())
        assert found["full"] > found["identity"] + 0.5 * x[0].numel()

    def test_couplings_are_trained_as_without(self, windows):
        plain, full = (TestFit().fitted(windows, covariance=covariance) for covariance in ("identity", "full"))
        assert all(torch.equal(value, full.state_dict()[name]) for name, value in plain.state_dict().items())

    def test_a_condition_that_moves_nothing_moves_nothing(self, windows):
        condition = torch.randn(len(windows), 2, 3, generator=torch.Generator().manual_seed(0))
        flow = TestFit().fitted(windows, condition=condition, covariance="full", couplings=False, mean=False)
        x = torch.from_numpy(windows.batch(slice(None)).x)
        torch.testing.assert_close(flow.log_prob(x, condition), flow.log_prob(x, -condition), rtol=0, atol=0)

    def test_is_loaded_settled(self, windows):
        flow, other = TestFit().fitted(windows, covariance="full"), made(windows.shape, None, covariance="full")
        other.load_state_dict(flow.state_dict())
        x = torch.from_numpy(windows.batch(slice(None)).x)
        assert torch.equal(other.log_prob(x, None), flow.log_prob(x, None))

    def test_survives_a_joint_that_never_moves(self):
        flow = made(condition=None, covariance="full", shaken=False)
        x = torch.randn(64, 2, 8, 17, generator=torch.Generator().manual_seed(0))
        x[..., 3] = 0
        rows = x.flatten(1).double()
        flow.base.settle(Moments(64, rows.mean(dim=0), torch.cov(rows.T, correction=0)))
        assert torch.isfinite(flow.log_prob(x, None)).all()


@pytest.mark.parametrize("covariance", ["identity", "full"])
@pytest.mark.parametrize("conditioned", [True, False])
@torch.no_grad()
def test_joint_surprise_sums_to_the_surprise(covariance, conditioned):
    flow, (x, condition) = made(condition=TOKENS if conditioned else None, covariance=covariance), drawn()
    flow = settled(flow) if covariance == "full" else flow
    given = condition if conditioned else None
    shares = flow.joint_surprise(x, given)
    assert shares.shape == (5, 8, 17)
    assert isinstance(flow, Localised)
    torch.testing.assert_close(shares.sum(dim=(1, 2)), -flow.log_prob(x, given), rtol=1e-4, atol=1e-2)


@torch.no_grad()
def test_joint_surprise_is_where_the_oddity_is():
    flow, (x, _) = made(condition=None, shaken=False), drawn()
    odd = x.clone()
    odd[:, :, 5, 9] += 8
    # What the coupling makes of the odd joint's other frames and joints is small beside it.
    rise = flow.joint_surprise(odd, None) - flow.joint_surprise(x, None)
    assert (rise.flatten(1).argmax(dim=1) == 5 * 17 + 9).all()


class TestDensity:
    def test_by_change_of_variables(self):
        flow, (x, condition) = made(), drawn()
        z, log_det = flow(x, condition)
        mean = flow.base.centred(condition)
        base = torch.distributions.Normal(mean, 1.0).log_prob(z).sum(dim=(1, 2, 3))
        torch.testing.assert_close(flow.log_prob(x, condition), base + log_det, rtol=1e-5, atol=1e-3)

    @pytest.mark.parametrize("covariance", ["identity", "full"])
    @torch.no_grad()
    def test_integrates_to_one(self, covariance):
        """One frame pair and one joint are 4 numbers; importance sampling from a wide Gaussian gives the integral."""
        poses = PoseShape(2, 2, SkeletonLayout("dot", ("a",), (), ()))
        flow = made(poses, None, steps=2, base_mean=0.5, covariance=covariance).double()
        flow = settled(flow) if covariance == "full" else flow
        generator = torch.Generator().manual_seed(0)
        wide = torch.distributions.Normal(0.0, 3.0)
        x = 3 * torch.randn(400_000, 2, 2, 1, generator=generator, dtype=torch.float64)
        weight = (flow.log_prob(x, None) - wide.log_prob(x).sum(dim=(1, 2, 3))).exp()
        assert float(weight.mean()) == pytest.approx(1, abs=0.05)

    def test_gaussian_where_the_coupling_is_constant(self):
        flow = made(condition=None, steps=1, shaken=False, base_mean=3.0)
        with torch.no_grad():
            for parameter in flow.steps[0].conditioner.parameters():
                parameter.zero_()
        x, _ = drawn()
        # Nothing but a swap and a scale of sigmoid(2) on the channel that was x.
        scale = 1 / (1 + math.exp(-2)) + 1e-6
        z = torch.stack([x[:, 1], x[:, 0] * scale], dim=1)
        base = torch.distributions.Normal(3.0, 1.0).log_prob(z).sum(dim=(1, 2, 3))
        torch.testing.assert_close(flow.log_prob(x, None), base + 8 * 17 * math.log(scale), rtol=1e-5, atol=1e-3)

    def test_in_nats_summed_over_dimensions(self):
        flow, (x, _) = made(condition=None, shaken=False), drawn()
        assert -flow.log_prob(x, None).mean() > 0.5 * x[0].numel()

    @torch.no_grad()
    def test_windows_do_not_see_each_other(self):
        flow, (x, condition) = made(), drawn()
        torch.testing.assert_close(flow.log_prob(x[[2]], condition[[2]])[0], flow.log_prob(x, condition)[2])


class TestFit:
    def fitted(self, windows, seed: int = 0, condition=None, **settings):
        shape = TOKENS if condition is not None else None
        flow = made(windows.shape, shape, shaken=False, **{"epochs": 3, "batch_size": 32, **settings})
        with seeded(0):
            flow.fit(windows, condition, Context(seed=seed, trainer=train))
        return flow

    @torch.no_grad()
    def test_raises_the_likelihood(self, windows):
        x = torch.from_numpy(windows.batch(slice(None)).x)
        with torch.enable_grad():
            short, long = self.fitted(windows, epochs=1), self.fitted(windows, epochs=8, learning_rate=0.01)
        assert long.log_prob(x, None).mean() > short.log_prob(x, None).mean()
        assert not long.training

    def test_actnorm_starts_from_data(self, windows):
        flow = made(windows.shape, None, shaken=False)
        x = torch.from_numpy(windows.batch(slice(None)).x)
        flow._start(x, None)
        scale, shift = (part.view(1, 2, 1, 1) for part in flow.steps[0].actnorm.affine())
        z = x * scale + shift
        torch.testing.assert_close(z.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-4, rtol=0)
        torch.testing.assert_close(z.var(dim=(0, 2, 3)), torch.ones(2), atol=1e-2, rtol=0)

    def test_uses_its_condition(self, windows):
        condition = torch.randn(len(windows), 2, 3, generator=torch.Generator().manual_seed(0))
        flow = self.fitted(windows, condition=condition, learning_rate=0.01)
        x = torch.from_numpy(windows.batch(slice(None)).x)
        assert not torch.allclose(flow.log_prob(x, condition), flow.log_prob(x, -condition))

    def test_the_seed_decides(self, windows):
        first, again, other = (self.fitted(windows, seed).state_dict() for seed in (1, 1, 2))
        assert all(torch.equal(first[name], again[name]) for name in first)
        name = "steps.0.actnorm.bias"
        assert not torch.equal(first[name], other[name])


def test_patience_without_held_out_tracks_is_refused_at_once():
    with pytest.raises(ValueError, match="held_out is 0"):
        STGCNCouplingConfig(patience=2)


def test_other_channels():
    with pytest.raises(ConfigError, match="3 channels"):
        made(PoseShape(3, 8, COCO_17))

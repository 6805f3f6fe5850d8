"""The contract of a flow, rule by rule; each holds without a condition and with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.api import ConfigError, Context, Flow, Localised
from vadbench.testing.conformance import CheckSkipped, expect, expect_same, is_finite
from vadbench.testing.rules import conduct_checks, device_checks, foundation_checks, label_checks, learning_checks
from vadbench.testing.rules.hard_windows import short_tracks, windows_with_unseen
from vadbench.testing.rules.jacobian import log_det_by_derivatives
from vadbench.testing.rules.latent_density import latent_mass
from vadbench.testing.sample import TOKENS, sample_batch, sample_condition, sample_windows
from vadbench.testing.trial import LearningTrial

if TYPE_CHECKING:
    from collections.abc import Callable

    from vadbench.api import PoseShape, TokenShape, Windows

_CONTRACT: Final = "Flow"
_NOISE: Final = 3.0
"""Standard deviation of the noise that makes a window unlikely: about the height of a normalised body. With much less, a flow
that has seen few windows may well find the noisy ones likelier."""
_LOG_DET_TOLERANCE: Final = 1e-4
"""Nats per dimension that log_det may be off."""
_MASS_TOLERANCE: Final = 0.01
"""Nats per dimension that the integral of the latents' density may be off: several summits, or steeper sides, make as much."""


class FlowTrial(LearningTrial[Flow]):
    """A flow on trial, built for a condition or for none.

    Args:
        make: ``make(poses, condition)`` gives an untrained flow.
        memory: See `LearningTrial`.
        conditioned: Whether it is built for code vectors.
    """

    contract = _CONTRACT

    def __init__(
        self,
        make: Callable[[PoseShape, TokenShape | None], Flow],
        memory: dict[str, Any] | None = None,
        *,
        conditioned: bool = False,
    ) -> None:
        super().__init__(make, memory)
        self.training = sample_windows()
        self.x = sample_batch()
        self.condition = sample_condition(self.x) if conditioned else None

    def build(self) -> Flow:
        """A flow of the sample's windows."""
        try:
            return self.make(self.training.shape, None if self.condition is None else TOKENS)
        except ConfigError as error:
            if self.condition is None:
                raise
            raise CheckSkipped(f"the flow takes no condition: {error.what}") from error

    def teach(self, component: Flow, context: Context) -> None:
        """Fits it on every window; conditions lie on the CPU then, whatever the device."""
        component.fit(self.training, None if self.condition is None else self.condition.cpu(), context)

    @torch.no_grad()
    def outputs(self, component: Flow) -> Mapping[str, Any]:
        """Log-density, latents and log-determinants."""
        z, log_det = component.forward(self.x, self.condition)
        return {"log_prob": component.log_prob(self.x, self.condition), "z": z, "log_det": log_det}

    def inputs(self) -> Mapping[str, Any]:
        """The windows, the poses they are cut from, and the condition."""
        given = {"x": self.x, "tracks.keypoints": self.training.tracks.keypoints}
        return given if self.condition is None else {**given, "condition": self.condition}

    def use_windows(self, windows: Windows) -> None:
        """From now on, these are what it is fitted on and asked about, with the conditions that belong to them."""
        self.training, self.x = windows, torch.from_numpy(windows.batch(slice(None)).x)
        self.condition = None if self.condition is None else sample_condition(self.x)

    @torch.no_grad()
    def log_prob(self, flow: Flow, index: slice | torch.Tensor) -> torch.Tensor:
        """(B,) of the windows at ``index``."""
        return flow.log_prob(self.x[index], None if self.condition is None else self.condition[index])


def check_log_prob(trial: FlowTrial) -> None:
    """``log_prob`` is (B,) float32 and finite."""
    values = trial.outputs(trial.trained())["log_prob"]
    wanted = (len(trial.x),)
    expect(values.shape == wanted, f"log_prob of shape (B,) = {wanted}", tuple(values.shape), _CONTRACT)
    expect(values.dtype == torch.float32, "log_prob of type float32", values.dtype, _CONTRACT)
    expect(is_finite(values), "finite log-densities", "NaN or infinity", _CONTRACT)


def check_forward(trial: FlowTrial) -> None:
    """``forward`` gives z, shaped as the windows, and log_det (B,), both finite."""
    found = trial.outputs(trial.trained())
    z, log_det = found["z"], found["log_det"]
    expect(z.shape == trial.x.shape, f"z of shape {tuple(trial.x.shape)}", tuple(z.shape), _CONTRACT)
    expect(log_det.shape == (len(trial.x),), f"log_det of shape (B,) = {(len(trial.x),)}", tuple(log_det.shape), _CONTRACT)
    expect(is_finite(z) and is_finite(log_det), "finite z and log_det", "NaN or infinity", _CONTRACT)


def check_inverse(trial: FlowTrial) -> None:
    """``inverse`` takes every z back to the window that ``forward`` made it from, and any other z to a window that gives it."""
    flow = trial.trained()
    with torch.no_grad():
        z, _ = flow.forward(trial.x, trial.condition)
        back = flow.inverse(z, trial.condition)
        expect_same(back, trial.x, "inverse(forward(x)) to be x", _CONTRACT, as_whole=True)
        # Between the latents of two windows lies one that no window of the sample has.
        other = (z + z.roll(1, dims=0)) / 2
        again, _ = flow.forward(flow.inverse(other, trial.condition), trial.condition)
    expect_same(again, other, "forward(inverse(z)) to be z", _CONTRACT, as_whole=True)


def check_log_det(trial: FlowTrial) -> None:
    """``log_det`` is log |det dz/dx|, held against the derivatives of ``forward`` in float64: at a window, and far from any."""
    condition = None if trial.condition is None else trial.condition[5:6]
    noise = torch.randn(trial.x[5:6].shape, generator=torch.Generator().manual_seed(13))
    for x, where in ((trial.x[5:6], "a training window"), (trial.x[5:6] + _NOISE * noise, "one with noise on every joint")):
        given, derived = log_det_by_derivatives(trial.trained(), x, condition)
        wanted = f"log_det = log |det dz/dx|, which is {derived:.3f} nats at {where} by differentiating forward"
        expect(abs(given - derived) <= _LOG_DET_TOLERANCE * trial.x[0].numel(), wanted, f"{given:.3f}", _CONTRACT)


def check_density(trial: FlowTrial) -> None:
    """``log_prob`` is ``log_det`` and the log-density of z: what it says of latents integrates to one.

    Held against a Gaussian that is fitted to it, see `latent_density`.
    """
    condition = None if trial.condition is None else trial.condition[5:6]
    mass = latent_mass(trial.trained(), trial.x, condition)
    if mass is None:
        raise CheckSkipped("the density of the latents is unlike a Gaussian: its integral cannot be told")
    wanted = "log_prob - log_det to be the logarithm of a density of z, whose integral is 1"
    got = f"one of e^{mass.log:.1f} +- {mass.doubt:.1f}"
    remedy = "add log_det, and the constant of the density of z (a normal one has -0.5 * log(2 * pi) for every number)"
    allowed = _MASS_TOLERANCE * trial.x[0].numel() + mass.doubt
    expect(abs(mass.log) <= allowed, wanted, got, _CONTRACT, remedy)


def check_batches_do_not_matter(trial: FlowTrial) -> None:
    """A window's log-density is the same in whatever batch it is asked for."""
    flow = trial.trained()
    bounds = (slice(0, 1), slice(1, 8), slice(8, None))
    got = torch.cat([trial.log_prob(flow, piece) for piece in bounds])
    expect_same(got, trial.log_prob(flow, slice(None)), "log_prob of a batch to be that of its pieces", _CONTRACT)


def check_order_does_not_matter(trial: FlowTrial) -> None:
    """Windows in another order have the same log-densities, in that order."""
    flow = trial.trained()
    order = torch.randperm(len(trial.x), generator=torch.Generator().manual_seed(3))
    wanted = trial.log_prob(flow, slice(None))[order]
    expect_same(trial.log_prob(flow, order), wanted, "log_prob that follows the order of the windows", _CONTRACT)


def check_one_window(trial: FlowTrial) -> None:
    """One window is a batch as well."""
    _check_count(trial, 1)


def check_no_windows(trial: FlowTrial) -> None:
    """No windows have no log-densities."""
    _check_count(trial, 0)


def check_learned(trial: FlowTrial) -> None:
    """Once fitted, it finds the windows that it was shown likelier than the same ones with noise on every joint."""
    flow = trial.trained()
    noise = torch.randn(trial.x.shape, generator=torch.Generator().manual_seed(11))
    shown = float(trial.log_prob(flow, slice(None)).mean())
    with torch.no_grad():
        noisy = float(flow.log_prob(trial.x + _NOISE * noise, trial.condition).mean())
    wanted = f"a mean log-density of training windows above {noisy:.1f} nats, that of noisy ones"
    expect(shown > noisy, wanted, f"{shown:.1f}", _CONTRACT)


def check_joint_surprise(trial: FlowTrial) -> None:
    """Where it has ``joint_surprise``, the shares of joints and frames add up to ``-log_prob``."""
    flow = trial.trained()
    if not isinstance(flow, Localised):
        raise CheckSkipped("the flow does not say where its surprise lies")
    with torch.no_grad():
        shares = flow.joint_surprise(trial.x, trial.condition)
    wanted = (len(trial.x), *trial.x.shape[2:])
    expect(tuple(shares.shape) == wanted, f"joint_surprise of shape (B, T, J) = {wanted}", tuple(shares.shape), "Localised")
    sums, log_prob = shares.sum(dim=(1, 2)), trial.log_prob(flow, slice(None))
    expect_same(sums, -log_prob, "joint_surprise to add up to -log_prob over T and J", "Localised")


def check_condition_matters(trial: FlowTrial) -> None:
    """Made and fitted with a condition, it finds a window likelier or less likely under the condition of another one."""
    flow = trial.trained()
    own = trial.log_prob(flow, slice(None))
    condition = None if trial.condition is None else trial.condition.roll(len(trial.condition) // 2, dims=0)
    with torch.no_grad():
        other = flow.log_prob(trial.x, condition)
    expect(not torch.equal(own, other), "log_prob that depends on the condition", "the same under other conditions", _CONTRACT)


def check_short_tracks(trial: FlowTrial) -> None:
    """Fitted on tracks of one window or a few, its log-densities and latents are finite."""
    trial.use_windows(short_tracks())
    _expect_finite(trial, trial.fitted(), "once fitted on short tracks")


def check_unseen_joints(trial: FlowTrial) -> None:
    """A joint that nobody shows, and people of whom nothing is seen, leave all it gives finite: when asked, and when fitted."""
    flow, seen, condition = trial.trained(), trial.x, trial.condition
    trial.use_windows(windows_with_unseen())
    _expect_finite(trial, flow, "for people of whom a joint, or nothing, is seen")
    fitted = trial.fitted()
    _expect_finite(trial, fitted, "once fitted on people of whom a joint, or nothing, is seen")
    trial.x, trial.condition = seen, condition
    _expect_finite(trial, fitted, "for whole people, once fitted on some of whom a joint, or nothing, is seen")


def _expect_finite(trial: FlowTrial, flow: Flow, when: str) -> None:
    for name, values in trial.outputs(flow).items():
        expect(len(values) == len(trial.x), f"{len(trial.x)} of {name} {when}", len(values), _CONTRACT)
        expect(is_finite(values), f"finite {name} {when}", "NaN or infinity", _CONTRACT)


def _check_count(trial: FlowTrial, count: int) -> None:
    values = trial.log_prob(trial.trained(), slice(0, count))
    expect(values.shape == (count,), f"log_prob of shape {(count,)} for {count} windows", tuple(values.shape), _CONTRACT)


CHECKS: Final = (
    *foundation_checks.CHECKS,
    check_log_prob,
    check_forward,
    check_inverse,
    check_log_det,
    check_density,
    check_batches_do_not_matter,
    check_order_does_not_matter,
    check_one_window,
    check_no_windows,
    check_learned,
    check_joint_surprise,
    check_short_tracks,
    check_unseen_joints,
    *label_checks.CHECKS,
    *device_checks.CHECKS,
    *learning_checks.CHECKS,
    *conduct_checks.CHECKS,
)
"""Every check of a flow."""

CONDITIONED: Final = (*CHECKS, check_condition_matters)
"""And of one that was made for a condition."""

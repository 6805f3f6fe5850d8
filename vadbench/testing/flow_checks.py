"""The contract of a flow, rule by rule; each holds without a condition and with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import torch

from vadbench.api import ConfigError, Context, Flow
from vadbench.testing import conduct_checks, learning_checks
from vadbench.testing.conformance import CheckSkipped, expect, expect_same, is_finite
from vadbench.testing.jacobian import log_det_by_derivatives
from vadbench.testing.sample import TOKENS, sample_batch, sample_condition, sample_windows
from vadbench.testing.trial import LearningTrial

if TYPE_CHECKING:
    from collections.abc import Callable

    from vadbench.api import PoseShape, TokenShape

_CONTRACT: Final = "Flow"
_NOISE: Final = 3.0
"""Standard deviation of the noise that makes a window unlikely: about the height of a normalised body. With much less, a flow
that has seen few windows may well find the noisy ones likelier."""
_LOG_DET_TOLERANCE: Final = 1e-4
"""Nats per dimension that log_det may be off."""


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
        self.windows = sample_windows()
        self.x = sample_batch()
        self.condition = sample_condition(self.x) if conditioned else None

    def build(self) -> Flow:
        """A flow of the sample's windows."""
        try:
            return self.make(self.windows.shape, None if self.condition is None else TOKENS)
        except ConfigError as error:
            if self.condition is None:
                raise
            raise CheckSkipped(f"the flow takes no condition: {error.what}") from error

    def teach(self, component: Flow, context: Context) -> None:
        """Fits it on every window."""
        component.fit(self.windows, self.condition, context)

    @torch.no_grad()
    def outputs(self, component: Flow) -> Mapping[str, Any]:
        """Log-density, latents and log-determinants."""
        z, log_det = component.forward(self.x, self.condition)
        return {"log_prob": component.log_prob(self.x, self.condition), "z": z, "log_det": log_det}

    def inputs(self) -> Mapping[str, Any]:
        """The windows, the poses they are cut from, and the condition."""
        given = {"x": self.x, "tracks.keypoints": self.windows.tracks.keypoints}
        return given if self.condition is None else {**given, "condition": self.condition}

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
    """``inverse`` takes every z back to the window that ``forward`` made it from."""
    flow = trial.trained()
    with torch.no_grad():
        z, _ = flow.forward(trial.x, trial.condition)
        back = flow.inverse(z, trial.condition)
    expect_same(back, trial.x, "inverse(forward(x)) to be x", _CONTRACT)


def check_log_det(trial: FlowTrial) -> None:
    """``log_det`` is log |det dz/dx|, held against the derivatives of ``forward`` on one window in float64."""
    condition = None if trial.condition is None else trial.condition[5:6]
    given, derived = log_det_by_derivatives(trial.trained(), trial.x[5:6], condition)
    wanted = f"log_det = log |det dz/dx|, which is {derived:.3f} nats by differentiating forward"
    expect(abs(given - derived) <= _LOG_DET_TOLERANCE * trial.x[0].numel(), wanted, f"{given:.3f}", _CONTRACT)


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


def _check_count(trial: FlowTrial, count: int) -> None:
    values = trial.log_prob(trial.trained(), slice(0, count))
    expect(values.shape == (count,), f"log_prob of shape {(count,)} for {count} windows", tuple(values.shape), _CONTRACT)


CHECKS: Final = (
    check_log_prob,
    check_forward,
    check_inverse,
    check_log_det,
    check_batches_do_not_matter,
    check_order_does_not_matter,
    check_one_window,
    check_no_windows,
    check_learned,
    *learning_checks.CHECKS,
    *conduct_checks.CHECKS,
)
"""Every check of a flow."""

"""Flows that break one rule each. ``fails``: the checks that see it; ``says``: what the first one's message holds.

A check's name without brackets stands for both builds, with a condition and without.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from cpu_time import spend
from sound_components import SoundFlow, SoundFlowWithoutGradients

if TYPE_CHECKING:
    from vadbench.api import Context, PoseShape, TokenShape, Windows

_FAR = 5.0


class DoublePrecision(SoundFlow):
    fails = ("log_prob",)
    says = "expected log_prob of type float32, got torch.float64"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(x, condition).double()


class FlatLatent(SoundFlow):
    fails = ("forward",)
    says = "expected z of shape (216, 2, 24, 18), got (216, 864)"

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        z, log_det = super().forward(x, condition)
        return z.flatten(1), log_det

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().inverse(z.view(-1, *self.mean.shape), condition)

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        z, log_det = self.forward(x, condition)
        return log_det - 0.5 * (z.square() + np.log(2 * np.pi)).sum(dim=1)


class InverseOfAnother(SoundFlow):
    fails = ("inverse",)
    says = "expected inverse(forward(x)) to be x, got a difference of"

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().inverse(z, condition) - self.mean


class LogDetWithWrongSign(SoundFlow):
    fails = ("log_det", "density")
    says = "expected log_det = log |det dz/dx|, which is"

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        z, log_det = super().forward(x, condition)
        return z, -log_det

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        z, log_det = self.forward(x, condition)
        return -log_det - 0.5 * (z.square() + np.log(2 * np.pi)).sum(dim=(1, 2, 3))


class LogDetWithWrongSignWithoutGradients(SoundFlowWithoutGradients):
    fails = ("log_det",)
    says = "expected log_det = log |det dz/dx|, which is"

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        z, log_det = super().forward(x, condition)
        return z, -log_det


class LogDetForgetsCondition(SoundFlow):
    fails = ("log_det[conditioned]",)
    says = "expected log_det = log |det dz/dx|, which is"

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        return super().forward(x, condition)[0], self.log_scale.sum().expand(len(x))


class CannotBeConditioned(SoundFlow):
    fails = tuple(
        f"{name}[conditioned]"
        for name in (
            *("log_prob", "forward", "inverse", "log_det", "batches_do_not_matter", "order_does_not_matter", "one_window"),
            *("no_windows", "learned", "same_seed_same_outputs", "state_round_trip", "prints_nothing"),
            *("leaves_the_process_as_it_was",),
            *("global_generators_untouched", "inputs_unchanged", "joint_surprise", "condition_matters", "short_tracks"),
            *("unseen_joints", "labels_unused", "tensors_registered", "budget", "can_be_fitted", "density", "same_answer_twice"),
            *(("moves_to_cuda",) if torch.cuda.is_available() else ()),
        )
    )
    says = "Got TypeError: what is this for?"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        if condition is not None:
            raise TypeError("what is this for?")
        super().fit(windows, condition, context)


class DensityOfLatentsAlone(SoundFlow):
    fails = ("density",)
    says = "expected log_prob - log_det to be the logarithm of a density of z, whose integral is 1, got one of e^"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        _, log_det = self.forward(x, condition)
        return super().log_prob(x, condition) - log_det


class DensityWithoutItsConstant(SoundFlow):
    fails = ("density",)
    says = "got one of e^794"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        z, log_det = self.forward(x, condition)
        return log_det - 0.5 * z.square().sum(dim=(1, 2, 3))


class BitsPerDimension(SoundFlow):
    fails = ("density",)
    says = "add log_det, and the constant of the density of z"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(x, condition) / x.shape[1:].numel() / np.log(2)


class DensityWithoutItsConstantWithoutGradients(SoundFlowWithoutGradients):
    fails = ("density",)
    says = "got one of e^794"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        z, log_det = self.forward(x, condition)
        return log_det - 0.5 * z.square().sum(dim=(1, 2, 3))


class DropsOut(SoundFlow):
    fails = (
        *("same_answer_twice", "batches_do_not_matter", "order_does_not_matter", "same_seed_same_outputs", "state_round_trip"),
        *("global_generators_untouched", "labels_unused"),
    )
    says = "call eval() at the end of fit"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(torch.nn.functional.dropout(x, 0.1, training=True), condition)


class DependsOnBatch(SoundFlow):
    fails = ("batches_do_not_matter",)
    says = "expected log_prob of a batch to be that of its pieces"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(x, condition) + 100 / max(len(x), 1)


class SmoothedOverBatch(SoundFlow):
    fails = ("order_does_not_matter", "batches_do_not_matter")
    says = "expected log_prob that follows the order of the windows"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        values = super().log_prob(x, condition)
        return (values + torch.cat([values[:1], values[:-1]])) / 2


class Squeezed(SoundFlow):
    fails = ("one_window", "batches_do_not_matter")
    says = "expected log_prob of shape (1,) for 1 windows, got ()"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(x, condition).squeeze()


class NeedsWindows(SoundFlow):
    fails = ("no_windows",)
    says = "No windows have no log-densities. Got IndexError"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(x, condition).view(-1, x[0].numel() // x[0].numel())[:, 0]


class InvertsShownLatentsOnly(SoundFlow):
    """Remembers the latents that it made last, and knows no others."""

    fails = ("inverse", "density")
    says = "expected forward(inverse(z)) to be z, got a difference of"

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        self.made, log_det = super().forward(x, condition)
        return self.made, log_det

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().inverse(z if torch.equal(z, self.made) else 0.9 * z, condition)


class LogDetOfShownWindowsOnly(SoundFlow):
    """Forgets that it squeezes what lies far off."""

    fails = ("log_det",)
    says = "nats at one with noise on every joint by differentiating forward"

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        z, log_det = super().forward(x, condition)
        far = x.abs().amax(dim=(1, 2, 3), keepdim=True) > _FAR
        return torch.where(far, z / 2, z), log_det

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        x = super().inverse(z, condition)
        return torch.where(super().inverse(2 * z, condition).abs().amax(dim=(1, 2, 3), keepdim=True) > _FAR, x * 2, x)


class SurpriseOfTheFirstJoint(SoundFlow):
    fails = ("joint_surprise",)
    says = "expected joint_surprise to add up to -log_prob over T and J"

    def joint_surprise(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        shares = torch.zeros(len(x), *x.shape[2:])
        shares[:, 0, 0] = -self.log_prob(x, condition) / 2
        return shares


class IgnoresItsCondition(SoundFlow):
    fails = ("condition_matters[conditioned]",)
    says = "expected log_prob that depends on the condition, got the same under other conditions"

    def _log_scale(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super()._log_scale(x, None)


class NeedsLongTracks(SoundFlow):
    fails = ("short_tracks",)
    says = "Got ValueError: a track of one window"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        if np.unique(windows.track, return_counts=True)[1].min() < 2:
            raise ValueError("a track of one window")
        super().fit(windows, condition, context)


class InfinitelySure(SoundFlow):
    fails = ("unseen_joints",)
    says = "expected finite log_prob once fitted on people of whom a joint, or nothing, is seen"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        super().fit(windows, condition, context)
        self.log_scale = -context.tensor(windows.batch(slice(None)).x).std(dim=0).log()


class LearnsOnTheSly(SoundFlow):
    fails = ("labels_unused",)
    says = "that do not depend on labels of training windows"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        super().fit(windows.normal(), condition, context)


class TensorAside(SoundFlow, torch.nn.Module):
    fails = ("tensors_registered",)
    says = "got tensors in log_scale, mean"

    def __init__(self, config: object, poses: PoseShape, condition: TokenShape | None) -> None:
        torch.nn.Module.__init__(self)
        super().__init__(config, poses, condition)


class KnowsNoOtherDevice(SoundFlow):
    fails = ("moves_to_cuda",)
    says = "Got RuntimeError: tensors on two devices"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        if context.device != "cpu":
            raise RuntimeError("tensors on two devices")
        super().fit(windows, condition, context)


class TakesItsTime(SoundFlow):
    fails = ("budget",)
    says = "expected at most 0.2 s of CPU time (CPU_SECONDS), got"
    cpu_seconds = 0.2

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        super().fit(windows, condition, context)
        spend(0.3)


class NegatedDensity(SoundFlow):
    fails = ("learned",)
    says = "expected a mean log-density of training windows above"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return -super().log_prob(x, condition)


class Unseeded(SoundFlow):
    fails = ("same_seed_same_outputs", "labels_unused")
    says = "expected the same seed to give the same log_prob"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        super().fit(windows, condition, context)
        self.mean = self.mean + 0.01 * float(np.random.default_rng().random())


class Forgetful(SoundFlow):
    fails = ("state_round_trip",)
    says = "expected the same log_prob once its state was stored and loaded"

    def load_state_dict(self, state: Any) -> None:
        self.mean = state["mean"]


class Prints(SoundFlow):
    fails = ("prints_nothing",)
    says = "expected nothing on stdout"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        print("loss 0.1")  # noqa: T201 - the fault
        super().fit(windows, condition, context)


class DrawsFromTorch(SoundFlow):
    fails = ("global_generators_untouched",)
    says = "expected the global generator of torch to be left alone"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().log_prob(x, condition) + 0 * torch.rand(1)


class WritesToTracks(SoundFlow):
    fails = ("inputs_unchanged",)
    says = "expected tracks.keypoints to be left as it was given"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        windows.tracks.keypoints[..., 2] = 1
        super().fit(windows, condition, context)


class HidesWarnings(SoundFlow):
    fails = ("leaves_the_process_as_it_was",)
    says = "got a change of the filters of warnings"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        warnings.filterwarnings("ignore", message="whatever a flow says")
        super().fit(windows, condition, context)


BROKEN = (
    DoublePrecision,
    FlatLatent,
    InverseOfAnother,
    LogDetWithWrongSign,
    LogDetWithWrongSignWithoutGradients,
    LogDetForgetsCondition,
    CannotBeConditioned,
    DensityOfLatentsAlone,
    DensityWithoutItsConstant,
    DensityWithoutItsConstantWithoutGradients,
    BitsPerDimension,
    DropsOut,
    DependsOnBatch,
    SmoothedOverBatch,
    Squeezed,
    NeedsWindows,
    InvertsShownLatentsOnly,
    LogDetOfShownWindowsOnly,
    SurpriseOfTheFirstJoint,
    IgnoresItsCondition,
    NeedsLongTracks,
    InfinitelySure,
    LearnsOnTheSly,
    TensorAside,
    TakesItsTime,
    NegatedDensity,
    Unseeded,
    Forgetful,
    Prints,
    DrawsFromTorch,
    WritesToTracks,
    # Nobody can tell where there is no such device.
    *((KnowsNoOtherDevice,) if torch.cuda.is_available() else ()),
    HidesWarnings,
)

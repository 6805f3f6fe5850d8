"""Flows that break one rule each. ``fails``: the checks that see it; ``says``: what the first one's message holds.

A check's name without brackets stands for both builds, with a condition and without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sound_components import SoundFlow, SoundFlowWithoutGradients

if TYPE_CHECKING:
    from vadbench.api import Context, Windows


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
        return log_det - 0.5 * z.square().sum(dim=1)


class InverseOfAnother(SoundFlow):
    fails = ("inverse",)
    says = "expected inverse(forward(x)) to be x, got a difference of"

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return super().inverse(z, condition) - self.mean


class LogDetWithWrongSign(SoundFlow):
    fails = ("log_det",)
    says = "expected log_det = log |det dz/dx|, which is"

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        z, log_det = super().forward(x, condition)
        return z, -log_det

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        z, log_det = self.forward(x, condition)
        return -log_det - 0.5 * z.square().sum(dim=(1, 2, 3))


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
            *("global_generators_untouched", "inputs_unchanged"),
        )
    )
    says = "Got TypeError: what is this for?"

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        if condition is not None:
            raise TypeError("what is this for?")
        super().fit(windows, condition, context)


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


class NegatedDensity(SoundFlow):
    fails = ("learned",)
    says = "expected a mean log-density of training windows above"

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return -super().log_prob(x, condition)


class Unseeded(SoundFlow):
    fails = ("same_seed_same_outputs",)
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


BROKEN = (
    DoublePrecision,
    FlatLatent,
    InverseOfAnother,
    LogDetWithWrongSign,
    LogDetWithWrongSignWithoutGradients,
    LogDetForgetsCondition,
    CannotBeConditioned,
    DependsOnBatch,
    SmoothedOverBatch,
    Squeezed,
    NeedsWindows,
    NegatedDensity,
    Unseeded,
    Forgetful,
    Prints,
    DrawsFromTorch,
    WritesToTracks,
)

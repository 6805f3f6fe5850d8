"""The base density of the flow: a Gaussian whose mean the condition may move, and whose covariance may be estimated.

STG-NF's base is N(3, 1) in every element. VQ-Flow (arXiv 2409.00942) lets a code move it; the mean here is an affine map of
the code vectors, each token's for its own frames, which is trained with the rest of the flow.

With one variance for every element, errors of a wrist and of a hip count the same, and frame after frame as if they were
independent. With the covariance ``full`` the couplings are trained under that base, and when they are done the Gaussian of
their latents takes its place: all covariances between coordinates, joints and frames, and a mean that is linear in all code
vectors of the window, in closed form.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from vadbench_msgflow.conditional_gaussian import ConditionalGaussian

if TYPE_CHECKING:
    from vadbench.api import PoseShape, TokenShape
    from vadbench_msgflow.window_moments import Moments

Covariance = Literal["identity", "full"]


class BaseDensity(nn.Module):
    """Density of latents z (B, C, T, J).

    Args:
        poses: Shape of the windows.
        condition: Shape of the code vectors; None where there are none.
        centre: Mean of every element before the condition moves it.
        moves: Whether the condition moves the mean.
        covariance: ``identity``, or ``full`` once it is `settle`d.
    """

    settled: torch.Tensor
    gaussian_mean: torch.Tensor
    condition_mean: torch.Tensor
    weights: torch.Tensor
    whitening: torch.Tensor

    def __init__(
        self, poses: PoseShape, condition: TokenShape | None, *, centre: float, moves: bool, covariance: Covariance
    ) -> None:
        super().__init__()
        self.poses, self.centre, self.full = poses, centre, covariance == "full"
        self.numbers = poses.channels * poses.frames * poses.joints
        self.mean: nn.Linear | None = None
        if condition is not None and moves:
            self.mean = zero_linear(condition.width, self.numbers // condition.tokens)
        if self.full:
            given = condition.tokens * condition.width if condition is not None and moves else 0
            self.register_buffer("settled", torch.tensor(0))
            shapes = {"gaussian_mean": (self.numbers,), "condition_mean": (given,), "weights": (given, self.numbers)}
            for name, shape in {**shapes, "whitening": (self.numbers, self.numbers)}.items():
                # Learned in closed form; a parameter so that it counts as learned.
                self.register_parameter(name, nn.Parameter(torch.zeros(shape), requires_grad=False))

    @torch.no_grad()
    def settle(self, moments: Moments) -> None:
        """Takes the Gaussian of latents and conditions, see `window_moments`; from now on it is the density."""
        found = ConditionalGaussian.of(moments, self.numbers)
        self.gaussian_mean.copy_(found.mean)
        self.condition_mean.copy_(found.condition_mean)
        self.weights.copy_(found.weights)
        self.whitening.copy_(found.whitening)
        self.settled.fill_(1)

    def log_prob(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B,) nats."""
        if not self.is_settled():
            away = z - self.centred(condition)
            return -0.5 * away.square().sum(dim=(1, 2, 3)) - self._constant()
        white = self._away(z, condition) @ self.whitening.T
        return self.whitening.diagonal().log().sum() - self._constant() - 0.5 * white.square().sum(dim=1)

    def elementwise(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Shares of ``log_prob`` by element, (B, C, T, J) nats; where elements covary they share what they have in common."""
        constant = self._constant() / self.numbers
        if not self.is_settled():
            return -0.5 * (z - self.centred(condition)).square() - constant
        # Shares of either sign cancel in their sum, which is why they are computed exactly.
        away, whitening = self._away(z, condition).double(), self.whitening.double()
        log_det = whitening.diagonal().log().sum() / self.numbers
        shares: torch.Tensor = -0.5 * away * (away @ whitening.T @ whitening) + log_det - constant
        return shares.to(z.dtype).view_as(z)

    def centred(self, condition: torch.Tensor | None) -> torch.Tensor | float:
        """Mean of the latents before the base is settled; (B, C, T, J) where a condition moves it."""
        if self.mean is None or condition is None:
            return self.centre
        moved: torch.Tensor = self.mean(condition).unflatten(2, (self.poses.channels, -1, self.poses.joints))
        return self.centre + moved.transpose(1, 2).flatten(2, 3)

    def is_settled(self) -> bool:
        """Whether the covariance was estimated; never with the covariance ``identity``."""
        return self.full and bool(self.settled)

    def _away(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B, N) how far the latents are from what is expected."""
        away = z.flatten(1) - self.gaussian_mean
        if condition is None or len(self.condition_mean) == 0:
            return away
        return away - (condition.flatten(1) - self.condition_mean) @ self.weights

    def _constant(self) -> float:
        return 0.5 * self.numbers * math.log(2 * math.pi)


def zero_linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer that gives zeros until it is trained."""
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer

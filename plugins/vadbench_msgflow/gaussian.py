"""Gaussian density of a window, with all its covariances: the simplest flow, in closed form; what a learned one has to beat.

See `vadbench_msgflow.conditional_gaussian`; the condition is the flattened code vectors of the window.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import nn

from vadbench.api import ComponentConfig, Context, PoseShape, TokenShape, Windows
from vadbench_msgflow.conditional_gaussian import RIDGE, ConditionalGaussian
from vadbench_msgflow.window_moments import Moments, window_moments


class GaussianConfig(ComponentConfig):
    """Settings of the Gaussian."""

    shrinkage: float | None = Field(
        default=None, gt=0, le=1, description="weight of the identity in the covariance; by default estimated (OAS)"
    )
    ridge: float = Field(
        default=RIDGE, gt=0, description="penalty of the regression, as a share of the condition's mean variance"
    )


class GaussianFlow(nn.Module):
    """x (B, C, T, J) to z of the same shape; fulfils `vadbench.api.Flow` and `Localised`.

    Computes in float64, whatever the type of the windows: directions in which windows hardly vary decide a density.
    """

    def __init__(self, config: GaussianConfig, poses: PoseShape, condition: TokenShape | None) -> None:
        super().__init__()
        self.config, self.poses, self.condition = config, poses, condition
        self.numbers = poses.channels * poses.frames * poses.joints
        given = 0 if condition is None else condition.tokens * condition.width
        self.mean = _learned(torch.zeros(self.numbers))
        self.condition_mean = _learned(torch.zeros(given))
        self.weights = _learned(torch.zeros(given, self.numbers))
        self.whitening = _learned(torch.eye(self.numbers))

    @torch.no_grad()
    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        """Means, regression and covariance of the windows; raises `DataError` for fewer than two."""
        self.to(context.device)
        self.learn(window_moments(windows, condition, context))
        self.eval()

    @torch.no_grad()
    def learn(self, moments: Moments) -> None:
        """Takes the Gaussian from the moments of windows and conditions."""
        found = ConditionalGaussian.of(moments, self.numbers, shrinkage=self.config.shrinkage, ridge=self.config.ridge)
        for name in ("mean", "condition_mean", "weights", "whitening"):
            getattr(self, name).copy_(getattr(found, name))

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B,) nats for x (B, C, T, J) and condition (B, L, D) or None."""
        z = self._left(x, condition) @ self.whitening.T
        return (-0.5 * z.square().sum(dim=1) - self._constant()).to(x.dtype)

    def joint_surprise(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """The share of each joint of each frame in ``-log_prob``: (B, T, J) nats, summing to it.

        Of the quadratic form d' P d / 2 each element has d_i (P d)_i / 2, and of the constant all have an equal part. A share
        is below its part of the constant where an element departs from the mean as the others make one expect.
        """
        left = self._left(x, condition)
        share = left * (left @ self.whitening.T @ self.whitening) / 2 + self._constant() / self.numbers
        return share.view_as(x).sum(dim=1).to(x.dtype)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """``(z, log_det)``: latent (B, C, T, J), and log |det dz/dx| (B,) in nats, which is the same for all."""
        z = self._left(x, condition) @ self.whitening.T
        return z.view_as(x).to(x.dtype), self._log_det().to(x.dtype).expand(len(x))

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Latent to window, exactly."""
        left = torch.linalg.solve_triangular(self.whitening, z.flatten(1).double().T, upper=False).T
        x: torch.Tensor = (left + self._expected(condition)).view_as(z)
        return x.to(z.dtype)

    def _left(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B, N) float64, how far the windows are from what is expected."""
        return x.flatten(1).double() - self._expected(condition)

    def _expected(self, condition: torch.Tensor | None) -> torch.Tensor:
        if condition is None or len(self.condition_mean) == 0:
            return self.mean
        return self.mean + (condition.flatten(1).double() - self.condition_mean) @ self.weights

    def _log_det(self) -> torch.Tensor:
        return self.whitening.diagonal().log().sum()

    def _constant(self) -> torch.Tensor:
        return 0.5 * self.numbers * math.log(2 * math.pi) - self._log_det()


def _learned(values: torch.Tensor) -> nn.Parameter:
    """Learned in closed form; a parameter so that it counts as learned."""
    return nn.Parameter(values.double(), requires_grad=False)

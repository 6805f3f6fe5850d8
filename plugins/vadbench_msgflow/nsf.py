"""Neural spline flow on principal components, with zuko: a strong density of what varies, a plain one of the rest.

The windows' first principal components, whitened, have the density of an autoregressive flow of monotonic rational-quadratic
splines (Durkan et al., NeurIPS 2019, arXiv 1906.04032), conditioned on the flattened code vectors. What lies outside of their
subspace is Gaussian with one variance, as in probabilistic PCA (Tipping and Bishop 1999). Together they are a proper density of
the whole window. zuko (https://zuko.readthedocs.io) is imported when a flow is made.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import torch
from pydantic import Field
from torch import nn

from vadbench.api import ConfigError, Context, EarlyStopping, PoseShape, TokenShape, TrainingPlan, Windows
from vadbench_msgflow.window_moments import window_moments

_LEAST_VARIANCE = 1e-6
"""Of a direction, as a share of the mean: windows that have joints computed from others do not vary in some."""


class ZukoNSFConfig(EarlyStopping):
    """Settings of the neural spline flow."""

    components: int = Field(default=32, ge=1, description="principal components that the splines are over")
    transforms: int = Field(default=3, ge=1, description="autoregressive layers")
    hidden: int = Field(default=128, ge=1, description="width of the two hidden layers of each")
    bins: int = Field(default=8, ge=2, description="pieces of a spline")
    epochs: int = Field(default=12, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=256, ge=1, description="windows a step")
    learning_rate: float = Field(default=2e-3, gt=0, description="of the first step; falls to 0 along a half cosine")
    weight_decay: float = Field(default=1e-4, ge=0, description="of AdamW")
    clip_norm: float = Field(default=5.0, ge=0, description="largest gradient norm")


class ZukoNSF(nn.Module):
    """x (B, C, T, J) to z of the same shape; fulfils `vadbench.api.Flow`.

    The first ``components`` numbers of z are those that the splines make, the others the whitened rest.

    Raises:
        ConfigError: if zuko is missing, or a window has no more numbers than there are to be components.
    """

    mean: torch.Tensor
    basis: torch.Tensor
    scale: torch.Tensor
    condition_mean: torch.Tensor
    condition_scale: torch.Tensor

    def __init__(self, config: ZukoNSFConfig, poses: PoseShape, condition: TokenShape | None) -> None:
        super().__init__()
        self.numbers = poses.channels * poses.frames * poses.joints
        if config.components >= self.numbers:
            raise ConfigError(
                f"windows of {self.numbers} numbers have no {config.components} principal components and a rest",
                where="flow.components",
                remedy=f"choose fewer than {self.numbers}",
            )
        self.config, self.poses, self.condition = config, poses, condition
        given = 0 if condition is None else condition.tokens * condition.width
        # Components by their variance, largest first; the basis is complete, as z is of the window's size.
        self.register_buffer("mean", torch.zeros(self.numbers, dtype=torch.float64))
        self.register_buffer("basis", torch.eye(self.numbers, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(self.numbers, dtype=torch.float64))
        self.register_buffer("condition_mean", torch.zeros(given))
        self.register_buffer("condition_scale", torch.ones(given))
        self.splines: Any = _zuko_flows().NSF(
            config.components,
            given,
            bins=config.bins,
            transforms=config.transforms,
            hidden_features=(config.hidden, config.hidden),
        )

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        """Takes the components of the windows, then maximises the likelihood of their coordinates.

        Raises:
            DataError: for fewer than two windows.
        """
        config = self.config
        self.to(context.device)
        self._take_components(windows, context)
        if condition is not None:
            flat = condition.flatten(1)
            self.condition_mean.copy_(flat.mean(dim=0))
            self.condition_scale.copy_(flat.std(dim=0).clamp(min=1e-6))
        pieces = torch.split(torch.arange(len(windows)), 4096)
        with torch.no_grad():
            # All that the splines learn from is these few numbers a window: they are computed once, not every epoch.
            coordinates = torch.cat(
                [self._coordinates(context.tensor(windows.batch(index.numpy()).x)).float() for index in pieces]
            )

        def loss(index: torch.Tensor) -> torch.Tensor:
            given = None if condition is None else condition[index].to(context.device)
            z, log_det = self._splined(coordinates[index.to(context.device)], given)
            return (0.5 * z.square().sum(dim=1) - log_det).mean() / config.components

        plan = TrainingPlan(
            config.epochs,
            config.batch_size,
            config.learning_rate,
            schedule="cosine",
            weight_decay=config.weight_decay,
            clip_norm=config.clip_norm,
            held_out=config.held_out,
            patience=config.patience,
            amp=False,
        )
        context.train(self, loss, examples=len(windows), plan=plan, groups=windows.track)

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B,) nats for x (B, C, T, J) and condition (B, L, D) or None."""
        left, count = self._left(x), self.config.components
        inside = left @ self.basis[:, :count]
        # The rest needs no coordinates: its length is what the components leave of the whole.
        outside = (left.square().sum(dim=1) - inside.square().sum(dim=1)).clamp(min=0) / self.scale[-1].square()
        z, log_det = self._splined((inside / self.scale[:count]).to(x.dtype), condition)
        distance = z.double().square().sum(dim=1) + outside
        log_prob = log_det.double() - self.scale.log().sum() - 0.5 * (distance + self.numbers * math.log(2 * math.pi))
        return log_prob.to(x.dtype)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """``(z, log_det)``: latent (B, C, T, J), and log |det dz/dx| (B,) in nats."""
        whitened = (self._left(x) @ self.basis / self.scale).to(x.dtype)
        first, rest = whitened.tensor_split([self.config.components], dim=1)
        z, log_det = self._splined(first, condition)
        log_det = (log_det.double() - self.scale.log().sum()).to(x.dtype)
        return torch.cat([z, rest], dim=1).view_as(x), log_det

    @torch.no_grad()
    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Latent to window; component after component, as the splines are autoregressive."""
        if len(z) == 0:
            return z
        first, rest = z.flatten(1).tensor_split([self.config.components], dim=1)
        first = self.splines.transform(self._given(condition)).inv(first)
        whitened = torch.cat([first, rest], dim=1).double()
        return (whitened * self.scale @ self.basis.T + self.mean).view_as(z).to(z.dtype)

    @torch.no_grad()
    def _take_components(self, windows: Windows, context: Context) -> None:
        moments = window_moments(windows, None, context)
        variance, basis = torch.linalg.eigh(moments.covariance)
        variance, basis = variance.flip(0), basis.flip(1)
        count, least = self.config.components, _LEAST_VARIANCE * variance.mean().clamp(min=1e-12)
        self.mean.copy_(moments.mean)
        self.basis.copy_(basis)
        self.scale[:count] = variance[:count].clamp(min=least).sqrt()
        self.scale[count:] = variance[count:].mean().clamp(min=least).sqrt()

    def _left(self, x: torch.Tensor) -> torch.Tensor:
        """(B, N) float64, how far the windows are from the mean."""
        return x.flatten(1).double() - self.mean

    def _coordinates(self, x: torch.Tensor) -> torch.Tensor:
        """(B, components) float64, whitened."""
        count = self.config.components
        return self._left(x) @ self.basis[:, :count] / self.scale[:count]

    def _splined(self, whitened: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Whitened components (B, components) to latents of the same shape, and the log-determinant (B,)."""
        if len(whitened) == 0:
            return whitened, whitened.new_zeros(0)
        z, log_det = self.splines.transform(self._given(condition)).call_and_ladj(whitened)
        return z, log_det

    def _given(self, condition: torch.Tensor | None) -> torch.Tensor | None:
        """(B, L * D), standardised by the training windows' conditions."""
        if condition is None or len(self.condition_mean) == 0:
            return None
        return (condition.flatten(1) - self.condition_mean) / self.condition_scale


def _zuko_flows() -> Any:
    try:
        return importlib.import_module("zuko.flows")
    except ImportError as error:
        raise ConfigError(
            "the flow zuko-nsf needs the package zuko, which is not installed",
            where="flow.name",
            remedy="pip install zuko, or choose another flow with --flow",
        ) from error

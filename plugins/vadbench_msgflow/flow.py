"""Conditional ST-GCN coupling flow: the density of a window given its motion primitives.

Without a condition this is STG-NF (Hirschorn and Avidan, ICCV 2023, arXiv 2211.10946) with the arithmetic of its released
models: K steps of ActNorm, a swap of the x and y channels, and an affine coupling whose shift and scale for one channel
come from an ST-GCN block over the other; see `vadbench_msgflow.stgcn`.

A condition, the window's code vectors, enters twice, as in VQ-Flow (arXiv 2409.00942): it is added inside the coupling
networks, and it moves the mean of the base density. Both start at zero, so training starts from the unconditional flow.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from pydantic import Field
from torch import nn

from vadbench.api import ConfigError, Context, EarlyStopping, PoseShape, TokenShape, TrainingPlan, Windows
from vadbench_msgflow.base_density import BaseDensity, Covariance
from vadbench_msgflow.stgcn import FlowStep
from vadbench_msgflow.stgnf_release import read_stgnf
from vadbench_msgflow.window_moments import Moments, window_moments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vadbench.api import Released


class STGCNCouplingConfig(EarlyStopping):
    """Settings of the flow; the defaults are STG-NF's."""

    steps: int = Field(default=8, ge=1, description="K, flow steps")
    base_mean: float = Field(default=3.0, description="mean of the base density, in every element")
    covariance: Covariance = Field(
        default="identity", description="of the base density: identity, or full: that of the trained latents"
    )
    couplings: bool = Field(default=True, description="let the condition enter the coupling networks")
    mean: bool = Field(default=True, description="let the condition move the mean of the base density")
    epochs: int = Field(default=8, ge=1, description="passes over the training windows")
    batch_size: int = Field(default=256, ge=1, description="windows a step")
    learning_rate: float = Field(default=5e-4, gt=0, description="step size of the optimiser")
    decay: float = Field(default=0.99, gt=0, le=1, description="factor of the learning rate after each epoch")
    clip_norm: float = Field(default=100.0, ge=0, description="largest gradient norm")


class STGCNCouplingFlow(nn.Module):
    """x (B, 2, T, J) to z of the same shape; fulfils `vadbench.api.Flow` and `vadbench.api.Localised`.

    Raises:
        ConfigError: if windows have other channels than x and y, or the tokens do not divide the frames.
    """

    learns_from_labels = True

    def __init__(self, config: STGCNCouplingConfig, poses: PoseShape, condition: TokenShape | None) -> None:
        super().__init__()
        if poses.channels != 2:
            raise ConfigError(f"the coupling splits x from y; windows have {poses.channels} channels", where="flow")
        if condition is not None and poses.frames % condition.tokens:
            raise ConfigError(
                f"{condition.tokens} tokens cannot be spread over {poses.frames} frames",
                where="flow",
                remedy="choose a tokenizer whose tokens divide the window, or --set composition.condition=none",
            )
        self.config, self.poses, self.condition = config, poses, condition
        width = condition.width if condition is not None and config.couplings else 0
        kernel = poses.frames // 2 + 1
        kernel += 1 - kernel % 2
        self.steps = nn.ModuleList(FlowStep(poses.frames, kernel, residual=k > 0, condition=width) for k in range(config.steps))
        self.base = BaseDensity(poses, condition, centre=config.base_mean, moves=config.mean, covariance=config.covariance)

    @classmethod
    def read_released(cls, path: Path) -> Released:
        """A released checkpoint of STG-NF; raises `DataError` for any other file."""
        return read_stgnf(path)

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        """Maximises the likelihood of the windows; ActNorm starts from the first of them.

        Windows that are labelled abnormal are to have latents about the opposite of the base density's mean, as in the supervised
        setting of STG-NF.
        """
        config, abnormal = self.config, windows.abnormal
        opposite = None if abnormal is None else torch.from_numpy(2 * config.base_mean * abnormal.astype(np.float32))

        def batch(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
            x = context.tensor(windows.batch(index.numpy()).x)
            return x, None if condition is None else condition[index].to(context.device)

        def training_batch(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | float]:
            return *batch(index), 0.0 if opposite is None else opposite[index].to(context.device)[:, None, None, None]

        first = torch.randperm(len(windows), generator=context.generator())
        self._start(*batch(first[: config.batch_size]))
        dimensions = self.poses.channels * self.poses.frames * self.poses.joints

        def loss(given: tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | float]) -> torch.Tensor:
            x, own, moved = given
            z, log_det = self.forward(x, own)
            return -(log_det + self.base.log_prob(z + moved, own)).mean() / (math.log(2) * dimensions)

        plan = TrainingPlan(
            config.epochs,
            config.batch_size,
            config.learning_rate,
            optimiser="adamax",
            decay=config.decay,
            clip_norm=config.clip_norm,
            held_out=config.held_out,
            patience=config.patience,
            amp=False,  # at half precision a likelihood is off by 0.8 bits a dimension
        )
        context.train(self, loss, examples=len(windows), plan=plan, prepare=training_batch, groups=windows.track)
        if config.covariance == "full":
            usual = condition if condition is None or abnormal is None else condition[torch.from_numpy(~abnormal)]
            with torch.no_grad():
                self.base.settle(self._latent_moments(windows.normal(), usual, context))

    def _latent_moments(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> Moments:
        """Of the latents and, where the condition moves the mean of the base density, of the conditions."""
        moments = window_moments(windows, condition, context, lambda x, given: self.forward(x, given)[0])
        return moments if self.config.mean else moments.of_first(self.base.numbers)

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B,) nats for x (B, 2, T, J) and condition (B, L, D) or None."""
        z, log_det = self.forward(x, condition)
        return log_det + self.base.log_prob(z, condition)

    def joint_surprise(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B, T, J) nats: shares of ``-log_prob``. With a full covariance a share may be negative."""
        first, second = _channels(x)
        log_det = torch.zeros_like(first)
        for step in self._steps():
            first, second, _, scale = step(first, second, condition)
            log_det = log_det + scale.log() + step.actnorm.log_det(first) / math.prod(x.shape[2:])
        return -(log_det.permute(2, 0, 1) + self.base.elementwise(_windows(first, second), condition).sum(dim=1))

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """``(z, log_det)``: latent (B, 2, T, J) and log |det dz/dx| (B,), nats."""
        first, second = _channels(x)
        log_det = x.new_zeros(len(x))
        for step in self._steps():
            first, second, part, _ = step(first, second, condition)
            log_det = log_det + part
        return _windows(first, second), log_det

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Latent to window, exactly."""
        first, second = _channels(z)
        for step in reversed(list(self._steps())):
            first, second = step.inverse(first, second, condition)
        return _windows(first, second)

    @torch.no_grad()
    def _start(self, x: torch.Tensor, condition: torch.Tensor | None) -> None:
        first, second = _channels(x)
        self.train()
        for step in self._steps():
            step.actnorm.start(first, second)
            first, second, _, _ = step(first, second, condition)
        self.eval()

    def _steps(self) -> Iterator[FlowStep]:
        for step in self.steps:
            assert isinstance(step, FlowStep)  # noqa: S101 - ModuleList forgets what it holds
            yield step


def _channels(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both channels (T, J, B) of windows (B, 2, T, J)."""
    first, second = x.permute(1, 2, 3, 0).contiguous()
    return first, second


def _windows(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Channels (T, J, B) as windows (B, 2, T, J)."""
    return torch.stack([first, second]).permute(3, 0, 1, 2).contiguous()

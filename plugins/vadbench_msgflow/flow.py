"""Conditional ST-GCN coupling flow: the density of a window given its motion primitives.

Without a condition this is STG-NF (Hirschorn and Avidan, ICCV 2023, arXiv 2211.10946) with the arithmetic of its released
models: K steps of ActNorm, a swap of the x and y channels, and an affine coupling whose shift and scale for one channel
come from an ST-GCN block (Yan et al., AAAI 2018, arXiv 1801.07455) over the other. As no two joints are further apart
than its 8 hops, its graph convolution is the mean over the joints, and is computed as that.

A condition, the window's code vectors, enters twice, as in VQ-Flow (arXiv 2409.00942): it is added inside the coupling
networks, and it moves the mean of the base density. Both start at zero, so training starts from the unconditional flow.
"""

from __future__ import annotations

import math

import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import conv1d

from vadbench.api import ComponentConfig, ConfigError, Context, PoseShape, TokenShape, TrainingPlan, Windows

_SCALE_FLOOR = 1e-6


class STGCNCouplingConfig(ComponentConfig):
    """Settings of the flow; the defaults are STG-NF's."""

    steps: int = Field(default=8, ge=1, description="K, flow steps")
    base_mean: float = Field(default=3.0, description="mean of the base density, in every element")
    couplings: bool = Field(default=True, description="let the condition enter the coupling networks")
    mean: bool = Field(default=True, description="let the condition move the mean of the base density")
    epochs: int = Field(default=8, ge=1)
    batch_size: int = Field(default=256, ge=1)
    learning_rate: float = Field(default=5e-4, gt=0)
    decay: float = Field(default=0.99, gt=0, le=1, description="factor of the learning rate after each epoch")
    clip_norm: float = Field(default=100.0, ge=0, description="largest gradient norm")


class STGCNCouplingFlow(nn.Module):
    """x (B, 2, T, J) to z of the same shape; fulfils `vadbench.api.Flow`.

    Raises:
        ConfigError: if windows have other channels than x and y, or the tokens do not divide the frames.
    """

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
        self.steps = nn.ModuleList(FlowStep(kernel, residual=k > 0, condition=width) for k in range(config.steps))
        self.mean: nn.Linear | None = None
        if condition is not None and config.mean:
            frames = poses.frames // condition.tokens
            self.mean = _zero_linear(condition.width, poses.channels * frames * poses.joints)

    def fit(self, windows: Windows, condition: torch.Tensor | None, context: Context) -> None:
        """Maximises the likelihood of the windows; ActNorm is set from the first batch."""
        config = self.config

        def batch(index: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
            x = torch.from_numpy(windows.batch(index.numpy()).x).to(context.device)
            return x, None if condition is None else condition[index].to(context.device)

        first = torch.randperm(len(windows), generator=context.generator())[: config.batch_size]
        self._start_actnorm(*batch(first))
        dimensions = self.poses.channels * self.poses.frames * self.poses.joints

        def loss(given: tuple[torch.Tensor, torch.Tensor | None]) -> torch.Tensor:
            return -self.log_prob(*given).mean() / (math.log(2) * dimensions)

        plan = TrainingPlan(
            config.epochs,
            config.batch_size,
            config.learning_rate,
            optimiser="adamax",
            decay=config.decay,
            clip_norm=config.clip_norm,
        )
        context.train(self, loss, examples=len(windows), plan=plan, prepare=batch)

    def log_prob(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B,) nats for x (B, 2, T, J) and condition (B, L, D) or None."""
        z, log_det = self.forward(x, condition)
        distance = (z - self._base_mean(condition)).square().sum(dim=(1, 2, 3))
        dimensions = math.prod(z.shape[1:])
        return log_det - 0.5 * (distance + dimensions * math.log(2 * math.pi))

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """``(z, log_det)``: latent (B, 2, T, J) and log |det dz/dx| (B,), nats."""
        log_det = x.new_zeros(len(x))
        for step in self.steps:
            x, part = step(x, condition)
            log_det = log_det + part
        return x, log_det

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """Latent to window, exactly."""
        for step in reversed(self.steps):
            assert isinstance(step, FlowStep)  # noqa: S101 - ModuleList forgets what it holds
            z = step.inverse(z, condition)
        return z

    @torch.no_grad()
    def _start_actnorm(self, x: torch.Tensor, condition: torch.Tensor | None) -> None:
        self.train()
        for step in self.steps:
            assert isinstance(step, FlowStep)  # noqa: S101 - ModuleList forgets what it holds
            step.actnorm.start(x)
            x, _ = step(x, condition)
        self.eval()

    def _base_mean(self, condition: torch.Tensor | None) -> torch.Tensor | float:
        if self.mean is None or condition is None:
            return self.config.base_mean
        moved = self.mean(condition).unflatten(2, (self.poses.channels, -1, self.poses.joints))
        out: torch.Tensor = self.config.base_mean + moved.transpose(1, 2).flatten(2, 3)
        return out


class FlowStep(nn.Module):
    """ActNorm, swap of x and y, affine coupling."""

    def __init__(self, kernel: int, *, residual: bool, condition: int) -> None:
        super().__init__()
        self.actnorm = ActNorm()
        self.conditioner = STGCNBlock(kernel, residual=residual, condition=condition)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """``(z, log_det)``, z (B, 2, T, J), log_det (B,) in nats."""
        x, log_det = self.actnorm(x)
        b, a = x.unbind(dim=1)
        shift, scale = self._affine(a, condition)
        return torch.stack([a, (b + shift) * scale], dim=1), log_det + scale.log().sum(dim=(1, 2))

    def inverse(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """The x that ``forward`` maps to z."""
        a, b = z.unbind(dim=1)
        shift, scale = self._affine(a, condition)
        return self.actnorm.inverse(torch.stack([b / scale - shift, a], dim=1))

    def _affine(self, a: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        shift, raw = self.conditioner(a, condition).unbind(dim=1)
        return shift, torch.sigmoid(raw + 2) + _SCALE_FLOOR


class ActNorm(nn.Module):
    """z = (x + bias) * exp(log_scale), channel by channel (Kingma and Dhariwal 2018, arXiv 1807.03039)."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, 2, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(1, 2, 1, 1))

    def start(self, x: torch.Tensor) -> None:
        """Zero mean and unit variance of each channel on this batch."""
        self.bias.copy_(-x.mean(dim=(0, 2, 3), keepdim=True))
        variance = (x + self.bias).square().mean(dim=(0, 2, 3), keepdim=True)
        self.log_scale.copy_(-0.5 * (variance + 1e-6).log())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``(z, log_det)``, log_det () in nats, the same for every window."""
        return (x + self.bias) * self.log_scale.exp(), self.log_scale.sum() * x.shape[2] * x.shape[3]

    def inverse(self, z: torch.Tensor) -> torch.Tensor:
        """The x that ``forward`` maps to z."""
        return z * (-self.log_scale).exp() - self.bias


class STGCNBlock(nn.Module):
    """One spatio-temporal graph convolution from 1 channel (B, T, J) to 2, (B, 2, T, J), and a ReLU.

    The graph convolution is the mean over the joints, so everything up to the residual path is the same for all joints
    and is computed once.
    """

    def __init__(self, kernel: int, *, residual: bool, condition: int) -> None:
        super().__init__()
        self.spatial = nn.Linear(1, 2)
        self.spatial_norm = nn.BatchNorm1d(2)
        self.temporal = nn.Conv1d(2, 2, kernel, padding=kernel // 2)
        self.temporal_norm = nn.BatchNorm1d(2)
        self.residual = nn.Linear(1, 2) if residual else None
        self.residual_norm = nn.BatchNorm1d(2) if residual else None
        self.condition = _zero_linear(condition, 2) if condition else None

    def forward(self, a: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        """(B, 2, T, J), not below 0: shift and raw scale, from a (B, T, J) and the condition (B, L, D)."""
        out: torch.Tensor = self.spatial_norm(self.spatial(a.mean(dim=2, keepdim=True)).transpose(1, 2)).relu()
        out = self.temporal_norm(conv1d(out, self.temporal.weight, self.temporal.bias, padding=self.temporal.padding))
        if self.condition is not None and condition is not None:
            per_token = self.condition(condition).transpose(1, 2)
            out = out + per_token.repeat_interleave(a.shape[1] // condition.shape[1], dim=2)
        out = out[..., None]
        if self.residual is None or self.residual_norm is None:
            return out.relu().expand(-1, -1, -1, a.shape[2])
        path = self.residual_norm(self.residual(a.flatten(1)[..., None]).transpose(1, 2))
        summed: torch.Tensor = out + path.unflatten(2, a.shape[1:])
        return summed.relu()


def _zero_linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer

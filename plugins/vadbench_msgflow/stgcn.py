"""One step of the flow: ActNorm, a swap of x and y, and an affine coupling that an ST-GCN block conditions.

The arithmetic is STG-NF's (arXiv 2211.10946), arranged so that it is fast: as no two joints are further apart than its 8
hops, the graph convolution is the mean over the joints, and everything up to the residual path is computed once for all of
them; the residual path is one affine map an element, with the batch norm inside it.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import conv1d

from vadbench_msgflow.base_density import zero_linear

_SCALE_FLOOR = 1e-6


class FlowStep(nn.Module):
    """ActNorm, swap of x and y, affine coupling; on two channels (B, T, J) each."""

    def __init__(self, kernel: int, *, residual: bool, condition: int) -> None:
        super().__init__()
        self.actnorm = ActNorm()
        self.conditioner = STGCNBlock(kernel, residual=residual, condition=condition)

    def forward(
        self, x: torch.Tensor, y: torch.Tensor, condition: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """``(x, y, scale, log_det)``: both channels, the coupling's scale (B, T, J), and what ActNorm adds, () in nats."""
        x, y, log_det = self.actnorm(x, y)
        shift, scale = self._affine(y, condition)
        return y, (x + shift) * scale, scale, log_det

    def inverse(self, x: torch.Tensor, y: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """The channels that ``forward`` maps to these."""
        shift, scale = self._affine(x, condition)
        return self.actnorm.inverse(y / scale - shift, x)

    def _affine(self, a: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        shift, raw = self.conditioner(a, condition)
        return shift, torch.sigmoid(raw + 2) + _SCALE_FLOOR


class ActNorm(nn.Module):
    """z = (x + bias) * exp(log_scale), channel by channel (Kingma and Dhariwal 2018, arXiv 1807.03039)."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, 2, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(1, 2, 1, 1))

    def start(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Zero mean and unit variance of each channel on this batch."""
        both = torch.stack([x, y], dim=1)
        self.bias.copy_(-both.mean(dim=(0, 2, 3), keepdim=True))
        variance = (both + self.bias).square().mean(dim=(0, 2, 3), keepdim=True)
        self.log_scale.copy_(-0.5 * (variance + 1e-6).log())

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``(x, y, log_det)``, log_det () in nats, the same for every window."""
        scale, bias = self.log_scale.exp().view(2), self.bias.view(2)
        log_det = self.log_scale.sum() * x.shape[1] * x.shape[2]
        return (x + bias[0]) * scale[0], (y + bias[1]) * scale[1], log_det

    def inverse(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The channels that ``forward`` maps to these."""
        scale, bias = (-self.log_scale).exp().view(2), self.bias.view(2)
        return x * scale[0] - bias[0], y * scale[1] - bias[1]


class STGCNBlock(nn.Module):
    """One spatio-temporal graph convolution (Yan et al. 2018, arXiv 1801.07455) from 1 channel (B, T, J) to 2, and a ReLU."""

    def __init__(self, kernel: int, *, residual: bool, condition: int) -> None:
        super().__init__()
        self.spatial = nn.Linear(1, 2)
        self.spatial_norm = nn.BatchNorm1d(2)
        self.temporal = nn.Conv1d(2, 2, kernel, padding=kernel // 2)
        self.temporal_norm = nn.BatchNorm1d(2)
        self.residual = nn.Linear(1, 2) if residual else None
        self.residual_norm = nn.BatchNorm1d(2) if residual else None
        self.condition = zero_linear(condition, 2) if condition else None

    def forward(self, a: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Shift and raw scale, not below 0, each (B, T, J), from a (B, T, J) and the condition (B, L, D)."""
        out: torch.Tensor = self.spatial_norm(self.spatial(a.mean(dim=2, keepdim=True)).transpose(1, 2)).relu()
        out = self.temporal_norm(conv1d(out, self.temporal.weight, self.temporal.bias, padding=self.temporal.padding))
        if self.condition is not None and condition is not None:
            per_token = self.condition(condition).transpose(1, 2)
            out = out + per_token.repeat_interleave(a.shape[1] // condition.shape[1], dim=2)
        if self.residual is None or self.residual_norm is None:
            out = out.relu()[..., None].expand(-1, -1, -1, a.shape[2])
            return out[:, 0], out[:, 1]
        slope, offset = _affine_of_norm(self.residual, self.residual_norm, a)
        out = (out + offset[:, None])[..., None]
        first, second = (torch.addcmul(out[:, channel], a, slope[channel]).relu() for channel in (0, 1))
        return first, second


def _affine_of_norm(linear: nn.Linear, norm: nn.BatchNorm1d, a: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Slope and offset (2,) of a linear map of one number followed by batch norm, as one affine map of a (B, T, J).

    In training the statistics of both outputs follow from those of ``a``, and the running ones are kept as batch norm does.
    """
    weight = linear.weight[:, 0]
    assert norm.running_mean is not None  # noqa: S101 - batch norm tracks statistics unless told otherwise
    assert norm.running_var is not None  # noqa: S101
    if norm.training:
        variance, mean = torch.var_mean(a, correction=0)
        means, variances = weight * mean + linear.bias, weight.square() * variance
        with torch.no_grad():
            keep, count = norm.momentum or 0.0, a.numel()
            norm.running_mean.lerp_(means, keep)
            norm.running_var.lerp_(variances * (count / max(count - 1, 1)), keep)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked += 1
    else:
        means, variances = norm.running_mean, norm.running_var
    scale = norm.weight * (variances + norm.eps).rsqrt()
    return weight * scale, (linear.bias - means) * scale + norm.bias

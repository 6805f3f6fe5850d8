"""One step of the flow: ActNorm, a swap of x and y, and an affine coupling that an ST-GCN block conditions.

The arithmetic is STG-NF's (arXiv 2211.10946), arranged so that it is fast. Channels are (T, J, B), the windows innermost, so
that whatever is done to an element is done to a run of windows at once. As no two joints are further apart than 8 hops, the graph
convolution is the mean over the joints, and everything up to the residual path is computed once for all of them. A linear map of
one number followed by batch norm is one affine map, in training as well. The convolution over time is one matrix product.
"""

from __future__ import annotations

import torch
from torch import nn

from vadbench_msgflow.base_density import zero_linear
from vadbench_msgflow.coupling import AffineCoupling, shift_and_scale


class FlowStep(nn.Module):
    """ActNorm, swap of x and y, affine coupling; on two channels (T, J, B) each."""

    def __init__(self, frames: int, kernel: int, *, residual: bool, condition: int) -> None:
        super().__init__()
        self.actnorm = ActNorm()
        self.conditioner = STGCNBlock(frames, kernel, residual=residual, condition=condition)

    def forward(
        self, x: torch.Tensor, y: torch.Tensor, condition: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """``(x, y, log_det, scale)``: both channels, log |det| (B,) in nats, and the coupling's scale (T, J, B)."""
        scales, shifts = self.actnorm.affine()
        y = torch.addcmul(shifts[1], y, scales[1])
        offset, slope = self.conditioner(y, condition)
        x, log_det, _, scale = AffineCoupling.apply(x, scales[0], shifts[0], y, offset, slope)  # type: ignore[no-untyped-call]
        return y, x, log_det + self.actnorm.log_det(x), scale

    def inverse(self, x: torch.Tensor, y: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """The channels that ``forward`` maps to these."""
        shift, scale = shift_and_scale(x, *self.conditioner(x, condition))
        return self.actnorm.inverse(y / scale - shift, x)


class ActNorm(nn.Module):
    """z = (x + bias) * exp(log_scale), channel by channel (Kingma and Dhariwal 2018, arXiv 1807.03039)."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, 2, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(1, 2, 1, 1))

    def start(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """Zero mean and unit variance of each channel on this batch."""
        both = torch.stack([x, y]).flatten(1)
        bias = -both.mean(dim=1, keepdim=True)
        variance = (both + bias).square().mean(dim=1)
        self.bias.copy_(bias.view_as(self.bias))
        self.log_scale.copy_(-0.5 * (variance + 1e-6).log().view_as(self.log_scale))

    def affine(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Factor and summand (2,) of the channels."""
        scale = self.log_scale.view(2).exp()
        return scale, self.bias.view(2) * scale

    def log_det(self, x: torch.Tensor) -> torch.Tensor:
        """() nats, the same for every window, of a channel (T, J, B) and the other one."""
        return self.log_scale.sum() * x.shape[0] * x.shape[1]

    def inverse(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The channels that ``forward`` maps to these."""
        scale, bias = (-self.log_scale).exp().view(2), self.bias.view(2)
        return x * scale[0] - bias[0], y * scale[1] - bias[1]


class STGCNBlock(nn.Module):
    """One spatio-temporal graph convolution (Yan et al. 2018, arXiv 1801.07455) from 1 channel to 2, without its last ReLU."""

    _place: torch.Tensor

    def __init__(self, frames: int, kernel: int, *, residual: bool, condition: int) -> None:
        super().__init__()
        self.spatial = nn.Linear(1, 2)
        self.spatial_norm = nn.BatchNorm1d(2)
        self.temporal = nn.Conv1d(2, 2, kernel, padding=kernel // 2)
        self.temporal_norm = nn.BatchNorm1d(2)
        self.residual = nn.Linear(1, 2) if residual else None
        self.residual_norm = nn.BatchNorm1d(2) if residual else None
        self.condition = zero_linear(condition, 2) if condition else None
        # Which weight of the kernel stands at (to, from) of the matrix; beyond its ends, the 0 that is put after it.
        place = torch.arange(frames) - torch.arange(frames)[:, None] + kernel // 2
        self.register_buffer("_place", torch.where((place >= 0) & (place < kernel), place, kernel), persistent=False)

    def forward(self, a: torch.Tensor, condition: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """What the coupling makes of each element: offset (2, T, 1, B) and slope (2,), see `vadbench_msgflow.coupling`.

        Args:
            a: (T, J, B).
            condition: (B, L, D) or None.
        """
        mean = a.mean(dim=1)
        slope, offset = _affine_of_norm(self.spatial, self.spatial_norm, _moments(mean), a.numel())
        out = torch.addcmul(offset.view(2, 1, 1), mean, slope.view(2, 1, 1)).relu()
        out = _normed(self._over_time(out), self.temporal_norm, a.shape[1])
        if self.condition is not None and condition is not None:
            per_token = self.condition(condition).permute(2, 1, 0)
            out = out + per_token.repeat_interleave(len(a) // condition.shape[1], dim=1)
        if self.residual is None or self.residual_norm is None:
            return out[:, :, None], slope.new_zeros(2)
        slope, offset = _affine_of_norm(self.residual, self.residual_norm, _moments(a, mean), a.numel())
        return (out + offset.view(2, 1, 1))[:, :, None], slope

    def _over_time(self, h: torch.Tensor) -> torch.Tensor:
        """The convolution over time of h (2, T, B), as the product with a banded matrix."""
        weight, bias = self.temporal.weight, self.temporal.bias
        assert bias is not None  # noqa: S101 - a convolution has one unless told otherwise
        ended = torch.cat([weight, weight.new_zeros(2, 2, 1)], dim=2)
        matrix = ended[:, :, self._place].permute(0, 2, 1, 3).flatten(2).flatten(0, 1)
        return torch.addmm(bias.repeat_interleave(h.shape[1])[:, None], matrix, h.flatten(0, 1)).view_as(h)


def _normed(h: torch.Tensor, norm: nn.BatchNorm1d, copies: int) -> torch.Tensor:
    """Batch norm of h (2, T, B), each of whose numbers stands for as many ``copies``."""
    if norm.training:
        variances, means = torch.var_mean(h, dim=(1, 2), correction=0)
        _keep_statistics(norm, means, variances, h[0].numel() * copies)
    else:
        means, variances = _kept_statistics(norm)
    scale = norm.weight * (variances + norm.eps).rsqrt()
    return torch.addcmul(norm.bias.view(2, 1, 1), h - means.view(2, 1, 1), scale.view(2, 1, 1))


def _moments(a: torch.Tensor, mean: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance () of all numbers; ``mean`` is that over the joints, where it is known already."""
    total = (a if mean is None else mean).mean()
    # As a constant here: the variance does not change with the centre that it is taken about, where that is the mean.
    away = (a - total.detach()).flatten()
    return total, away.dot(away) / len(away)


def _affine_of_norm(
    linear: nn.Linear, norm: nn.BatchNorm1d, moments: tuple[torch.Tensor, torch.Tensor], count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Slope and offset (2,) of a linear map of one number followed by batch norm, as one affine map of it.

    In training the statistics of both outputs follow from the ``moments`` of ``count`` numbers.
    """
    weight = linear.weight[:, 0]
    if norm.training:
        mean, variance = moments
        means, variances = weight * mean + linear.bias, weight.square() * variance
        _keep_statistics(norm, means, variances, count)
    else:
        means, variances = _kept_statistics(norm)
    scale = norm.weight * (variances + norm.eps).rsqrt()
    # The difference first: both are large beside it where a channel hardly varies.
    return weight * scale, (linear.bias - means) * scale + norm.bias


def _kept_statistics(norm: nn.BatchNorm1d) -> tuple[torch.Tensor, torch.Tensor]:
    assert norm.running_mean is not None  # noqa: S101 - batch norm tracks statistics unless told otherwise
    assert norm.running_var is not None  # noqa: S101
    return norm.running_mean, norm.running_var


@torch.no_grad()
def _keep_statistics(norm: nn.BatchNorm1d, means: torch.Tensor, variances: torch.Tensor, count: int) -> None:
    """As batch norm does in training, with the unbiased variance of ``count`` numbers."""
    running_mean, running_var = _kept_statistics(norm)
    keep = norm.momentum or 0.0
    running_mean.lerp_(means, keep)
    running_var.lerp_(variances * (count / max(count - 1, 1)), keep)
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked += 1

"""Graph convolution that is separable in space and time (STS-GCN, Sofianos et al., ICCV 2021, arXiv 2110.04573).

Which joint speaks to which, and which frame to which, is learned: nothing of the skeleton is given.
"""

from __future__ import annotations

import math

import torch
from torch import nn


class SeparableGraphConvolution(nn.Module):
    """PReLU(BN(A_s A_t H W) + residual): one layer of STS-GCN (its equation 4), (B, C, T, J) to (B, C', T, J).

    A_t is a (T, T) matrix for each joint, A_s a (J, J) matrix for each frame. Channels are mixed without a bias, as batch norm
    would take it away again. The residual is the input itself, or a 1x1 convolution with batch norm where C' is not C.

    In memory the batch is the innermost axis of what comes out, so that every product is one of plain matrices: a stack of
    these layers copies nothing between them. By shape it is (B, C', T, J) all the same.

    Args:
        channels_in: C.
        channels_out: C'.
        frames: T.
        joints: J.
        affine: Whether batch norm learns a scale and a shift. Without them the layer has no additive constant at all.
    """

    def __init__(self, channels_in: int, channels_out: int, frames: int, joints: int, *, affine: bool = True) -> None:
        super().__init__()
        self.temporal = nn.Parameter(_uniform(joints, frames, frames))
        self.spatial = nn.Parameter(_uniform(frames, joints, joints))
        self.mixing = nn.Linear(channels_in, channels_out, bias=False)
        self.norm = nn.BatchNorm1d(channels_out, affine=affine)
        narrow = channels_in == channels_out
        self.residual = None if narrow else nn.Linear(channels_in, channels_out, bias=False)
        self.residual_norm = None if narrow else nn.BatchNorm1d(channels_out, affine=affine)
        self.slope = nn.Parameter(torch.tensor(0.25))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Windows (B, C, T, J) to (B, C', T, J); also of none."""
        batch, channels, frames, joints = x.shape
        own = x.permute(2, 3, 1, 0).contiguous().view(frames, joints, channels * batch)
        # (J, T, T') x (J, T', C B), then (T, J, J') x (T, J', C B): equation 4 from right to left.
        mixed = torch.bmm(self.spatial, torch.bmm(self.temporal, own.transpose(0, 1)).transpose(0, 1))
        by_place = (frames * joints, channels, batch)
        out: torch.Tensor = self.norm(_mixed(self.mixing, mixed.view(by_place)))
        if self.residual is None or self.residual_norm is None:
            out = out + own.view(by_place)
        else:
            out = out + self.residual_norm(_mixed(self.residual, own.view(by_place)))
        # PReLU in two steps, as its own derivative is many times slower on the CPU.
        out = out.relu() - self.slope * (-out).relu()
        return out.view(frames, joints, len(self.mixing.weight), batch).permute(3, 2, 0, 1)


def _mixed(linear: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """(N, C, B) to (N, C', B), channel by channel; a product of matrices of its own for each place, as any other copies x."""
    return torch.bmm(linear.weight.expand(len(x), -1, -1), x)


def _uniform(count: int, rows: int, columns: int) -> torch.Tensor:
    """(count, rows, columns) numbers between plus and minus one over the root of the columns, as a linear layer begins."""
    bound = 1 / math.sqrt(columns)
    return torch.empty(count, rows, columns).uniform_(-bound, bound)

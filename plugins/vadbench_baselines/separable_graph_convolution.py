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
    would take it away again, and batch norm learns neither scale nor shift: nothing is added to what is computed. The residual
    is the input itself, or a 1x1 convolution with batch norm where C' is not C.

    In memory the batch is the innermost axis of what comes out, so that every product is one of plain matrices: a stack of
    these layers copies nothing between them. By shape it is (B, C', T, J) all the same.

    Args:
        channels_in: C.
        channels_out: C'.
        frames: T.
        joints: J.
    """

    def __init__(self, channels_in: int, channels_out: int, frames: int, joints: int) -> None:
        super().__init__()
        self.temporal = nn.Parameter(uniform_weights(joints, frames, frames))
        self.spatial = nn.Parameter(uniform_weights(frames, joints, joints))
        self.mixing = nn.Linear(channels_in, channels_out, bias=False)
        self.norm = nn.BatchNorm1d(channels_out, affine=False)
        same = channels_in == channels_out
        self.residual = None if same else nn.Linear(channels_in, channels_out, bias=False)
        self.residual_norm = None if same else nn.BatchNorm1d(channels_out, affine=False)
        self.slope = nn.Parameter(torch.tensor(0.25))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Windows (B, C, T, J) to (B, C', T, J); also of none."""
        batch, channels, frames, joints = x.shape
        own = x.permute(2, 3, 1, 0).contiguous().view(frames, joints, channels * batch)
        mixed = mixed_places(self.temporal, self.spatial, own)
        by_place = (frames * joints, channels, batch)
        out: torch.Tensor = self.norm(mixed_channels(self.mixing.weight, mixed.view(by_place)))
        if self.residual is None or self.residual_norm is None:
            out = out + own.view(by_place)
        else:
            out = out + self.residual_norm(mixed_channels(self.residual.weight, own.view(by_place)))
        # PReLU in two steps, as its own derivative is many times slower on the CPU.
        out = out.relu() - self.slope * (-out).relu()
        return out.view(frames, joints, len(self.mixing.weight), batch).permute(3, 2, 0, 1)


def mixed_places(temporal: torch.Tensor, spatial: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """A_s A_t x (T, J, N): frames mixed by a matrix of each joint (J, T, T), then joints by a matrix of each frame (T, J, J)."""
    # bmm takes turned tensors as they lie, where matmul would copy them: that is most of the time it would take.
    return torch.bmm(spatial, torch.bmm(temporal, x.transpose(0, 1)).transpose(0, 1))


def mixed_channels(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """(P, C, N) to (P, C', N) by a weight (C', C); a product of matrices of its own for each place, as any other copies x."""
    return torch.bmm(weight.expand(len(x), -1, -1), x)


def uniform_weights(*shape: int) -> torch.Tensor:
    """Numbers between plus and minus one over the root of the last length, as a linear layer begins."""
    bound = 1 / math.sqrt(shape[-1])
    return torch.empty(shape).uniform_(-bound, bound)

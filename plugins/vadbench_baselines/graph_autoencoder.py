"""Spatio-temporal graph autoencoder of GEPC (Markovitz et al., CVPR 2020, arXiv 1912.11850), smaller.

Its spatial graph convolutions see the joints in three ways at once: as the skeleton connects them, as training connects them, and
as the window itself does by attention.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import torch
from torch import nn
from torch.nn.functional import batch_norm

if TYPE_CHECKING:
    from vadbench.api import PoseShape, SkeletonLayout

_ATTENTION: Final = 4
"""Numbers by which one joint asks, and another answers."""
_KERNEL: Final = 3
"""Frames of a temporal convolution."""


def skeleton_adjacency(layout: SkeletonLayout) -> torch.Tensor:
    """(J, J): the skeleton's edges and each joint with itself, D^-1/2 (A + I) D^-1/2 (Kipf and Welling, ICLR 2017)."""
    adjacency = torch.eye(len(layout))
    for one, other in layout.edge_indices:
        adjacency[one, other] = adjacency[other, one] = 1
    root = adjacency.sum(dim=0).sqrt()
    return adjacency / (root[:, None] * root)


class AttentiveGraphConvolution(nn.Module):
    """GEPC's spatial attention graph convolution, (B, C, T, J) to (B, C', T, J): W (x A, x G, x I(x)).

    A is the skeleton, G is learned and the same for all windows, I(x) is inferred: a softmax over joints of how the features of
    two joints, averaged over the window's frames, answer each other.
    """

    skeleton: torch.Tensor

    def __init__(self, channels_in: int, channels_out: int, layout: SkeletonLayout) -> None:
        super().__init__()
        joints = len(layout)
        self.register_buffer("skeleton", skeleton_adjacency(layout), persistent=False)
        self.learned = nn.Parameter(torch.full((joints, joints), 1 / joints))
        self.ask = nn.Linear(channels_in, _ATTENTION)
        self.answer = nn.Linear(channels_in, _ATTENTION)
        self.mixing = nn.Linear(3 * channels_in, channels_out, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features of each joint from those of the joints it is connected with."""
        flat = x.flatten(1, 2)
        seen = [(flat @ graph).unflatten(1, x.shape[1:3]) for graph in (self.skeleton, self.learned, self.inferred(x))]
        # A product for each window, as one for all would copy them into another order first.
        mixed = torch.bmm(self.mixing.weight.expand(len(x), -1, -1), torch.cat(seen, dim=1).flatten(2))
        found: torch.Tensor = mixed.unflatten(2, x.shape[2:])
        return found

    def inferred(self, x: torch.Tensor) -> torch.Tensor:
        """(B, J, J): from which joints (rows, which sum to one in each column) each joint is told."""
        joints = x.mean(dim=2).transpose(1, 2)
        found: torch.Tensor = self.answer(joints) @ self.ask(joints).transpose(1, 2)
        return (found / math.sqrt(_ATTENTION)).softmax(dim=1)


class GraphBlock(nn.Module):
    """Graph convolution over joints, then a convolution over frames, each with batch norm, and a residual (ST-GCN's block)."""

    def __init__(self, channels_in: int, channels_out: int, layout: SkeletonLayout, *, stride: int = 1) -> None:
        super().__init__()
        self.spatial = AttentiveGraphConvolution(channels_in, channels_out, layout)
        self.spatial_norm = nn.BatchNorm2d(channels_out)
        self.temporal = nn.Conv2d(
            channels_out, channels_out, (_KERNEL, 1), stride=(stride, 1), padding=(_KERNEL // 2, 0), bias=False
        )
        self.temporal_norm = nn.BatchNorm2d(channels_out)
        same = channels_in == channels_out and stride == 1
        self.residual = (
            nn.Identity()
            if same
            else nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride=(stride, 1), bias=False), nn.BatchNorm2d(channels_out)
            )
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, T, J) to (B, C', ceil(T / stride), J)."""
        out = self.temporal_norm(self.temporal(self.spatial_norm(self.spatial(x)).relu()))
        found: torch.Tensor = (out + self.residual(x)).relu()
        return found


class LatentNorm(nn.BatchNorm1d):
    """Batch norm (B, D) that takes a training batch of one window, too: by the running statistics, as in evaluation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalised (B, D)."""
        if self.training and len(x) == 1:
            return batch_norm(x, self.running_mean, self.running_var, eps=self.eps)
        return super().forward(x)


class GraphAutoencoder(nn.Module):
    """Windows (B, 2, T, J) to latent vectors (B, D) and back; frames are halved twice on the way.

    The latent vectors are normalised to mean 0 and variance 1 over the training windows (batch norm without scale and shift):
    then the distances of a clustering have a scale, and all windows in one point is nothing that training can end in.
    """

    def __init__(self, poses: PoseShape, channels: int, latent: int) -> None:
        super().__init__()
        layout = poses.layout
        self.lengths = [poses.frames]
        for _ in range(2):
            self.lengths.append(-(-self.lengths[-1] // 2))
        self.inner = (channels, self.lengths[-1], poses.joints)
        numbers = math.prod(self.inner)
        self.encoder = nn.Sequential(
            GraphBlock(poses.channels, channels, layout, stride=2),
            GraphBlock(channels, channels, layout, stride=2),
            nn.Flatten(),
            nn.Linear(numbers, latent, bias=False),
            LatentNorm(latent, affine=False),
        )
        self.opening = nn.Linear(latent, numbers)
        # The last one sees every frame, so it costs as much as the rest together: it has half the channels.
        narrow = max(channels // 2, 1)
        self.decoder = nn.ModuleList([GraphBlock(channels, channels, layout), GraphBlock(channels, narrow, layout)])
        self.closing = nn.Conv2d(narrow, poses.channels, 1)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Latent vectors (B, D)."""
        z: torch.Tensor = self.encoder(x)
        return z

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Windows (B, 2, T, J)."""
        out = self.opening(z).relu().unflatten(1, self.inner)
        for block, length in zip(self.decoder, reversed(self.lengths[:-1]), strict=True):
            out = block(out.repeat_interleave(2, dim=2)[:, :, :length])
        found: torch.Tensor = self.closing(out)
        return found

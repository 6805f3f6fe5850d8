"""A masked MLP over keypoints in their order (MADE, Germain et al., ICML 2015, arXiv 1502.03509), with residual blocks."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import linear, silu


class MaskedLinear(nn.Linear):
    """A linear layer some of whose weights are 0 for good.

    Args:
        mask: (outputs, inputs) bool, the weights that there are.
    """

    mask: torch.Tensor

    def __init__(self, mask: torch.Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.float(), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, outputs)."""
        return linear(x, self.weight * self.mask, self.bias)


class KeypointNetwork(nn.Module):
    """Raw numbers of each keypoint, from those keypoints alone that stand before it: one pass gives all.

    Keypoints are in the order of frames, and within a frame of joints. Each hidden unit has a degree d and sees the keypoints
    up to the d-th; it tells only those after it. Those of the first frame are given, and nothing is told of them. Straight
    masked connections from input to output let the linear part be learned at once.

    Args:
        frames: T, at least 2.
        joints: J.
        numbers: R, raw numbers of a keypoint.
        width: Hidden units a layer.
        blocks: Residual blocks of two layers.
    """

    def __init__(self, frames: int, joints: int, numbers: int, width: int, blocks: int) -> None:
        super().__init__()
        self.shape = (frames - 1, joints, numbers)
        place = torch.arange(frames * joints)
        # From the last keypoint of the first frame to the last but one of all: others would see too little or tell nothing.
        degree = joints - 1 + torch.arange(width) * ((frames - 1) * joints) // width
        seen, told = place.repeat_interleave(2), place[joints:].repeat_interleave(numbers)
        self.begin = MaskedLinear(degree[:, None] >= seen)
        self.blocks = nn.ModuleList(_Block(degree) for _ in range(blocks))
        self.end = MaskedLinear(told[:, None] > degree)
        self.straight = MaskedLinear(told[:, None] > seen)
        for layer in (self.end, self.straight):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, keypoints: torch.Tensor) -> torch.Tensor:
        """Keypoints (B, T, J, 2) to raw numbers (B, T - 1, J, R) of those after the first frame."""
        x = keypoints.flatten(1)
        hidden = self.begin(x)
        for block in self.blocks:
            hidden = block(hidden)
        told: torch.Tensor = (self.end(silu(hidden)) + self.straight(x)).unflatten(1, self.shape)
        return told


class _Block(nn.Module):
    def __init__(self, degree: torch.Tensor) -> None:
        super().__init__()
        mask = degree[:, None] >= degree
        self.first, self.second = MaskedLinear(mask), MaskedLinear(mask)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = hidden + self.second(silu(self.first(silu(hidden))))
        return found

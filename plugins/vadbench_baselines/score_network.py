"""A residual MLP that is told the noise scale and tells the noise: the score of data with noise, times minus the scale.

The input and output are scaled as EDM does (Karras et al., NeurIPS 2022, arXiv 2206.00364, table 1) for data of unit variance:
the network learns in what the data differ from a Gaussian, and an untrained one gives the Gaussian's score.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import nn
from torch.nn.functional import silu

_WAVES = 8
"""Sines, and as many cosines, that tell the network the noise scale."""


class ScoreNetwork(nn.Module):
    """Noisy vectors (B, K) and their noise scales (B,) to the expected noise (B, K), in units of the scale.

    The score, the gradient of the log-density of data with noise of scale sigma, is ``-output / sigma``.

    Args:
        numbers: K.
        width: Of the hidden layers.
        blocks: Residual blocks of two layers.
    """

    def __init__(self, numbers: int, width: int, blocks: int) -> None:
        super().__init__()
        self.begin = nn.Linear(numbers, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.end = nn.Linear(width, numbers)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def forward(self, noisy: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """(B, K)."""
        size = (1 + sigma.square()).sqrt()[:, None]
        told = _waves(sigma)
        hidden = self.begin(noisy / size)
        for block in self.blocks:
            hidden = block(hidden, told)
        gaussian = noisy * (sigma[:, None] / size.square())
        found: torch.Tensor = gaussian - self.end(silu(self.norm(hidden))) / size
        return found


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        self.scale = nn.Linear(2 * _WAVES, width)

    def forward(self, hidden: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = hidden + self.second(silu(self.first(silu(self.norm(hidden))) + self.scale(told)))
        return found


def _waves(sigma: torch.Tensor) -> torch.Tensor:
    """(B, 2 x waves): sines and cosines of the scale's logarithm, the slowest going round once in about 500 fold."""
    angle = sigma.log()[:, None] * torch.arange(1, _WAVES + 1, device=sigma.device, dtype=sigma.dtype)
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def noise_scales(smallest: float, largest: float, number: int) -> torch.Tensor:
    """(S,) scales in equal ratios from the smallest to the largest."""
    return torch.logspace(math.log10(smallest), math.log10(largest), number)


class AveragedNetwork(nn.Module):
    """A network and the moving average of its weights, which scoring uses (EMA).

    Each step the average moves to the weights by ``1 - decay``, and faster in the first steps, as the untrained weights
    that it begins with mean nothing: by ``1 - (1 + n) / (10 + n)`` after n steps where that is more.

    Args:
        network: To be trained.
        decay: In [0, 1); 0 for no average.
    """

    steps: torch.Tensor

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__()
        self.network, self.decay = network, decay
        self.average = copy.deepcopy(network).requires_grad_(requires_grad=False)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def follow(self) -> None:
        """Takes one step of the average; to be called once a training step."""
        steps = int(self.steps)
        share = 1 - min(self.decay, (1 + steps) / (10 + steps))
        for average, weight in zip(self.average.parameters(), self.network.parameters(), strict=True):
            average.lerp_(weight, share)
        self.steps += 1

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        """What the network gives in training, and the averaged one in evaluation."""
        found: torch.Tensor = (self.network if self.training else self.average)(*given)
        return found

"""Denoising diffusion (Ho et al., NeurIPS 2020, arXiv 2006.11239): how noise is added, and how a step of it is taken back.

Steps are counted from 0: step s here is t = s + 1 in the papers, and the clean sample is before step 0.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import torch
from torch import nn

Schedule = Literal["cosine", "linear"]

_MOST: Final = 0.9
"""Largest beta. Nichol and Dhariwal have 0.999, for thousands of steps. Of ten steps the last would multiply what is wrong with
the predicted noise by 31; at 0.9 it is 3, and 5 % of the sample is left in what generation starts from as pure noise."""


def betas(steps: int, schedule: Schedule) -> torch.Tensor:
    """(S,) float64: the share of the variance that each step replaces by noise.

    Args:
        steps: S.
        schedule: ``cosine`` of Nichol and Dhariwal (ICML 2021, arXiv 2102.09672, eq. 17), or ``linear`` from 0.1 / S to 20 / S,
            which is Ho's 1e-4 to 0.02 for a thousand steps. Neither goes beyond 0.9.
    """
    if schedule == "linear":
        return torch.linspace(0.1 / steps, 20 / steps, steps, dtype=torch.float64).clamp(max=_MOST)
    offset = 0.008
    part = (torch.arange(steps + 1, dtype=torch.float64) / steps + offset) / (1 + offset)
    kept = (part * math.pi / 2).cos().square()
    return (1 - kept[1:] / kept[:-1]).clamp(max=_MOST)


class NoiseSchedule(nn.Module):
    """The forward process, and one step of the reverse process.

    Args:
        steps: S.
        schedule: See `betas`.
    """

    beta: torch.Tensor
    kept: torch.Tensor

    def __init__(self, steps: int, schedule: Schedule) -> None:
        super().__init__()
        beta = betas(steps, schedule)
        # Not in the state: the config says it all.
        self.register_buffer("beta", beta.float(), persistent=False)
        self.register_buffer("kept", (1 - beta).cumprod(dim=0).float(), persistent=False)

    def __len__(self) -> int:
        return len(self.beta)

    def noised(self, x: torch.Tensor, step: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """A sample of q(x_s | x) (Ho et al., eq. 4), normal with mean sqrt(kept) x and variance 1 - kept.

        Args:
            x: (..., B) clean samples.
            step: (B,) int64 in [0, S).
            noise: Shaped as x, standard normal.
        """
        kept = self.kept[step]
        return kept.sqrt() * x + (1 - kept).sqrt() * noise

    def previous(self, x: torch.Tensor, step: int, predicted: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """One step back (Ho et al., algorithm 2, with sigma^2 = beta).

        Args:
            x: What is there after ``step``.
            step: In [0, S).
            predicted: The noise that is in it, as a network says.
            noise: What is added, standard normal; None for none, as after the last step back.
        """
        beta, kept = self.beta[step], self.kept[step]
        mean = (x - beta / (1 - kept).sqrt() * predicted) / (1 - beta).sqrt()
        return mean if noise is None else mean + beta.sqrt() * noise

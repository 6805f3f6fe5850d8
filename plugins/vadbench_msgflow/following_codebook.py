"""A codebook that follows the features assigned to it, and puts codes that fell out of use back among them.

Exponential moving averages take the place of gradients, as in van den Oord et al. 2017 (arXiv 1711.00937, appendix A.1); the
reset of codes is that of T2M-GPT (arXiv 2301.06052), with a bound that grows with the batch and falls with the codebook.
"""

from __future__ import annotations

import torch
from torch import nn


class FollowingCodebook(nn.Module):
    """K vectors of D numbers.

    Args:
        size: K.
        width: D.
        ema: Decay of the moving averages, in (0, 1); the first averages are shorter.
        reset_below: A code is reset when its moving count falls below this share of what each code would have if all were
            used alike; 0 resets none.
    """

    count: torch.Tensor
    total: torch.Tensor
    steps: torch.Tensor

    def __init__(self, size: int, width: int, *, ema: float, reset_below: float) -> None:
        super().__init__()
        self.ema, self.reset_below = ema, reset_below
        # Learned, but by moving averages and not by gradients; a parameter so that it counts as learned.
        self.vectors = nn.Parameter(torch.randn(size, width), requires_grad=False)
        self.register_buffer("count", torch.ones(size))
        self.register_buffer("total", self.vectors.detach().clone())
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def nearest(self, features: torch.Tensor) -> torch.Tensor:
        """Features (B, L, D) to the numbers of their nearest vectors, (B, L) int64."""
        # |f - v|^2 is |v|^2 - 2 f.v and what is the same for all codes. An untrained encoder's features lie beside one another
        # and far from 0, where rounding would hide what differs.
        centre = self.vectors.mean(dim=0)
        vectors = self.vectors - centre
        far = torch.addmm(vectors.square().sum(dim=1), features.flatten(0, 1) - centre, vectors.T, alpha=-2)
        return far.argmin(dim=1).view(features.shape[:2])

    @torch.no_grad()
    def follow(self, features: torch.Tensor, codes: torch.Tensor, generator: torch.Generator) -> None:
        """Moves the vectors towards the features (B, L, D) assigned to them, and resets the codes that fell out of use."""
        rows, member = features.flatten(0, 1), codes.flatten()
        # At first all features drift together, faster than long averages could follow: codes would be left behind for good.
        done = int(self.steps.add_(1))
        keep = min(self.ema, done / (done + 9))
        self.count.mul_(keep).add_(torch.bincount(member, minlength=len(self.count)), alpha=1 - keep)
        self.total.mul_(keep).index_add_(0, member, rows, alpha=1 - keep)
        self.vectors.copy_(self.total / self.count.clamp(min=1e-5)[:, None])
        unused = (self.count < self.reset_below * self._even(rows)).nonzero().flatten()
        if len(unused):
            self.put(unused, rows, generator)

    @torch.no_grad()
    def put(self, slots: torch.Tensor, rows: torch.Tensor, generator: torch.Generator) -> None:
        """Puts random features, of the ``rows`` (N, D), into slots, with the count below which a code is reset."""
        picked = torch.randint(len(rows), (len(slots),), generator=generator).to(rows.device)
        start = (self.reset_below or 0.1) * self._even(rows)
        self.vectors[slots] = rows[picked]
        self.count[slots] = start
        self.total[slots] = rows[picked] * start

    def _even(self, rows: torch.Tensor) -> float:
        """Features of a batch for each code, if all codes were used alike."""
        return len(rows) / len(self.count)

"""Input tokens replaced at random while a prior is trained, so that it does not lean on any one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from vadbench_msgflow.histories import ABSENT

if TYPE_CHECKING:
    from vadbench.api import TokenShape


def corrupted(codes: torch.Tensor, tokens: TokenShape, share: float, generator: torch.Generator) -> torch.Tensor:
    """Codes (B, n) with a share of them drawn anew, as T2M-GPT (arXiv 2301.06052) does; what is absent stays absent."""
    if share == 0:
        return codes
    noise = torch.randint(tokens.codebook_size, codes.shape, generator=generator)
    hit = torch.rand(codes.shape, generator=generator) < share
    return torch.where(hit.to(codes.device) & (codes != ABSENT), noise.to(codes.device), codes)

"""How much of a codebook is used: the figures that tell a collapsed tokenizer from a working one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def codebook_usage(counts: torch.Tensor) -> dict[str, float]:
    """Perplexity (exp of the entropy in nats) of how often each code is used, and the number of codes never used.

    Args:
        counts: (K,) how often each code occurs on the training windows.
    """
    share = counts.double() / counts.sum().clamp(min=1)
    entropy = -(share * share.clamp(min=1e-12).log()).sum().item()
    return {"perplexity": math.exp(entropy), "dead_codes": float((counts == 0).sum())}

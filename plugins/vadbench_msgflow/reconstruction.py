"""What a fitted tokenizer makes of the windows it was trained on: how often each code occurs, and how much is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from vadbench.api import Context, Tokenizer, Windows

SAMPLE = 4096
"""Training windows, evenly spaced, on which the loss is measured."""
_BATCH = 2048


@torch.no_grad()
def code_counts(tokenizer: Tokenizer, windows: Windows, context: Context) -> torch.Tensor:
    """(K,) int64, how often each code occurs on the windows."""
    counts = torch.zeros(tokenizer.shape.codebook_size, dtype=torch.int64, device=context.device)
    for index in torch.split(torch.arange(len(windows)), _BATCH):
        codes = tokenizer.encode(context.tensor(windows.batch(index.numpy()).x)).codes
        counts += torch.bincount(codes.flatten(), minlength=len(counts))
    return counts


@torch.no_grad()
def sampled_variance_lost(tokenizer: Tokenizer, windows: Windows, context: Context) -> float:
    """`variance_lost` of a sample of the windows by what the tokenizer decodes their codes to."""
    index = np.unique(np.linspace(0, len(windows) - 1, min(SAMPLE, len(windows))).astype(np.int64))
    x = context.tensor(windows.batch(index).x)
    return variance_lost(x, torch.cat([tokenizer.decode(tokenizer.encode(part).codes) for part in torch.split(x, _BATCH)]))


def variance_lost(x: torch.Tensor, decoded: torch.Tensor) -> float:
    """Squared distance of windows (B, C, T, J) and what they were decoded to, as a share of that to their mean window.

    0 is without loss and 1 as good as the mean window: what is left over when PCA says how much variance it explains.
    """
    total = (x - x.mean(dim=0)).double().square().sum().item()
    return (x - decoded).double().square().sum().item() / total if total > 0 else 0.0

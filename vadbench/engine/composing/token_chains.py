"""Windows that follow one another on a track as chains of tokens: the history of a window, and whole tracks as sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vadbench.api import TokenSequences

if TYPE_CHECKING:
    from numpy.typing import NDArray


def token_history(codes: torch.Tensor, previous: torch.Tensor, windows: int) -> torch.Tensor:
    """The tokens of the ``windows`` windows before each, oldest first, -1 where there is none.

    Args:
        codes: (U, L) tokens of every window.
        previous: (U,) index of each window's predecessor, -1 for none.
        windows: How many to walk back.

    Returns:
        (U, windows * L) int64.
    """
    padded = torch.cat([codes, torch.full_like(codes[:1], -1)])
    steps = torch.cat([previous, previous.new_full((1,), -1)])
    at = torch.arange(len(codes), device=codes.device)
    blocks = []
    for _ in range(windows):
        at = steps[at]
        blocks.append(padded[at])
    return torch.cat(blocks[::-1], dim=1) if blocks else codes.new_zeros((len(codes), 0))


def track_sequences(codes: torch.Tensor, previous: NDArray[np.int64], track: NDArray[np.int64]) -> TokenSequences:
    """Whole tracks as token sequences: every maximal chain of windows that follow one another, oldest first.

    Each window belongs to one chain, as no two windows have the same predecessor.

    Args:
        codes: (U, L) tokens of every window.
        previous: (U,) index of each window's predecessor, -1 for none.
        track: (U,) which track each window is of.
    """
    has_next = np.zeros(len(previous), dtype=bool)
    has_next[previous[previous >= 0]] = True
    links, ends = previous.tolist(), np.flatnonzero(~has_next)
    sequences = []
    for end in ends.tolist():
        chain = []
        at = end
        while at >= 0:
            chain.append(at)
            at = links[at]
        sequences.append(codes[chain[::-1]].reshape(-1))
    return TokenSequences(sequences, track[ends])

"""Token sequences of whole tracks as training examples: each window's tokens with the tokens before it.

The same shape of question that a prior is asked in scoring, so that training and test see histories built alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vadbench.api import TokenSequences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ABSENT = -1
"""Stands on the left of a history for what came before the track began."""


def examples(sequences: Sequence[torch.Tensor], tokens: int, history: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Every window of every sequence with its history.

    Args:
        sequences: Each (n,) int64, n a multiple of ``tokens``, oldest first.
        tokens: L, tokens of a window.
        history: H, tokens of history.

    Returns:
        ``(codes (N, L), history (N, H))``, int64; histories padded on the left with `ABSENT`.
    """
    codes, before = [], []
    for sequence in sequences:
        padded = torch.cat([sequence.new_full((history,), ABSENT), sequence])
        rows = padded.unfold(0, history + tokens, tokens)
        before.append(rows[:, :history])
        codes.append(rows[:, history:])
    if not codes:
        return torch.zeros((0, tokens), dtype=torch.int64), torch.zeros((0, history), dtype=torch.int64)
    return torch.cat(codes), torch.cat(before)


def example_tracks(sequences: Sequence[torch.Tensor], tokens: int) -> NDArray[np.int64]:
    """(N,) the track of each of the `examples`: of `TokenSequences` theirs, of a plain list each sequence's own number."""
    tracks = sequences.tracks if isinstance(sequences, TokenSequences) else np.arange(len(sequences))
    return np.repeat(tracks, [len(sequence) // tokens for sequence in sequences])


def padded_history(history: torch.Tensor | None, like: torch.Tensor, length: int) -> torch.Tensor:
    """A history of exactly ``length`` tokens for the codes ``like`` (B, L): cut or padded on the left."""
    if history is None:
        return like.new_full((len(like), length), ABSENT)
    short = length - history.shape[1]
    if short > 0:
        return torch.cat([history.new_full((len(history), short), ABSENT), history], dim=1)
    return history[:, -short:]

"""Input tokens replaced at random: as many as asked for, by any code, and what is absent stays absent."""

from __future__ import annotations

import pytest
import torch

from vadbench.api import TokenShape
from vadbench_msgflow.corruption import corrupted

TOKENS = TokenShape(codebook_size=4, tokens=3, width=5)


def test_share():
    codes = torch.full((200, 50), 3)
    codes[:, 0] = -1
    noisy = corrupted(codes, TOKENS, 0.4, torch.Generator().manual_seed(0))
    assert (noisy[:, 0] == -1).all()
    assert (noisy[:, 1:] != 3).float().mean() == pytest.approx(0.4 * 3 / 4, abs=0.02)
    assert noisy[:, 1:].min() >= 0
    assert noisy.max() < 4
    assert (codes[:, 1:] == 3).all(), "what it was given is left alone"


def test_off():
    codes = torch.zeros((5, 3), dtype=torch.int64)
    assert corrupted(codes, TOKENS, 0.0, torch.Generator()) is codes

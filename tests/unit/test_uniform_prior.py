"""The uniform prior: log 1/K, whatever is asked."""

from __future__ import annotations

import math

import pytest
import torch

from vadbench.api import Context, NoConfig, Predictive, Prior, TokenShape
from vadbench_msgflow.uniform import UniformPrior


def made(k: int = 5) -> UniformPrior:
    prior = UniformPrior(NoConfig(), TokenShape(k, 3, 2), 6)
    prior.fit([torch.zeros(6, dtype=torch.int64)], Context())
    return prior


def test_every_code_is_as_likely():
    codes = torch.tensor([[0, 0, 0], [1, 4, 2]])
    found = made().log_prob(codes, None)
    assert found.shape == codes.shape
    assert found.dtype == torch.float32
    assert found.flatten().tolist() == pytest.approx([-math.log(5)] * 6)
    assert made(1).log_prob(codes * 0, None).eq(0).all()


def test_distribution():
    codes = torch.tensor([[1, 4, 2]])
    found = made().distribution(codes, torch.full((1, 6), -1))
    assert found.shape == (1, 3, 5)
    torch.testing.assert_close(found.exp().sum(dim=2), torch.ones(1, 3))
    assert torch.equal(found.gather(2, codes[..., None])[..., 0], made().log_prob(codes, None))
    assert isinstance(made(), Prior)
    assert isinstance(made(), Predictive)


def test_sample():
    history = torch.full((2000, 6), -1)
    drawn, again, other = (made().sample(history, 4, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert drawn.shape == (2000, 4)
    assert torch.equal(drawn, again)
    assert not torch.equal(drawn, other)
    assert (torch.bincount(drawn.flatten(), minlength=5) / drawn.numel() - 0.2).abs().max() < 0.02


def test_no_state():
    assert made().state_dict() == {}
    made().load_state_dict({})

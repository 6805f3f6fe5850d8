"""What is the Transformer prior's own; what every network prior owes is in test_neural_priors."""

from __future__ import annotations

import pytest
import torch

from vadbench.api import ConfigError, TokenShape
from vadbench.engine.training.trainer import seeded
from vadbench_msgflow.prior import TransformerConfig, TransformerPrior

K, L, H = 4, 3, 6


def made(**settings) -> TransformerPrior:
    with seeded(2):
        return TransformerPrior(TransformerConfig(**{"width": 8, "heads": 2, **settings}), TokenShape(K, L, 5), H).eval()


@torch.no_grad()
def test_pieces_do_not_count(monkeypatch):
    generator = torch.Generator().manual_seed(1)
    codes, before = (torch.randint(-low, K, (20, n), generator=generator) for low, n in ((0, L), (1, H)))
    prior = made()
    expected = prior.log_prob(codes, before)
    monkeypatch.setattr("vadbench_msgflow.prior._BATCH", 7)
    torch.testing.assert_close(prior.log_prob(codes, before), expected)


def test_heads_that_do_not_divide():
    with pytest.raises(ConfigError) as caught:
        made(width=9)
    assert caught.value.where == "prior.heads"

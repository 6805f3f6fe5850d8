"""Predicted conditions: the mean code vector under the prior, given the tokens before each place and no others."""

from __future__ import annotations

import pytest
import torch
from made_parts import SignTokenizer, WeightedPrior

from vadbench.api import ConfigError
from vadbench.engine.composing import conditions
from vadbench.engine.composing.composition import Composition, Parts
from vadbench.engine.composing.conditions import predicted_condition
from vadbench.engine.config import CompositionConfig


class Vectored(SignTokenizer):
    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.stack([codes.float(), torch.ones(codes.shape)], dim=-1)


class Predicting(WeightedPrior):
    """The token before, or the next after it, with equal chances; any token where there is none before."""

    def distribution(self, codes: torch.Tensor, history) -> torch.Tensor:
        before = torch.cat([history[:, -1:], codes[:, :-1]], dim=1)
        chances = torch.zeros(*codes.shape, 4)
        chances.scatter_(2, before.clamp(min=0)[..., None], 0.5)
        chances.scatter_add_(2, ((before.clamp(min=0) + 1) % 4)[..., None], torch.full((*codes.shape, 1), 0.5))
        chances[before < 0] = 0.25
        return chances.log()


CODES = torch.tensor([[1, 2], [0, 3]])
HISTORY = torch.tensor([[-1, -1], [2, 1]])


@pytest.mark.parametrize("batch", [1, 2, 1024])
def test_the_mean_vector(monkeypatch, batch):
    monkeypatch.setattr(conditions, "_BATCH", batch)
    found = predicted_condition(Vectored(), Predicting(), CODES, HISTORY)
    expected = torch.tensor([[[1.5, 1], [1.5, 1]], [[1.5, 1], [0.5, 1]]])
    torch.testing.assert_close(found, expected)


def test_no_windows():
    assert predicted_condition(Vectored(), Predicting(), CODES[:0], HISTORY[:0]).shape == (0, 2, 2)


@pytest.mark.parametrize(
    ("tokenizer", "prior", "said"),
    [
        (SignTokenizer(), Predicting(), "SignTokenizer cannot predict code vectors: it has no method vectors"),
        (Vectored(), WeightedPrior(), "WeightedPrior cannot predict code vectors: it has no method distribution"),
        (Vectored(), None, "predicted codes need a prior"),
    ],
)
def test_parts_that_cannot(tokenizer, prior, said):
    from made_parts import SumFlow, SumScorer

    with pytest.raises(ConfigError) as caught:
        Composition(Parts(SumScorer(), tokenizer, prior, SumFlow()), CompositionConfig(condition="predicted"))
    assert said in caught.value.what
    assert "own or none" in caught.value.remedy

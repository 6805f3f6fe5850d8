"""The Transformer prior: a causal distribution over the codes of a window given its history."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from vadbench.api import ConfigError, Context, DataError, Predictive, Prior, TokenSequences, TokenShape
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.prior import TransformerConfig, TransformerPrior

K, L, H = 4, 3, 6
SMALL = {"width": 8, "heads": 2, "layers": 2, "epochs": 2, "batch_size": 16}


def made(history: int = H, **settings) -> TransformerPrior:
    with seeded(2):
        return TransformerPrior(TransformerConfig(**{**SMALL, **settings}), TokenShape(K, L, 5), history).eval()


def draw(*shape: int, low: int = 0) -> torch.Tensor:
    return torch.randint(low, K, shape, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("history", [0, 3, H])
def test_probabilities_sum_to_one(history):
    every = torch.tensor(list(itertools.product(range(K), repeat=L)))
    before = draw(1, 9, low=-1).expand(len(every), -1)
    prior = made(history)
    found = prior.log_prob(every, before)
    assert found.shape == every.shape
    assert found.sum(dim=1).exp().sum() == pytest.approx(1, abs=1e-5)
    assert found[:: K ** (L - 1), 0].exp().sum() == pytest.approx(1, abs=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("changed", range(L))
def test_causal(changed):
    prior, codes, before = made(), draw(20, L), draw(20, H)
    other = codes.clone()
    other[:, changed] = (codes[:, changed] + 1) % K
    a, b = prior.log_prob(codes, before), prior.log_prob(other, before)
    torch.testing.assert_close(a[:, :changed], b[:, :changed], rtol=0, atol=1e-6)
    assert (a[:, changed:] != b[:, changed:]).any(dim=0).all()


def test_history_counts_from_the_first_token_on():
    prior, codes, before = made(), draw(20, L), draw(20, H)
    for changed in range(H):
        other = before.clone()
        other[:, changed] = (before[:, changed] + 1) % K
        assert (prior.log_prob(codes, before) != prior.log_prob(codes, other)).any(dim=0).all()


def test_no_history_is_an_absent_one():
    prior, codes = made(), draw(5, L)
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, torch.full((5, H), -1)))
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, torch.full((5, 2), -1)))
    assert not torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, torch.zeros((5, H), dtype=torch.int64)))


def test_a_longer_history_is_cut():
    prior, codes, before = made(), draw(5, L), draw(5, H)
    longer = torch.cat([draw(5, 4, low=-1), before], dim=1)
    assert torch.equal(prior.log_prob(codes, longer), prior.log_prob(codes, before))


@torch.no_grad()
@pytest.mark.parametrize("history", [0, 3, H])
def test_the_distribution_is_that_of_log_prob(history):
    prior, codes, before = made(history), draw(20, L), draw(20, H, low=-1)
    found = prior.distribution(codes, before)
    assert isinstance(prior, Predictive)
    assert found.shape == (20, L, K)
    torch.testing.assert_close(found.exp().sum(dim=2), torch.ones(20, L))
    torch.testing.assert_close(found.gather(2, codes[..., None])[..., 0], prior.log_prob(codes, before))


@torch.no_grad()
def test_pieces_do_not_count(monkeypatch):
    prior, codes, before = made(), draw(20, L), draw(20, H, low=-1)
    expected = prior.log_prob(codes, before)
    monkeypatch.setattr("vadbench_msgflow.prior._BATCH", 7)
    torch.testing.assert_close(prior.log_prob(codes, before), expected)


def test_no_window():
    prior = made()
    assert prior.log_prob(draw(0, L), None).shape == (0, L)
    assert prior.distribution(draw(0, L), None).shape == (0, L, K)


def test_rows_do_not_see_each_other():
    prior, codes, before = made(), draw(9, L), draw(9, H)
    torch.testing.assert_close(prior.log_prob(codes[[4]], before[[4]])[0], prior.log_prob(codes, before)[4])


class TestFit:
    CYCLE = torch.arange(60) % K

    def fitted(self, seed: int = 0, **settings) -> TransformerPrior:
        prior = made(**settings)
        with seeded(seed):
            prior.fit([self.CYCLE, self.CYCLE[:30]], Context(seed=seed, trainer=train))
        return prior

    def test_learns_a_cycle(self):
        prior = self.fitted(epochs=40, learning_rate=1e-2)
        codes, before = self.CYCLE[H : H + L][None], self.CYCLE[:H][None]
        assert prior.log_prob(codes, before).exp().min() > 0.7
        assert prior.log_prob((codes + 1) % K, before)[0, 0].exp() < 0.1
        assert not prior.training

    def test_the_seed_decides(self):
        first, again, other = self.fitted(3).state_dict(), self.fitted(3).state_dict(), self.fitted(4).state_dict()
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["position"], other["position"])

    def test_state_round_trip(self):
        prior, other = self.fitted(), made()
        codes, before = draw(5, L), draw(5, H, low=-1)
        other.load_state_dict(prior.state_dict())
        assert torch.equal(other.log_prob(codes, before), prior.log_prob(codes, before))
        assert isinstance(prior, Prior)

    def test_whole_tracks_are_held_out(self):
        asked = {}

        def trainer(_module, _loss, **settings):
            asked.update(settings)

        codes = TokenSequences([self.CYCLE[:6], self.CYCLE[:9], self.CYCLE[:3]], np.array([8, 5, 8]))
        made(held_out=0.4, patience=2).fit(codes, Context(trainer=trainer))
        assert asked["groups"].tolist() == [8, 8, 5, 5, 5, 8]
        assert (asked["plan"].held_out, asked["plan"].patience) == (0.4, 2)
        assert len(asked["generators"]) == 1
        made(held_out=0.5).fit(codes, Context(trainer=train))

    def test_nothing_to_learn_from(self):
        with pytest.raises(DataError, match="no token sequence"):
            made().fit([], Context(trainer=train))


class TestSample:
    @pytest.mark.parametrize("tokens", [0, 1, L, 2 * L + 1])
    @pytest.mark.parametrize("history", [0, 2, H, 11])
    def test_shape_and_range(self, tokens, history):
        drawn = made().sample(draw(7, history), tokens, torch.Generator().manual_seed(0))
        assert drawn.shape == (7, tokens)
        if tokens:
            assert drawn.min() >= 0
            assert drawn.max() < K

    def test_windows_are_drawn_as_often_as_they_are_probable(self):
        prior, count = made(), 4000
        with torch.no_grad():
            prior.head.weight.mul_(4)
        before = draw(1, H).expand(count, -1)
        drawn = prior.sample(before, L, torch.Generator().manual_seed(0))
        every = torch.tensor(list(itertools.product(range(K), repeat=L)))
        expected = prior.log_prob(every, before[: len(every)]).sum(dim=1).exp()
        share = torch.stack([(drawn == window).all(dim=1).float().mean() for window in every])
        assert (share - expected).abs().max() < 0.03


def test_heads_that_do_not_divide():
    with pytest.raises(ConfigError) as caught:
        made(width=9)
    assert caught.value.where == "prior.heads"

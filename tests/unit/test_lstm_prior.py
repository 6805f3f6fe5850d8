"""The LSTM prior: a causal distribution over the codes of a window given its history."""

from __future__ import annotations

import itertools

import pytest
import torch

from vadbench.api import Context, DataError, Predictive, Prior, TokenShape
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.corruption import corrupted
from vadbench_msgflow.lstm import LSTMConfig, LSTMPrior

K, L, H = 4, 3, 6
SMALL = {"width": 8, "layers": 2, "epochs": 2, "batch_size": 16}


def made(history: int = H, **settings) -> LSTMPrior:
    with seeded(2):
        return LSTMPrior(LSTMConfig(**{**SMALL, **settings}), TokenShape(K, L, 5), history).eval()


def draw(*shape: int, low: int = 0) -> torch.Tensor:
    return torch.randint(low, K, shape, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("history", [0, 3, H])
def test_windows_sum_to_one(history):
    every = torch.tensor(list(itertools.product(range(K), repeat=L)))
    found = made(history).log_prob(every, draw(1, 9, low=-1).expand(len(every), -1))
    assert found.shape == every.shape
    assert found.sum(dim=1).exp().sum() == pytest.approx(1, abs=1e-5)


@torch.no_grad()
def test_distribution_is_what_log_prob_gathers_from():
    prior, codes, before = made(), draw(9, L), draw(9, H, low=-1)
    found = prior.distribution(codes, before)
    assert found.shape == (9, L, K)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.exp().sum(dim=2), torch.ones(9, L))
    assert torch.equal(found.gather(2, codes[..., None])[..., 0], prior.log_prob(codes, before))
    assert isinstance(prior, Predictive)


@torch.no_grad()
@pytest.mark.parametrize("changed", range(L))
def test_causal(changed):
    prior, codes, before = made(), draw(20, L), draw(20, H)
    other = codes.clone()
    other[:, changed] = (codes[:, changed] + 1) % K
    a, b = prior.distribution(codes, before), prior.distribution(other, before)
    torch.testing.assert_close(a[:, : changed + 1], b[:, : changed + 1], rtol=0, atol=1e-6)
    assert (a[:, changed + 1 :] != b[:, changed + 1 :]).any(dim=2).all()


def test_all_of_the_history_counts():
    prior, codes, before = made(), draw(20, L), draw(20, H)
    for changed in range(H):
        other = before.clone()
        other[:, changed] = (before[:, changed] + 1) % K
        assert (prior.log_prob(codes, before) != prior.log_prob(codes, other)).any(dim=0).all()


def test_no_history_is_an_absent_one():
    prior, codes = made(), draw(5, L)
    absent = torch.full((5, H), -1)
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, absent))
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, absent[:, :2]))
    assert not torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, torch.zeros_like(absent)))


def test_a_longer_history_is_cut():
    prior, codes, before = made(), draw(5, L), draw(5, H)
    longer = torch.cat([draw(5, 4, low=-1), before], dim=1)
    assert torch.equal(prior.log_prob(codes, longer), prior.log_prob(codes, before))


def test_no_windows():
    prior = made()
    assert prior.log_prob(torch.zeros((0, L), dtype=torch.int64), None).shape == (0, L)


class TestFit:
    CYCLE = torch.arange(60) % K

    def fitted(self, seed: int = 0, **settings) -> LSTMPrior:
        prior = made(**settings)
        with seeded(seed):
            prior.fit([self.CYCLE, self.CYCLE[:30]], Context(seed=seed, trainer=train))
        return prior

    def test_learns_a_cycle(self):
        prior = self.fitted(epochs=60, learning_rate=2e-2, decay=1.0, dropout=0.0)
        codes, before = self.CYCLE[H : H + L][None], self.CYCLE[:H][None]
        assert prior.log_prob(codes, before).exp().min() > 0.7
        assert prior.log_prob((codes + 1) % K, before)[0, 0].exp() < 0.1
        assert not prior.training

    def test_the_seed_decides(self):
        first, again, other = self.fitted(3).state_dict(), self.fitted(3).state_dict(), self.fitted(4).state_dict()
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["head.weight"], other["head.weight"])

    def test_state_round_trip(self):
        prior, other = self.fitted(), made()
        codes, before = draw(5, L), draw(5, H, low=-1)
        other.load_state_dict(prior.state_dict())
        assert torch.equal(other.log_prob(codes, before), prior.log_prob(codes, before))
        assert isinstance(prior, Prior)

    def test_nothing_to_learn_from(self):
        with pytest.raises(DataError, match="no token sequence") as caught:
            made().fit([], Context(trainer=train))
        assert caught.value.remedy


class TestCorruption:
    def test_share(self):
        codes = torch.full((200, 50), 3)
        codes[:, 0] = -1
        noisy = corrupted(codes, TokenShape(K, L, 5), 0.4, torch.Generator().manual_seed(0))
        assert (noisy[:, 0] == -1).all()
        assert (noisy[:, 1:] != 3).float().mean() == pytest.approx(0.4 * (K - 1) / K, abs=0.02)
        assert noisy[:, 1:].min() >= 0
        assert noisy.max() < K
        assert (codes[:, 1:] == 3).all(), "what it was given is left alone"

    def test_off(self):
        codes = draw(5, L)
        assert corrupted(codes, TokenShape(K, L, 5), 0.0, torch.Generator()) is codes


class TestSample:
    @pytest.mark.parametrize("tokens", [0, 1, L, 2 * L + 1])
    @pytest.mark.parametrize("history", [0, 2, H, 11])
    def test_shape_and_range(self, tokens, history):
        drawn = made().sample(draw(7, history), tokens, torch.Generator().manual_seed(0))
        assert drawn.shape == (7, tokens)
        if tokens:
            assert drawn.min() >= 0
            assert drawn.max() < K

    @pytest.mark.parametrize("history", [0, 2, H])
    def test_windows_are_drawn_as_often_as_they_are_probable(self, history):
        prior, count = made(history), 4000
        with torch.no_grad():
            prior.head.weight.mul_(8)
        before = draw(1, H).expand(count, -1)
        # Two windows: the second begins with a history that the first belongs to.
        drawn = prior.sample(before, 2 * L, torch.Generator().manual_seed(0))
        every = torch.tensor(list(itertools.product(range(K), repeat=L)))
        expected = prior.log_prob(every, before[: len(every)]).sum(dim=1).exp()
        share = torch.stack([(drawn[:, :L] == window).all(dim=1).float().mean() for window in every])
        assert (share - expected).abs().max() < 0.03
        then = prior.distribution(drawn[:, L:], torch.cat([before, drawn[:, :L]], dim=1))[:, 0].exp().mean(dim=0)
        found = torch.bincount(drawn[:, L], minlength=K) / count
        assert (found - then).abs().max() < 0.03

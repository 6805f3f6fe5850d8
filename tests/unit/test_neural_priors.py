"""What every prior that is a network owes: a causal distribution of codes given a history, learned and drawn from."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
import torch

from vadbench.api import Context, DataError, Predictive, Prior, TokenSequences, TokenShape
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.lstm import LSTMConfig, LSTMPrior
from vadbench_msgflow.prior import TransformerConfig, TransformerPrior

K, L, H = 4, 3, 6
SMALL = {"width": 8, "layers": 2, "epochs": 2, "batch_size": 16}
CYCLE = torch.arange(60) % K


def a_transformer(history: int = H, **settings) -> TransformerPrior:
    with seeded(2):
        return TransformerPrior(TransformerConfig(**{**SMALL, "heads": 2, **settings}), TokenShape(K, L, 5), history).eval()


def an_lstm(history: int = H, **settings) -> LSTMPrior:
    with seeded(2):
        return LSTMPrior(LSTMConfig(**{**SMALL, **settings}), TokenShape(K, L, 5), history).eval()


@pytest.fixture(params=[a_transformer, an_lstm])
def made(request):
    return request.param


def fitted(made, seed: int = 0, **settings):
    prior = made(**settings)
    with seeded(seed):
        prior.fit([CYCLE, CYCLE[:30]], Context(seed=seed, trainer=train))
    return prior


def draw(*shape: int, low: int = 0) -> torch.Tensor:
    return torch.randint(low, K, shape, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("history", [0, 3, H])
def test_windows_sum_to_one(made, history):
    every = torch.tensor(list(itertools.product(range(K), repeat=L)))
    found = made(history).log_prob(every, draw(1, 9, low=-1).expand(len(every), -1))
    assert found.shape == every.shape
    assert found.sum(dim=1).exp().sum() == pytest.approx(1, abs=1e-5)
    assert found[:: K ** (L - 1), 0].exp().sum() == pytest.approx(1, abs=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("history", [0, 3, H])
def test_the_distribution_is_that_of_log_prob(made, history):
    prior, codes, before = made(history), draw(20, L), draw(20, H, low=-1)
    found = prior.distribution(codes, before)
    assert isinstance(prior, Predictive)
    assert (found.shape, found.dtype) == ((20, L, K), torch.float32)
    torch.testing.assert_close(found.exp().sum(dim=2), torch.ones(20, L))
    torch.testing.assert_close(found.gather(2, codes[..., None])[..., 0], prior.log_prob(codes, before))


@torch.no_grad()
@pytest.mark.parametrize("changed", range(L))
def test_causal(made, changed):
    prior, codes, before = made(), draw(20, L), draw(20, H)
    other = codes.clone()
    other[:, changed] = (codes[:, changed] + 1) % K
    a, b = prior.distribution(codes, before), prior.distribution(other, before)
    torch.testing.assert_close(a[:, : changed + 1], b[:, : changed + 1], rtol=0, atol=1e-6)
    assert (a[:, changed + 1 :] != b[:, changed + 1 :]).any(dim=2).all()


def test_all_of_the_history_counts(made):
    prior, codes, before = made(), draw(20, L), draw(20, H)
    for changed in range(H):
        other = before.clone()
        other[:, changed] = (before[:, changed] + 1) % K
        assert (prior.log_prob(codes, before) != prior.log_prob(codes, other)).any(dim=0).all()


def test_no_history_is_an_absent_one(made):
    prior, codes = made(), draw(5, L)
    absent = torch.full((5, H), -1)
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, absent))
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, absent[:, :2]))
    assert not torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, torch.zeros_like(absent)))


def test_a_longer_history_is_cut(made):
    prior, codes, before = made(), draw(5, L), draw(5, H)
    longer = torch.cat([draw(5, 4, low=-1), before], dim=1)
    assert torch.equal(prior.log_prob(codes, longer), prior.log_prob(codes, before))


def test_no_window(made):
    prior = made()
    assert prior.log_prob(draw(0, L), None).shape == (0, L)
    assert prior.distribution(draw(0, L), None).shape == (0, L, K)


def test_rows_do_not_see_each_other(made):
    prior, codes, before = made(), draw(9, L), draw(9, H)
    torch.testing.assert_close(prior.log_prob(codes[[4]], before[[4]])[0], prior.log_prob(codes, before)[4])


class TestFit:
    @pytest.mark.parametrize(
        "learned",
        [
            partial(fitted, a_transformer, epochs=40, learning_rate=1e-2),
            partial(fitted, an_lstm, epochs=60, learning_rate=2e-2, decay=1.0, dropout=0.0),
        ],
    )
    def test_learns_a_cycle(self, learned):
        prior = learned()
        codes, before = CYCLE[H : H + L][None], CYCLE[:H][None]
        assert prior.log_prob(codes, before).exp().min() > 0.7
        assert prior.log_prob((codes + 1) % K, before)[0, 0].exp() < 0.1
        assert not prior.training

    def test_the_seed_decides(self, made):
        first, again, other = (fitted(made, seed).state_dict() for seed in (3, 3, 4))
        assert all(torch.equal(first[name], again[name]) for name in first)
        assert not torch.equal(first["head.weight"], other["head.weight"])

    def test_state_round_trip(self, made):
        prior, other = fitted(made), made()
        codes, before = draw(5, L), draw(5, H, low=-1)
        other.load_state_dict(prior.state_dict())
        assert torch.equal(other.log_prob(codes, before), prior.log_prob(codes, before))
        assert isinstance(prior, Prior)

    def test_whole_tracks_are_held_out(self, made):
        asked = {}

        def trainer(_module, _loss, **settings):
            asked.update(settings)

        codes = TokenSequences([CYCLE[:6], CYCLE[:9], CYCLE[:3]], np.array([8, 5, 8]))
        made(held_out=0.4, patience=2).fit(codes, Context(trainer=trainer))
        assert asked["groups"].tolist() == [8, 8, 5, 5, 5, 8]
        assert (asked["plan"].held_out, asked["plan"].patience) == (0.4, 2)
        assert len(asked["generators"]) == 1
        made(held_out=0.5).fit(codes, Context(trainer=train))

    def test_nothing_to_learn_from(self, made):
        with pytest.raises(DataError, match="no token sequence") as caught:
            made().fit([], Context(trainer=train))
        assert "longer than a window" in caught.value.remedy


class TestSample:
    @pytest.mark.parametrize("tokens", [0, 1, L, 2 * L + 1])
    @pytest.mark.parametrize("history", [0, 2, H, 11])
    def test_shape_and_range(self, made, tokens, history):
        drawn = made().sample(draw(7, history), tokens, torch.Generator().manual_seed(0))
        assert drawn.shape == (7, tokens)
        if tokens:
            assert drawn.min() >= 0
            assert drawn.max() < K

    @pytest.mark.parametrize("history", [0, 2, H])
    def test_windows_are_drawn_as_often_as_they_are_probable(self, made, history):
        prior, count = made(history), 4000
        with torch.no_grad():
            prior.head.weight.mul_(6)
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

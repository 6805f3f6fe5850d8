"""The n-gram prior: it is a distribution, it counts as by hand, and it looks back as far as it says."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vadbench.api import ConfigError, Context, Predictive, Prior, TokenShape
from vadbench_msgflow.histories import examples, padded_history
from vadbench_msgflow.ngram import NGramConfig, NGramPrior

K, L = 3, 2


def fitted(sequences, *, order: int = 3, history: int = 4, k: int = K, tokens: int = L) -> NGramPrior:
    prior = NGramPrior(NGramConfig(order=order), TokenShape(k, tokens, 1), history)
    prior.fit([torch.tensor(s, dtype=torch.int64) for s in sequences], Context())
    return prior


def chances(prior: NGramPrior, before: list[int], own: list[int]) -> list[float]:
    """The probability of every code after the tokens ``own`` of a window with the history ``before``."""
    k = prior.tokens.codebook_size
    codes = torch.tensor([[*own, c] for c in range(k)])
    history = torch.tensor([before] * k, dtype=torch.int64).reshape(k, -1)
    return prior.log_prob(codes, history)[:, -1].exp().tolist()


windows = st.lists(st.integers(0, K - 1), min_size=L, max_size=L)
corpora = st.lists(st.lists(windows, min_size=1, max_size=5).map(lambda w: list(itertools.chain(*w))), max_size=4)
pasts = st.lists(st.integers(-1, K - 1), min_size=4, max_size=4)


@settings(deadline=None)
@given(corpora, st.integers(1, 5), pasts, st.lists(st.integers(0, K - 1), max_size=L - 1))
def test_probabilities_sum_to_one(corpus, order, before, own):
    found = chances(fitted(corpus, order=order), before, own)
    assert sum(found) == pytest.approx(1, abs=1e-5)
    assert all(0 < p <= 1 for p in found)


@settings(deadline=None, max_examples=30)
@given(corpora, st.integers(1, 4))
def test_windows_sum_to_one(corpus, order):
    every = torch.tensor(list(itertools.product(range(K), repeat=L)))
    assert fitted(corpus, order=order).log_prob(every, None).sum(dim=1).exp().sum() == pytest.approx(1, abs=1e-5)


@settings(deadline=None, max_examples=60)
@given(corpora, st.integers(1, 5), st.lists(st.tuples(pasts, windows), max_size=6))
def test_distribution_is_what_log_prob_gathers_from(corpus, order, asked):
    prior = fitted(corpus, order=order)
    history = torch.tensor([before for before, _ in asked], dtype=torch.int64).view(-1, 4)
    codes = torch.tensor([own for _, own in asked], dtype=torch.int64).view(-1, L)
    found = prior.distribution(codes, history)
    assert found.shape == (len(asked), L, K)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.exp().sum(dim=2), torch.ones(len(asked), L))
    for code in range(K):
        # The code at a place changes what comes after it, so places are asked one by one.
        for place in range(L):
            other = codes.clone()
            other[:, place] = code
            torch.testing.assert_close(found[:, place, code], prior.log_prob(other, history)[:, place])
    assert isinstance(prior, Predictive)


def test_unigrams_look_at_nothing():
    prior = fitted([[0, 1, 0, 1], [0, 2]], order=1)
    shares = [(3 + 3 / 3) / 9, (2 + 3 / 3) / 9, (1 + 3 / 3) / 9]
    found = prior.distribution(torch.tensor([[1, 2]]), torch.tensor([[0, 1, 2, 0]])).exp()
    assert found.flatten().tolist() == pytest.approx(shares * 2, abs=1e-6)
    assert torch.equal(found, prior.distribution(torch.tensor([[2, 0]]), None).exp())


def test_bigrams_by_hand():
    prior = fitted([[0, 1, 0, 1], [0, 2]], order=2)
    # Counts: 0 three times, 1 twice, 2 once. After 0: 1 twice, 2 once. After 1: 0 once. After nothing: 0 twice.
    unigram = [(3 + 3 / 3) / 9, (2 + 3 / 3) / 9, (1 + 3 / 3) / 9]
    assert chances(prior, [-1] * 4, []) == pytest.approx([(2 + unigram[0]) / 3, unigram[1] / 3, unigram[2] / 3], abs=1e-6)
    after_0 = [2 * unigram[0] / 5, (2 + 2 * unigram[1]) / 5, (1 + 2 * unigram[2]) / 5]
    assert chances(prior, [-1, -1, -1, 0], []) == pytest.approx(after_0, abs=1e-6)
    assert chances(prior, [-1] * 4, [0]) == pytest.approx(after_0, abs=1e-6)
    assert chances(prior, [0, 0, 0, 1], []) == pytest.approx([(1 + unigram[0]) / 2, unigram[1] / 2, unigram[2] / 2], abs=1e-6)
    # Nothing ever came after 2: the shorter context's estimate stays as it is.
    assert chances(prior, [-1, -1, -1, 2], []) == pytest.approx(unigram, abs=1e-6)


def test_nothing_learned_is_uniform():
    assert chances(fitted([]), [0, 1, 2, 0], []) == pytest.approx([1 / 3] * 3)


def test_no_history_is_an_absent_one():
    prior = fitted([[0, 1, 2, 0], [1, 1]])
    codes = torch.tensor([[0, 1], [2, 2]])
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, torch.full((2, 4), -1)))
    assert torch.equal(prior.log_prob(codes, None), prior.log_prob(codes, torch.zeros((2, 0), dtype=torch.int64)))


@pytest.mark.parametrize("history", [0, 1, 2, 6])
def test_history_is_cut_to_what_training_saw(history):
    prior = fitted([[0, 1, 2, 0, 1, 2], [1, 0, 2, 2]], order=4, history=history)
    codes = torch.tensor([[1, 2]])
    reach = min(3, history)
    long = torch.tensor([[2, 1, 0, 2, 0, 1, 2]])
    other = long.clone()
    other[:, : 7 - reach] = 0
    assert torch.equal(prior.log_prob(codes, long), prior.log_prob(codes, other))
    if reach:
        other[:, 7 - reach :] = torch.where(long[:, 7 - reach :] == 0, 1, 0)
        assert not torch.equal(prior.log_prob(codes, long), prior.log_prob(codes, other))


def test_state_round_trip():
    prior = fitted([[0, 1, 2, 0], [1, 1]])
    other = fitted([])
    other.load_state_dict(prior.state_dict())
    codes, history = torch.tensor([[0, 1], [2, 2]]), torch.tensor([[0, 1, 2, 0], [-1, -1, 1, 1]])
    assert torch.equal(other.log_prob(codes, history), prior.log_prob(codes, history))
    assert isinstance(prior, Prior)


def test_too_many_to_number():
    with pytest.raises(ConfigError) as caught:
        NGramPrior(NGramConfig(order=6), TokenShape(4096, 2, 1), 4)
    assert caught.value.where == "prior.order"


class TestSample:
    def test_shape_and_range(self):
        drawn = fitted([[0, 1, 2, 0]]).sample(torch.tensor([[0, 1], [-1, -1]]), 5, torch.Generator().manual_seed(0))
        assert drawn.shape == (2, 5)
        assert drawn.min() >= 0
        assert drawn.max() < K

    def test_generator_decides(self):
        prior, history = fitted([[0, 1, 2, 0]]), torch.full((20, 2), -1)
        first, again, other = (prior.sample(history, 4, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
        assert torch.equal(first, again)
        assert not torch.equal(first, other)

    @pytest.mark.parametrize("history", [0, 2, 4])
    def test_windows_are_drawn_as_often_as_they_are_probable(self, history):
        prior = fitted([[0, 1, 1, 2] * 4, [2, 0] * 5], order=3, history=history)
        count = 4000
        before = torch.tensor([[0, 1, 1, 2]] * count)
        drawn = prior.sample(before, L, torch.Generator().manual_seed(0))
        every = torch.tensor(list(itertools.product(range(K), repeat=L)))
        expected = prior.log_prob(every, before[: len(every)]).sum(dim=1).exp()
        share = torch.stack([(drawn == window).all(dim=1).double().mean() for window in every])
        assert (share - expected).abs().max() < 0.03


class TestHistories:
    def test_examples(self):
        codes, history = examples([torch.tensor([1, 2, 3, 4]), torch.tensor([5, 6])], tokens=2, history=3)
        assert codes.tolist() == [[1, 2], [3, 4], [5, 6]]
        assert history.tolist() == [[-1, -1, -1], [-1, 1, 2], [-1, -1, -1]]

    def test_without_history(self):
        codes, history = examples([torch.tensor([1, 2, 3, 4])], tokens=2, history=0)
        assert codes.tolist() == [[1, 2], [3, 4]]
        assert history.shape == (2, 0)

    def test_no_sequence(self):
        codes, history = examples([], tokens=2, history=3)
        assert codes.shape == (0, 2)
        assert history.shape == (0, 3)

    @pytest.mark.parametrize(("length", "expected"), [(0, []), (1, [8]), (2, [7, 8]), (4, [-1, -1, 7, 8])])
    def test_padding_and_cutting_on_the_left(self, length, expected):
        codes = torch.zeros((1, 2), dtype=torch.int64)
        assert padded_history(torch.tensor([[7, 8]]), codes, length).tolist() == [expected]
        assert padded_history(None, codes, length).tolist() == [[-1] * length]


def test_log_of_the_uniform():
    assert fitted([], order=1, k=7).log_prob(torch.tensor([[0, 6]]), None).tolist()[0] == pytest.approx([-math.log(7)] * 2)

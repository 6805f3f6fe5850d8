"""A composition of parts: who is given what, and terms that depend on a window and its past alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_parts import TOKENS, SignTokenizer, SumFlow, SumScorer, WeightedPrior
from made_tracks import made_windows

from vadbench.api import ConfigError, Context, Tokens, WindowRule
from vadbench.engine.composing import term_scores, window_batches
from vadbench.engine.composing.composition import Composition, Parts
from vadbench.engine.composing.token_chains import token_history, track_sequences
from vadbench.engine.config import CompositionConfig

WALKS = ({1: range(40), 2: [*range(5, 25), *range(40, 70)]}, {7: range(21)})
ALL = CompositionConfig(terms=("semantic", "detail", "reconstruction"), history=2)


def composed(config: CompositionConfig = ALL, **absent: None) -> Composition:
    parts = {"tokenizer": SignTokenizer(), "prior": WeightedPrior(), "flow": SumFlow(), "scorer": SumScorer(), **absent}
    return Composition(Parts(**parts), config)


@st.composite
def forests(draw) -> list[int]:
    """``previous`` of some chains of windows, shuffled."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    order = draw(st.permutations(range(sum(lengths))))
    previous = [-1] * len(order)
    at = 0
    for length in lengths:
        for step in range(1, length):
            previous[order[at + step]] = order[at + step - 1]
        at += length
    return previous


@given(forests())
def test_track_sequences(previous):
    codes = torch.arange(2 * len(previous)).view(-1, 2)
    found = track_sequences(codes, np.array(previous), np.arange(len(previous)) + 7)
    ends = [i for i in range(len(previous)) if i not in previous]
    expected = []
    for at in ends:
        chain = [at]
        while previous[chain[0]] >= 0:
            chain.insert(0, previous[chain[0]])
        expected.append([token for window in chain for token in (2 * window, 2 * window + 1)])
    assert [sequence.tolist() for sequence in found] == expected
    assert found.tracks.tolist() == [end + 7 for end in ends]


@given(forests(), st.integers(0, 4))
def test_token_history(previous, windows):
    codes = torch.arange(2 * len(previous)).view(-1, 2)
    found = token_history(codes, torch.tensor(previous), windows)
    assert found.shape == (len(previous), 2 * windows)
    assert found.dtype == torch.int64
    for at, row in enumerate(found.tolist()):
        expected: list[int] = []
        for _ in range(windows):
            at = previous[at] if at >= 0 else -1  # noqa: PLW2901
            expected = ([2 * at, 2 * at + 1] if at >= 0 else [-1, -1]) + expected
        assert row == expected


class TestFit:
    def test_who_is_given_what(self):
        method = composed()
        windows = made_windows(*WALKS, views=["flip"], rule=WindowRule(8, stride=3))
        method.fit(windows, Context())
        plain = int((windows.view == 0).sum())
        linked, _ = windows.linked()
        assert method.parts.tokenizer.fitted == [len(windows)]
        assert method.parts.scorer.seen == dict.fromkeys(ALL.terms, plain), "augmented windows take no part in the statistics"
        assert sum(map(len, method.parts.prior.sequences)) == len(linked) * TOKENS
        assert method.parts.flow.condition.shape == (len(windows), TOKENS, 2)
        codes = method.parts.tokenizer.encode(torch.from_numpy(windows.batch(slice(None)).x))
        assert torch.equal(method.parts.flow.condition, codes.vectors)
        assert not method.parts.flow.condition.is_inference()

    def test_no_condition(self):
        method = composed(CompositionConfig(condition="none"))
        method.fit(made_windows(*WALKS), Context())
        assert method.parts.flow.condition is None

    def test_sequences_are_of_one_track_each(self):
        method = composed()
        windows = made_windows({1: range(33)}, {2: range(17)}, rule=WindowRule(8, stride=8))
        method.fit(windows, Context())
        assert sorted(map(len, method.parts.prior.sequences)) == [2 * TOKENS, 4 * TOKENS]


class TestTerms:
    def test_by_hand(self):
        method = composed()
        windows = made_windows({1: range(40)})
        x = torch.from_numpy(windows.batch(slice(None)).x)
        tokens = method.parts.tokenizer.encode(x)
        terms = method.score_terms(windows, Context())
        assert list(terms) == list(ALL.terms)
        assert all(values.dtype == np.float64 and values.shape == (len(windows),) for values in terms.values())
        detail = x.square().sum(dim=(1, 2, 3)) + tokens.vectors.sum(dim=(1, 2))
        np.testing.assert_allclose(terms["detail"], detail, rtol=1e-6)
        decoded = method.parts.tokenizer.decode(tokens.codes)
        distance = torch.nn.functional.smooth_l1_loss(decoded, x, reduction="none").mean(dim=(1, 2, 3))
        np.testing.assert_allclose(terms["reconstruction"], distance, rtol=1e-6)
        codes = tokens.codes.tolist()
        for w in range(len(windows)):
            before = [codes[w - 8 * k] if w >= 8 * k else [-1] * TOKENS for k in (2, 1)]
            weighted = sum((i + 1) * token for i, token in enumerate([t for window in before for t in window]))
            assert terms["semantic"][w] == pytest.approx(sum(codes[w]) + TOKENS * 0.1 * weighted, rel=1e-5)

    def test_history_reaches_back_over_windows_that_are_not_scored(self):
        method = composed()
        windows = made_windows({1: range(40)})
        every = method.score_terms(windows, Context())
        some = np.array([31, 3, 17])
        picked = method.score_terms(windows.select(some), Context())
        for name in ALL.terms:
            np.testing.assert_allclose(picked[name], every[name][some], rtol=1e-6)

    @settings(deadline=None, max_examples=30)
    @given(st.integers(1, 60), st.integers(1, 60), st.randoms(use_true_random=False))
    def test_neither_batch_size_nor_order_nor_company_counts(self, size, count, random):
        method = composed()
        windows = made_windows(*WALKS)
        expected = method.score_terms(windows, Context())
        order = list(range(len(windows)))
        random.shuffle(order)
        order = order[:count]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(window_batches, "BATCH", size)
            patch.setattr(term_scores, "BATCH", size)
            found = method.score_terms(windows.select(np.array(order)), Context())
        for name in ALL.terms:
            np.testing.assert_allclose(found[name], expected[name][order], rtol=1e-6)

    def test_future_of_a_track_does_not_count(self):
        method = composed()
        long, short = made_windows({1: range(40)}), made_windows({1: range(28)})
        np.testing.assert_array_equal(long.batch(slice(0, 20)).x, short.batch(slice(None)).x)
        whole, begun = method.score_terms(long, Context()), method.score_terms(short, Context())
        for name in ALL.terms:
            np.testing.assert_allclose(whole[name][:20], begun[name], rtol=1e-6)

    def test_no_window(self):
        terms = composed().score_terms(made_windows({1: range(5)}), Context())
        assert {name: values.shape for name, values in terms.items()} == dict.fromkeys(ALL.terms, (0,))

    @pytest.mark.parametrize(
        ("absent", "left"),
        [
            ({"prior": None}, ("detail", "reconstruction")),
            ({"flow": None}, ("semantic", "reconstruction")),
            ({"tokenizer": None, "prior": None}, ("detail",)),
            ({"flow": None, "prior": None}, ("reconstruction",)),
        ],
    )
    def test_absent_parts_drop_their_terms(self, absent, left):
        method = composed(**absent)
        windows = made_windows(*WALKS)
        method.fit(windows, Context())
        terms = method.score_terms(windows, Context())
        assert tuple(terms) == left
        np.testing.assert_array_equal(method.score(windows, Context()), sum(terms.values()))
        assert tuple(method.parts.scorer.seen) == left

    def test_terms_are_those_of_the_configuration_in_its_order(self):
        assert composed(CompositionConfig(terms=("detail", "semantic"))).terms == ("detail", "semantic")
        assert list(composed(CompositionConfig(terms=("reconstruction",))).score_terms(made_windows(*WALKS), Context())) == [
            "reconstruction"
        ]

    def test_without_history(self):
        method = composed(CompositionConfig(terms=("semantic",), history=0))
        terms = method.score_terms(made_windows({1: range(20)}), Context())
        codes = method.parts.tokenizer.encode(torch.from_numpy(made_windows({1: range(20)}).batch(slice(None)).x)).codes
        np.testing.assert_allclose(terms["semantic"], codes.sum(dim=1))


class TestState:
    def test_prefixed_by_part(self):
        method = composed()
        method.fit(made_windows(*WALKS), Context())
        state = method.state_dict()
        assert set(state) == {"tokenizer.fitted", "flow.own"}
        other = composed()
        other.load_state_dict(state)
        assert other.parts.tokenizer.fitted == method.parts.tokenizer.fitted

    def test_diagnostics(self):
        method = composed()
        assert method.diagnostics() == {}
        method.parts.tokenizer.diagnostics = lambda: {"perplexity": np.float32(2)}
        assert method.diagnostics() == {"tokenizer.perplexity": 2.0}


def test_a_scorer_that_cannot_do_with_the_terms_is_refused_before_anything_is_trained():
    class Picky(SumScorer):
        def check_terms(self, terms):
            if "semantic" not in terms:
                raise ConfigError("no semantic term")

    with pytest.raises(ConfigError, match="no semantic term"):
        Composition(Parts(scorer=Picky(), flow=SumFlow()), ALL)
    Composition(Parts(scorer=Picky(), tokenizer=SignTokenizer(), prior=WeightedPrior()), ALL)


def test_seed_of_a_part_depends_on_its_name_alone():
    drawn = {}

    class Drawing(SumFlow):
        def fit(self, windows, condition, context) -> None:
            drawn.setdefault(context.seed, []).append(float(torch.rand(())))

    class Thirsty(SignTokenizer):
        def fit(self, windows, context) -> None:
            torch.rand(7)

        def encode(self, x) -> Tokens:
            torch.rand(3)
            return super().encode(x)

    before = torch.get_rng_state()
    for tokenizer in (SignTokenizer(), Thirsty()):
        parts = Parts(tokenizer=tokenizer, prior=WeightedPrior(), flow=Drawing(), scorer=SumScorer())
        with torch.random.fork_rng():
            Composition(parts, ALL).fit(made_windows(*WALKS), Context(seed=4))
    ((first, second),) = drawn.values()
    assert first == second
    assert torch.equal(before, torch.get_rng_state())

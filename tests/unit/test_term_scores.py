"""The stream of terms against a plain reference that computes each window by itself, and what it holds at a time."""

from __future__ import annotations

import tracemalloc
import weakref

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_parts import TOKENS, SignTokenizer, SumFlow, SumScorer, WeightedPrior
from made_tracks import made_windows

from vadbench.api import Context, Tokens, WindowRule, Windows
from vadbench.engine.composing import term_scores, window_batches
from vadbench.engine.composing.composition import Parts
from vadbench.engine.composing.term_scores import score_terms, track_groups, with_histories

TERMS = ("semantic", "detail", "reconstruction")
LENGTH = 8


class CountingTokenizer(SignTokenizer):
    """Knows the vectors of codes, which windows it encoded, and how many windows' tokens are still held."""

    def __init__(self) -> None:
        super().__init__()
        self.encoded, self.held, self.most = [], 0, 0

    def encode(self, x: torch.Tensor) -> Tokens:
        found = super().encode(x)
        self.encoded += [row.tobytes() for row in x.numpy()]
        self.held += len(x)
        self.most = max(self.most, self.held)
        weakref.finalize(found.codes, self._let_go, len(x))
        return found

    def vectors(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.stack([codes.float(), torch.ones(codes.shape)], dim=-1)

    def _let_go(self, count: int) -> None:
        self.held -= count


class PredictingPrior(WeightedPrior):
    """Expects codes by the sum of the history and the tokens before each."""

    def distribution(self, codes: torch.Tensor, history: torch.Tensor) -> torch.Tensor:
        before = torch.cat([history.sum(dim=1, keepdim=True), codes[:, :-1]], dim=1).cumsum(dim=1)
        return (before[..., None] * torch.tensor([0.1, 0.4, 0.2, 0.3])).log_softmax(dim=-1)


def made_parts() -> Parts:
    return Parts(tokenizer=CountingTokenizer(), prior=PredictingPrior(), flow=SumFlow(), scorer=SumScorer())


def scored(windows: Windows, *, parts: Parts | None = None, terms=TERMS, condition="own", history: int = 2):
    return score_terms(parts or made_parts(), terms, condition=condition, history=history, windows=windows, context=Context())


def plainly(windows: Windows, condition: str, history: int) -> dict[str, np.ndarray]:
    """Every window by itself, its history walked back window by window and each encoded anew."""
    parts = made_parts()
    tokenizer, prior, flow = parts.tokenizer, parts.prior, parts.flow
    found: dict[str, list[float]] = {term: [] for term in TERMS}
    for w in range(len(windows)):
        linked, previous = windows.select(np.array([w])).linked()
        x = [torch.from_numpy(linked.batch(slice(u, u + 1)).x) for u in range(len(linked))]
        codes, past, at = tokenizer.encode(x[0]).codes, [], 0
        for _ in range(history):
            at = int(previous[at]) if at >= 0 else -1
            past.insert(0, tokenizer.encode(x[at]).codes if at >= 0 else torch.full((1, TOKENS), -1))
        before = torch.cat(past, dim=1) if past else codes[:, :0]
        expected = prior.distribution(codes, before).exp() @ tokenizer.vectors(torch.arange(4))
        vectors = {"none": None, "own": tokenizer.vectors(codes), "predicted": expected}[condition]
        found["semantic"].append(-float(prior.log_prob(codes, before).sum()))
        found["detail"].append(-float(flow.log_prob(x[0], vectors)))
        found["reconstruction"].append(float(torch.nn.functional.smooth_l1_loss(tokenizer.decode(codes), x[0])))
    return {term: np.array(values) for term, values in found.items()}


@pytest.fixture
def small(monkeypatch):
    """Groups and batches so small that a few tracks make many."""
    monkeypatch.setattr(term_scores, "GROUP", 20)
    monkeypatch.setattr(term_scores, "BATCH", 7)
    monkeypatch.setattr(window_batches, "BATCH", 7)


@st.composite
def selections(draw) -> Windows:
    """Some windows of a few tracks with gaps, in any order, seen in one or two views."""
    gaps = st.lists(st.sampled_from([1, 1, 1, 1, 2, 9]), max_size=60)
    clips = draw(st.lists(st.lists(gaps, max_size=3), min_size=1, max_size=3))
    persons = [{p: np.cumsum(steps).tolist() for p, steps in enumerate(tracks)} for tracks in clips]
    rule = WindowRule(LENGTH, draw(st.integers(1, 5)))
    windows = made_windows(*persons, rule=rule, views=draw(st.sampled_from([(), ("flip",)])))
    order = draw(st.permutations(range(len(windows))))
    return windows.select(np.array(order[: draw(st.integers(0, 60))], dtype=np.int64))


@settings(deadline=None, max_examples=40)
@given(selections(), st.sampled_from(["none", "own", "predicted"]), st.integers(0, 3), st.integers(1, 40), st.integers(1, 20))
def test_against_the_plain_reference(windows, condition, history, group, batch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(term_scores, "GROUP", group)
        patch.setattr(term_scores, "BATCH", batch)
        patch.setattr(window_batches, "BATCH", batch)
        found = scored(windows, condition=condition, history=history)
    expected = plainly(windows, condition, history)
    assert list(found) == list(TERMS)
    for term in TERMS:
        assert found[term].shape == (len(windows),)
        assert found[term].dtype == np.float64
        np.testing.assert_allclose(found[term], expected[term], rtol=2e-5, atol=1e-5)


@settings(deadline=None, max_examples=40)
@given(selections(), st.integers(1, 30))
def test_groups_are_whole_tracks(windows, least):
    groups = list(track_groups(windows, least))
    assert sorted(np.concatenate([*groups, np.zeros(0, dtype=np.int64)]).tolist()) == list(range(len(windows)))
    assert all(len(group) >= least for group in groups[:-1])
    bounds = windows.tracks.track_bounds()
    seen = [set(zip(windows.view[g], np.searchsorted(bounds, windows.first[g], side="right"), strict=True)) for g in groups]
    assert sum(map(len, seen)) == len(set().union(*seen)), "no track is in two groups"


@settings(deadline=None, max_examples=40)
@given(selections(), st.integers(0, 3))
def test_nothing_is_asked_for_that_no_history_reaches(windows, history):
    every, before = with_histories(windows, history)
    assert before.shape == (len(windows), history)
    assert set(range(len(windows), len(every))) == set(before[before >= len(windows)].tolist())
    np.testing.assert_array_equal(every.first[: len(windows)], windows.first)
    there = before >= 0
    np.testing.assert_array_equal(every.view[before][there], np.broadcast_to(windows.view[:, None], before.shape)[there])
    assert (every.first[before][there] < np.broadcast_to(windows.first[:, None], before.shape)[there]).all()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("condition", ["none", "own", "predicted"])
def test_every_window_is_encoded_once(condition):
    parts = made_parts()
    windows = made_windows({1: range(90), 2: range(30)}, {1: range(50)}, rule=WindowRule(LENGTH))
    scored(windows, parts=parts, condition=condition)
    assert len(parts.tokenizer.encoded) == len(windows)
    assert len(set(parts.tokenizer.encoded)) == len(windows)


def test_what_no_term_needs_is_not_computed():
    parts = made_parts()
    scored(made_windows({1: range(30)}), parts=parts, terms=("detail",), condition="none")
    assert parts.tokenizer.encoded == []


@pytest.mark.usefixtures("small")
def test_a_track_longer_than_a_group():
    windows = made_windows({1: range(200)}, {3: range(15)}, rule=WindowRule(LENGTH))
    found, expected = scored(windows), plainly(windows, "own", 2)
    for term in TERMS:
        np.testing.assert_allclose(found[term], expected[term], rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("condition", ["none", "own", "predicted"])
def test_no_window(condition):
    found = scored(made_windows({1: range(3)}), condition=condition)
    assert {term: values.shape for term, values in found.items()} == dict.fromkeys(TERMS, (0,))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("condition", ["own", "predicted"])
def test_what_is_held_does_not_grow_with_the_tracks(condition):
    def peak(tracks: int) -> tuple[int, int, int]:
        windows = made_windows(*[{1: range(33)} for _ in range(tracks)], rule=WindowRule(LENGTH))
        parts = made_parts()
        scored(windows.select(np.arange(9)), parts=parts, condition=condition)
        parts.tokenizer.encoded = _Forgetful()
        tracemalloc.start()
        scored(windows, parts=parts, condition=condition)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return len(windows), used, parts.tokenizer.most

    (few, small_peak, tokens), (many, large_peak, more_tokens) = peak(10), peak(200)
    a_window = 4 * 2 * LENGTH * 18
    # Results and indices are a few numbers a window.
    assert (large_peak - small_peak) / (many - few) < 0.1 * a_window
    assert more_tokens == tokens < 100


class _Forgetful(list):
    """What is encoded is not kept, as it would count."""

    def __iadd__(self, _other):
        return self

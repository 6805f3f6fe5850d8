"""Finite scalar quantisation: levels by hand, gradients straight through, and a tokenizer that learns."""

from __future__ import annotations

import pytest
import torch
from made_tracks import made_windows

from vadbench.api import COCO_18, CodeVectors, Context, PoseShape, Tokenizer
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.codebook_usage import codebook_usage
from vadbench_msgflow.fsq import FSQ, FSQConfig
from vadbench_msgflow.reconstruction import variance_lost

POSES = PoseShape(2, 8, COCO_18)
SMALL = {"levels": [3, 2], "hidden": 8, "epochs": 2, "batch_size": 16}


def made(poses: PoseShape = POSES, **settings) -> FSQ:
    with seeded(1):
        return FSQ(FSQConfig(**{**SMALL, **settings}), poses)


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(60), 2: range(40)})


@pytest.fixture(scope="module")
def fitted(windows):
    tokenizer = made(epochs=4)
    tokenizer.fit(windows, Context(seed=3, trainer=train))
    return tokenizer


def test_shapes(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 9)).x)
    tokens = fitted.encode(x)
    assert (fitted.shape.codebook_size, fitted.shape.tokens, fitted.shape.width) == (6, 2, 2)
    assert tokens.codes.shape == (9, 2)
    assert tokens.codes.dtype == torch.int64
    assert tokens.vectors.dtype == torch.float32
    assert fitted.decode(tokens.codes).shape == x.shape
    assert isinstance(fitted, Tokenizer)
    assert isinstance(fitted, CodeVectors)


def test_every_code_stands_for_its_levels():
    every = made().vectors(torch.arange(6))
    assert every.tolist() == [[-1, -1], [-1, 1], [0, -1], [0, 1], [1, -1], [1, 1]]


@pytest.mark.parametrize("levels", [2, 3, 4, 7, 8])
def test_rounding_to_the_nearest_level(levels):
    tokenizer = made(levels=[levels])
    squashed = torch.linspace(-1, 1, 1001)[:, None]
    values = torch.linspace(-1, 1, levels)
    digits = tokenizer._digits(squashed)
    assert digits.unique().tolist() == list(range(levels)), "every level is reached"
    found = tokenizer._values(digits)
    torch.testing.assert_close((found - squashed).abs(), (values - squashed).abs().min(dim=1, keepdim=True).values)
    assert torch.equal(tokenizer._digits(found), digits), "a level is its own nearest"


def test_vectors_are_those_of_the_codes(fitted, windows):
    tokens = fitted.encode(torch.from_numpy(windows.batch(slice(0, 30)).x))
    assert torch.equal(fitted.vectors(tokens.codes), tokens.vectors)
    assert fitted.vectors(torch.zeros((4, 3, 2), dtype=torch.int64)).shape == (4, 3, 2, 2)


def test_gradients_pass_the_rounding(windows):
    """The encoder learns, though its output is rounded."""
    tokenizer = made(learning_rate=1e-3)
    before = tokenizer.encoder[0].weight.detach().clone()
    tokenizer.fit(windows, Context(seed=3, trainer=train))
    assert not torch.equal(before, tokenizer.encoder[0].weight)


def test_better_than_the_mean_window(windows):
    tokenizer = made(levels=[4, 4, 4], hidden=16, epochs=30, learning_rate=5e-3)
    tokenizer.fit(windows, Context(seed=3, trainer=train))
    x = torch.from_numpy(windows.batch(slice(None)).x)
    with torch.no_grad():
        lost = variance_lost(x, tokenizer.decode(tokenizer.encode(x).codes))
    assert lost < 0.98
    assert tokenizer.diagnostics()["reconstruction"] == pytest.approx(lost, rel=1e-3)
    assert tokenizer.diagnostics()["perplexity"] > 8


def test_diagnostics_are_of_the_training_windows(fitted, windows):
    codes = fitted.encode(torch.from_numpy(windows.batch(slice(None)).x)).codes
    usage = codebook_usage(torch.bincount(codes.flatten(), minlength=6))
    assert fitted.diagnostics() == {**usage, "reconstruction": fitted.lost.item()}


def test_the_seed_decides(windows):
    def state(seed):
        tokenizer = made()
        tokenizer.fit(windows, Context(seed=seed, trainer=train))
        return tokenizer.state_dict()

    first, again, other = state(3), state(3), state(4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["encoder.0.weight"], other["encoder.0.weight"])


def test_state_round_trip(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 9)).x)
    other = made()
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other.encode(x).codes, fitted.encode(x).codes)
    assert torch.equal(other.decode(other.encode(x).codes), fitted.decode(fitted.encode(x).codes))
    assert other.diagnostics() == fitted.diagnostics()


@pytest.mark.parametrize("levels", [[], [1, 4], [512, 256], ["many"]])
def test_levels_that_cannot_be(levels):
    with pytest.raises(ValueError, match="levels"):
        FSQConfig(levels=levels)

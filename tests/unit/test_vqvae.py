"""The VQ-VAE tokenizer: shapes, codes in range, a codebook that follows and revives, and its settings."""

from __future__ import annotations

import pytest
import torch
from made_tracks import made_windows

from vadbench.api import COCO_18, CodeVectors, ConfigError, Context, PoseShape, Tokenizer
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.codebook_usage import codebook_usage
from vadbench_msgflow.reconstruction import variance_lost
from vadbench_msgflow.tokenizer import VQVAE, VQVAEConfig

POSES = PoseShape(2, 8, COCO_18)
SMALL = {"codebook_size": 6, "width": 5, "hidden": 8, "epochs": 2, "batch_size": 16}


def made(poses: PoseShape = POSES, **settings) -> VQVAE:
    with seeded(1):
        return VQVAE(VQVAEConfig(**{**SMALL, **settings}), poses)


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(60), 2: range(40)})


@pytest.fixture(scope="module")
def fitted(windows):
    tokenizer = made(epochs=4)
    tokenizer.fit(windows, Context(seed=3, trainer=train))
    return tokenizer


@pytest.mark.parametrize(("frames", "downsampling", "tokens"), [(8, 4, 2), (8, 8, 1), (8, 1, 8), (24, 4, 6), (6, 2, 3)])
def test_shapes(frames, downsampling, tokens):
    tokenizer = made(PoseShape(2, frames, COCO_18), downsampling=downsampling)
    x = torch.randn(3, 2, frames, 18)
    found = tokenizer.encode(x)
    assert (tokenizer.shape.codebook_size, tokenizer.shape.tokens, tokenizer.shape.width) == (6, tokens, 5)
    assert found.codes.shape == (3, tokens)
    assert found.codes.dtype == torch.int64
    assert found.vectors.shape == (3, tokens, 5)
    assert tokenizer.decode(found.codes).shape == x.shape
    assert isinstance(tokenizer, Tokenizer)


@pytest.mark.parametrize(("frames", "downsampling"), [(8, 3), (8, 16), (10, 4), (9, 2)])
def test_downsampling_that_does_not_fit(frames, downsampling):
    with pytest.raises(ConfigError) as caught:
        made(PoseShape(2, frames, COCO_18), downsampling=downsampling)
    assert caught.value.where == "tokenizer.downsampling"
    assert str(downsampling) in caught.value.what


def test_codes_are_the_nearest_vectors_and_vectors_are_theirs(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 20)).x)
    tokens = fitted.encode(x)
    assert tokens.codes.min() >= 0
    assert tokens.codes.max() < 6
    assert torch.equal(tokens.vectors, fitted.codebook.vectors[tokens.codes])
    features = fitted.features(x)
    distance = (features[:, :, None] - fitted.codebook.vectors).square().sum(dim=3)
    chosen = distance.gather(2, tokens.codes[..., None])[..., 0]
    torch.testing.assert_close(chosen, distance.min(dim=2).values, rtol=1e-4, atol=1e-5)


def test_vectors_of_any_codes(fitted):
    codes = torch.arange(6).view(3, 1, 2)
    found = fitted.vectors(codes)
    assert isinstance(fitted, CodeVectors)
    assert found.shape == (3, 1, 2, 5)
    assert torch.equal(found.view(6, 5), fitted.codebook.vectors)


def test_what_is_held_out_does_not_move_the_codebook(windows):
    def trainer(module, loss, *, prepare, **_settings):
        module.eval()
        before = {name: value.clone() for name, value in module.state_dict().items()}
        loss(prepare(torch.arange(16)))
        assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
        module.train()
        loss(prepare(torch.arange(16)))
        assert not torch.equal(module.codebook.vectors, before["codebook.vectors"])

    made().fit(windows, Context(trainer=trainer))


def test_fit_lowers_the_distance(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(None)).x)

    def distance(tokenizer):
        return (tokenizer.decode(tokenizer.encode(x).codes) - x).square().mean()

    assert distance(fitted) < distance(made())


def test_same_seed_same_weights(windows):
    def state(seed):
        tokenizer = made()
        with seeded(0):
            tokenizer.fit(windows, Context(seed=seed, trainer=train))
        return tokenizer.state_dict()

    first, again, other = state(3), state(3), state(4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["codebook.vectors"], other["codebook.vectors"])


def test_state_round_trip(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 9)).x)
    other = made()
    assert not torch.equal(other.decode(other.encode(x).codes), fitted.decode(fitted.encode(x).codes))
    other.load_state_dict(fitted.state_dict())
    other.eval()
    assert torch.equal(other.encode(x).codes, fitted.encode(x).codes)
    assert torch.equal(other.decode(other.encode(x).codes), fitted.decode(fitted.encode(x).codes))


def test_diagnostics_are_of_the_training_windows(fitted, windows):
    codes = fitted.encode(torch.from_numpy(windows.batch(slice(None)).x)).codes
    counts = torch.bincount(codes.flatten(), minlength=6)
    assert torch.equal(fitted.usage, counts.float())
    assert fitted.diagnostics() == {**codebook_usage(counts), "reconstruction": fitted.lost.item()}
    x = torch.from_numpy(windows.batch(slice(None)).x)
    assert fitted.lost.item() == pytest.approx(variance_lost(x, fitted.decode(fitted.encode(x).codes)), rel=1e-4)


class TestUsage:
    def test_even(self):
        assert codebook_usage(torch.tensor([5, 5, 5, 5])) == {"perplexity": pytest.approx(4), "dead_codes": 0}

    def test_collapsed(self):
        assert codebook_usage(torch.tensor([9, 0, 0])) == {"perplexity": pytest.approx(1), "dead_codes": 2}

    def test_never_counted(self):
        assert codebook_usage(torch.zeros(3))["dead_codes"] == 3


@pytest.mark.parametrize("wrong", [{"codebook_size": 1}, {"ema": 1.0}, {"epochs": 0}, {"sise": 3}])
def test_settings(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        VQVAEConfig(**wrong)

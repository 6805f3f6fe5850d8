"""The k-means tokenizer: codes in range, decoding to centres, and its errors."""

from __future__ import annotations

import pytest
import torch
from made_tracks import made_windows

from vadbench.api import COCO_18, CodeVectors, ConfigError, Context, PoseShape, Tokenizer
from vadbench_msgflow.kmeans import KMeansConfig, KMeansTokenizer

POSES = PoseShape(2, 8, COCO_18)


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(60), 2: range(40)})


def made(**settings) -> KMeansTokenizer:
    return KMeansTokenizer(KMeansConfig(**{"codebook_size": 6, "width": 5, **settings}), POSES)


@pytest.fixture(scope="module")
def fitted(windows):
    tokenizer = made()
    tokenizer.fit(windows, Context(seed=1))
    return tokenizer


def test_shapes_and_range(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 30)).x)
    tokens = fitted.encode(x)
    assert tokens.codes.shape == (30, 2)
    assert tokens.codes.dtype == torch.int64
    assert tokens.codes.min() >= 0
    assert tokens.codes.max() < 6
    assert torch.equal(tokens.vectors, fitted.codebook[tokens.codes])
    assert fitted.decode(tokens.codes).shape == x.shape
    assert isinstance(fitted, Tokenizer)


def test_pieces_are_put_together_where_they_were_cut():
    tokenizer = made(width=144, codebook_size=6)
    x = torch.randn(3, 2, 8, 18)
    tokenizer.components.copy_(torch.eye(144))
    tokenizer.codebook.copy_(tokenizer._pieces(x).flatten(0, 1))
    tokens = tokenizer.encode(x)
    assert tokens.codes.tolist() == [[0, 1], [2, 3], [4, 5]]
    torch.testing.assert_close(tokenizer.decode(tokens.codes), x)


def test_better_than_the_mean(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(None)).x)
    mean = x.unflatten(2, (2, 4)).mean(dim=(0, 2), keepdim=True).expand(-1, -1, 2, -1, -1).flatten(2, 3)
    assert (fitted.decode(fitted.encode(x).codes) - x).square().mean() < (mean - x).square().mean()


def test_vectors_are_those_of_the_codes(fitted, windows):
    tokens = fitted.encode(torch.from_numpy(windows.batch(slice(0, 30)).x))
    assert torch.equal(fitted.vectors(tokens.codes), tokens.vectors)
    assert fitted.vectors(torch.arange(6)[:, None].expand(-1, 2)).shape == (6, 2, 5)
    assert isinstance(fitted, CodeVectors)


def test_same_seed_same_codebook(fitted, windows):
    again, other = made(), made()
    again.fit(windows, Context(seed=1))
    other.fit(windows, Context(seed=2))
    assert torch.equal(again.codebook, fitted.codebook)
    assert not torch.equal(other.codebook, fitted.codebook)


def test_state_round_trip(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 9)).x)
    other = made()
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other.encode(x).codes, fitted.encode(x).codes)


def test_diagnostics(fitted, windows):
    codes = fitted.encode(torch.from_numpy(windows.batch(slice(None)).x)).codes
    assert fitted.usage.sum() == codes.numel()
    assert 1 <= fitted.diagnostics()["perplexity"] <= 6
    x = torch.from_numpy(windows.batch(slice(None)).x)
    lost = (fitted.decode(codes) - x).square().sum() / (x - x.mean(dim=0)).square().sum()
    assert fitted.diagnostics()["reconstruction"] == pytest.approx(lost.item(), rel=1e-4)


@pytest.mark.parametrize("settings", [{"frames": 3}, {"width": 145}])
def test_settings_that_do_not_fit_the_window(settings):
    with pytest.raises(ConfigError, match="do not fit windows of 8 frames"):
        made(**settings)


@pytest.mark.parametrize("settings", [{"codebook_size": 500}, {"width": 40, "windows": 10}])
def test_too_few_windows(windows, settings):
    with pytest.raises(ConfigError, match="training tokens are too few"):
        made(**settings).fit(windows, Context())

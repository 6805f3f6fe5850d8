"""Residual quantisation: each stage takes what is left, codes are combinations, codebooks follow and revive."""

from __future__ import annotations

import pytest
import torch
from made_tracks import made_windows

from vadbench.api import COCO_18, CodeVectors, Context, PoseShape, Tokenizer
from vadbench.engine.training.trainer import seeded, train
from vadbench_msgflow.codebook_usage import codebook_usage
from vadbench_msgflow.residual_vq import ResidualVQ, ResidualVQConfig

POSES = PoseShape(2, 8, COCO_18)
SMALL = {"codebook_sizes": [4, 3], "width": 5, "hidden": 8, "epochs": 2, "batch_size": 16}


def made(poses: PoseShape = POSES, **settings) -> ResidualVQ:
    with seeded(1):
        return ResidualVQ(ResidualVQConfig(**{**SMALL, **settings}), poses)


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
    assert (fitted.shape.codebook_size, fitted.shape.tokens, fitted.shape.width) == (12, 2, 5)
    assert tokens.codes.shape == (9, 2)
    assert tokens.codes.dtype == torch.int64
    assert tokens.codes.max() < 12
    assert fitted.decode(tokens.codes).shape == x.shape
    assert isinstance(fitted, Tokenizer)
    assert isinstance(fitted, CodeVectors)


@torch.no_grad()
def test_each_stage_takes_the_nearest_of_what_is_left(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 30)).x)
    tokens, left = fitted.encode(x), fitted.features(x)
    first, second = tokens.codes // 3, tokens.codes % 3
    for stage, chosen in zip(fitted.stages, (first, second), strict=True):
        distance = (left[:, :, None] - stage.vectors).square().sum(dim=3)
        torch.testing.assert_close(
            distance.gather(2, chosen[..., None])[..., 0], distance.min(dim=2).values, rtol=1e-4, atol=1e-5
        )
        left = left - stage.vectors[chosen]
    torch.testing.assert_close(tokens.vectors, fitted.features(x) - left)


def test_vectors_are_those_of_the_codes(fitted, windows):
    tokens = fitted.encode(torch.from_numpy(windows.batch(slice(0, 30)).x))
    assert torch.equal(fitted.vectors(tokens.codes), tokens.vectors)
    assert fitted.vectors(torch.arange(12)[:, None].expand(-1, 2)).shape == (12, 2, 5)
    torch.testing.assert_close(
        fitted.vectors(torch.tensor([7])), (fitted.stages[0].vectors[2] + fitted.stages[1].vectors[1])[None]
    )


def test_one_stage_is_plain_quantisation(windows):
    tokenizer = made(codebook_sizes=[6])
    tokenizer.fit(windows, Context(seed=3, trainer=train))
    tokens = tokenizer.encode(torch.from_numpy(windows.batch(slice(0, 9)).x))
    assert torch.equal(tokens.vectors, tokenizer.stages[0].vectors[tokens.codes])


def test_fit_lowers_the_distance(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(None)).x)

    def distance(tokenizer):
        return (tokenizer.decode(tokenizer.encode(x).codes) - x).square().mean()

    assert distance(fitted) < distance(made())


def test_diagnostics_are_of_the_training_windows(fitted, windows):
    codes = fitted.encode(torch.from_numpy(windows.batch(slice(None)).x)).codes
    usage = codebook_usage(torch.bincount(codes.flatten(), minlength=12))
    assert fitted.diagnostics() == {**usage, "reconstruction": fitted.lost.item()}
    assert fitted.lost > 0


def test_the_seed_decides(windows):
    def state(seed):
        tokenizer = made()
        tokenizer.fit(windows, Context(seed=seed, trainer=train))
        return tokenizer.state_dict()

    first, again, other = state(3), state(3), state(4)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stages.0.vectors"], other["stages.0.vectors"])


def test_state_round_trip(fitted, windows):
    x = torch.from_numpy(windows.batch(slice(0, 9)).x)
    other = made()
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other.decode(other.encode(x).codes), fitted.decode(fitted.encode(x).codes))
    assert other.diagnostics() == fitted.diagnostics()


def test_codebooks_stand_still_in_evaluation(windows):
    """A held-out loss is computed in evaluation mode, and must not teach the codebooks."""
    losses = []

    def trainer(module, loss, *, prepare, **_):
        batch = prepare(torch.arange(16))
        before = module.stages[0].vectors.clone()
        module.eval()
        loss(batch)
        assert torch.equal(module.stages[0].vectors, before)
        module.train()
        losses.append(loss(batch))
        assert not torch.equal(module.stages[0].vectors, before)
        return []

    made().fit(windows, Context(trainer=trainer))
    assert len(losses) == 1


@pytest.mark.parametrize("wrong", [{"codebook_sizes": []}, {"codebook_sizes": [1]}, {"codebook_sizes": [512, 512]}, {"ema": 1.0}])
def test_settings(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ResidualVQConfig(**wrong)

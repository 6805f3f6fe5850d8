"""COSKAD: contracted to a fixed centre in each of its spaces, and not collapsed to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_tracks import made_windows

from vadbench.api import COCO_18, ConfigError, Context, DataError, Detector, PoseShape
from vadbench.engine.config import validated_config
from vadbench.engine.plugins import load_plugins
from vadbench.engine.training.trainer import seeded, train
from vadbench_baselines.coskad import Coskad, CoskadConfig

POSES = PoseShape(2, 8, COCO_18)
SMALL = {"channels": [4, 4], "latent": 5, "epochs": 3, "batch_size": 16}
SPACES = ("euclidean", "spherical", "hyperbolic")


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(90), 2: range(80)}, missing=0.05)


def fitted(windows, seed: int = 3, **settings) -> Coskad:
    with seeded(1):
        detector = Coskad(CoskadConfig(**{**SMALL, **settings}), POSES)
        detector.fit(windows, Context(seed=seed, trainer=train))
    return detector


@pytest.mark.parametrize("space", SPACES)
def test_it_contracts_without_collapsing(windows, space):
    x = torch.from_numpy(windows.batch(slice(None)).x)
    with seeded(1):
        untrained = Coskad(CoskadConfig(**SMALL, space=space), POSES)
    trained = fitted(windows, space=space, epochs=8)
    with torch.no_grad():
        # By the statistics of the batch, as the untrained network has none of its own yet.
        before = trained.geometry.distance(untrained.train().points(x), trained.centre).mean()
        points = trained.eval().points(x)
        after = trained.geometry.distance(points, trained.centre).mean()
    assert after < 0.7 * before
    assert points.std(dim=0).min() > 1e-3
    assert points.unique(dim=0).shape == points.shape
    assert np.unique(trained.score(windows, Context())).size == len(windows)


@pytest.mark.parametrize("space", SPACES)
def test_a_score_is_the_distance_from_the_centre(windows, space):
    detector = fitted(windows, space=space, epochs=1)
    assert isinstance(detector, Detector)
    x = torch.from_numpy(windows.batch(slice(None)).x)
    with torch.no_grad():
        v = detector.encoder(x).double().numpy()
    centre = detector.centre.numpy()
    if space == "hyperbolic":
        length = np.linalg.norm(v, axis=1, keepdims=True)
        p = np.tanh(length) * v / length
        inside = (1 - (p**2).sum(axis=1)) * (1 - (centre**2).sum())
        wanted = np.arccosh(1 + 2 * ((p - centre) ** 2).sum(axis=1) / inside)
    elif space == "spherical":
        wanted = np.arccos((v / np.linalg.norm(v, axis=1, keepdims=True)) @ centre)
    else:
        wanted = np.linalg.norm(v - centre, axis=1)
    np.testing.assert_allclose(detector.score(windows, Context()), wanted, rtol=1e-4, atol=1e-6)


def test_nothing_is_added_in_the_encoder():
    detector = Coskad(CoskadConfig(**SMALL), POSES).eval()
    assert not [name for name, _ in detector.named_parameters() if "bias" in name]
    assert detector.encoder(torch.zeros(1, 2, 8, 18)).abs().max() == 0


def test_the_centre_is_the_mean_of_the_untrained_vectors(windows):
    few = windows.select(np.arange(16, dtype=np.int64))
    with seeded(1):
        untrained = Coskad(CoskadConfig(**SMALL), POSES).train()
    with torch.no_grad():
        mean = untrained.points(torch.from_numpy(few.batch(slice(None)).x)).mean(dim=0).numpy()
    wanted = np.where(mean < 0, np.minimum(mean, -0.1), np.maximum(mean, 0.1))
    np.testing.assert_allclose(fitted(few).centre, wanted, rtol=1e-5)


def test_the_seed_decides(windows):
    first, again, other = (fitted(windows, seed).score(windows, Context()) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-6


def test_training_needs_a_window(windows):
    with pytest.raises(DataError, match="no training window") as caught:
        fitted(windows.select(np.arange(0, dtype=np.int64)))
    assert caught.value.where
    assert caught.value.remedy


def test_one_window_suffices(windows):
    one = windows.select(np.arange(1, dtype=np.int64))
    assert np.isfinite(fitted(one).score(one, Context())).all()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"space": "flat"}, "space"),
        ({"curvature": 2.0}, 'space is "euclidean"'),
        ({"space": "hyperbolic", "curvature": 0.0}, "curvature"),
        ({"channels": []}, "channels"),
        ({"channels": [4, 0]}, "channels must each be at least 1"),
        ({"latent": 1}, "latent"),
        ({"patience": 2}, "held_out"),
    ],
)
def test_bad_settings_are_told(settings, told):
    entry = load_plugins().registry.get("detector", "coskad")
    with pytest.raises(ConfigError, match=told) as caught:
        validated_config(entry, settings)
    assert caught.value.where
    assert caught.value.remedy

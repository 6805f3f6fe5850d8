"""GEPC: its autoencoder, its clustering, and a mixture whose density is scikit-learn's."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from made_tracks import made_windows
from sklearn.mixture import BayesianGaussianMixture

from vadbench.api import COCO_18, ConfigError, Context, DataError, Detector, PoseShape
from vadbench.engine.config import validated_config
from vadbench.engine.plugins import load_plugins
from vadbench.engine.training.checkpoints import Checkpoints
from vadbench.engine.training.trainer import Training, seeded, train
from vadbench.testing.sample import sample_windows
from vadbench_baselines.dirichlet_process_mixture import DirichletProcessMixture
from vadbench_baselines.gepc import Gepc, GepcConfig
from vadbench_baselines.graph_autoencoder import GraphAutoencoder, LatentNorm, skeleton_adjacency
from vadbench_baselines.soft_clustering import divergence, log_ratios, log_soft_assignment, sharpened_target

POSES = PoseShape(2, 8, COCO_18)
SMALL = {"clusters": 4, "channels": 4, "latent": 3, "mixtures": 3, "epochs": 2, "clustering_epochs": 2, "batch_size": 16}


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(90), 2: range(80)}, missing=0.05)


@pytest.fixture(scope="module")
def x(windows):
    return torch.from_numpy(windows.batch(slice(None)).x)


def fitted(windows, seed: int = 3, trainer=train, **settings) -> Gepc:
    with seeded(1):
        detector = Gepc(GepcConfig(**{**SMALL, **settings}), POSES)
        detector.fit(windows, Context(seed=seed, name="gepc", trainer=trainer))
    return detector


@pytest.fixture(scope="module")
def walkers():
    return sample_windows(8, stride=6)


class Watched(Gepc):
    """Remembers the assignments that the second stage began with."""

    before: torch.Tensor

    def place_centres(self, windows, context):
        super().place_centres(windows, context)
        self.before = self.log_assignments(windows, context)


@pytest.fixture(scope="module")
def watched(walkers):
    settings = {"channels": 8, "latent": 4, "epochs": 12, "clustering_epochs": 8, "learning_rate": 5e-3}
    with seeded(1):
        detector = Watched(GepcConfig(**{**SMALL, **settings}), walkers.shape)
        detector.fit(walkers, Context(seed=3, trainer=train))
    return detector


@pytest.fixture(scope="module")
def detector(windows):
    return fitted(windows)


def a_mixture(components: int = 3, width: int = 4) -> tuple[BayesianGaussianMixture, np.ndarray]:
    rng = np.random.default_rng(2)
    rows = np.concatenate([rng.normal(size=(60, width)) @ rng.normal(size=(width, width)) + 3 * k for k in range(2)])
    mixture = BayesianGaussianMixture(n_components=components, reg_covar=1e-3, random_state=0, max_iter=200)
    return mixture.fit(rows), rows


@pytest.mark.parametrize(("components", "width"), [(3, 4), (1, 2), (5, 1)])
def test_the_density_is_that_of_scikit_learn(components, width):
    theirs, rows = a_mixture(components, width)
    ours = DirichletProcessMixture(components, width)
    ours.take(theirs)
    asked = np.concatenate([rows, rows * 10 - 3])
    np.testing.assert_allclose(ours.log_prob(torch.from_numpy(asked)), theirs.score_samples(asked), rtol=1e-10)


def test_the_mixture_survives_rows_that_are_all_alike(caplog):
    ours = DirichletProcessMixture(2, 3)
    weights = ours.fit(np.ones((20, 3)), 1e-3, 0, Context())
    assert weights.sum() == pytest.approx(1)
    one, far = ours.log_prob(torch.tensor([[1.0, 1, 1], [2, 1, 1]]))
    assert one > far
    assert torch.isfinite(far)


def test_a_mixture_that_does_not_converge_is_told(caplog):
    ours = DirichletProcessMixture(8, 6)
    rows = np.random.default_rng(0).normal(size=(3000, 6)) ** 3
    with caplog.at_level(logging.WARNING, logger="vadbench"):
        ours.fit(rows, 1e-6, 0, Context(name="gepc.mixture"))
    assert "gepc.mixture: the mixture has not converged after 200" in caplog.text


def test_a_score_is_minus_the_log_density_of_the_assignment(detector, windows, x):
    assert isinstance(detector, Detector)
    with torch.no_grad():
        z = detector.autoencoder.encode(x)
    wanted = -detector.mixture.log_prob(log_ratios(log_soft_assignment(z, detector.centres.detach())))
    np.testing.assert_allclose(detector.score(windows, Context()), wanted, rtol=1e-4)


def test_clustering_brings_assignments_to_their_targets(watched, walkers):
    """What the second stage leaves is nearer to the sharpened assignments of k-means than k-means was, and surer."""
    before, after = watched.before, watched.log_assignments(walkers, Context())
    target = sharpened_target(before.exp(), before.exp().mean(dim=0))
    assert divergence(after, target) < 0.9 * divergence(before, target)
    assert (after.exp() * after).sum(dim=1).mean() > (before.exp() * before).sum(dim=1).mean() + 0.05
    # No cluster is given up.
    assert watched.frequency.sum() == pytest.approx(1)
    assert watched.frequency.min() > 0.1


def test_the_autoencoder_learns(watched, walkers):
    x = torch.from_numpy(walkers.batch(slice(None)).x)
    with torch.no_grad():
        lost = float(watched._lost(x, watched.autoencoder.encode(x)))
    assert float((x / watched.spread.sqrt()).square().mean()) == pytest.approx(1, rel=1e-4)
    assert lost < 0.25


def test_held_out_windows_move_no_frequency(windows, x):
    detector = fitted(windows)
    before = detector.frequency.clone()
    with torch.no_grad():
        detector.eval()._clustering_loss(x)
        assert torch.equal(detector.frequency, before)
        detector.train()._clustering_loss(x)
        assert not torch.equal(detector.frequency, before)


@pytest.mark.parametrize("frames", [2, 5, 8, 12, 16])
def test_any_length_is_reconstructed(frames):
    network = GraphAutoencoder(PoseShape(2, frames, COCO_18), 4, 3).eval()
    given = torch.randn(3, 2, frames, 18)
    assert network.encode(given).shape == (3, 3)
    assert network.decode(network.encode(given)).shape == given.shape
    assert network.decode(network.encode(given[:0])).shape == (0, 2, frames, 18)


def test_the_skeleton_is_a_normalised_graph():
    found = skeleton_adjacency(COCO_18).numpy()
    degree = np.ones(18)
    for one, other in COCO_18.edge_indices:
        degree[[one, other]] += 1
    for one in range(18):
        for other in range(18):
            linked = one == other or {(one, other), (other, one)} & set(COCO_18.edge_indices)
            assert found[one, other] == pytest.approx(1 / np.sqrt(degree[one] * degree[other]) if linked else 0)


def test_attention_is_of_the_window_alone(detector, x):
    convolution = detector.autoencoder.encoder[0].spatial
    graph = convolution.inferred(x)
    torch.testing.assert_close(graph.sum(dim=1), torch.ones(len(x), 18))
    torch.testing.assert_close(convolution.inferred(x[3:4]), graph[3:4])
    assert (graph[0] - graph[40]).abs().max() > 1e-6


def test_a_training_batch_may_have_one_window():
    norm = LatentNorm(3, affine=False).train()
    norm(torch.randn(20, 3) * 2 + 1)
    mean = norm.running_mean.clone()
    one = torch.randn(1, 3)
    wanted = (one - mean) / (norm.running_var + norm.eps).sqrt()
    torch.testing.assert_close(norm(one), wanted)
    assert torch.equal(norm.running_mean, mean)


def test_a_last_batch_of_one_window_trains(windows):
    some = windows.select(np.arange(33, dtype=np.int64))
    assert np.isfinite(fitted(some).score(windows, Context())).all()


def test_the_seed_decides(windows, detector):
    wanted = detector.score(windows, Context())
    np.testing.assert_array_equal(fitted(windows).score(windows, Context()), wanted)
    assert np.abs(fitted(windows, seed=4).score(windows, Context()) - wanted).max() > 1e-3


def test_a_run_that_is_taken_up_ends_alike(windows, detector, tmp_path):
    """Both stages have a checkpoint of their own; the second time nothing is trained again."""
    for _ in range(2):
        training = Training(Checkpoints(tmp_path))
        found = fitted(windows, trainer=training)
        np.testing.assert_array_equal(found.score(windows, Context()), detector.score(windows, Context()))
    assert {path.name for path in tmp_path.iterdir()} == {
        "gepc.autoencoder-0.safetensors",
        "gepc.clustering-0.safetensors",
    }
    assert training.resumed_s > 0


@pytest.mark.parametrize("settings", [{"clusters": 40}, {"mixtures": 40}, {"mixture_windows": 3}])
def test_too_few_windows_are_told(windows, settings):
    with pytest.raises(DataError, match="too few for") as caught:
        fitted(windows.select(np.arange(30, dtype=np.int64)), **settings)
    assert caught.value.where == "gepc"
    assert caught.value.remedy


@pytest.mark.parametrize("key", ["clusters", "channels", "latent", "clustering_weight", "mixtures", "ridge", "clustering_epochs"])
def test_bad_settings_are_told(key):
    entry = load_plugins().registry.get("detector", "gepc")
    with pytest.raises(ConfigError, match=key) as caught:
        validated_config(entry, {key: 0})
    assert caught.value.where
    assert caught.value.remedy

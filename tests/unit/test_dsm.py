"""Denoising score matching: the score of a known Gaussian, whitening, averaged weights, confidences, combining the scales."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made_tracks import made_windows
from scipy.stats import multivariate_normal
from torch import nn

from vadbench.api import COCO_18, ConfigError, Context, DataError, Detector, PoseShape
from vadbench.engine.config import validated_config
from vadbench.engine.plugins import load_plugins
from vadbench.engine.training.trainer import seeded, train
from vadbench_baselines.dsm import DSM, DSMConfig, NormMixture
from vadbench_baselines.pca_whitening import PCAWhitening
from vadbench_baselines.score_network import AveragedNetwork, ScoreNetwork, noise_scales

POSES = PoseShape(2, 8, COCO_18)
SMALL = {"components": 12, "scales": 4, "width": 16, "blocks": 1, "epochs": 2, "batch_size": 16}


@pytest.fixture(scope="module")
def windows():
    return made_windows({1: range(90), 2: range(80)}, missing=0.05)


@pytest.fixture(scope="module")
def batch(windows):
    found = windows.batch(slice(None))
    return torch.from_numpy(found.x), torch.from_numpy(found.confidence)


def fitted(windows, **settings) -> DSM:
    with seeded(1):
        detector = DSM(DSMConfig(**{**SMALL, **settings}), POSES)
        detector.fit(windows, Context(seed=3, trainer=train))
    return detector


@pytest.fixture(scope="module")
def detector(windows):
    return fitted(windows)


def test_the_score_of_a_known_gaussian_is_learned():
    """Of N(m, s^2) with noise sigma it is -(x - m) / (s^2 + sigma^2); an untrained network takes m = 0 and s = 1."""
    mean, deviation = torch.tensor([1.0, -0.5]), torch.tensor([0.4, 0.7])
    sigmas = noise_scales(0.1, 1.0, 10)
    generator = torch.Generator().manual_seed(5)
    with seeded(1):
        network = ScoreNetwork(2, 32, 1)
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)

    def off() -> float:
        x = mean + deviation * torch.randn(2000, 2, generator=torch.Generator().manual_seed(6))
        wrong = []
        for sigma in sigmas:
            found = -network(x, sigma.expand(len(x))) / sigma
            wanted = -(x - mean) / (deviation**2 + sigma**2)
            wrong.append(float((found - wanted).square().mean() / wanted.square().mean()))
        return max(wrong)

    with torch.no_grad():
        before = off()
    for _ in range(800):
        x = mean + deviation * torch.randn(512, 2, generator=generator)
        sigma = sigmas[torch.randint(10, (512,), generator=generator)]
        noise = torch.randn(512, 2, generator=generator)
        optimiser.zero_grad()
        (network(x + sigma[:, None] * noise, sigma) - noise).square().mean().backward()
        optimiser.step()
    with torch.no_grad():
        assert off() < 0.05 < before


def test_an_untrained_network_gives_the_score_of_a_unit_gaussian():
    x, sigma = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)), noise_scales(0.1, 1, 7)
    found = -ScoreNetwork(3, 8, 1)(x, sigma) / sigma[:, None]
    torch.testing.assert_close(found, -x / (1 + sigma**2)[:, None])


def test_the_network_is_told_the_scale():
    with seeded(1):
        network = ScoreNetwork(3, 8, 1)
        nn.init.normal_(network.end.weight)
    sigma = torch.tensor([0.1, 0.9])
    size = (1 + sigma.square()).sqrt()[:, None]
    # Two noisy vectors that are one and the same once they are scaled: only the scale itself can tell them apart.
    x = torch.ones(2, 3) * size
    learned = (network(x, sigma) - x * (sigma[:, None] / size.square())) * size
    assert not torch.allclose(learned[0], learned[1], atol=1e-3)


def test_noise_scales_are_in_equal_ratios():
    scales = noise_scales(0.1, 1.0, 10)
    assert scales[[0, -1]].tolist() == pytest.approx([0.1, 1.0])
    ratio = scales[1:] / scales[:-1]
    torch.testing.assert_close(ratio, torch.full((9,), 10 ** (1 / 9)))
    assert noise_scales(0.1, 1.0, 1).tolist() == pytest.approx([0.1])


def test_averaged_weights_follow_their_law():
    averaged = AveragedNetwork(nn.Linear(1, 1, bias=False), 0.9)
    wanted = float(averaged.network.weight.detach())
    for step in range(300):
        with torch.no_grad():
            averaged.network.weight.fill_(step)
        averaged.follow()
        decay = min(0.9, (1 + step) / (10 + step))
        wanted = decay * wanted + (1 - decay) * step
        if step in (0, 5):
            assert float(averaged.average.weight) == pytest.approx(wanted, rel=1e-4), "it hurries at first"
    assert float(averaged.average.weight) == pytest.approx(wanted, rel=1e-5)
    assert wanted == pytest.approx(299 - 9, abs=1e-3), "in the long run the average lags by decay / (1 - decay) steps"
    x = torch.ones(1, 1)
    assert averaged.train()(x).item() == 299
    assert averaged.eval()(x).item() == pytest.approx(wanted, rel=1e-5)
    assert not averaged.average.weight.requires_grad


def test_only_training_moves_the_average(detector, batch):
    before = {name: value.clone() for name, value in detector.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    detector.loss(*batch, generator)
    detector.norms(*batch)
    assert all(torch.equal(value, before[name]) for name, value in detector.state_dict().items())
    detector.train()
    try:
        detector.loss(*batch, generator)
        assert int(detector.network.steps) == int(before["network.steps"]) + 1
    finally:
        detector.load_state_dict(before)
        detector.eval()


def test_the_average_counts_every_step(detector, windows):
    assert int(detector.network.steps) == 2 * -(-len(windows) // 16)
    weights = zip(detector.network.network.parameters(), detector.network.average.parameters(), strict=True)
    assert any(not torch.equal(trained, average) for trained, average in weights)


def test_whitened_training_windows_have_unit_covariance(windows, batch):
    whitening = PCAWhitening(POSES, 40)
    kept = whitening.learn(windows, Context())
    z = whitening(*batch).double()
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(40, dtype=torch.float64), rtol=0, atol=1e-4)
    torch.testing.assert_close(torch.cov(z.T, correction=0), torch.eye(40, dtype=torch.float64), rtol=0, atol=1e-3)
    rows = whitening.filled(*batch).flatten(1).double()
    values = np.linalg.eigvalsh(np.cov(rows.numpy().T, bias=True))[::-1]
    assert kept == pytest.approx(values[:40].sum() / values.sum(), rel=1e-5)
    np.testing.assert_allclose(whitening.deviation.square().numpy(), values[:40], rtol=1e-4)


def test_directions_without_variation_are_not_blown_up(windows, batch):
    """The neck is the mean of the shoulders, and a window's mean is 0: some of all N directions are flat."""
    whitening = PCAWhitening(POSES, 1000)
    whitening.learn(windows, Context())
    assert whitening.width == 2 * 8 * 18
    z = whitening(*batch)
    assert z.isfinite().all()
    assert float(z.square().mean(dim=0).max()) < 1.01


def test_equal_confidences_give_the_plain_mean_square(detector):
    error = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    for level in (1.0, 0.3):
        found = detector.whitening.weighted_square(error, torch.full((5, 8, 18), level))
        torch.testing.assert_close(found, error.square().mean(dim=1))
    assert (detector.whitening.weighted_square(error, torch.zeros(5, 8, 18)) == 0).all()


def test_an_error_counts_by_the_confidence_of_its_joints(detector):
    error = torch.randn(1, 12, generator=torch.Generator().manual_seed(0))
    at_joints = (error @ detector.whitening.directions).view(2, 8, 18).square().sum(dim=0)
    confidence = torch.rand(1, 8, 18, generator=torch.Generator().manual_seed(1))
    wanted = np.average(at_joints.numpy(), weights=confidence[0].numpy()) * 8 * 18 / 12
    assert float(detector.whitening.weighted_square(error, confidence)) == pytest.approx(wanted, rel=1e-5)


def test_what_stands_at_a_missing_joint_changes_nothing(detector, batch):
    x, confidence = (part.clone() for part in batch)
    confidence[:, 2:4, 5] = 0
    confidence[:, :, 9] = 0
    other = x.clone()
    other[:, :, 2:4, 5] += 7
    other[:, :, :, 9] = -3
    assert torch.equal(detector.surprise(other, confidence), detector.surprise(x, confidence))
    doubtful = confidence.clone()
    doubtful[:, :, 9] = 1
    assert not torch.equal(detector.surprise(other, doubtful), detector.surprise(x, confidence))


def test_a_missing_joint_stands_at_its_mean_in_the_window_or_in_training(detector, batch):
    x, confidence = batch[0][:4], torch.ones(4, 8, 18)
    confidence[:, 2:4, 5] = 0
    confidence[:, :, 9] = 0
    filled = detector.whitening.filled(x, confidence)
    others = x[:, :, [0, 1, 4, 5, 6, 7], 5].mean(dim=2)
    torch.testing.assert_close(filled[:, :, 2, 5], others)
    torch.testing.assert_close(filled[:, :, :, 9], detector.whitening.mean[:, :, 9].expand(4, 2, 8))
    assert torch.equal(filled[..., :5], x[..., :5])


def test_the_norm_is_that_of_the_score(detector, batch):
    x, confidence = batch[0][:3], torch.ones(3, 8, 18)
    z = detector.whitening(x, confidence)
    for number, sigma in enumerate(detector.sigmas):
        score = -detector.network.average(z, sigma.expand(3)) / sigma
        wanted = sigma * score.square().mean(dim=1).sqrt()
        torch.testing.assert_close(detector.norms(x, confidence)[:, number], wanted)


def test_scores_are_standardised_by_training_windows(detector, windows, batch):
    norms = detector.norms(*batch)
    torch.testing.assert_close(detector.centre, norms.mean(dim=0), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(detector.spread, norms.std(dim=0, correction=0), rtol=1e-4, atol=1e-5)
    scores = detector.score(windows, Context())
    wanted = ((norms - norms.mean(dim=0)) / norms.std(dim=0, correction=0)).mean(dim=1)
    np.testing.assert_allclose(scores, wanted.detach().numpy(), atol=1e-4)
    assert isinstance(detector, Detector)


def test_a_window_without_joints_is_as_surprising_as_the_average(detector, batch):
    x, confidence = batch[0][:3], batch[1][:3].clone()
    confidence[1] = 0
    scores = detector.surprise(x, confidence)
    assert float(scores[1]) == 0
    assert float(scores[0]) != 0


def test_the_mixture_is_a_density():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(0, 1, (300, 3)), rng.normal(4, 0.5, (100, 3))])
    mixture = NormMixture(2, 3)
    mixture.learn(torch.from_numpy(rows), 0)
    wanted = np.zeros(len(rows))
    for weight, mean, factor in zip(mixture.weight.tolist(), mixture.mean.numpy(), mixture.whitening.numpy(), strict=True):
        wanted += weight * multivariate_normal(mean, np.linalg.inv(factor @ factor.T)).pdf(rows)
    np.testing.assert_allclose(mixture(torch.from_numpy(rows)).numpy(), np.log(wanted), rtol=1e-6)
    assert sorted(mixture.weight.tolist()) == pytest.approx([0.25, 0.75], abs=0.02)


def test_scales_combined_by_a_mixture(windows, batch):
    detector = fitted(windows, combination="mixture", mixture=2)
    other = DSM(detector.config, POSES).eval()
    other.load_state_dict(detector.state_dict())
    scores = detector.score(windows, Context())
    assert scores.dtype == np.float64
    np.testing.assert_array_equal(other.score(windows, Context()), scores)
    standard = (detector.norms(*batch) - detector.centre) / detector.spread
    np.testing.assert_allclose(scores, -detector.mixture(standard).detach().numpy(), atol=1e-4)
    far = detector.surprise(5 * torch.randn(50, 2, 8, 18, generator=torch.Generator().manual_seed(0)), torch.ones(50, 8, 18))
    assert float(far.min()) > np.median(scores)


def test_the_same_seed_gives_the_same_scores_and_another_does_not(windows, detector):
    scores = detector.score(windows, Context())
    np.testing.assert_array_equal(fitted(windows).score(windows, Context()), scores)
    with seeded(1):
        other = DSM(detector.config, POSES)
        other.fit(windows, Context(seed=4, trainer=train))
    assert np.abs(other.score(windows, Context()) - scores).max() > 1e-6


def test_held_out_loss_is_that_of_the_averaged_weights(detector, batch):
    """It chooses an epoch, and the averaged weights are what is scored with."""
    with torch.no_grad():
        wanted = detector.loss(*batch, torch.Generator().manual_seed(0))
        kept = {name: value.clone() for name, value in detector.state_dict().items()}
        for parameter in detector.network.network.parameters():
            parameter.add_(1)
        assert torch.equal(detector.loss(*batch, torch.Generator().manual_seed(0)), wanted)
    detector.load_state_dict(kept)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"smallest": 2.0}, "above the largest"),
        ({"smallest": 0.0}, "smallest"),
        ({"average": 1.0}, "average"),
        ({"scales": 0}, "scales"),
        ({"combination": "sum"}, "combination"),
        ({"patience": 3}, "held_out"),
    ],
)
def test_settings_that_cannot_be_meant(settings, said):
    with pytest.raises(ConfigError, match=said):
        validated_config(load_plugins().registry.get("detector", "dsm"), settings)


@pytest.mark.parametrize(
    ("frames", "settings", "said"),
    [(4, {}, "0 training windows"), (9, {}, "1 training windows"), (12, {"combination": "mixture"}, "mixture of 5")],
)
def test_too_little_to_learn_from(frames, settings, said):
    with pytest.raises(DataError, match=said) as error:
        fitted(made_windows({1: range(frames)}), **settings)
    assert error.value.remedy


def test_windows_that_are_all_alike():
    windows = made_windows({1: range(30)})
    windows = windows.select(np.zeros(20, dtype=np.int64))
    with pytest.raises(DataError, match="all alike"):
        fitted(windows)

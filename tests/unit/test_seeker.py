"""SeeKer: what each keypoint may depend on, its Gaussian against SciPy, confidences, and the placement of its scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_tracks import made_windows
from scipy.stats import multivariate_normal

from vadbench.api import COCO_18, ConfigError, Context, DataError, Detector, PoseShape, WindowScores
from vadbench.engine.config import validated_config
from vadbench.engine.plugins import load_plugins
from vadbench.engine.training.trainer import seeded, train
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.person_lines import person_lines
from vadbench.evaluation.published_protocols import protocol_named
from vadbench_baselines.masked_network import KeypointNetwork
from vadbench_baselines.seeker import SeeKer, SeeKerConfig, covariance_parts, gaussian_nll, placed_by_first_frame

POSES = PoseShape(2, 8, COCO_18)
SMALL = {"width": 150, "epochs": 2, "batch_size": 16}
RAW = st.floats(-1e6, 1e6, width=32)


def made(poses: PoseShape = POSES, **settings) -> SeeKer:
    """A detector whose every weight is random, so that nothing is independent for being 0."""
    with seeded(1):
        detector = SeeKer(SeeKerConfig(**{**SMALL, **settings}), poses).eval()
        for parameter in detector.parameters():
            parameter.data.normal_(0, 0.1)
    return detector


def drawn(windows: int = 3, frames: int = 8, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(windows, 2, frames, 18, generator=generator)
    return x, 0.2 + 0.8 * torch.rand(windows, frames, 18, generator=generator)


@pytest.mark.parametrize("blocks", [0, 2])
def test_a_keypoint_is_told_by_all_before_it_and_by_nothing_else(blocks):
    frames, joints, numbers = 3, 4, 5
    with seeded(2):
        network = KeypointNetwork(frames, joints, numbers, 60, blocks).double()
        for parameter in network.parameters():
            parameter.data.normal_()
    x = torch.randn(1, frames, joints, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(network, x)[0, :, :, :, 0]
    told = jacobian.abs().sum(dim=(2, 5)).reshape((frames - 1) * joints, frames * joints) > 0
    wanted = torch.arange(frames * joints) < torch.arange(joints, frames * joints)[:, None]
    assert torch.equal(told, wanted)


def test_hidden_units_alone_see_all_that_is_before():
    """Without the straight connections every keypoint but the last of all still counts somewhere."""
    frames, joints = 3, 4
    with seeded(2):
        network = KeypointNetwork(frames, joints, 1, 60, 1).double()
        for parameter in network.parameters():
            parameter.data.normal_()
        network.straight.weight.data.zero_()
    x = torch.randn(1, frames, joints, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(network, x)[0, ..., 0, 0, :, :, :]
    told = jacobian.abs().sum(dim=-1).reshape((frames - 1) * joints, frames * joints) > 0
    assert torch.equal(told, torch.arange(frames * joints) < torch.arange(joints, frames * joints)[:, None])


@pytest.mark.parametrize(("frame", "joint"), [(1, 0), (4, 9), (7, 0), (7, 17)])
def test_a_density_depends_on_its_own_keypoint_and_those_before_it(frame, joint):
    detector = made()
    x, confidence = drawn()
    wanted = detector.keypoint_nll(x, confidence)
    other, unsure = x.clone(), confidence.clone()
    place = frame * 18 + joint
    other.flatten(2)[:, :, place:] += 3
    unsure.flatten(1)[:, place + 1 :: 2] = 0
    changed = (detector.keypoint_nll(other, unsure) - wanted).flatten(1).abs() > 1e-5
    assert not changed[:, : place - 18].any()
    assert changed[:, place - 18].all()


def test_the_normalisation_of_the_window_does_not_tell_of_its_end():
    x, confidence = drawn()
    # The same window as if it had been normalised with another last frame.
    again = (x - torch.tensor([0.4, -0.2])[None, :, None, None]) / 1.3
    placed = placed_by_first_frame(x, confidence)
    torch.testing.assert_close(placed_by_first_frame(again, confidence), placed, rtol=1e-4, atol=1e-5)
    first = placed[:, 0]
    torch.testing.assert_close(first.mean(dim=1), torch.zeros(3, 2), rtol=0, atol=1e-5)
    torch.testing.assert_close(first[..., 1].std(dim=1, correction=0), torch.ones(3))


def test_a_missing_joint_stands_where_it_was_last():
    x, confidence = drawn()
    confidence[:, 2:5, 7] = 0
    confidence[:, :3, 8] = 0
    placed = placed_by_first_frame(x, confidence)
    for frame in (2, 3, 4):
        assert torch.equal(placed[:, frame, 7], placed[:, 1, 7])
    assert (placed[:, :3, 8] == 0).all()
    assert (placed[:, 3, 8] != 0).all()


@pytest.mark.parametrize("seen", [0, 1])
def test_a_first_frame_without_a_size(seen):
    x, confidence = drawn()
    confidence[:, 0, seen:] = 0
    placed = placed_by_first_frame(x, confidence)
    assert placed.isfinite().all()
    assert float(placed.abs().max()) < 20
    assert made().surprise(x, confidence).isfinite().all()


@given(st.tuples(RAW, RAW, RAW), st.tuples(st.floats(-3, 3), st.floats(-3, 3)))
def test_every_raw_output_is_a_gaussian(raw, away):
    deviation, correlation = covariance_parts(torch.tensor(raw, dtype=torch.float64), 0.01)
    (a, b), r = deviation.tolist(), float(correlation)
    covariance = np.array([[a * a, r * a * b], [r * a * b, b * b]])
    assert np.linalg.eigvalsh(covariance)[0] > 0
    np.linalg.cholesky(covariance)
    assert 0.0099 < min(a, b) <= max(a, b) < 10.001
    found = float(gaussian_nll(torch.tensor(away, dtype=torch.float64), deviation, correlation))
    assert found == pytest.approx(-multivariate_normal([0, 0], covariance).logpdf(away), rel=1e-8, abs=1e-8)


def test_the_gaussian_of_a_keypoint_is_the_networks():
    detector = made()
    x, confidence = drawn(windows=2)
    keypoints = placed_by_first_frame(x, confidence)
    raw = detector.network(keypoints).detach()
    deviation, correlation = covariance_parts(raw[..., 2:], 0.01)
    (a, b), r = deviation[1, 3, 5].tolist(), float(correlation[1, 3, 5])
    mean = keypoints[1, 3, 5] + raw[1, 3, 5, :2]
    density = multivariate_normal(mean.tolist(), [[a * a, r * a * b], [r * a * b, b * b]])
    found = detector.keypoint_nll(x, confidence)[1, 3, 5].item()
    assert found == pytest.approx(-density.logpdf(keypoints[1, 4, 5].tolist()), rel=1e-4)


def test_the_score_is_the_weighted_mean_over_the_last_frame():
    detector = made()
    x, confidence = drawn()
    nll = detector.keypoint_nll(x, confidence)[:, -1]
    wanted = [np.average(row, weights=weight) for row, weight in zip(nll.tolist(), confidence[:, -1].tolist(), strict=True)]
    np.testing.assert_allclose(detector.surprise(x, confidence).tolist(), wanted, rtol=1e-5)


def test_the_loss_is_the_weighted_mean_over_all_but_the_first_frame():
    detector = made()
    x, confidence = drawn()
    nll, weight = (part.flatten().tolist() for part in (detector.keypoint_nll(x, confidence), confidence[:, 1:]))
    assert float(detector.loss(x, confidence)) == pytest.approx(np.average(nll, weights=weight), rel=1e-5)


def test_a_keypoint_of_no_confidence_contributes_nothing():
    detector = made()
    x, confidence = drawn()
    confidence[:, 1:, 17] = 0
    confidence[:, -1, [2, 11]] = 0
    other = x.clone()
    other[:, :, 1:, 17] += 5
    other[:, :, -1, [2, 11]] -= 4
    assert torch.equal(detector.surprise(other, confidence), detector.surprise(x, confidence))
    assert torch.equal(detector.loss(other, confidence), detector.loss(x, confidence))
    x = x.requires_grad_()
    detector.surprise(x, confidence).sum().backward()
    assert (x.grad[:, :, 1:, 17] == 0).all()
    assert (x.grad[:, :, -1, 3] != 0).all()


def test_less_confidence_counts_less():
    detector = made()
    x, confidence = drawn(windows=1)
    confidence[:] = 0.5
    x[:, :, -1, 17] += 30
    doubted = confidence.clone()
    doubted[:, -1, 17] = 0.1
    assert float(detector.surprise(x, doubted)) < float(detector.surprise(x, confidence))


def test_a_last_frame_without_joints_is_as_surprising_as_most():
    detector = made()
    detector.typical.fill_(-1.25)
    x, confidence = drawn()
    confidence[1, -1] = 0
    scores = detector.surprise(x, confidence)
    assert float(scores[1]) == -1.25
    assert float(scores[0]) != -1.25
    assert detector.loss(x, torch.zeros_like(confidence)).isfinite()


def test_training_learns_and_keeps_what_most_windows_score():
    windows = made_windows({1: range(60), 2: range(40)})
    with seeded(1):
        detector = SeeKer(SeeKerConfig(**{**SMALL, "epochs": 6}), POSES)
    context = Context(seed=3, trainer=train)
    x, confidence = (torch.from_numpy(part) for part in (windows.batch(slice(None)).x, windows.batch(slice(None)).confidence))
    before = float(detector.loss(x, confidence))
    detector.fit(windows, context)
    assert float(detector.loss(x, confidence)) < before - 1
    assert isinstance(detector, Detector)
    scores = detector.score(windows, context)
    assert scores.shape == (len(windows),)
    assert scores.dtype == np.float64
    assert float(detector.typical) == pytest.approx(float(torch.from_numpy(scores).median()))


def test_the_paper_places_a_score_on_the_frame_after_its_window():
    """As the facts have it: the window from f, scored by its last frame, counts at f + T; the first fills its track's head."""
    windows = made_windows({1: range(30)})
    scores = made().score(windows, Context())
    clip = np.array(["c0"] * len(windows))
    given = WindowScores(clip, windows.person.astype(np.int64), windows.start.astype(np.int64), scores, 8)
    lines = person_lines(given, FrameAxis.of_clips(windows.tracks.clips), protocol_named("seeker").on("mine"))
    assert lines.frame.tolist() == list(range(30))
    np.testing.assert_array_equal(lines.value[8:], scores)
    assert (lines.value[:8] == scores[0]).all()


@pytest.mark.parametrize("settings", [{"width": 0}, {"narrowest": 0}, {"narrowest": 10}, {"blocks": -1}, {"epochs": 0}])
def test_settings_that_cannot_be_meant(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        validated_config(load_plugins().registry.get("detector", "seeker"), settings)


def test_one_frame_is_no_sequence():
    with pytest.raises(ConfigError, match="no frame before it") as error:
        SeeKer(SeeKerConfig(), PoseShape(2, 1, COCO_18))
    assert error.value.remedy


def test_nothing_to_learn_from():
    windows = made_windows({1: range(4)})
    with pytest.raises(DataError, match="no training window") as error:
        made().fit(windows, Context(trainer=train))
    assert error.value.remedy

"""What the detectors without a network share: principal coordinates, subsamples, state; and nearest neighbours by hand."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from posed_windows import fitted, others, reloaded, rows, scores

from vadbench.api import Context, DataError
from vadbench.testing.sample import sample_windows
from vadbench_baselines.array_detector import PrincipalDetector, random_windows
from vadbench_baselines.gmm import GMM, GMMConfig
from vadbench_baselines.knn import KNN, KNNConfig
from vadbench_baselines.pca import PCAConfig, PCAError

SHAPE = sample_windows().shape


class Plain(PrincipalDetector):
    """Coordinates and nothing else."""

    def measure(self, windows):
        raise NotImplementedError


def directions(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean, and the first principal directions of the sample by a singular value decomposition."""
    known = rows(sample_windows()).astype(np.float64)
    return known.mean(axis=0), np.linalg.svd(known - known.mean(axis=0), full_matrices=False)[2][:count]


class TestCoordinates:
    def test_they_are_those_of_a_singular_value_decomposition_and_the_length_of_the_rest(self) -> None:
        detector = fitted(Plain(SHAPE, width=6, kept=1000))
        mean, found = directions(6)
        test = rows(others())
        along = (test - mean) @ found.T
        got = detector.coordinates(test)
        np.testing.assert_allclose(np.abs(got[:, :6]), np.abs(along), atol=2e-4)
        np.testing.assert_allclose(got[:, 6], np.linalg.norm(test - mean - along @ found, axis=1), rtol=1e-3)

    def test_the_rest_can_be_left_out(self) -> None:
        detector = fitted(Plain(SHAPE, width=6, kept=1000, rest=False))
        assert detector.coordinates(rows(others())).shape == (len(others()), 6)

    def test_a_share_of_variance_gives_as_few_as_explain_it_and_is_declared(self) -> None:
        context = Context(seed=1, name="x")
        detector = Plain(SHAPE, width=0.9, kept=1000)
        detector.fit(sample_windows(), context)
        known = rows(sample_windows()).astype(np.float64)
        variance = np.linalg.svd(known - known.mean(axis=0), compute_uv=False) ** 2
        wanted = int(np.searchsorted(np.cumsum(variance) / variance.sum(), 0.9) + 1)
        assert len(detector.arrays["components"]) == wanted
        assert [(c.what, c.value, c.by) for c in context.choices] == [("components", wanted, "training")]

    def test_a_number_is_no_choice_and_at_most_that_of_the_windows(self) -> None:
        context = Context(seed=1, name="x")
        detector = Plain(SHAPE, width=50, kept=9)
        detector.fit(sample_windows(), context)
        assert len(detector.arrays["components"]) == 9
        assert context.choices == []

    def test_they_are_the_same_to_the_last_bit_in_any_batch(self) -> None:
        detector = fitted(Plain(SHAPE, width=30, kept=1000))
        test = rows(others())
        together = detector.coordinates(test)
        assert np.array_equal(np.concatenate([detector.coordinates(row[None]) for row in test]), together)


class TestSubsample:
    def test_windows_are_drawn_without_repetition_and_by_the_seed(self) -> None:
        windows = sample_windows()
        first, same, other = (random_windows(windows, 20, np.random.default_rng(seed)).index for seed in (1, 1, 2))
        assert len(np.unique(first)) == 20
        assert first.tolist() == sorted(first.tolist()) == same.tolist()
        assert first.tolist() != other.tolist()

    def test_all_where_there_are_fewer(self) -> None:
        assert len(random_windows(sample_windows(), 10_000, np.random.default_rng(0)).index) == len(sample_windows())

    @pytest.mark.parametrize(
        ("detector", "count", "needed", "remedy"),
        [
            (KNN(KNNConfig(neighbours=5), SHAPE), 4, 5, "detector.neighbours"),
            (GMM(GMMConfig(mixtures=7), SHAPE), 6, 7, "detector.mixtures"),
            (PCAError(PCAConfig(), SHAPE), 1, 2, "train on more data"),
            (PCAError(PCAConfig(), SHAPE), 0, 2, "train on more data"),
        ],
    )
    def test_too_few_windows_are_refused_by_number(self, detector, count, needed, remedy) -> None:
        with pytest.raises(DataError, match=f"{count} training windows are too few: at least {needed}") as caught:
            detector.fit(sample_windows().select(np.arange(count)), Context(name="method.detector"))
        assert remedy in str(caught.value.remedy)
        assert caught.value.where == "method.detector"

    def test_windows_that_are_all_alike_have_no_directions(self) -> None:
        alike = sample_windows().select(np.zeros(20, dtype=np.int64))
        with pytest.raises(DataError, match="all alike") as caught:
            PCAError(PCAConfig(), SHAPE).fit(alike, Context(name="method.detector"))
        assert caught.value.where == "method.detector"
        assert caught.value.remedy


class TestNearestNeighbours:
    def test_scores_are_mean_distances_in_principal_coordinates(self) -> None:
        detector = fitted(KNN(KNNConfig(neighbours=3, components=10), SHAPE))
        mean, found = directions(10)
        known, test = ((rows(w) - mean) @ found.T for w in (sample_windows(), others()))
        distance = np.sort(np.linalg.norm(test[:, None] - known[None], axis=2), axis=1)[:, :3]
        np.testing.assert_allclose(scores(detector, others()), distance.mean(axis=1), rtol=1e-3)

    def test_it_says_how_many_windows_it_keeps(self, caplog) -> None:
        with caplog.at_level(logging.INFO):
            KNN(KNNConfig(windows=50, components=8), SHAPE).fit(sample_windows(), Context(name="knn"))
        assert "knn: 50 windows kept, 8 components" in caplog.text

    def test_loaded_weights_score_alike_to_the_last_bit(self) -> None:
        detector = fitted(KNN(KNNConfig(), SHAPE))
        fresh = reloaded(detector, KNN(KNNConfig(), SHAPE))
        assert np.array_equal(scores(fresh, others()), scores(detector, others()))
        assert set(detector.state_dict()) == {"mean", "components", "bank"}

"""The isolation forest as arrays against scikit-learn's own scores."""

from __future__ import annotations

import numpy as np
import pytest
from posed_windows import fitted, others, reloaded, rows, scores
from sklearn.ensemble import IsolationForest

from vadbench.testing.sample import sample_windows
from vadbench_baselines.isolation_forest import Forest, IsolationForestConfig, forest_arrays, path_length

SHAPE = sample_windows().shape


def scored_by_arrays(forest: IsolationForest, known: np.ndarray, test: np.ndarray, samples: int) -> np.ndarray:
    detector = Forest(IsolationForestConfig(), SHAPE)
    detector.keep(samples=np.int64(samples), **forest_arrays(forest))
    return detector.judge()(test)


@pytest.mark.parametrize(("samples", "trees", "ties"), [(256, 30, False), (100, 7, True), (2, 5, False), (3, 5, False)])
def test_arrays_score_as_scikit_learn_does(samples, trees, ties) -> None:
    rng = np.random.default_rng(samples)
    known, test = (rng.normal(size=(count, 5)).astype(np.float32) for count in (400, 300))
    if ties:
        # Samples that cannot be told apart end in one leaf, and thresholds are met exactly.
        known, test = known.round(), test.round()
    forest = IsolationForest(n_estimators=trees, max_samples=samples, random_state=1).fit(known)
    wanted = -forest.score_samples(test)
    np.testing.assert_allclose(scored_by_arrays(forest, known, test, samples), wanted, atol=1e-6)
    assert samples < 3 or len(np.unique(wanted)) > 2


def test_the_detector_scores_as_a_forest_grown_from_its_coordinates() -> None:
    detector = fitted(Forest(IsolationForestConfig(trees=20), SHAPE))
    found = scores(detector, others())
    assert ((found > 0) & (found < 1)).all()
    # The forest of the same seed: the seed comes after the subsample and the PCA's.
    rng = np.random.default_rng(41)
    rng.permutation(len(sample_windows()))
    _, seed = int(rng.integers(2**31)), int(rng.integers(2**31))
    known, test = (detector.coordinates(rows(w)) for w in (sample_windows(), others()))
    forest = IsolationForest(n_estimators=20, max_samples=216, random_state=seed).fit(known)
    np.testing.assert_allclose(found, -forest.score_samples(test), atol=1e-6)


def test_loaded_weights_score_alike() -> None:
    detector = fitted(Forest(IsolationForestConfig(trees=10), SHAPE))
    fresh = reloaded(detector, Forest(IsolationForestConfig(trees=10), SHAPE))
    assert np.array_equal(scores(fresh, others()), scores(detector, others()))


def test_path_lengths_are_those_of_the_paper() -> None:
    harmonic = np.log(255) + np.euler_gamma
    np.testing.assert_allclose(path_length(np.array([0, 1, 2, 256])), [0, 0, 1, 2 * harmonic - 2 * 255 / 256])


@pytest.mark.parametrize("setting", [{"trees": 0}, {"samples": 1}])
def test_settings_out_of_range_are_refused(setting) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        IsolationForestConfig(**setting)

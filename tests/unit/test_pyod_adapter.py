"""The PyOD adapter: scores of PyOD's own, one window at a time; what it refuses; and what it says without PyOD."""

from __future__ import annotations

import importlib
import random
from typing import Any

import numpy as np
import pytest
import torch
from posed_windows import fitted, others, reloaded, rows, scores
from scipy.stats import skew

from vadbench.api import ConfigError, PluginError
from vadbench.testing.sample import sample_windows
from vadbench_baselines import pyod_adapter
from vadbench_baselines.empirical_tails import TAIL_MODELS, EmpiricalTails
from vadbench_baselines.pyod_adapter import PyOD, PyODConfig

SHAPE = sample_windows().shape


def adapter(model: str, **settings: Any) -> PyOD:
    return PyOD(PyODConfig(model=model, components=6, windows=150, **settings), SHAPE)


class TestTails:
    """Without PyOD: what its documentation and papers say, row by row."""

    @pytest.mark.parametrize("model", sorted(TAIL_MODELS))
    def test_each_row_is_joined_to_the_training_rows_alone(self, model) -> None:
        rng = np.random.default_rng(5)
        known, test = rng.gamma(2, size=(40, 3)) * (1, -1, 2), rng.normal(size=(15, 3))
        test[:5] = known[:5]  # ties
        wanted = []
        for row in test:
            sample = np.concatenate([known, row[None]])
            left = -np.log((sample <= row).mean(axis=0))
            right = -np.log((sample >= row).mean(axis=0))
            leaning = np.where(skew(sample, axis=0) > 0, right, left)
            parts = [left, right, leaning] if model == "ECOD" else [leaning, (left + right) / 2]
            wanted.append(np.max(parts, axis=0).sum())
        found = EmpiricalTails(known, TAIL_MODELS[model]).decision_function(test)
        np.testing.assert_allclose(found, wanted, rtol=1e-12)

    def test_the_skewness_is_that_of_the_sample_with_the_row(self) -> None:
        # A far row leans the sample to its own side, whichever that is.
        known = np.array([[-1.0], [-0.9], [0.0], [0.9], [1.1]])
        tails = EmpiricalTails(known, lambda left, right, leaning: leaning)
        np.testing.assert_allclose(tails.decision_function(np.array([[-5.0], [5.0]])), np.log(6))


class TestWithPyOD:
    @pytest.fixture(autouse=True)
    def _needs_pyod(self) -> None:
        pytest.importorskip("pyod")

    @pytest.mark.parametrize("model", sorted(TAIL_MODELS))
    def test_ecod_and_copod_score_as_pyod_scores_one_window_alone(self, model) -> None:
        detector = fitted(adapter(model))
        reference = getattr(importlib.import_module(f"pyod.models.{model.lower()}"), model)()
        reference.fit(detector.arrays["rows"].astype(np.float64))
        test = detector.coordinates(rows(others())).astype(np.float64)[:40]
        wanted = [float(reference.decision_function(row[None])[0]) for row in test]
        np.testing.assert_allclose(scores(detector, others())[:40], wanted, rtol=1e-9)

    @pytest.mark.parametrize(
        ("model", "options"),
        [
            ("LOF", {"n_neighbors": 12}),
            ("IForest", {"n_estimators": 20, "random_state": 7}),
            ("KNN", {}),
            ("LODA", {}),
            ("MCD", {}),
        ],
    )
    def test_other_models_score_as_pyod_does_and_are_the_same_when_loaded(self, model, options) -> None:
        detector = fitted(adapter(model, options=options))
        test = detector.coordinates(rows(others())).astype(np.float64)
        found = scores(detector, others())
        if model != "LODA":  # it draws from NumPy's global generator
            made = getattr(importlib.import_module(f"pyod.models.{model.lower()}"), model)
            seed = {} if model in ("LOF", "KNN") else {"random_state": int(detector.arrays["seed"])}
            reference = made(**{**seed, **options}).fit(detector.arrays["rows"].astype(np.float64))
            np.testing.assert_allclose(found, reference.decision_function(test), rtol=1e-9)
        assert np.array_equal(scores(reloaded(detector, adapter(model, options=options)), others()), found)

    def test_global_generators_are_left_as_they_were(self) -> None:
        def states() -> list[Any]:
            legacy = np.random.get_state()  # noqa: NPY002 - it is what is checked
            return [legacy[1].tolist(), random.getstate(), torch.get_rng_state().tolist()]

        before = states()
        scores(fitted(adapter("LODA")), others())
        assert states() == before

    def test_a_model_that_judges_windows_by_those_beside_them_is_refused_by_name(self) -> None:
        with pytest.raises(ConfigError, match="SOS scores a window otherwise when other windows") as caught:
            fitted(adapter("SOS"))
        assert "ECOD" in str(caught.value.remedy)

    def test_a_model_of_neighbours_is_not_refused_for_a_tie(self, monkeypatch) -> None:
        # Were a probe halfway between two rows, rounding would choose its neighbour, alone otherwise than in company.
        asked: list[np.ndarray] = []
        decide = PyOD._decision
        monkeypatch.setattr(PyOD, "_decision", lambda self, rows: asked.append(rows) or decide(self, rows))
        rows_ = fitted(adapter("LOF")).arrays["rows"].astype(np.float64)
        for probe in np.concatenate([given for given in asked if len(given) == 1]):
            away = np.sort(np.linalg.norm(rows_ - probe, axis=1))
            assert np.diff(away).min() > 1e-9 * away.max()

    def test_coordinates_are_as_many_as_asked_for_and_the_rest(self) -> None:
        assert fitted(adapter("ECOD")).arrays["rows"].shape == (150, 7)

    @pytest.mark.parametrize(("model", "remedy"), [("ecod", "'ECOD'"), ("ECODD", "'ecod'"), ("utils", ""), ("BaseDetector", "")])
    def test_an_unknown_model_is_refused(self, model, remedy) -> None:
        with pytest.raises(ConfigError, match=f"PyOD has no detector '{model}'") as caught:
            adapter(model)
        assert remedy in str(caught.value.remedy)

    def test_an_unknown_option_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ConfigError, match="LOF cannot be made with these options") as caught:
            adapter("LOF", options={"neighbors": 3})
        assert "n_neighbors" in str(caught.value.remedy)

    def test_a_failure_of_pyod_names_the_model(self) -> None:
        with pytest.raises(PluginError, match="PyOD's MCD failed: ") as caught:
            fitted(adapter("MCD", options={"support_fraction": 7.0}))
        assert caught.value.where == "detector.model"


class TestWithoutPyOD:
    def test_the_message_says_how_to_install_it(self, monkeypatch) -> None:
        def absent(name: str) -> Any:
            raise ImportError(f"No module named {name!r}")

        monkeypatch.setattr(pyod_adapter.importlib, "import_module", absent)
        with pytest.raises(PluginError, match="not installed") as caught:
            adapter("ECOD")
        assert caught.value.remedy == "pip install 'vadbench[pyod]'"

    def test_what_a_model_needs_beyond_pyod_is_named(self, monkeypatch) -> None:
        pytest.importorskip("pyod")
        real = importlib.import_module

        def half(name: str) -> Any:
            if name == "pyod.models.xgbod":
                raise ImportError("No module named 'xgboost'")
            return real(name)

        monkeypatch.setattr(pyod_adapter.importlib, "import_module", half)
        with pytest.raises(PluginError, match="XGBOD needs a package that is not installed: No module named 'xgboost'"):
            adapter("XGBOD")

"""Running an ablation: what is trained and what is not, what fails, what is found again, and readings against real runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from ablation_grids import write_grid
from fixtures import write_pose_folder
from tiny_methods import TINY_MSGFLOW

from vadbench.api import ConfigError, DataError, DriftError, PluginError, UsageError
from vadbench.engine.ablation import runs as engine
from vadbench.engine.ablation.grid import Reading
from vadbench.engine.ablation.plan import AblationRequest, plan_ablation
from vadbench.engine.ablation.readings import Figure
from vadbench.engine.ablation.runs import Ablation, Execution, run_ablation
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.store.arrays import save_scores
from vadbench.store.folders import RECORD, SCORES, file_digest, find_runs, open_run
from vadbench_msgflow.prior import TransformerPrior
from vadbench_msgflow.tokenizer import VQVAE


@pytest.fixture(scope="module")
def plugins():
    return load_plugins()


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=48)


def request_for(data: Path, folder: Path, *only: str, **more) -> AblationRequest:
    settings = {"datasets": (str(data),), "changes": TINY_MSGFLOW, "only": only} | more
    return AblationRequest("msgflow", write_grid(folder), **settings)


def ran(request: AblationRequest, plugins, out: Path, **more) -> Ablation:
    return run_ablation(plan_ablation(request, plugins), request, plugins, Execution(out, **more))


@pytest.fixture(scope="module")
def first(plugins, data, tmp_path_factory) -> Ablation:
    """Full and every reading of it, two seeds."""
    folder = tmp_path_factory.mktemp("first")
    return ran(
        request_for(data, folder, "semantic", "off", "weights", "uneven", "no-term", seeds=(0, 1)), plugins, folder / "runs"
    )


@pytest.fixture
def full(first):
    """The stored run of the base with seed 0."""
    return first.figures[0, "full"][0].run


def read(full, plugins, **reading) -> Figure:
    return Figure(full, Reading(**reading), plugins.registry)


class TestRuns:
    def test_readings_make_no_run(self, first):
        assert (first.made, first.reused) == (2, 0)
        for name in ("full", "semantic", "off", "even", "uneven"):
            assert {seed: figure.run.path for seed, figure in first.figures[0, name].items()} == {
                seed: first.figures[0, "full"][seed].run.path for seed in (0, 1)
            }

    def test_the_second_time_nothing_is_made(self, plugins, data, tmp_path):
        request = request_for(data, tmp_path, "counts", "semantic")
        once, again = (ran(request, plugins, tmp_path / "runs") for _ in range(2))
        assert (once.made, once.reused) == (2, 0)
        assert (again.made, again.reused) == (0, 2)
        assert len(find_runs(tmp_path / "runs")) == 2
        forced = ran(request, plugins, tmp_path / "runs", force=True)
        assert (forced.made, forced.reused) == (2, 0)

    def test_a_run_of_vadbench_run_is_found_again(self, plugins, data, tmp_path):
        (job,) = make_plan("msgflow", plugins, datasets=[str(data)], changes=TINY_MSGFLOW).jobs
        run_job(job, plugins, out=tmp_path / "runs")
        assert ran(request_for(data, tmp_path, "semantic"), plugins, tmp_path / "runs").reused == 1

    def test_parts_are_trained_once(self, plugins, data, tmp_path, monkeypatch):
        fitted = []
        for kind in (VQVAE, TransformerPrior):

            def fit(self, *given, kind=kind, own=kind.fit):
                fitted.append(kind.__name__)
                return own(self, *given)

            monkeypatch.setattr(kind, "fit", fit)
        ran(request_for(data, tmp_path, "counts", "max"), plugins, tmp_path / "runs")
        assert fitted == ["VQVAE", "TransformerPrior"]

    def test_shared_parts_give_the_scores_of_parts_of_their_own(self, plugins, data, tmp_path):
        shared = ran(request_for(data, tmp_path, "counts"), plugins, tmp_path / "runs").figures[0, "counts"][0].run
        changes = [*(c for c in TINY_MSGFLOW if not c.startswith("prior.")), "prior.order=2"]
        (job,) = make_plan("msgflow", plugins, datasets=[str(data)], changes=changes, swaps={"prior": "ngram"}).jobs
        alone = run_job(job, plugins, out=tmp_path / "alone").run
        assert alone.record.id == shared.record.id
        assert file_digest(alone.path / SCORES) == file_digest(shared.path / SCORES)

    def test_what_fails_is_told_at_once_and_stops_no_other(self, plugins, data, tmp_path, monkeypatch):
        def failing(job, *given, **more):
            if job.resolved.components["prior"].entry.name == "ngram" and job.seed == 1:
                raise PluginError("it broke", where="there", remedy="mend it")
            return run_job(job, *given, **more)

        monkeypatch.setattr(engine, "run_job", failing)
        request = request_for(data, tmp_path, "counts", "counts-semantic", "absent", "semantic", seeds=(1, 0))
        told = []
        plan = plan_ablation(request, plugins)
        found = run_ablation(plan, request, plugins, Execution(tmp_path / "runs"), on_failure=told.append)
        assert [failure.variants for failure in found.failed] == [("absent",), ("counts", "counts-semantic")]
        (failure,) = told
        assert (failure.seed, failure.dataset, failure.exit_code) == (1, "campus", 4)
        assert (failure.what, failure.where, failure.remedy) == ("it broke", "there", "mend it")
        assert set(found.figures[0, "counts"]) == {0}
        assert set(found.figures[0, "semantic"]) == {0, 1}
        assert found.made == 3

    @pytest.mark.slow
    def test_in_two_processes_as_in_one(self, plugins, data, tmp_path):
        request = request_for(data, tmp_path, "counts", "absent", seeds=(0, 1))
        one, two = (ran(request, plugins, tmp_path / str(n), processes=n) for n in (1, 2))
        assert (two.made, [failure.variants for failure in two.failed]) == (4, [("absent",)])
        assert set(one.figures) == set(two.figures)
        for key, figures in one.figures.items():
            for seed, figure in figures.items():
                assert file_digest(figure.run.path / SCORES) == file_digest(two.figures[key][seed].run.path / SCORES)


class TestReadings:
    def test_a_term_is_the_stored_term(self, full, plugins):
        np.testing.assert_array_equal(read(full, plugins, term="semantic").scores().score, full.scores().terms["semantic"])

    def test_a_term_that_there_is_not(self, full, plugins):
        with pytest.raises(DataError, match="no term 'reconstruction'") as caught:
            read(full, plugins, term="reconstruction").scores()
        assert "semantic, detail" in caught.value.remedy

    def test_without_smoothing_the_scores_are_the_runs(self, full, plugins):
        figure = read(full, plugins, smoothing=False)
        assert not figure.smoothed
        np.testing.assert_array_equal(figure.scores().score, full.scores().score)

    def test_weights_give_the_scores_of_a_run_with_these_weights(self, full, plugins, data, tmp_path):
        weights = {"semantic": 0.3, "detail": 0.7}
        changes = [*TINY_MSGFLOW, "scorer.weights={semantic=0.3, detail=0.7}"]
        (job,) = make_plan("msgflow", plugins, datasets=[str(data)], changes=changes).jobs
        real = run_job(job, plugins, out=tmp_path / "runs").run.scores()
        fused = read(full, plugins, scorer={"weights": weights}).scores()
        np.testing.assert_array_equal(fused.score, real.score)
        assert not np.allclose(fused.score, full.scores().score)

    def test_a_setting_that_the_scorer_does_not_have(self, full, plugins):
        with pytest.raises(ConfigError) as caught:
            read(full, plugins, scorer={"weight": {}}).scores()
        assert caught.value.where == "scorer.weight"
        assert "'weights'" in caught.value.remedy

    def test_a_weight_of_a_term_that_there_is_not(self, full, plugins):
        with pytest.raises(ConfigError, match="no term 'semantik'") as caught:
            read(full, plugins, scorer={"weights": {"semantik": 1.0}}).scores()
        assert "semantic" in caught.value.remedy

    def test_a_scorer_that_chose_by_validation(self, plugins, tmp_path):
        small = ("dataset.train_clips=4", "dataset.validation_clips=4", "dataset.test_clips=4", "dataset.frames_max=240")
        changes = [*small, *TINY_MSGFLOW, "scorer.name=learned-on-validation"]
        (job,) = make_plan("msgflow", plugins, datasets=["synthetic-campus"], changes=changes).jobs
        run = run_job(job, plugins, out=tmp_path).run
        with pytest.raises(UsageError, match="chose on a validation split"):
            read(run, plugins, scorer={"parts": 1}).scores()

    def test_scores_that_the_stored_terms_do_not_give(self, first, plugins, tmp_path):
        folder = tmp_path / "run"
        shutil.copytree(first.figures[0, "full"][0].run.path, folder)
        scores = open_run(folder).scores()
        scores.score[3] += 1
        save_scores(folder / SCORES, scores)
        record = json.loads((folder / RECORD).read_text())
        record["files"][SCORES] = file_digest(folder / SCORES)
        (folder / RECORD).write_text(json.dumps(record))
        with pytest.raises(DriftError, match="does not give its stored scores") as caught:
            read(open_run(folder), plugins, scorer={"weights": {"semantic": 0.1}}).scores()
        assert "run of its own" in caught.value.remedy

"""What a run demands of plug-ins, when it reads labels, and what becomes of a run that fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import recorded_plugin
import torch
from recorded_plugin import CALLS, FRAMES
from tiny_methods import plugins_with_recorded

from vadbench.api import ConfigError, DataError, PluginError, Silent, UsageError
from vadbench.engine.code_digests import code_digest, forget_digests
from vadbench.engine.device import choose_device
from vadbench.engine.inputs import read_inputs
from vadbench.engine.plan import make_plan
from vadbench.engine.run import Outcome, run_job
from vadbench.store.folders import find_runs, open_run


@pytest.fixture(scope="module")
def plugins():
    return plugins_with_recorded()


@pytest.fixture
def ran(plugins, tmp_path):
    def run(act: str = "well", *changes: str, **options) -> Outcome:
        told = [f'detector.act="{act}"', "windows.length=8", *changes]
        (job,) = make_plan("recorded", plugins, datasets=["recorded"], changes=told).jobs
        CALLS.clear()
        return run_job(job, plugins, out=tmp_path / "runs", **options)

    return run


def stored(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "runs").rglob("*") if path.is_file()]


class TestLabels:
    def test_are_loaded_after_scoring(self, ran):
        ran()
        assert CALLS == ["tracks train", "tracks test", "init", "fit", "score", "labels test"]

    def test_are_not_loaded_when_scoring_fails(self, ran):
        with pytest.raises(PluginError):
            ran("raise in score")
        assert "labels test" not in CALLS

    def test_clip_names_which_may_tell_them_are_not_passed_on(self, plugins):
        (job,) = make_plan("recorded", plugins, datasets=["recorded"], changes=["windows.length=8"]).jobs
        inputs = read_inputs(job.dataset, job.resolved.method.windows, Silent())
        told = {clip.name for windows in (inputs.train, inputs.test) for clip in windows.tracks.clips}
        assert [clip.name for clip in inputs.test_clips] == ["c0", "c1", "c2"]
        assert told == {"00000", "00001", "00002"}

    def test_of_training_are_never_loaded(self, ran):
        ran()
        ran()
        ran(force=True)
        assert "labels train" not in CALLS

    def test_play_no_part_in_scores(self, ran):
        first, other = ran(), ran("well", "dataset.last_abnormal=20")
        assert first.run.path == other.run.path
        assert not other.reused
        assert first.run.record.files["scores.npz"] == other.run.record.files["scores.npz"]
        assert first.run.record.metrics != other.run.record.metrics

    @pytest.mark.parametrize(("fault", "where"), [("other-clips", "their order"), ("other-length", "clip c2")])
    def test_of_other_clips(self, ran, tmp_path, fault, where):
        with pytest.raises(DataError) as caught:
            ran("well", f"dataset.fault={fault}")
        assert where in caught.value.where
        assert stored(tmp_path) == []

    def test_of_one_class(self, ran):
        record = ran("well", "dataset.fault=one-class").run.record
        assert record.metrics.auroc is None
        assert open_run(find_runs(Path(ran().run.path).parents[4])[0].path).record


class TestFailure:
    @pytest.mark.parametrize(
        ("act", "told"),
        [
            ("raise in fit", "failed to fit: RuntimeError: boom"),
            ("raise in score", "failed to score: RuntimeError: boom"),
            ("raise in init", "cannot be made: ValueError: no such shape"),
            ("unhelpful error", "failed to fit: AssertionError"),
            ("odd state", "TypeError"),
            ("odd diagnostics", "loss"),
        ],
    )
    def test_names_the_plugin_and_leaves_nothing(self, ran, tmp_path, act, told):
        with pytest.raises(PluginError) as caught:
            ran(act)
        assert told in caught.value.what
        assert "recorded" in f"{caught.value.what} {caught.value.where}"
        assert caught.value.remedy
        assert stored(tmp_path) == []
        assert find_runs(tmp_path / "runs") == []

    @pytest.mark.parametrize(
        ("act", "told"),
        [
            ("nan", "score is not finite for 1 of"),
            ("too few", "for 87 windows"),
            ("by frame, odd", "scores have shape"),
        ],
    )
    def test_scores_that_are_none(self, ran, tmp_path, act, told):
        with pytest.raises(PluginError, match=told):
            ran(act)
        assert stored(tmp_path) == []

    def test_interrupt(self, ran, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            ran("interrupt")
        assert stored(tmp_path) == []

    def test_a_finished_run_survives_a_failing_rewrite(self, ran, monkeypatch):
        first = ran()
        before = first.run.scores().score

        def fail(self, windows, context):
            raise RuntimeError("boom")

        monkeypatch.setattr(recorded_plugin.Whole, "score", fail)
        with pytest.raises(PluginError):
            ran(force=True)
        assert np.array_equal(open_run(first.run.path).scores().score, before)

    @pytest.mark.parametrize(("fault", "told"), [("tracks", "disk on fire"), ("labels", "no labels")])
    def test_data_set_that_raises(self, ran, tmp_path, fault, told):
        with pytest.raises(PluginError, match=told) as caught:
            ran("well", f"dataset.fault={fault}")
        assert "recorded" in str(caught.value)
        assert stored(tmp_path) == []

    def test_data_error_stays_one(self, ran):
        with pytest.raises(DataError, match="the poses are gone"):
            ran("well", "dataset.fault=data-error")

    @pytest.mark.parametrize("length", [FRAMES, FRAMES + 1])
    def test_no_track_is_long_enough(self, ran, tmp_path, length):
        with pytest.raises(DataError) as caught:
            ran("well", f"windows.length={length}")
        assert f"window of {length} frames" in caught.value.what
        assert f"longest track {FRAMES} poses" in caught.value.where
        assert "windows.length" in caught.value.remedy
        assert CALLS == ["tracks train", "tracks test"]
        assert stored(tmp_path) == []

    def test_layout_that_the_poses_cannot_give(self, ran, monkeypatch):
        from vadbench.api import LAYOUTS, SkeletonLayout

        monkeypatch.setitem(LAYOUTS, "tailed", SkeletonLayout("tailed", ("nose", "tail"), (), ()))
        with pytest.raises(ConfigError, match="coco-17 has no tail"):
            ran("well", "windows.layout=tailed")


class TestScores:
    def test_one_a_frame(self, ran):
        by_window, by_frame = ran().run, ran("by frame").run
        assert by_frame.scores().score.shape == (len(by_window.scores()), 8)
        np.testing.assert_allclose(by_frame.scores().score.mean(axis=1), by_window.scores().score)

    def test_columns(self, ran):
        scores = ran().run.scores()
        assert scores.length == 8
        pairs = zip(scores.clip.tolist(), scores.person.tolist(), strict=True)
        assert list(dict.fromkeys(pairs)) == [("c0", 1), ("c0", 2), ("c1", 1)]
        assert scores.start[(scores.clip == "c0") & (scores.person == 2)].tolist() == list(range(5, 36 - 8))

    def test_a_detector_that_draws_from_the_global_generator(self, ran):
        torch.manual_seed(1)
        first = ran("draw").run.scores().score
        torch.manual_seed(2)
        before = torch.get_rng_state()
        assert np.array_equal(ran("draw", force=True).run.scores().score, first)
        assert torch.equal(before, torch.get_rng_state())

    def test_diagnostics_and_parameters(self, ran):
        record = ran().run.record
        assert record.diagnostics == {"loss": 0.5}
        assert record.cost.parameters == 2 * 8 * 18
        assert record.terms == {}


class TestDevice:
    def test_cpu(self):
        assert choose_device("cpu") == "cpu"
        assert choose_device("auto") in ("cpu", "cuda")

    @pytest.mark.parametrize("wish", ["", "gpu", "cuda:99", "CPU"])
    def test_not_there(self, wish):
        with pytest.raises(UsageError) as caught:
            choose_device(wish)
        assert repr(wish) in caught.value.what
        assert "--device cpu" in caught.value.remedy

    def test_cpu_by_index(self, ran):
        assert ran(device=choose_device("cpu:0")).run.record.environment.device.startswith("cpu")


def test_progress(plugins, tmp_path):
    told = []

    class Counting:
        def task(self, description, total):
            from contextlib import nullcontext

            told.append(description)
            return nullcontext(lambda n: None)

    (job,) = make_plan("recorded", plugins, datasets=["recorded"]).jobs
    run_job(job, plugins, out=tmp_path, progress=Counting())
    assert told[0] == "read recorded"


def test_the_log_of_one_run_is_not_that_of_another(plugins, tmp_path):
    outcomes = []
    for seed in (0, 1):
        (job,) = make_plan("recorded", plugins, datasets=["recorded"], seeds=[seed]).jobs
        outcomes.append(run_job(job, plugins, out=tmp_path))
    for seed, outcome in enumerate(outcomes):
        log = (outcome.run.path / "log.txt").read_text()
        assert f"seed {seed}" in log
        assert f"seed {1 - seed}" not in log


def test_edited_code_is_other_code(tmp_path, monkeypatch):
    package = tmp_path / "edited_package"
    package.mkdir()
    (package / "__init__.py").touch()
    part = package / "part.py"
    monkeypatch.syspath_prepend(str(tmp_path))
    digests = []
    for source in ("x = 1\n", "x = 2\n", "x = 1\n"):
        part.write_text(source)
        forget_digests(["edited_package"])
        digests.append(code_digest("edited_package"))
    assert digests[0] == digests[2] != digests[1]
    assert code_digest("vadbench") != digests[0]

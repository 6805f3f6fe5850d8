"""``vadbench run``: what it prints, the JSON that scripts read, batches, reuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fixtures import write_pose_folder
from tiny_methods import TINY_KNN, TINY_MSGFLOW, plugins_with_recorded

from vadbench.store.folders import find_runs

METRICS = {
    *("headline", "auroc", "auroc_raw", "macro_auroc", "macro_clips", "macro_clips_without", "ap", "eer", "fpr95"),
    *("operating_points", "per_scene", "coverage", "frames", "abnormal_frames", "clips"),
}
COST = {"parameters", "fit_s", "score_s", "windows_per_s", "peak_rss_mb"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=48)


@pytest.fixture
def run(vadbench, data, tmp_path):
    """Runs a tiny method on the pose folder; results below ``tmp_path / runs``."""

    def start(method: str, *arguments: object, tiny: tuple[str, ...] | None = None, dataset: object = data):
        tiny = {"knn": TINY_KNN, "msgflow": TINY_MSGFLOW}[method] if tiny is None else tiny
        changes = [part for change in tiny for part in ("--set", change)]
        return vadbench("run", method, "--dataset", dataset, "--out", tmp_path / "runs", *changes, *arguments)

    return start


@pytest.fixture
def recorded(monkeypatch):
    monkeypatch.setattr("vadbench.cli.run.installed_plugins", lambda **_: plugins_with_recorded())


class TestJson:
    def test_one_object_with_the_documented_keys(self, run):
        called = run("knn", "--json")
        assert called.code == 0
        assert called.err == ""
        assert list(called.json) == ["runs"]
        (row,) = called.json["runs"]
        assert {"method", "dataset", "seed", "protocol", "status", "metrics", "cost", "path"} <= set(row)
        assert (row["method"], row["dataset"], row["seed"]) == ("knn", "campus", 0)
        assert (row["protocol"], row["status"], row["reused"], row["stand_in"]) == ("standard-v1", "done", False, False)
        assert set(row["metrics"]) == METRICS
        assert set(row["cost"]) == COST
        assert row["components"] == {"detector": "knn"}
        assert row["changes"] == sorted(TINY_KNN)
        assert row["terms"] == {}

    def test_is_what_is_stored(self, run, tmp_path):
        (row,) = run("knn", "--json").json["runs"]
        (stored,) = find_runs(tmp_path / "runs")
        assert row["path"] == str(stored.path)
        assert row["metrics"] == json.loads((stored.path / "run.json").read_text())["metrics"]
        assert row["config_hash"] == stored.record.method.config_hash

    def test_swapped_names_appear(self, run):
        tiny = (
            *("windows.length=8", "windows.train_stride=4", "flow.steps=2", "flow.epochs=1"),
            *("tokenizer.codebook_size=8", "tokenizer.width=4"),
        )
        swaps = ("--tokenizer", "kmeans", "--prior", "ngram", "--scorer", "max")
        (row,) = run("msgflow", *swaps, "--json", tiny=tiny).json["runs"]
        assert row["components"] == {
            "tokenizer": "kmeans",
            "prior": "ngram",
            "flow": "stgcn-coupling",
            "scorer": "max",
        }
        assert {"tokenizer=kmeans", "prior=ngram", "scorer=max"} <= set(row["changes"])
        assert set(row["terms"]) == {"semantic", "detail"}
        assert set(row["terms"]["detail"]) == METRICS
        assert "tokenizer.perplexity" in row["diagnostics"]

    def test_part_left_out(self, run):
        tiny = ("windows.length=8", "flow.steps=2", "flow.epochs=1")
        (row,) = run("msgflow", "--tokenizer", "none", "--prior", "none", "--json", tiny=tiny).json["runs"]
        assert set(row["components"]) == {"flow", "scorer"}
        assert set(row["terms"]) == {"detail"}

    def test_several_seeds(self, run):
        rows = run("knn", "--seed", 3, "--seed", 1, "--seed", 3, "--json").json["runs"]
        assert [row["seed"] for row in rows] == [3, 1]
        assert len({row["path"] for row in rows}) == 2

    def test_reused(self, run):
        first, again = run("knn", "--json").json["runs"], run("knn", "--json").json["runs"]
        assert not first[0]["reused"]
        assert again[0]["reused"]
        assert {**again[0], "reused": False} == first[0]
        assert not run("knn", "--json", "--force").json["runs"][0]["reused"]

    def test_no_metric_is_null_and_still_json(self, run, recorded):
        changes = ("windows.length=8", "dataset.fault=one-class")
        called = run("recorded", "--json", tiny=changes, dataset="recorded")
        assert called.json["runs"][0]["metrics"]["auroc"] is None
        assert "NaN" not in called.out


class TestText:
    def test_table_and_paths(self, run, tmp_path):
        called = run("knn", "--no-plots")
        (stored,) = find_runs(tmp_path / "runs")
        assert called.code == 0
        assert "knn" in called.out
        assert "campus" in called.out
        assert f"written: {stored.path}" in called.out
        assert "vadbench leaderboard --runs" in called.out
        assert "plot" not in called.out
        assert called.err == ""

    def test_plots(self, run, tmp_path):
        called = run("knn")
        (stored,) = find_runs(tmp_path / "runs")
        for name in ("roc.png", "timeline.png"):
            assert f"plot: {stored.path / 'plots' / name}" in called.out
            assert (stored.path / "plots" / name).stat().st_size > 1000

    def test_reused(self, run):
        run("knn", "--no-plots")
        assert "finished before, reused: " in run("knn", "--no-plots").out

    def test_default_folder(self, vadbench, data, tmp_path):
        changes = [part for change in TINY_KNN for part in ("--set", change)]
        vadbench("run", "knn", "--dataset", data, "--no-plots", *changes)
        assert len(find_runs(tmp_path / "runs")) == 1


class TestBatch:
    def test_one_fails_and_the_other_is_stored(self, run, data, tmp_path):
        broken = tmp_path / "broken"
        shutil.copytree(data, broken)
        next((broken / "pose" / "test").iterdir()).write_text("{")
        called = run("knn", "--dataset", broken, "--json")
        assert called.code == 5
        rows = {row["dataset"]: row for row in called.json["runs"]}
        assert rows["campus"]["status"] == "done"
        assert rows["broken"]["status"] == "failed"
        assert rows["broken"]["metrics"] is None
        assert rows["broken"]["error"]["exit_code"] == 3
        assert "not JSON" in rows["broken"]["error"]["what"]
        assert "failed: knn on broken, seed 0" in called.err
        assert "1 of 2 runs failed" in called.err
        assert [stored.record.dataset.name for stored in find_runs(tmp_path / "runs")] == ["campus"]

    def test_the_first_that_fails_does_not_stop_the_second(self, run, data, tmp_path):
        called = run("knn", "--dataset", data, "--no-plots", dataset="no/where")
        assert called.code == 5
        assert len(find_runs(tmp_path / "runs")) == 1
        assert "written: " in called.out

    def test_all_fail_alike(self, run):
        called = run("knn", "--dataset", "nor/there", "--json", dataset="no/where")
        assert called.code == 3
        assert [row["status"] for row in called.json["runs"]] == ["failed", "failed"]

    def test_all_fail_differently(self, run, recorded):
        called = run("recorded", "--dataset", "no/where", "--json", tiny=('detector.act="raise in fit"',), dataset="recorded")
        assert called.code == 5
        assert {row["error"]["exit_code"] for row in called.json["runs"]} == {3, 4}

    def test_a_single_failure_has_its_own_code_and_is_json_too(self, run):
        called = run("knn", "--json", dataset="no/where")
        assert called.code == 3
        assert called.json["runs"][0]["status"] == "failed"


class TestDefaults:
    def test_stand_in_is_told(self, vadbench, tmp_path, monkeypatch):
        from vadbench.engine import plan

        asked = []
        monkeypatch.setattr(plan, "default_datasets", lambda registry, root: asked.append(root) or ["synthetic-campus"])

        def fail(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("vadbench.engine.plan_runs.run_job", fail)
        (tmp_path / "data").mkdir()
        called = vadbench("run", "knn", "--data-root", tmp_path / "data")
        assert asked == [tmp_path / "data"]
        assert "synthetic-campus" in called.out
        assert "not a result" in called.out
        assert called.code == 130
        assert "not a result" not in vadbench("run", "knn", "--json").out
        assert "not a result" not in vadbench("run", "knn", "--dataset", "synthetic-campus").out

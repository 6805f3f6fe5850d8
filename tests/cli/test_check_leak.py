"""``vadbench check-leak``: runs and methods, exit codes, what is printed and what is recorded."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from fixtures import write_pose_folder
from modules_on_disk import entry_point
from stored_runs import write_run
from tiny_methods import TINY_KNN, TINY_MSGFLOW

from vadbench.engine.plugins import load_plugins
from vadbench.store.folders import find_runs, open_run

KNN = [part for change in TINY_KNN for part in ("--set", change)]
DIFFERENCES = {"rebuilt", "alone", "reordered", "again", "reseeded"}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=40)


@pytest.fixture(autouse=True)
def leaking(monkeypatch):
    def plugins(**_: object):
        return load_plugins([*metadata.entry_points(group="vadbench"), entry_point("leaking_plugin")])

    monkeypatch.setattr("vadbench.cli.run.installed_plugins", plugins)
    monkeypatch.setattr("vadbench.cli.check_leak.installed_plugins", plugins)


@pytest.fixture
def stored(vadbench, data, tmp_path):
    """Runs a method and gives the folder of its run."""

    def run(method: str, *arguments: object) -> Path:
        called = vadbench("run", method, "--dataset", data, "--out", tmp_path / "runs", "--json", *arguments)
        return Path(called.json["runs"][0]["path"])

    return run


class TestRun:
    def test_honest(self, vadbench, data, stored):
        path = stored("knn", *KNN)
        called = vadbench("check-leak", path, "--dataset", data)
        assert called.code == 0
        assert called.err == ""
        assert "3 of 3 test clips scored alone" in called.out
        assert "Nothing found." in called.out
        assert f"recorded: {path / 'run.json'}" in called.out
        check = open_run(path).record.leak_check
        assert check.clean
        assert check.clips == check.clips_of == 3

    @pytest.mark.parametrize("act", ["ranks", "adapts"])
    def test_cheat(self, vadbench, data, stored, act):
        path = stored("leaking", "--set", f"detector.act={act}")
        called = vadbench("check-leak", path / "run.json", "--dataset", data)
        assert called.code == 7
        assert "FOUND: scores depend on other test clips" in called.out
        assert ("FOUND: scoring changes the detector" in called.out) == (act == "adapts")
        assert "Nothing found" not in called.out
        assert open_run(path).record.leak_check.transductive

    def test_fewer_clips_do_not_take_a_finding_away(self, vadbench, data, stored):
        path = stored("leaking", "--set", "detector.act=ranks")
        vadbench("check-leak", path, "--dataset", data)
        before = (path / "run.json").read_bytes()
        called = vadbench("check-leak", path, "--dataset", data, "--clips", 1)
        assert "not recorded: " in called.out
        assert "scored 3 clips alone, found something" in called.out
        assert (path / "run.json").read_bytes() == before

    def test_scores_that_cannot_be_reproduced(self, vadbench, data, stored):
        path = stored("leaking", "--set", "detector.act=forgets")
        called = vadbench("check-leak", path, "--dataset", data)
        assert called.code == 6
        assert "FOUND: the stored scores cannot be reproduced: they differ by as much as" in called.out

    def test_json(self, vadbench, data, stored):
        path = stored("knn", *KNN)
        called = vadbench("check-leak", path, "--dataset", data, "--json", "--clips", 2)
        assert list(called.json) == ["checks"]
        (check,) = called.json["checks"]
        assert set(check) == {"name", "clips", "clips_of", "windows", *DIFFERENCES, "finding", "path", "recorded"}
        assert set(check["alone"]) == {"largest", "relative", "windows", "rank_correlation"}
        assert len(check["clips"]) == 2
        assert check["path"] == str(path)
        assert check["recorded"] == check["finding"] == open_run(path).record.leak_check.model_dump()

    @pytest.mark.parametrize("option", [("--seed", 0), ("--set", "windows.length=9"), ("--scorer", "max")])
    def test_has_its_settings_already(self, vadbench, data, stored, option):
        called = vadbench("check-leak", stored("knn", *KNN), "--dataset", data, *option)
        assert called.code == 2
        assert f"a run has its settings already; {option[0]} cannot change them" in called.err

    def test_without_weights(self, vadbench, tmp_path):
        called = vadbench("check-leak", write_run(tmp_path / "runs").path)
        assert called.code == 3
        assert "no weights.safetensors: its detector cannot be built again" in called.err

    def test_folder_that_is_no_run(self, vadbench, tmp_path):
        called = vadbench("check-leak", tmp_path / "nothing")
        assert called.code == 3
        assert "this is not a run folder" in called.err


class TestMethod:
    def test_honest_and_nothing_is_stored(self, vadbench, data, tmp_path):
        called = vadbench("check-leak", "knn", "--dataset", data, "--seed", 2, *KNN)
        assert called.code == 0
        assert "knn on campus, seed 2: 3 of 3 test clips scored alone" in called.out
        assert "recorded" not in called.out
        assert find_runs(tmp_path) == []

    def test_cheat(self, vadbench, data):
        called = vadbench("check-leak", "leaking", "--dataset", data, "--set", "detector.act=standardises", "--json")
        assert called.code == 7
        (check,) = called.json["checks"]
        assert check["finding"]["transductive"]
        assert check["path"] is None
        assert check["recorded"] is None
        assert check["alone"]["rank_correlation"] < 1

    def test_chance_is_told(self, vadbench, data):
        called = vadbench("check-leak", "leaking", "--dataset", data, "--set", "detector.act=draws")
        assert called.code == 7
        assert "the differences may be chance" in called.out

    def test_parts_are_swapped(self, vadbench, data):
        tiny = [*("--tokenizer", "none"), *("--prior", "none"), *("--scorer", "nats")]
        changes = [part for change in ("windows.length=8", "flow.steps=2", "flow.epochs=1") for part in ("--set", change)]
        assert vadbench("check-leak", "msgflow", "--dataset", data, *tiny, *changes).code == 0

    def test_a_folder_of_runs_may_be_called_as_the_method_is(self, vadbench, data, tmp_path):
        (tmp_path / "knn").mkdir()
        assert vadbench("check-leak", "knn", "--dataset", data, *KNN).code == 0

    def test_unknown(self, vadbench, data):
        called = vadbench("check-leak", "kn", "--dataset", data)
        assert called.code == 2
        assert "did you mean 'knn'" in called.err


def test_a_method_that_chooses_by_a_validation_split(vadbench):
    small = ("dataset.train_clips=4", "dataset.validation_clips=4", "dataset.test_clips=4", "dataset.frames_max=240")
    changes = [part for change in (*small, *TINY_MSGFLOW) for part in ("--set", change)]
    called = vadbench("check-leak", "msgflow", "--dataset", "synthetic-campus", "--scorer", "learned-on-validation", *changes)
    assert called.code == 0, called.err

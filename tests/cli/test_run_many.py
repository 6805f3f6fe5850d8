"""``vadbench run A B``: several methods in one command, and members of a family of detectors as ``NAME:VARIANT``."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from fixtures import write_pose_folder
from modules_on_disk import entry_point, write_module

from vadbench.api import ConfigError, PluginError, UsageError
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.presets import load_preset
from vadbench.store.folders import find_runs, open_run

FAMILY = """
    from typing import Literal

    from leaking_plugin import Leaking

    from vadbench.api import ComponentConfig, hookimpl

    class FamilyConfig(ComponentConfig):
        member: Literal["First", "Second", "fails"] = "First"

    class Family(Leaking):
        def __init__(self, config, poses):
            super().__init__(type("Plain", (), {"act": "well"})(), poses)
            self.member = config.member

        def fit(self, windows, context):
            if self.member == "fails":
                raise RuntimeError("boom")
            super().fit(windows, context)

        def score(self, windows, context):
            scores = super().score(windows, context)
            return scores if self.member == "First" else -scores

    @hookimpl
    def vadbench_register(registry):
        registry.detector("family", f"{__name__}:Family", config=f"{__name__}:FamilyConfig", variant="member")
        registry.detector("unset", f"{__name__}:Family", config="no_such_module_anywhere:Config")
        registry.detector("odd", f"{__name__}:Family", config=f"{__name__}:Family")
        registry.detector("absent", "no_such_module_anywhere:Detector")
"""
"""A family of detectors, and three detectors that cannot be used."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=40)


@pytest.fixture
def plugins(monkeypatch, tmp_path):
    """Installed plug-ins, `recorded_plugin` and the family."""
    name = write_module(tmp_path, monkeypatch, FAMILY, name="family")
    points = [*metadata.entry_points(group="vadbench"), entry_point("recorded_plugin"), entry_point(name)]
    monkeypatch.setattr("vadbench.cli.run.installed_plugins", lambda **_: load_plugins(points))
    return load_plugins(points)


@pytest.fixture
def run(vadbench, plugins, data, tmp_path):
    """Runs methods, all of windows of 8 frames, on the pose folder; results below ``tmp_path / runs``."""

    def start(*arguments: object, dataset: object = data):
        given = ("--dataset", dataset, "--out", tmp_path / "runs", "--set", "windows.length=8")
        return vadbench("run", *arguments, *given)

    return start


def methods(rows: list[dict]) -> list[tuple[str, str, str]]:
    return [(row["method"], row["dataset"], row["status"]) for row in rows]


class TestSeveral:
    def test_are_run_one_after_another(self, run, data, tmp_path):
        called = run("recorded", "speed", "--json")
        assert called.code == 0, called.err
        assert called.err == ""
        assert methods(called.json["runs"]) == [("recorded", "campus", "done"), ("speed", "campus", "done")]
        assert {stored.record.method.name for stored in find_runs(tmp_path / "runs")} == {"recorded", "speed"}

    def test_are_what_single_commands_make(self, run):
        together = {row["method"]: row for row in run("recorded", "speed", "--json").json["runs"]}
        for name, row in together.items():
            (alone,) = run(name, "--json").json["runs"]
            assert alone["reused"]
            assert {**alone, "reused": False} == row

    def test_every_one_on_every_data_set_with_every_seed(self, run, tmp_path):
        other = write_pose_folder(tmp_path / "street", n_frames=40, seed=4)
        rows = run("speed", "recorded", "--dataset", other, "--seed", 0, "--seed", 2, "--json").json["runs"]
        asked = [(row["method"], row["dataset"], row["seed"]) for row in rows]
        expected = [(m, d, s) for d in ("street", "campus") for m in ("speed", "recorded") for s in (0, 2)]
        assert asked == expected

    def test_one_named_twice_is_run_once(self, run):
        rows = run("speed", "recorded", "speed", "--json").json["runs"]
        assert [row["method"] for row in rows] == ["speed", "recorded"]

    def test_table(self, run):
        called = run("recorded", "speed", "--no-plots")
        assert called.code == 0, called.err
        assert called.out.count("written: ") == 2
        for name in ("recorded", "speed"):
            assert name in called.out

    def test_without_any(self, vadbench):
        called = vadbench("run")
        assert called.code == 2
        assert "METHOD" in called.err

    def test_an_unknown_one_stops_all_before_anything_is_run(self, run, tmp_path):
        called = run("speed", "sped")
        assert called.code == 2
        assert "no method is named 'sped'" in called.err
        assert "did you mean 'speed'" in called.err
        assert not (tmp_path / "runs").exists()

    def test_a_setting_that_one_has_not_stops_all(self, run, tmp_path):
        called = run("recorded", "speed", "--set", "detector.act=well")
        assert called.code == 2
        assert "unknown key 'act'" in called.err
        assert not (tmp_path / "runs").exists()


class TestFailure:
    FAILS = ("--set", "detector.member=fails")

    @pytest.mark.parametrize("order", [("family:fails", "speed"), ("speed", "family:fails")])
    def test_does_not_stop_the_others(self, run, tmp_path, order):
        called = run(*order, "--no-plots")
        assert called.code == 5
        assert "failed: family-fails on campus, seed 0" in called.err
        for told in ("failed to fit: RuntimeError: boom", "where:  detector family", "remedy: ", "1 of 2 runs failed"):
            assert told in called.err
        assert [stored.record.method.name for stored in find_runs(tmp_path / "runs")] == ["speed"]
        assert "written: " in called.out

    def test_is_a_row_of_the_json(self, run):
        called = run("family:fails", "speed", "--json")
        assert called.code == 5
        rows = {row["method"]: row for row in called.json["runs"]}
        failed = rows["family-fails"]
        assert (failed["status"], failed["metrics"], failed["path"]) == ("failed", None, None)
        assert failed["error"]["exit_code"] == 4
        assert "boom" in failed["error"]["what"]
        assert failed["error"]["where"]
        assert rows["speed"]["status"] == "done"
        assert rows["speed"]["metrics"]["auroc"] > 0.5

    def test_of_all_alike_has_their_code(self, run, tmp_path):
        called = run("family", "family:fails", *self.FAILS, "--json")
        assert called.code == 4
        assert methods(called.json["runs"]) == [("family", "campus", "failed"), ("family-fails", "campus", "failed")]
        called = run("family", "speed", "--json", dataset="no/where")
        assert called.code == 3
        assert find_runs(tmp_path / "runs") == []

    def test_of_one_alone_is_as_ever(self, run):
        called = run("family:fails")
        assert called.code == 4
        assert "failed to fit: RuntimeError: boom" in called.err
        assert "runs failed" not in called.err

    def test_of_all_in_words(self, run):
        called = run("family", "family:fails", *self.FAILS)
        assert called.code == 4
        assert called.err.count("failed: ") == 2
        assert called.out == ""


class TestUnplanned:
    """Detectors of plug-ins that fail as soon as they are asked for their settings."""

    @pytest.mark.parametrize(("broken", "told"), [("unset", "no_such_module_anywhere"), ("odd", "is no ComponentConfig")])
    def test_do_not_stop_the_others(self, run, broken, told, tmp_path):
        called = run(broken, "speed", "--json")
        assert called.code == 5
        assert f"failed: {broken} on campus" in called.err
        assert told in called.err
        assert "plug-in family" in called.err
        assert methods(called.json["runs"]) == [("speed", "campus", "done"), (broken, "campus", "failed")]
        assert called.json["runs"][1]["error"]["exit_code"] == 4
        assert len(find_runs(tmp_path / "runs")) == 1

    def test_rows_have_the_keys_of_any_that_failed(self, run):
        rows = run("unset", "family:fails", "--json").json["runs"]
        assert {row["status"] for row in rows} == {"failed"}
        assert list(rows[0]) == list(rows[1])

    def test_one_alone(self, run, plugins):
        called = run("unset")
        assert called.code == 4
        assert "cannot be imported" in called.err
        with pytest.raises(PluginError, match="cannot be imported"):
            make_plan("unset", plugins, datasets=["recorded"])

    def test_all(self, run):
        assert run("unset", "odd").code == 4

    def test_with_one_that_fails(self, run, tmp_path):
        """Not one run is stored, and both failed alike."""
        called = run("unset", "family:fails")
        assert called.code == 4
        assert called.err.count("failed: ") == 2

    def test_plan(self, plugins):
        plan = make_plan(["unset", "recorded", "odd"], plugins, datasets=["recorded"], seeds=[0, 1])
        assert [(one.method, one.dataset) for one in plan.unplanned] == [("unset", "recorded"), ("odd", "recorded")]
        assert [(job.resolved.method.name, job.seed) for job in plan.jobs] == [("recorded", 0), ("recorded", 1)]

    def test_nothing_but_broken_ones(self, run):
        called = run("unset", "odd", "--json")
        assert called.code == 4
        assert [(row["method"], row["status"]) for row in called.json["runs"]] == [("unset", "failed"), ("odd", "failed")]
        assert called.err.count("failed: ") == 2

    def test_what_the_user_wrote_is_no_fault_of_a_plugin(self, plugins):
        with pytest.raises(ConfigError, match="unknown key 'no'"):
            make_plan(["unset", "recorded"], plugins, datasets=["recorded"], changes=["detector.no=1"])

    def test_a_class_that_cannot_be_imported(self, run):
        """Its settings are none, so it is planned; it fails when it is to be made."""
        called = run("absent", "speed", "--json")
        assert called.code == 5
        assert {row["method"]: row["status"] for row in called.json["runs"]} == {"absent": "failed", "speed": "done"}


class TestVariants:
    def test_are_methods_of_their_own(self, run):
        called = run("family:First", "family:Second", "family", "--json")
        assert called.code == 0, called.err
        rows = {row["method"]: row for row in called.json["runs"]}
        assert list(rows) == ["family-first", "family-second", "family"]
        assert rows["family-first"]["metrics"]["auroc"] > rows["family-second"]["metrics"]["auroc"]
        assert rows["family-first"]["config_hash"] == rows["family"]["config_hash"]
        for row in rows.values():
            assert row["changes"] == ["windows.length=8"]
            assert row["components"] == {"detector": "family"}
        assert "family-second" in rows["family-second"]["path"]
        assert open_run(Path(rows["family-second"]["path"])).record.method.config["detector"]["member"] == "Second"

    def test_names_in_the_table(self, run):
        called = run("family:First", "family:Second", "--no-plots")
        for name in ("family-first", "family-second"):
            assert name in called.out

    def test_of_a_shipped_family(self, plugins):
        preset = load_preset("pyod:LOF", plugins.registry)
        assert preset["name"] == "pyod-lof"
        assert preset["title"].startswith("LOF (PyOD")
        assert {**preset["detector"], "model": "ECOD"} == load_preset("pyod", plugins.registry)["detector"]
        assert preset["windows"] == load_preset("pyod", plugins.registry)["windows"]

    def test_of_a_method_of_ones_own(self, run, tmp_path):
        file = tmp_path / "mine.toml"
        file.write_text('title = "Mine"\n[detector]\nname = "family"\n')
        (row,) = run(f"{file}:Second", "--json").json["runs"]
        assert row["method"] == "mine-second"

    @pytest.mark.parametrize("variant", ["", "a b", "../x", "-x", "x/y", "a:b", "ä"])
    def test_that_cannot_be_names(self, run, variant, tmp_path):
        called = run(f"family:{variant}")
        assert called.code == 2
        assert "is no variant of family" in called.err
        assert "detector.member" in called.err
        assert not (tmp_path / "runs").exists()

    def test_that_the_family_has_not(self, run, tmp_path):
        called = run("speed", "family:Third")
        assert called.code == 2
        assert "detector.member" in called.err
        assert "'Third'" in called.err
        assert not (tmp_path / "runs").exists()

    @pytest.mark.parametrize("method", ["knn", "msgflow", "recorded"])
    def test_of_a_method_without_any(self, run, method):
        called = run(f"{method}:LOF")
        assert called.code == 2
        assert f"{method} has no variants" in called.err
        assert "these have: family, pyod" in called.err

    @pytest.mark.parametrize("method", ["nothing:LOF", ":LOF", "pyood:LOF"])
    def test_of_an_unknown_method(self, plugins, method):
        with pytest.raises(UsageError, match="no method is named"):
            load_preset(method, plugins.registry)

    def test_the_same_twice_is_run_once(self, run):
        assert len(run("family:First", "family:First", "--json").json["runs"]) == 1

    def test_a_variant_does_not_change_the_family(self, plugins):
        load_preset("pyod:LOF", plugins.registry)
        assert load_preset("pyod", plugins.registry)["detector"]["model"] == "ECOD"


def test_what_was_done_before_an_interrupt_is_stored(run, monkeypatch, tmp_path):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recorded_plugin.Whole.fit", interrupt)
    assert run("speed", "recorded", "family").code == 130
    assert [stored.record.method.name for stored in find_runs(tmp_path / "runs")] == ["speed"]

"""``vadbench ablate``: what it prints and writes, what is run again, and how it ends when variants fail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ablation_grids import write_grid
from click.testing import CliRunner
from fixtures import write_pose_folder
from tiny_methods import TINY_MSGFLOW

from vadbench.cli.ablate import GridName, VariantName, ablate
from vadbench.report.ablation.table import TUNING
from vadbench.store.folders import find_runs

TEST_CLIPS = tuple(f"01_{i:04d}" for i in range(10))
"""As many as an interval takes."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", test=TEST_CLIPS, n_frames=36, n_persons=2)


@pytest.fixture
def ablated(vadbench, data, tmp_path):
    """Runs the tiny grid on the pose folder, by default with one seed; results below ``tmp_path / runs``."""
    grid = write_grid(tmp_path)

    def start(*arguments: object, seed: object = 0, dataset: object = data, tiny: tuple[str, ...] = TINY_MSGFLOW):
        changes = [part for change in tiny for part in ("--set", change)]
        options = ("--grid", grid, "--dataset", dataset, "--seed", seed, "--out", tmp_path / "runs", "--resamples", 200)
        return vadbench("ablate", "msgflow", *options, *changes, *arguments)

    return start


class TestJson:
    def test_one_object_that_agrees_with_the_stored_runs(self, ablated, tmp_path):
        called = ablated("--json", "--only", "counts", "--only", "semantic", "--only", "off", seed="0-1")
        assert called.code == 0
        assert "4 variants x 1 data sets x 2 seeds: 8 figures from 4 runs." in called.err
        found = called.json
        assert found["runs"] == {"planned": 4, "made": 4, "reused": 0}
        assert (found["method"], found["base"], found["seeds"], found["failed"]) == ("msgflow", "full", [0, 1], [])
        assert found["choosing"] == TUNING
        rows = {row["variant"]: row for row in found["tables"][0]["rows"]}
        assert list(rows) == ["full", "counts", "semantic", "off"]
        stored = {run.path: run.record for run in find_runs(tmp_path / "runs")}
        assert len(stored) == 4
        records = [stored[Path(path)] for path in rows["full"]["runs"]]
        assert rows["full"]["auroc"] == pytest.approx(50 * sum(record.metrics.auroc for record in records), abs=1e-5)
        assert rows["off"]["auroc"] == pytest.approx(50 * sum(record.metrics.auroc_raw for record in records), abs=1e-5)
        assert rows["semantic"]["auroc"] == pytest.approx(
            50 * sum(record.terms["semantic"].auroc for record in records), abs=1e-5
        )
        assert rows["semantic"]["runs"] == rows["full"]["runs"]
        assert rows["counts"]["difference"] == pytest.approx(rows["counts"]["auroc"] - rows["full"]["auroc"], abs=1e-5)
        assert rows["counts"]["difference_interval"]["low"] <= rows["counts"]["difference"]
        assert "tokenizer.perplexity" in rows["full"]["diagnostics"]
        assert json.loads((tmp_path / "runs" / "ablation-msgflow" / "ablation.json").read_text()) == found

    def test_the_second_time_nothing_is_run_and_the_figures_are_the_same(self, ablated, monkeypatch):
        first = ablated("--json").json

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("something was trained")

        monkeypatch.setattr("vadbench.engine.run.build_detector", refuse)
        again = ablated("--json").json
        assert first["runs"] == {"planned": 2, "made": 2, "reused": 0}
        assert again["runs"] == {"planned": 2, "made": 0, "reused": 2}
        assert again["tables"] == first["tables"]

    def test_another_reading_of_finished_runs_trains_nothing(self, ablated, monkeypatch):
        ablated("--only", "semantic")
        monkeypatch.setattr("vadbench.engine.run.build_detector", None)
        found = ablated("--json", "--only", "weights", "--only", "off").json
        assert found["runs"] == {"planned": 1, "made": 0, "reused": 1}
        rows = {row["variant"]: row for row in found["tables"][0]["rows"]}
        # Equal weights are the scorer's own.
        assert rows["even"]["difference"] == pytest.approx(0, abs=1e-9)


class TestText:
    def test_tables_notes_and_paths(self, ablated, tmp_path):
        called = ablated("--report", tmp_path / "report")
        assert called.code == 0
        flat = " ".join(called.out.split())
        assert "msgflow on campus, standard-v1, 10 clips, 360 frames" in flat
        assert "do counts do as well?" in flat
        assert TUNING in flat
        assert "2 runs made, 0 finished before and reused." in flat
        for name in ("ablation.json", "ablation.csv", "ablation.md", "differences.png"):
            assert f"written: {tmp_path / 'report' / name}" in called.out
            assert (tmp_path / "report" / name).stat().st_size > 100
        assert called.err == ""

    def test_sweep_is_drawn(self, ablated, tmp_path):
        ablated("--only", "weights")
        assert (tmp_path / "runs" / "ablation-msgflow" / "sweeps.png").stat().st_size > 1000

    def test_factorial(self, ablated, tmp_path):
        called = ablated("--factorial", "--report", "report")
        assert called.code == 0
        assert "4 runs made" in called.out
        assert "main effects on campus" in called.out
        assert "do counts do as well?" not in called.out
        found = json.loads((tmp_path / "report" / "factorial.json").read_text())
        assert [level["level"] for level in found["main_effects"][0]["factors"]["scorer"]] == ["standardised", "max"]
        assert (tmp_path / "report" / "main-effects.png").stat().st_size > 1000

    def test_the_stand_in_is_told(self, vadbench, tmp_path, monkeypatch):
        def stop(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("vadbench.engine.ablation.runs.run_job", stop)
        called = vadbench("ablate", "msgflow", "--grid", write_grid(tmp_path))
        assert called.code == 130
        assert "synthetic-campus" in called.out
        assert "not a result" in called.out
        assert "4 variants x 1 data sets x 5 seeds" in called.out


class TestFailures:
    def test_the_others_are_reported(self, ablated, tmp_path):
        called = ablated("--json", "--only", "absent", "--only", "counts")
        assert called.code == 5
        assert "failed: absent on " in called.err
        assert "no-such-prior" in called.err
        assert "1 failed, as said above; 2 runs are stored" in called.err
        (failure,) = called.json["failed"]
        assert (failure["variants"], failure["seed"], failure["error"]["exit_code"]) == (["absent"], None, 2)
        assert [row["variant"] for row in called.json["tables"][0]["rows"]] == ["full", "counts"]
        assert len(find_runs(tmp_path / "runs")) == 2

    def test_a_figure_that_cannot_be_read(self, ablated):
        called = ablated("--json", "--only", "no-term", "--only", "semantic")
        assert called.code == 5
        assert "left out: the run has no term 'reconstruction'" in called.err
        assert [row["variant"] for row in called.json["tables"][0]["rows"]] == ["full", "semantic"]
        assert len(called.json["left_out"]) == 1

    def test_all_fail_alike(self, ablated, tmp_path):
        called = ablated("--json", dataset="no/where")
        assert called.code == 3
        assert called.json["tables"] == []
        assert [failure["variants"] for failure in called.json["failed"]] == [["full", "semantic", "off"], ["counts"]]
        assert not (tmp_path / "runs" / "ablation-msgflow").exists()

    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            (("--only", "cuonts"), "the grid has no variant or subset 'cuonts'"),
            (("--grid", "nowhere.toml"), "the grid cannot be read"),
            (("--set", "tokenizer.codbook=3"), "unknown key 'codbook'"),
            (("--factorial", "--only", "max"), "--only names variants"),
            (("--seed", "4-0"), "the range 4-0 goes down"),
        ],
    )
    def test_what_cannot_be_meant_costs_no_time(self, ablated, tmp_path, arguments, what):
        called = ablated(*arguments)
        assert called.code == 2
        assert what in called.err
        assert not (tmp_path / "runs").exists()

    def test_a_method_without_a_grid(self, vadbench):
        called = vadbench("ablate", "knn", "--list")
        assert called.code == 2
        assert "no ablation grid is shipped for 'knn'" in called.err


class TestList:
    def test_variants_questions_and_subsets(self, vadbench):
        called = vadbench("ablate", "msgflow", "--list")
        assert called.code == 0
        assert "fusion-0.3" in called.out
        assert "does a learned codebook beat k-means?" in called.out
        assert "subsets for --only:" in called.out
        assert "factors of --factorial:" in called.out

    def test_json(self, vadbench, tmp_path):
        found = vadbench("ablate", "msgflow", "--list", "--json", "--grid", write_grid(tmp_path)).json
        assert (found["base"], found["variant"][1]["name"]) == ("full", "counts")
        assert found["subsets"]["default"] == ["counts", "semantic", "off"]


class TestCompletion:
    def completed(self, kind, params, incomplete):
        context = ablate.make_context("ablate", ["msgflow"], resilient_parsing=True)
        context.params.update(params)
        return [item.value for item in kind.shell_complete(context, None, incomplete)]

    def test_variants_and_subsets_of_the_grid(self, tmp_path):
        assert self.completed(VariantName(), {"method": "msgflow"}, "smooth") == ["smoothing", "smoothing-off"]
        assert self.completed(VariantName(), {"method": "msgflow", "grid": write_grid(tmp_path)}, "co") == [
            "counts",
            "counts-semantic",
        ]
        assert self.completed(VariantName(), {"method": "no-such-method"}, "a") == []

    def test_grids_and_files(self):
        assert self.completed(GridName(), {}, "msg") == ["msgflow"]
        (item,) = GridName().shell_complete(ablate.make_context("ablate", ["msgflow"], resilient_parsing=True), None, "my")
        assert item.type == "file"


def test_help_names_every_option_and_the_caution():
    text = CliRunner().invoke(ablate, ["--help"]).output
    for option in ("--seed", "--only", "--factorial", "--grid", "--set", "--jobs", "--report", "--list", "--json", "--force"):
        assert option in text
    assert "test labels" in text

"""``vadbench reproduce``: the command it says, the verdict on each seed, what stops it before it trains, and a shipped row."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from fixtures import write_pose_folder
from tiny_methods import TINY_KNN, TINY_MSGFLOW

from vadbench.api import Registry, UsageError
from vadbench.engine import run as engine_run
from vadbench.engine.config import digest_of
from vadbench.engine.datasets import split_changes
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.report.leaderboard import make_leaderboard
from vadbench.report.reproduction import default_tolerance
from vadbench.report.row_command import command_of_row, method_argument
from vadbench.report.row_files import TABLE, open_row, shipped_rows, table_text, write_rows
from vadbench.store.folders import SCORES, find_runs
from vadbench.store.record import MethodRecord
from vadbench.store.row_record import Spread

SMALL = tuple(f"dataset.{key}={value}" for key, value in {"train_clips": 2, "test_clips": 4, "frames_max": 260}.items())
"""Settings of synthetic-campus that are generated and trained on at once."""
QUICK_S = 10.0
"""Shipped rows whose training and scoring took no longer may be recomputed by the test."""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A written row, of two seeds of a tiny knn on a small synthetic campus, with its data cached."""
    folder = tmp_path_factory.mktemp("shipped")
    return make_row(folder, "synthetic-campus", changes=(*TINY_KNN, *SMALL))


def make_row(folder, dataset, *, changes):
    plugins = load_plugins()
    for job in make_plan("knn", plugins, datasets=(dataset,), seeds=(0, 1), changes=changes).jobs:
        run_job(job, plugins, out=folder / "runs")
    board = make_leaderboard(find_runs(folder / "runs"))
    path, _ = write_rows([*board.reproduced, *board.stand_ins], folder / "rows", registry=plugins.registry)
    return path


@pytest.fixture(scope="module")
def of_folder(tmp_path_factory):
    """A written row of a pose folder, and the folder."""
    folder = tmp_path_factory.mktemp("folder")
    data = write_pose_folder(folder / "campus", n_frames=48)
    return make_row(folder, str(data), changes=(*TINY_KNN, "dataset.frame_rate=12.0")), data


@pytest.fixture
def path(shipped, tmp_path):
    """A copy of the row that a test may change."""
    (tmp_path / "rows").mkdir()
    return shutil.copy(shipped, tmp_path / "rows" / shipped.name)


@pytest.fixture
def fits(monkeypatch):
    """Counts trainings."""
    counted = []
    original = engine_run._fit_and_score

    def counting(job, *arguments):
        counted.append(job.seed)
        return original(job, *arguments)

    monkeypatch.setattr(engine_run, "_fit_and_score", counting)
    return counted


def change(path, edit):
    """Edits the row and makes what is derived from its seeds and its configuration follow, as a careful forger would."""
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    for figure in ("auroc", "auroc_raw", "ap"):
        content[figure] = Spread.over([result[figure] for result in content["seeds"]]).model_dump()
    content["method"]["config_hash"] = digest_of(content["method"]["config"])
    path.write_text(json.dumps(content))
    return open_row(path)


class TestDryRun:
    def test_says_the_command_and_what_it_should_give(self, vadbench, path, tmp_path, fits):
        called = vadbench("reproduce", path, "--dry-run")
        assert (called.code, called.err) == (0, "")
        command = next(line for line in called.out.splitlines() if line.startswith("vadbench run"))
        assert command.startswith("vadbench run knn --dataset synthetic-campus --set detector.components=8 ")
        assert command.endswith("--seed 0 --seed 1 --device cpu --threads 1 --out reproduced")
        assert open_row(path).seeds[0].scores in called.out
        assert fits == []
        assert [each.name for each in tmp_path.iterdir()] == ["rows"]

    def test_json(self, vadbench, path):
        content = vadbench("reproduce", path, "--dry-run", "--json", "--seed", 1).json
        assert content["reproduced"] is None
        (seed,) = content["seeds"]
        assert (seed["seed"], seed["finding"], seed["auroc"], seed["difference"], seed["path"]) == (1, None, None, None, None)
        assert seed["auroc_row"] == pytest.approx(100 * open_row(path).seeds[1].auroc)

    def test_the_command_makes_the_row(self, vadbench, path, tmp_path):
        command = vadbench("reproduce", path, "--dry-run", "--json", "--out", "again").json["command"]
        assert command[0] == "vadbench"
        assert vadbench(*command[1:], "--no-plots").code == 0
        runs = {run.record.seed: run for run in find_runs(tmp_path / "again")}
        assert {seed: run.record.files[SCORES] for seed, run in runs.items()} == {
            result.seed: result.scores for result in open_row(path).seeds
        }

    def test_reads_no_data(self, vadbench, path, monkeypatch):
        def fail(*_, **__):
            raise AssertionError("data were read")

        monkeypatch.setattr("vadbench.report.reproduction.read_tracks", fail)
        assert vadbench("reproduce", path, "--dry-run").code == 0


class TestVerdict:
    def test_identical(self, vadbench, path, fits, tmp_path):
        called = vadbench("reproduce", path)
        assert called.code == 0, called.err
        assert called.out.count("identical") == 3
        assert "Reproduced: 2 of 2 seeds, 2 of them bit for bit." in called.out
        assert fits == [0, 1]
        assert len(find_runs(tmp_path / "reproduced")) == 2

    def test_a_finished_run_is_not_taken_for_it(self, vadbench, path, fits):
        for _ in range(2):
            called = vadbench("reproduce", path, "--seed", 1, "--json", "--out", "runs")
            assert called.code == 0, called.err
            assert called.json["reproduced"] is True
            assert [seed["finding"] for seed in called.json["seeds"]] == ["identical"]
            assert called.json["seeds"][0]["difference"] == pytest.approx(0, abs=1e-9)
        assert fits == [1, 1]

    @pytest.mark.parametrize(
        ("shift", "options", "finding"),
        [
            (0.004, (), "agrees"),
            (-0.006, (), "differs"),
            (-0.006, ("--tolerance", 0.7), "agrees"),
            (0.004, ("--tolerance", 0.3), "differs"),
        ],
    )
    def test_other_scores(self, vadbench, path, shift, options, finding):
        def moved(row):
            # Both seeds alike: without a spread the tolerance is the least there is.
            auroc = row["seeds"][0]["auroc"] + shift
            for result in row["seeds"]:
                result.update(scores="f" * 64, auroc=auroc)

        row = change(path, moved)
        assert default_tolerance(row) == 0.5
        called = vadbench("reproduce", path, "--seed", 0, "--json", *options)
        code = 0 if finding == "agrees" else 6
        assert called.code == code
        (seed,) = called.json["seeds"]
        assert seed["finding"] == finding
        assert seed["difference"] == pytest.approx(-100 * shift)
        assert called.json["reproduced"] is (code == 0)
        assert ("1 of 1 seeds do not give the row" in called.err) == (code == 6)

    def test_a_table_of_the_differences_comes_before_the_error(self, vadbench, path):
        change(path, lambda row: row["seeds"][1].update(scores="0" * 64, auroc=row["seeds"][1]["auroc"] - 0.004))
        called = vadbench("reproduce", path, "--tolerance", 0.1)
        assert called.code == 6
        assert "identical" in called.out
        assert "differs" in called.out
        assert "+0.400" in called.out
        assert "seed 1 by +0.400" in called.err
        assert "remedy:" in called.err

    def test_the_same_scores_with_other_figures_differ_whatever_the_tolerance(self, vadbench, path):
        change(path, lambda row: row["seeds"][0].update(ap=row["seeds"][0]["ap"] - 1e-4))
        called = vadbench("reproduce", path, "--seed", 0, "--tolerance", 100)
        assert called.code == 6
        assert "seed 0 has its scores and other figures" in called.err

    def test_the_tolerance_grows_with_the_spread_of_the_row(self, path):
        row = open_row(path)
        assert default_tolerance(row.model_copy(update={"auroc": Spread(mean=0.8, sd=None)})) == 0.5
        assert default_tolerance(row.model_copy(update={"auroc": Spread(mean=0.8, sd=0.001)})) == 0.5
        assert default_tolerance(row.model_copy(update={"auroc": Spread(mean=0.8, sd=0.004)})) == pytest.approx(1.2)

    def test_other_packages_are_told(self, vadbench, path):
        change(path, lambda row: row["environment"]["packages"].update(torch="1.0"))
        called = vadbench("reproduce", path, "--seed", 0)
        assert called.code == 0
        assert "(row: 1.0)" in called.out


class TestStopsBeforeItTrains:
    @pytest.mark.parametrize(
        ("edit", "said"),
        [
            (
                lambda row: row["method"]["config"]["detector"].update(neighbours=9),
                "detector.neighbours is 5 (row: 9)",
            ),
            (lambda row: row["method"]["config"].update(track="supervised"), "track is 'one-class' (row: 'supervised')"),
            (lambda row: row["method"]["config"]["detector"].update(gone=1), "detector.gone is absent (row: 1)"),
            (lambda row: row.update(protocol_digest="0" * 12), "the protocol is not the row's"),
            (lambda row: row["dataset"]["poses"].update(train="0" * 64), "other poses of the train split"),
            (lambda row: row["dataset"]["poses"].pop("test"), "other poses of the test split"),
            (lambda row: row["dataset"].update(labels="0" * 64), "other test labels"),
            (
                lambda row: row["dataset"]["settings"].update(noise=0.5),
                "other poses of the train split and other poses of the test split",
            ),
        ],
    )
    def test_what_is_not_the_rows(self, vadbench, path, fits, edit, said):
        change(path, edit)
        called = vadbench("reproduce", path)
        assert called.code == 6
        assert said in called.err
        assert f"where:  {path}" in called.err
        assert "the row was made with vadbench " in called.err
        assert fits == []
        assert not Path("reproduced").exists()

    def test_many_keys_are_counted(self, vadbench, path):
        change(path, lambda row: row["method"]["config"]["detector"].update({f"k{i}": i for i in range(7)}))
        assert ", and 2 more keys" in vadbench("reproduce", path, "--dry-run").err

    def test_an_edited_row(self, vadbench, path, fits):
        content = json.loads(path.read_text())
        content["auroc"]["mean"] = 0.999
        path.write_text(json.dumps(content))
        called = vadbench("reproduce", path)
        assert called.code == 6
        assert "auroc.mean is 0.999, but the seeds of the row give" in called.err
        assert str(path) in called.err
        assert fits == []

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (("nowhere.json",), 2, "there is no such file"),
            (("synthetic-campus/no-such-method",), 2, "no row is named"),
            (("ROW", "--seed", 5), 2, "the row has no seed 5"),
            (("ROW", "--data-root", "nowhere"), 3, "the data root is not a folder"),
            (("ROW", "--tolerance", -1), 2, "--tolerance"),
            (("broken.json",), 3, "this is no row"),
        ],
    )
    def test_what_cannot_be_meant(self, vadbench, path, arguments, code, said):
        Path("broken.json").write_text("{}")
        called = vadbench("reproduce", *(path if word == "ROW" else word for word in arguments))
        assert called.code == code
        assert said in called.err


class TestFolders:
    """Rows of a data set that is a folder: a row does not hold where it lies."""

    def test_where_it_lies_is_told(self, vadbench, of_folder):
        path, data = of_folder
        assert str(data) not in path.read_text()
        called = vadbench("reproduce", path)
        assert called.code == 2
        assert "--dataset" in called.err
        called = vadbench("reproduce", path, "--dataset", data, "--seed", 0)
        assert called.code == 0, called.err
        assert "identical" in called.out

    def test_under_another_name(self, vadbench, of_folder, tmp_path):
        path, data = of_folder
        shutil.copytree(data, tmp_path / "elsewhere")
        called = vadbench("reproduce", path, "--dataset", tmp_path / "elsewhere")
        assert called.code == 2
        assert "is called 'elsewhere', in the row 'campus'" in called.err

    def test_other_poses_under_its_name(self, vadbench, of_folder, tmp_path, fits):
        path, _ = of_folder
        other = write_pose_folder(tmp_path / "campus", n_frames=48, seed=1)
        called = vadbench("reproduce", path, "--dataset", other)
        assert called.code == 6
        assert "the data are not the row's" in called.err
        assert fits == []


class TestCommand:
    def test_swaps_changes_and_settings_resolve_to_the_same_configuration(self, path, tmp_path):
        plugins = load_plugins()
        swaps = {"tokenizer": "fsq", "scorer": "max"}
        changes = (*TINY_MSGFLOW[:2], "flow.steps=2", *SMALL, 'dataset.kinds=["fall", "run"]')
        (job,) = make_plan("msgflow", plugins, datasets=("synthetic-campus",), swaps=swaps, changes=changes).jobs
        row = open_row(path)
        method = row.method.model_copy(
            update={"name": "msgflow", "changes": job.resolved.changes, "config_hash": job.resolved.digest}
        )
        dataset = row.dataset.model_copy(update={"settings": job.dataset_settings})
        command = command_of_row(
            row.model_copy(update={"method": method, "dataset": dataset}), plugins.registry, out=tmp_path, seeds=(1,)
        )
        assert command.swaps == swaps
        words = command.words()
        assert words[words.index("--tokenizer") + 1] == "fsq"
        (again,) = command.plan(plugins).jobs
        assert again.resolved.digest == job.resolved.digest
        assert again.resolved.changes == job.resolved.changes
        assert (again.dataset_settings, again.seed) == (job.dataset_settings, 1)

    @pytest.mark.parametrize("update", [{"name": "my-prior"}, {"name": "msgflow", "changes": ("prior=my-prior",)}])
    def test_what_has_to_be_installed_first_is_named(self, path, update):
        row = open_row(path)
        packages = {**row.environment.packages, "vad-my-prior": "0.2.0"}
        told = {"method": row.method.model_copy(update=update)}
        told["environment"] = row.environment.model_copy(update={"packages": packages})
        with pytest.raises(UsageError, match="is named 'my-prior'") as caught:
            command_of_row(row.model_copy(update=told), load_plugins().registry, out=path)
        assert "install vad-my-prior 0.2.0" in caught.value.remedy

    @pytest.mark.parametrize("value", ["csv", "5", "true", "", " a", 'say "it"', 5, 0.5, 1e-7, True, ["a", "b"], {"x": [1]}])
    def test_any_setting_is_read_back(self, path, value):
        row = open_row(path)
        dataset = row.dataset.model_copy(update={"settings": {"key": value}})
        command = command_of_row(row.model_copy(update={"dataset": dataset}), load_plugins().registry, out=path)
        read = split_changes(command.changes)[1]["key"]
        assert read == value
        assert type(read) is type(value)

    def test_a_member_of_a_family_is_asked_for_by_its_variant(self):
        registry = Registry()
        registry.detector("family", "nowhere:Family", variant="member")
        record = MethodRecord(
            name="family-ecod",
            track="one-class",
            components={"detector": "family"},
            changes=(),
            config={"detector": {"name": "family", "member": "ECOD"}},
            config_hash="0" * 12,
        )
        assert method_argument(record, registry) == "family:ECOD"
        assert method_argument(record.model_copy(update={"name": "family"}), registry) == "family"

    def test_the_device_of_the_row_without_its_name(self, path):
        row = open_row(path)
        registry = load_plugins().registry
        for told, device in (("cuda:1 (NVIDIA H100)", "cuda"), ("cpu", "cpu"), ("mps", "mps")):
            other = row.model_copy(update={"environment": row.environment.model_copy(update={"device": told})})
            assert command_of_row(other, registry, out=path).device == device
        assert command_of_row(row, registry, out=path, device="cuda:3", threads=2).device == "cuda:3"


class TestShippedRows:
    def test_each_is_of_what_its_command_would_run_now(self, vadbench):
        rows = {name: file for name, file in shipped_rows().items() if open_row(file).dataset.stand_in}
        if not rows:
            pytest.skip("no row of generated data travels with this version yet")
        failed = {name: called.err for name in rows if (called := vadbench("reproduce", name, "--dry-run")).code}
        assert failed == {}

    def test_tables_are_those_of_the_rows(self):
        folders = {file.parent for file in shipped_rows().values()}
        if not folders:
            pytest.skip("no row travels with this version yet")
        for folder in folders:
            rows = {f"{folder.name}/{file.stem}": open_row(file) for file in folder.glob("*.json")}
            assert (folder / TABLE).read_text(encoding="utf-8") == table_text(folder.name, rows)

    def test_a_random_one_comes_out_again(self, vadbench):
        quick = [
            (name, result.seed)
            for name, file in shipped_rows().items()
            if (row := open_row(file)).dataset.stand_in and row.environment.device == "cpu"
            for result in row.seeds
            if result.cost.fit_s + result.cost.score_s < QUICK_S
        ]
        if not quick:
            pytest.skip("no row of generated data that takes less than ten seconds travels with this version yet")
        name, seed = random.SystemRandom().choice(quick)
        called = vadbench("reproduce", name, "--seed", seed, "--json")
        print(f"recomputed: vadbench reproduce {name} --seed {seed}: {called.out}")  # noqa: T201 - which one it was
        assert called.code == 0, f"vadbench reproduce {name} --seed {seed}\n{called.err}"
        assert called.json["reproduced"] is True

"""``vadbench score`` as a user calls it: runs and bundles, mixed, under names, files and all protocols."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fixtures import write_pose_folder
from stored_runs import ABNORMAL, made_labels, made_scores, write_run
from tiny_methods import TINY_KNN

from vadbench.evaluation.published_protocols import PROTOCOLS, STANDARD_V1
from vadbench.store.bundle import bundle_of_run, save_bundle


@pytest.fixture
def runs(tmp_path) -> Path:
    """Three methods on one data set, one of them with two seeds."""
    root = tmp_path / "runs"
    for method, skill, seeds in (("knn", 1.0, (0, 1)), ("msgflow", 2.0, (0,)), ("pca", 0.3, (0,))):
        for seed in seeds:
            write_run(root, method=method, seed=seed, skill=skill, config_hash=method * 2)
    return root


class TestRuns:
    def test_every_method_under_every_protocol(self, vadbench, runs):
        called = vadbench("score", runs, "--json")
        assert (called.code, called.err) == (0, "")
        assert "NaN" not in called.out
        text = json.dumps(called.json)
        for name, protocol in PROTOCOLS.items():
            assert name in text
            assert protocol.digest() in text

    def test_the_standard_gives_the_recorded_figure(self, vadbench, tmp_path):
        run = write_run(tmp_path / "runs")
        text = vadbench("score", run.path, "--protocol", "standard-v1", "--json").out
        assert str(run.record.metrics.auroc) in text
        assert str(run.record.metrics.eer) in text

    def test_table(self, vadbench, runs):
        called = vadbench("score", runs)
        assert called.code == 0
        shown = " ".join(called.out.split())
        for words in ("knn", "msgflow", "pca", *PROTOCOLS, "rank within the protocol", "Kendall"):
            assert words in shown

    def test_a_run_that_was_made_under_a_protocol_that_is_no_more(self, vadbench, tmp_path):
        run = write_run(tmp_path / "runs")
        record = json.loads((run.path / "run.json").read_text())
        record["protocol_digest"] = "000000000000"
        (run.path / "run.json").write_text(json.dumps(record))
        assert vadbench("score", run.path, "--protocol", "standard-v1", "--json").code == 0

    def test_a_damaged_run_is_left_out_and_named(self, vadbench, runs):
        (damaged,) = (runs / "pca").rglob("scores.npz")
        damaged.write_bytes(b"")
        called = vadbench("score", runs, "--protocol", "standard-v1")
        assert called.code == 0
        assert "left out" in called.err
        assert str(damaged.parent) in called.err
        assert "pca" not in called.out

    def test_nothing_but_a_damaged_run(self, vadbench, tmp_path):
        run = write_run(tmp_path / "runs")
        (run.path / "labels.npz").write_bytes(b"")
        called = vadbench("score", run.path)
        assert called.code == 6
        assert called.out == ""

    def test_several_data_sets_have_a_board_each(self, vadbench, tmp_path):
        write_run(tmp_path / "runs", dataset="campus")
        write_run(tmp_path / "runs", dataset="square", labels=made_labels({**ABNORMAL, "02_01": ((5, 9),)}), stand_in=True)
        called = vadbench("score", tmp_path / "runs", "--json")
        assert len(called.json["datasets"]) == 2
        assert "stand_in" in called.out

    def test_figure(self, vadbench, runs, tmp_path):
        called = vadbench("score", runs, "-o", tmp_path / "m.png")
        assert called.out.rstrip().endswith("m.png")
        assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")


class TestProtocols:
    def test_a_file(self, vadbench, runs, tmp_path):
        file = tmp_path / "mine.toml"
        file.write_text('name = "mine"\nbase = "standard-v1"\n[pipeline]\nsmoothing = []\n')
        called = vadbench("score", runs, "--protocol", "standard-v1", "--protocol", file)
        assert called.code == 0
        assert "mine" in called.out
        assert "not smoothed" in called.out

    def test_a_macro_protocol_has_the_macro_figure(self, vadbench, tmp_path):
        run = write_run(tmp_path / "runs")
        file = tmp_path / "mine.toml"
        file.write_text('name = "mine"\nbase = "standard-v1"\n[pipeline]\nmetric = "macro-auroc"\n')
        found = vadbench("score", run.path, "--protocol", file, "--json")
        assert str(run.record.metrics.macro_auroc) in found.out
        shown = vadbench("score", run.path, "--protocol", file).out
        assert f"{100 * run.record.metrics.macro_auroc:.1f}" in shown

    def test_an_unknown_one(self, vadbench, runs):
        called = vadbench("score", runs, "--protocol", "standart")
        assert called.code == 2
        assert "standard-v1" in called.err

    def test_two_of_one_name(self, vadbench, runs, tmp_path):
        for name, sigma in (("a", 1.0), ("b", 2.0)):
            (tmp_path / f"{name}.toml").write_text(f'name = "mine"\n[pipeline]\nsmoothing = [{sigma}]\n')
        called = vadbench("score", runs, "--protocol", tmp_path / "a.toml", "--protocol", tmp_path / "b.toml")
        assert called.code == 2
        assert "two different protocols are called 'mine'" in called.err


class TestBundles:
    @pytest.fixture
    def data(self, tmp_path) -> Path:
        return write_pose_folder(tmp_path / "data" / "campus", n_frames=48)

    @pytest.fixture
    def run(self, vadbench, data, tmp_path) -> Path:
        changes = [part for change in TINY_KNN for part in ("--set", change)]
        called = vadbench("run", "knn", "--dataset", data, "--out", tmp_path / "real", "--no-plots", "--json", *changes)
        return Path(called.json["runs"][0]["path"])

    def test_from_run_to_bundle_to_the_same_figures(self, vadbench, run, data, tmp_path):
        assert vadbench("score", run, "--bundle", tmp_path / "b").code == 0
        there = vadbench("score", "--scores", tmp_path / "b", "--dataset", data, "--json").json
        here = vadbench("score", run, "--json").json
        figures = [json.dumps([list(cells(board)) for board in each["datasets"]]) for each in (here, there)]
        assert figures[0] == figures[1]

    def test_beside_runs_on_the_same_labels(self, vadbench, runs, tmp_path):
        meta, scores = bundle_of_run(write_run(tmp_path / "other", seed=9))
        save_bundle(tmp_path / "b", meta.model_copy(update={"method": "theirs"}), scores)
        called = vadbench("score", runs, "--scores", tmp_path / "b", "--protocol", "standard-v1")
        assert called.code == 0
        assert "theirs" in called.out
        assert "knn" in called.out

    def test_clips_that_the_data_set_does_not_have(self, vadbench, runs, tmp_path):
        labels = made_labels({"1-1": (), "01_02": ()})
        scores = made_scores(labels, persons={"1-1": (1,), "01_02": (1,)})
        meta, _ = bundle_of_run(write_run(tmp_path / "other"))
        save_bundle(tmp_path / "b", meta, scores)
        called = vadbench("score", runs, "--scores", tmp_path / "b")
        assert called.code == 3
        assert "1-1 is 01_01" in called.err

    def test_labels_must_come_from_somewhere(self, vadbench, tmp_path):
        save_bundle(tmp_path / "b", *bundle_of_run(write_run(tmp_path / "other")))
        called = vadbench("score", "--scores", tmp_path / "b")
        assert called.code == 2
        assert "--dataset" in called.err

    def test_a_window_behind_the_end(self, vadbench, runs, tmp_path):
        meta, scores = bundle_of_run(write_run(tmp_path / "other"))
        late = scores.start.copy()
        late[0] = 500
        save_bundle(tmp_path / "b", meta, type(scores)(scores.clip, scores.person, late, scores.score, scores.length))
        called = vadbench("score", runs, "--scores", tmp_path / "b")
        assert called.code == 3
        assert "row 0" in called.err

    def test_one_run_at_a_time(self, vadbench, runs, tmp_path):
        called = vadbench("score", runs, "--bundle", tmp_path / "b")
        assert called.code == 2
        assert not (tmp_path / "b").exists()


def cells(board):
    """Every figure of a board, in the order of its keys."""
    stack = [board]
    while stack:
        value = stack.pop(0)
        if isinstance(value, dict):
            stack = [
                part for key, part in sorted(value.items()) if key not in ("path", "method", "notes", "kind", "config")
            ] + stack
        elif isinstance(value, list):
            stack = value + stack
        elif isinstance(value, float):
            yield value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to score"),
        (("RUNS", "--dataset", "campus"), "--dataset and --set are for --scores"),
        (("RUNS", "--force"), "--force belongs to --bundle"),
        (("RUNS", "--bundle", "b", "--json"), "computes no figure"),
        (("nowhere",), "no such folder"),
    ],
)
def test_what_does_not_go_together(vadbench, runs, arguments, words):
    called = vadbench("score", *(runs if each == "RUNS" else each for each in arguments))
    assert called.code in (2, 3)
    assert words in called.err
    assert called.out == ""


def test_seeds_are_averaged(vadbench, tmp_path):
    made = [write_run(tmp_path / "runs", seed=seed) for seed in (0, 1)]
    mean = np.mean([run.record.metrics.auroc for run in made])
    assert f"{100 * mean:.1f}" in vadbench("score", tmp_path / "runs", "--protocol", STANDARD_V1.name).out

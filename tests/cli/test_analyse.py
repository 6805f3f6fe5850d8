"""``vadbench analyse`` as a user calls it: on a run of a small folder, with its poses and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures import write_pose_folder
from tiny_methods import TINY_KNN

from vadbench.report.coverage import REASONS
from vadbench.store.folders import find_runs


@pytest.fixture
def data(tmp_path) -> Path:
    return write_pose_folder(tmp_path / "data" / "campus", n_frames=48)


@pytest.fixture
def run(vadbench, data, tmp_path) -> Path:
    """A tiny run's folder."""
    changes = [part for change in TINY_KNN for part in ("--set", change)]
    assert vadbench("run", "knn", "--dataset", data, "--out", tmp_path / "runs", "--no-plots", *changes).code == 0
    (found,) = find_runs(tmp_path / "runs")
    return found.path


def test_reasons_add_up_to_all_frames_without_a_score(vadbench, run, data):
    called = vadbench("analyse", run, "--dataset", data, "--json")
    assert (called.code, called.err) == (0, "")
    whole, *parts = called.json["lost"]
    assert whole["name"] == "unscored"
    assert [part["name"] for part in parts] == list(REASONS)
    assert whole["frames"] == sum(part["frames"] for part in parts) > 0
    assert whole["abnormal"] == sum(part["abnormal"] for part in parts)
    assert called.json["notes"] == []


def test_without_poses_it_says_why_there_are_no_reasons(vadbench, run):
    called = vadbench("analyse", run, "--json")
    assert called.code == 0
    assert [part["name"] for part in called.json["lost"]] == ["unscored"]
    (note,) = called.json["notes"]
    assert "not split up by reason" in note


def test_other_poses_are_not_taken_for_those_of_the_run(vadbench, run, tmp_path):
    other = write_pose_folder(tmp_path / "other" / "campus", n_frames=50)
    (note,) = vadbench("analyse", run, "--dataset", other, "--json").json["notes"]
    assert "not those that the run was made on" in note


def test_text_and_figure(vadbench, run, data, tmp_path):
    called = vadbench("analyse", run, "--dataset", data, "-o", tmp_path / "why.png")
    assert called.code == 0
    assert "A detector that only knew each clip's abnormal share would score" in " ".join(called.out.split())
    assert "tuned on the test set" in " ".join(called.out.split())
    assert called.out.rstrip().endswith("why.png")
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")


def test_no_run(vadbench, tmp_path):
    called = vadbench("analyse", tmp_path)
    assert called.code == 3
    assert "not a run folder" in called.err


def test_edited_scores(vadbench, run):
    (run / "scores.npz").write_bytes(b"")
    called = vadbench("analyse", run)
    assert called.code == 6
    assert "scores.npz" in called.err

"""``vadbench explain`` as a user calls it: what is printed and written, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from explained_runs import tiny_run
from fixtures import write_pose_folder
from stored_runs import write_run
from tiny_methods import TINY_KNN

from vadbench.store.folders import find_runs, open_run

FRAMES = 40


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A pose folder that no test changes."""
    return write_pose_folder(tmp_path_factory.mktemp("data") / "campus", n_frames=FRAMES)


@pytest.fixture(scope="module")
def run(tmp_path_factory, data) -> Path:
    """A tiny run's folder."""
    return tiny_run(tmp_path_factory.mktemp("runs"), data).path


@pytest.fixture
def explain(vadbench, run, data, tmp_path):
    """Calls the command on the run; pictures go to a folder of their own."""

    def call(*arguments: object):
        return vadbench("explain", run, "--dataset", data, "--out", tmp_path / "out", "--primitives", 2, "--top", 2, *arguments)

    return call


def test_run_as_a_whole(explain, tmp_path):
    called = explain()
    assert (called.code, called.err) == (0, "")
    assert "Top alarms, of each person the highest window:" in called.out
    assert "raised by " in called.out
    assert "most surprising joints" in called.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "alarms.png",
        "codebook.png",
        "codebook.gif",
        "transitions.png",
    }
    assert called.out.rstrip().endswith("transitions.png")


def test_frame_of_a_clip_as_json(explain, run, tmp_path):
    clip = open_run(run).scores().clip[0]
    called = explain("--clip", clip, "--frame", 20, "--json")
    assert (called.code, called.err) == (0, "")
    found = called.json
    assert found["dataset"] == "campus"
    assert [alarm["clip"] for alarm in found["alarms"]] == [clip] * 2
    assert set(found["statistics"]) == set(found["alarms"][0]["terms"]) == {"semantic", "detail"}
    assert found["clip"]["name"] == clip
    assert found["clip"]["frames"] == FRAMES
    assert {person["person"] for person in found["clip"]["persons"]} == {1, 2, 3}
    assert found["frame"]["frame"] == 20
    assert 0 < len(found["frame"]["nearest_primitives"]) <= 3
    assert [Path(path).parent for path in found["pictures"]] == [tmp_path / "out"] * 6
    assert all(Path(path).stat().st_size > 1000 for path in found["pictures"])


def test_one_person(explain, run):
    clip = open_run(run).scores().clip[0]
    found = explain("--clip", clip, "--person", 2, "--json").json
    assert {alarm["person"] for alarm in found["alarms"]} == {2}
    assert [person["person"] for person in found["clip"]["persons"]] == [2]


def test_pictures_go_into_the_run_and_leave_it_whole(vadbench, run, data):
    before = (run / "run.json").read_bytes()
    called = vadbench("explain", run, "--dataset", data, "--primitives", 1, "--top", 1)
    assert called.code == 0
    assert (run / "explain" / "codebook.gif").is_file()
    assert (run / "run.json").read_bytes() == before
    open_run(run).verify()
    assert [found.path for found in find_runs(run.parent)] == [run]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--clip", "01_000"), "no clip '01_000'"),
        (("--clip", 0, "--frame", FRAMES), f"has no frame {FRAMES}"),
        (("--clip", 0, "--frame", FRAMES - 1), "no window covers frame"),
        (("--clip", 0, "--person", 77), "person 77 has no window"),
        (("--frame", 3), "and none is named"),
    ],
)
def test_what_is_not_there(explain, run, tmp_path, arguments, said):
    clips = open_run(run).scores().clip
    called = explain(*(clips[0] if argument == 0 else argument for argument in arguments))
    assert called.code == 2
    assert said in called.err
    assert "remedy: " in called.err
    assert not (tmp_path / "out").exists()


def test_an_unknown_clip_is_told_which_was_meant(explain, run):
    clip = str(open_run(run).scores().clip[0])
    assert f"did you mean {clip!r}" in explain("--clip", clip + "x").err


def test_run_of_a_detector(vadbench, data, tmp_path):
    changes = [part for change in TINY_KNN for part in ("--set", change)]
    assert vadbench("run", "knn", "--dataset", data, "--out", tmp_path / "runs", "--no-plots", *changes).code == 0
    (found,) = find_runs(tmp_path / "runs")
    called = vadbench("explain", found.path, "--dataset", data)
    assert called.code == 2
    assert "knn is one detector, without parts that could be asked" in called.err


def test_run_without_weights(vadbench, tmp_path):
    called = vadbench("explain", write_run(tmp_path / "runs").path)
    assert called.code == 3
    assert "no weights.safetensors" in called.err


def test_no_run(vadbench, tmp_path):
    called = vadbench("explain", tmp_path)
    assert called.code == 3
    assert "not a run folder" in called.err


def test_other_poses(vadbench, run, tmp_path):
    other = write_pose_folder(tmp_path / "other" / "campus", n_frames=FRAMES + 2)
    called = vadbench("explain", run, "--dataset", other)
    assert called.code == 3
    assert "not those that the run was made on" in called.err

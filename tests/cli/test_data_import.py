"""``vadbench data import``: what it takes, what it says, and that a run works on what it wrote."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest
from estimator_files import (
    Scene,
    alphapose,
    made_scene,
    poseflow,
    ultralytics,
    write_json,
    write_openpose,
    write_ultralytics_labels,
)
from fixtures import SUFFIX, write_pose_folder
from tiny_methods import TINY_KNN

from vadbench.cli.data.exporting import export
from vadbench.cli.data.importing import FORMATS, PUBLISHED, FormatName, import_poses
from vadbench.data.importers.formats import FORMATS as READ_HERE
from vadbench.data.importers.formats import find_clips
from vadbench.data.tracker import TrackerRule
from vadbench.engine.datasets import open_dataset
from vadbench.engine.plugins import load_plugins


def opened(folder: Path, **settings):
    return open_dataset(str(folder), load_plugins().registry, root=None, settings=settings)


def save_labels(folder: Path, **lengths: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for clip, length in lengths.items():
        np.save(folder / f"{clip}.npy", np.arange(length) % 2)
    return folder


@pytest.fixture
def results(tmp_path) -> Path:
    """Two clips of AlphaPose, one without ids."""
    write_json(tmp_path / "out" / "01_0001" / "alphapose-results.json", alphapose(made_scene()))
    write_json(tmp_path / "out" / "01_0002" / "alphapose-results.json", alphapose(made_scene(seed=1), ids=False))
    return tmp_path / "out"


def test_the_formats_of_the_command_are_those_that_can_be_read():
    assert list(FORMATS) == [*READ_HERE, *PUBLISHED]


class TestAlphaPose:
    def test_json_says_what_became_of_every_clip(self, vadbench, results, tmp_path):
        labels = save_labels(tmp_path / "labels", **{"01_0001": 8, "01_0002": 6})
        called = vadbench("data", "import", "alphapose", results, "mine", "--labels", labels, "--resolution", "640x480", "--json")
        assert (called.code, called.err) == (0, "")
        told = called.json
        assert (told["format"], told["destination"], told["split"], told["layout"]) == ("alphapose", "mine", "test", "coco-17")
        assert told["clips"] == [
            {
                "name": name,
                "frames": frames,
                "poses": 10,
                "tracks": 2,
                "ids": ids,
                "counts_from": 0,
                "abnormal": frames // 2,
                "dropped": {},
                "counts": {},
            }
            for name, frames, ids in (("01_0001", 8, "source"), ("01_0002", 6, "tracker"))
        ]
        assert (told["dropped"], told["counts"], told["unlabelled"]) == ({}, {}, [])
        assert told["notes"] == ["Nobody said the frame_rate of the pictures; dataset.toml has what is assumed."]
        data = opened(tmp_path / "mine")
        assert [clip.n_frames for clip in data.tracks("test").clips] == [8, 6]
        assert data.info.resolution == (640, 480)
        assert data.labels("test").n_abnormal == 7

    def test_text(self, vadbench, results):
        called = vadbench("data", "import", "alphapose", results, "mine")
        assert called.code == 0
        assert "01_0001" in called.out
        assert "2 clips, 20 poses of coco-17, 4 tracks" in called.out
        assert "2 of 2 test clips have no labels (01_0001, 01_0002). A run needs gt/test_frame_mask/<clip>.npy" in called.out
        assert "written: mine/pose/test" in called.out

    def test_what_was_left_out_is_counted(self, vadbench, tmp_path):
        content = alphapose(made_scene())
        content[0]["idx"] = None
        write_json(tmp_path / "c.json", content)
        called = vadbench("data", "import", "alphapose", "c.json", "mine", "--split", "train", "--layout", "coco-18")
        assert "left out: 1 pose without a track id" in called.out
        assert "changed: 9 poses with a computed neck" in called.out

    def test_a_training_split_says_nothing_of_labels(self, vadbench, results):
        called = vadbench("data", "import", "alphapose", results, "mine", "--split", "train", "--json")
        assert not any("labels" in note for note in called.json["notes"])


class TestFrames:
    def test_counted_from_1(self, vadbench, tmp_path):
        scene = made_scene()
        write_json(
            tmp_path / "c.json", alphapose(Scene(scene.keypoints, [f + 1 for f in scene.frame], scene.person, scene.score))
        )
        labels = save_labels(tmp_path / "labels", c=6)
        called = vadbench("data", "import", "alphapose", "c.json", "mine", "--labels", labels)
        assert called.code == 3
        assert "--first-frame 1" in called.err
        assert not (tmp_path / "mine").exists()
        called = vadbench("data", "import", "alphapose", "c.json", "mine", "--labels", labels, "--first-frame", "1", "--json")
        assert called.json["clips"][0]["counts_from"] == 1
        assert "The source counts the frames of 1 clip from 1" in called.json["notes"][0]
        assert opened(tmp_path / "mine").tracks("test").frame.max() == 5

    def test_told_by_the_source_but_overruled(self, vadbench, tmp_path):
        content = {f"{int(name.removesuffix('.jpg')) + 1}.jpg": poses for name, poses in poseflow(made_scene()).items()}
        write_json(tmp_path / "c.json", content)
        assert vadbench("data", "import", "poseflow", "c.json", "a", "--json").json["clips"][0]["frames"] == 6
        assert (
            vadbench("data", "import", "poseflow", "c.json", "b", "--first-frame", "0", "--json").json["clips"][0]["frames"] == 7
        )


class TestShares:
    def test_label_files_need_the_size(self, vadbench, tmp_path):
        write_ultralytics_labels(tmp_path / "labels", made_scene(), clip="01_0001")
        called = vadbench("data", "import", "ultralytics", "labels", "mine", "--split", "train")
        assert called.code == 2
        assert "--resolution" in called.err
        called = vadbench(
            "data", "import", "ultralytics", "labels", "mine", "--split", "train", "--resolution", "640x480", "--json"
        )
        assert called.json["clips"][0]["name"] == "01_0001"

    def test_normalised_json(self, vadbench, tmp_path):
        scene = made_scene()
        scene.keypoints[..., :2] /= (640, 480)
        write_json(tmp_path / "c.json", ultralytics(scene))
        called = vadbench("data", "import", "ultralytics", "c.json", "mine", "--resolution", "640x480")
        assert (called.code, "--shares" in called.err) == (3, True)
        assert vadbench("data", "import", "ultralytics", "c.json", "mine", "--resolution", "640x480", "--shares").code == 0
        np.testing.assert_allclose(
            opened(tmp_path / "mine", splits={"train": "pose/test"}).tracks("train").keypoints[0, 0, 0], 150, atol=90
        )


class TestChoices:
    def test_some_clips(self, vadbench, results):
        called = vadbench("data", "import", "alphapose", results, "mine", "--include", "01_*", "--exclude", "*2", "--json")
        assert [clip["name"] for clip in called.json["clips"]] == ["01_0001"]

    def test_the_name_of_a_single_clip(self, vadbench, results):
        source = results / "01_0001" / "alphapose-results.json"
        assert (
            vadbench("data", "import", "alphapose", source, "mine", "--clip", "02_0009", "--json").json["clips"][0]["name"]
            == "02_0009"
        )
        called = vadbench("data", "import", "alphapose", results, "other", "--clip", "x")
        assert (called.code, "there are 2 clips" in called.err) == (2, True)

    @pytest.mark.parametrize("name", ["../x", "a/b", ".x", "", "a\\b"])
    def test_names_that_leave_the_folder(self, vadbench, results, name):
        called = vadbench("data", "import", "alphapose", results / "01_0001" / "alphapose-results.json", "mine", "--clip", name)
        assert (called.code, "cannot be the name of a clip" in called.err) == (2, True)

    def test_our_own_tracker(self, vadbench, results):
        options = ("--ids", "tracker", "--set", "tracker.gate=0.001", "--set", "tracker.min_length=2")
        called = vadbench("data", "import", "alphapose", results, "mine", *options, "--json")
        assert {clip["ids"] for clip in called.json["clips"]} == {"tracker"}
        assert called.json["dropped"] == {"in a track of fewer than 2 poses": 20}

    def test_poses_of_low_confidence(self, vadbench, results):
        called = vadbench("data", "import", "alphapose", results, "mine", "--min-confidence", "0.99", "--json")
        assert called.json["dropped"] == {"of a mean confidence below 0.99": 20}

    def test_another_layout(self, vadbench, tmp_path):
        write_openpose(tmp_path / "01_0001", made_scene(joints=25))
        called = vadbench("data", "import", "openpose", "01_0001", "mine", "--split", "train", "--layout", "coco-17", "--json")
        assert called.json["layout"] == "coco-17"
        assert opened(tmp_path / "mine").tracks("train").layout.name == "coco-17"


class TestPublished:
    def test_loose_files_of_stg_nf(self, vadbench, tmp_path):
        source = write_pose_folder(tmp_path / "campus")
        loose = tmp_path / "loose"
        loose.mkdir()
        for path in (source / "pose").rglob(f"*{SUFFIX}"):
            path.rename(loose / path.name)
        labels = source / "gt" / "test_frame_mask"
        wanted = {path.stem: path for path in labels.iterdir()}
        called = vadbench("data", "import", "stg-nf", "loose", "mine", "--include", "*_001[01]", "--labels", labels, "--json")
        assert {clip["name"] for clip in called.json["clips"]} == set(wanted)
        assert {clip["ids"] for clip in called.json["clips"]} == {"source"}
        assert vadbench("data", "import", "stg-nf", "loose", "mine", "--split", "train", "--exclude", "*_001[01]").code == 0
        again = write_pose_folder(tmp_path / "again")
        for split in ("train", "test"):
            read, meant = opened(tmp_path / "mine").tracks(split), opened(again).tracks(split)
            assert read.fingerprint() == meant.fingerprint()

    def test_a_pose_folders_split(self, vadbench, pose_folder, tmp_path):
        assert vadbench("data", "import", "stg-nf", pose_folder, "mine", "--split", "train").code == 0
        assert opened(tmp_path / "mine").tracks("train").fingerprint() == opened(pose_folder).tracks("train").fingerprint()

    def test_its_errors_name_the_users_file(self, vadbench, tmp_path):
        path = tmp_path / "loose" / f"01_0001{SUFFIX}"
        write_json(path, {"1": {"0001": {"keypoints": [1, 2, 3]}}})
        called = vadbench("data", "import", "stg-nf", "loose", "mine")
        assert called.code == 3
        assert f"where:  {path.relative_to(tmp_path)}, person 1, frame 0001" in called.err

    @pytest.mark.parametrize("camera", [True, False])
    def test_csv(self, vadbench, pose_folder, tmp_path, camera):
        level = "--camera-level" if camera else "--no-camera-level"
        assert vadbench("data", "export", pose_folder, "csv", "--format", "mped-csv", level).code == 0
        masks = tmp_path / "csv" / "testing" / ("frame_level_masks" if camera else "test_frame_mask")
        called = vadbench("data", "import", "mped-csv", "csv", "mine", "--labels", masks, "--json")
        assert called.code == 0
        assert {clip["ids"] for clip in called.json["clips"]} == {"source"}
        assert vadbench("data", "import", "mped-csv", "csv/training/trajectories", "mine", "--split", "train").code == 0
        mine, csv = opened(tmp_path / "mine"), opened(tmp_path / "csv")
        np.testing.assert_array_equal(mine.tracks("train").keypoints, csv.tracks("train").keypoints)
        assert mine.tracks("test").fingerprint() == csv.tracks("test").fingerprint()
        assert mine.labels("test").fingerprint() == csv.labels("test").fingerprint()

    @pytest.mark.parametrize(("options", "later"), [((), -1), (("--first-frame", "0"), 0), (("--first-frame", "1"), -1)])
    def test_csv_counted_from_0(self, vadbench, pose_folder, tmp_path, options, later):
        """By default the files count from 1; frames that begin at 0 are read one too early unless that is said."""
        assert vadbench("data", "export", pose_folder, "csv", "--format", "mped-csv", "--first-frame", "0").code == 0
        for path in (tmp_path / "csv").rglob("*.csv"):
            lines = [line for line in path.read_text().splitlines() if not line.startswith("0,")]
            path.write_text("\n".join(lines) + "\n")
        command = ("data", "import", "mped-csv", "csv/training/trajectories", "mine", "--split", "train", *options)
        assert vadbench(*command).code == 0
        meant = opened(pose_folder).tracks("train").frame
        np.testing.assert_array_equal(opened(tmp_path / "mine").tracks("train").frame, meant[meant > 0] + later)

    def test_csv_with_a_frame_before_the_first(self, vadbench, pose_folder, tmp_path):
        assert vadbench("data", "export", pose_folder, "csv", "--format", "mped-csv", "--first-frame", "0").code == 0
        path = tmp_path / "csv" / "training" / "trajectories" / "01-001" / "00001.csv"
        path.write_text(f"0,{path.read_text().splitlines()[0].partition(',')[2]}\n")
        called = vadbench("data", "import", "mped-csv", "csv", "mine", "--split", "train")
        assert called.code == 3
        assert f"where:  {path.relative_to(tmp_path)}, line 1" in called.err

    def test_other_joints(self, vadbench, tmp_path):
        pose = [float(n) for n in range(1, 79)]
        write_json(tmp_path / "loose" / f"01_0001{SUFFIX}", {"1": {"0001": {"keypoints": pose, "scores": 1}}})
        called = vadbench("data", "import", "stg-nf", "loose", "mine", "--split", "train")
        assert (called.code, "78 would be halpe-26" in called.err) == (3, True)
        halpe = ("--set", "dataset.layout=halpe-26")
        assert vadbench("data", "import", "stg-nf", "loose", "mine", "--split", "train", *halpe).code == 0
        assert opened(tmp_path / "mine").tracks("train").layout.name == "halpe-26"
        assert vadbench("data", "import", "stg-nf", "loose", "other", "--split", "train", *halpe, "--layout", "coco-17").code == 0
        assert opened(tmp_path / "other").tracks("train").keypoints[0].ravel().tolist() == pose[:51]

    @pytest.mark.parametrize(("options", "missing"), [((), 0), (("--set", "dataset.missing=zero"), 1)])
    def test_joints_at_zero(self, vadbench, tmp_path, options, missing):
        pose = [0.0, 0.0, 0.0, *range(48)]
        write_json(tmp_path / "loose" / f"01_0001{SUFFIX}", {"1": {"0001": {"keypoints": pose}}})
        assert vadbench("data", "import", "stg-nf", "loose", "mine", "--split", "train", *options).code == 0
        assert np.isnan(opened(tmp_path / "mine").tracks("train").keypoints[..., 0]).sum() == missing

    def test_poses_are_followed_anew_where_that_is_asked_for(self, vadbench, pose_folder):
        called = vadbench("data", "import", "stg-nf", pose_folder, "mine", "--split", "train", "--ids", "tracker", "--json")
        assert {clip["ids"] for clip in called.json["clips"]} == {"tracker"}
        assert sum(clip["poses"] for clip in called.json["clips"]) == len(opened(pose_folder).tracks("train"))


class TestErrors:
    def test_an_unknown_format(self, vadbench):
        called = vadbench("data", "import", "alphapse", "x", "mine")
        assert called.code == 2
        assert "'alphapose'" in called.err

    def test_nothing_there(self, vadbench):
        called = vadbench("data", "import", "alphapose", "nowhere", "mine")
        assert (called.code, "where:  nowhere" in called.err) == (3, True)

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--resolution", "640"), "'640' is no picture size"),
            (("--resolution", "0x480"), "'0x480' is no picture size"),
            (("--layout", "coco17"), "no skeleton layout is named 'coco17'"),
            (("--set", "tracker.gates=1"), "the tracker has no setting 'gates'"),
            (("--set", "windows.length=9"), "an import of alphapose has no setting 'windows.length'"),
            (("--set", "dataset.layout=coco-18"), "an import of alphapose has no setting 'dataset.layout'"),
            (("--set", "tracker.gate"), "is not a setting"),
            (("--shares",), "give --resolution"),
            (("--include", "x*"), "no clip is called like 'x*'"),
            (("--split", "train", "--labels", "labels"), "training clips are normal throughout"),
        ],
    )
    def test_options(self, vadbench, results, tmp_path, options, said):
        save_labels(tmp_path / "labels", **{"01_0001": 9})
        called = vadbench("data", "import", "alphapose", results, "mine", *options)
        assert called.code == 2
        assert said in called.err
        assert not (tmp_path / "mine").exists()

    def test_a_split_that_is_there(self, vadbench, results):
        assert vadbench("data", "import", "alphapose", results, "mine").code == 0
        called = vadbench("data", "import", "alphapose", results, "mine")
        assert called.code == 2
        assert "--force" in called.err
        assert vadbench("data", "import", "alphapose", results, "mine", "--force").code == 0

    def test_labels_of_other_clips(self, vadbench, results, tmp_path):
        called = vadbench("data", "import", "alphapose", results, "mine", "--labels", save_labels(tmp_path / "labels", x=9))
        assert called.code == 3
        assert "there are labels of x, ... and clips 01_0001, 01_0002, ..." in called.err

    def test_ubnormals_labels_must_be_told_apart(self, vadbench, results, tmp_path):
        labels = save_labels(tmp_path / "labels", **{"01_0001": 9, "01_0002": 9})
        for path in labels.iterdir():
            path.rename(path.with_name(f"{path.stem}_tracks.txt"))
        called = vadbench("data", "import", "alphapose", results, "mine", "--labels", labels)
        assert called.code == 2
        assert "--labels-mean normal" in called.err
        called = vadbench("data", "import", "alphapose", results, "mine", "--labels", labels, "--labels-mean", "normal", "--json")
        assert [clip["abnormal"] for clip in called.json["clips"]] == [5, 5]

    @pytest.mark.parametrize("form", PUBLISHED)
    def test_shares_of_a_published_layout(self, vadbench, pose_folder, form):
        called = vadbench("data", "import", form, pose_folder, "mine", "--shares", "--resolution", "640x480")
        assert (called.code, "are in pixels" in called.err) == (2, True)

    def test_a_broken_file_among_others(self, vadbench, results, tmp_path):
        (results / "01_0002" / "alphapose-results.json").write_text("[{")
        called = vadbench("data", "import", "alphapose", results, "mine")
        assert called.code == 3
        assert str(results / "01_0002" / "alphapose-results.json") in called.err
        assert not (tmp_path / "mine").exists()


def test_a_run_works_on_what_was_imported(vadbench, tmp_path):
    changes = [part for change in TINY_KNN for part in ("--set", change)]
    for split, n in (("train", 60), ("test", 40)):
        write_json(tmp_path / split / "01_0001.json", alphapose(made_scene(n_frames=n, n_persons=3)))
        labels = ("--labels", save_labels(tmp_path / "labels", **{"01_0001": 40})) if split == "test" else ()
        assert vadbench("data", "import", "alphapose", split, "mine", "--split", split, *labels).code == 0
    called = vadbench("run", "knn", "--dataset", tmp_path / "mine", *changes, "--no-plots", "--json")
    assert called.code == 0
    (row,) = called.json["runs"]
    assert (row["dataset"], row["status"]) == ("mine", "done")
    assert 0 < row["metrics"]["coverage"]["frames"] <= 1


class TestRealPoses:
    """The sample clips: poses of a real estimator, with gaps, short tracks and bad joints, against real labels."""

    def test_shanghaitech(self, vadbench, shared_data, tmp_path):
        samples, labels = shared_data / "samples", shared_data / "shanghaitech-gt" / "test_frame_mask"
        train = vadbench("data", "import", "stg-nf", samples, "mine", "--split", "train", "--include", "normal_*", "--json").json
        assert (sum(clip["poses"] for clip in train["clips"]), sum(clip["tracks"] for clip in train["clips"])) == (1929, 35)
        test = vadbench("data", "import", "stg-nf", samples, "mine", "--include", "0?_*", "--labels", labels, "--json").json
        told = {clip["name"]: (clip["frames"], clip["abnormal"], clip["poses"], clip["tracks"]) for clip in test["clips"]}
        assert told == {"03_0033": (313, 115, 517, 8), "06_0153": (217, 69, 458, 5)}
        (row,) = vadbench("run", "knn", "--dataset", tmp_path / "mine", "--no-plots", "--json").json["runs"]
        assert row["metrics"]["coverage"] == {
            "frames": pytest.approx(0.753, abs=5e-4),
            "abnormal_frames": pytest.approx(0.848, abs=5e-4),
        }

    def test_ubnormal(self, vadbench, shared_data):
        labels = ("--labels", shared_data / "ubnormal-gt", "--labels-mean", "normal")
        called = vadbench(
            "data", "import", "stg-nf", shared_data / "samples", "mine", "--include", "abnormal_*", *labels, "--json"
        )
        # 20_6 is a training clip of UBnormal, whose _tracks.txt is a text of tracks.
        assert called.json["unlabelled"] == ["abnormal_scene_20_scenario_6"]
        assert {clip["name"]: clip["abnormal"] for clip in called.json["clips"]} == {
            "abnormal_scene_20_scenario_6": None,
            "abnormal_scene_29_scenario_3": 422,
        }


def test_a_killed_import_leaves_nothing(vadbench, results, tmp_path, monkeypatch):
    def interrupted(*arguments: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vadbench.data.importers.import_job.write_pose_json", interrupted)
    called = vadbench("data", "import", "alphapose", results, "mine")
    assert called.code == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_help_names_every_format(vadbench):
    called = vadbench("data", "import", "--help")
    assert called.code == 0
    assert all(form in called.out for form in FORMATS)


def test_completion_offers_formats():
    context = click.Context(import_poses)
    items = FormatName().shell_complete(context, import_poses.params[0], "o")
    assert [item.value for item in items] == ["openpose"]


DOCS = (Path(__file__).parents[2] / "docs" / "importing.md").read_text(encoding="utf-8")
STAND_FOR = {
    "51 numbers": [100.5, 200.25, 0.9] * 17,
    "75 numbers": [100.5, 200.25, 0.9] * 25,
    "17 numbers": [120.5] * 17,
    "17 pairs": [[120.5, 90.0]] * 17,
}


def filled(value: object) -> object:
    """An example with the numbers that its placeholders stand for."""
    if isinstance(value, dict):
        return {key: filled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return STAND_FOR[value[0]] if value and isinstance(value[0], str) else [filled(inner) for inner in value]
    return value


@pytest.mark.parametrize(
    ("form", "name", "block"), re.findall(r"<!-- form: (\S+) (\S+) -->\n```json\n(.*?)```", DOCS, flags=re.DOTALL)
)
def test_documented_examples_are_read(tmp_path, form, name, block):
    path = write_json(tmp_path / name, filled(json.loads(block)))
    (found,) = find_clips(form, tmp_path if form == "openpose" else path).values()
    assert len(found.read().frame) >= 1


def test_every_format_is_documented():
    examples = set(re.findall(r"<!-- form: (\S+) ", DOCS))
    assert examples == set(READ_HERE)
    assert all(f"| `{form}` |" in DOCS for form in FORMATS)


@pytest.mark.parametrize("line", re.findall(r"^vadbench data (?:import|export) .*$", DOCS, flags=re.MULTILINE))
def test_documented_commands_are_understood(line):
    """Their options are; the files are not there."""
    _, _, name, *arguments = shlex.split(line)
    command = {"import": import_poses, "export": export}[name]
    assert command.make_context(name, arguments).params


def test_documented_defaults_are_those_of_the_tracker():
    told = dict(re.findall(r"^\| `tracker\.(\w+)` \| `?([\w.]+)`? \|", DOCS, flags=re.MULTILINE))
    assert told == {field.name: str(field.default) for field in dataclasses.fields(TrackerRule)}

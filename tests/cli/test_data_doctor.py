"""``vadbench data doctor``: table, JSON, exit codes."""

from __future__ import annotations

import json

import described_plugin
import numpy as np
import pytest
from fixtures import SUFFIX, TEST_CLIPS, TRAIN_CLIPS


@pytest.fixture
def damaged(pose_folder):
    """The pose folder with a truncated pose file, two missing masks, and a joint at 0, 0 in training."""
    path = pose_folder / "pose" / "test" / f"{TEST_CLIPS[0]}{SUFFIX}"
    path.write_bytes(path.read_bytes()[:500])
    for clip in TEST_CLIPS[1:]:
        (pose_folder / "gt" / "test_frame_mask" / f"{clip}.npy").unlink()
    for clip in TRAIN_CLIPS:
        path = pose_folder / "pose" / "train" / f"{clip}{SUFFIX}"
        content = json.loads(path.read_text())
        for frames in content.values():
            for pose in frames.values():
                pose["keypoints"][12:15] = [0, 0, 0]
        path.write_text(json.dumps(content))
    return pose_folder


def squeezed(called) -> str:
    return " ".join(called.out.split())


class TestTable:
    def test_clean(self, vadbench, pose_folder):
        called = vadbench("data", "doctor", pose_folder)
        assert called.code == 0
        assert called.err == ""
        assert called.out.endswith("campus, train and test: 0 errors, 0 warnings, 2 notes.\n")

    def test_nothing_to_say(self, vadbench):
        small = [part for split in ("train", "validation", "test") for part in ("--set", f"dataset.{split}_clips=6")]
        called = vadbench("data", "doctor", "synthetic-campus", *small)
        assert (called.code, called.out) == (0, "synthetic-campus, train, validation and test: 0 errors, 0 warnings, 0 notes.\n")

    def test_damaged(self, vadbench, damaged):
        called = vadbench("data", "doctor", damaged)
        assert called.code == 3
        text = squeezed(called)
        assert f"Files below {damaged}" in text
        assert "warning zero-joints" in text
        assert f"train/{TRAIN_CLIPS[0]}{SUFFIX}, person 1, frame" in text
        assert "-> have them read as missing, with --set dataset.missing=zero" in text
        assert "error unreadable-poses the pose file is not JSON" in text
        assert "error no-mask 2 times: a clip has poses but no mask" in text
        assert text.endswith("campus, train and test: 2 errors, 1 warning, 1 note.")
        # Splits in their order, and in each of them errors first.
        assert text.index("zero-joints") < text.index("unreadable-poses")

    def test_what_the_remedy_says_helps(self, vadbench, damaged):
        called = vadbench("data", "doctor", damaged, "--split", "train", "--set", "dataset.missing=zero")
        assert "zero-joints" not in called.out
        assert "right_ear missing in most poses" in squeezed(called)

    def test_many_cases_are_counted(self, vadbench, tmp_path):
        from fixtures import write_pose_folder

        folder = write_pose_folder(tmp_path / "many", train=tuple(f"01_{n:03d}" for n in range(9)))
        for path in (folder / "pose" / "train").iterdir():
            path.write_text("[")
        called = vadbench("data", "doctor", folder)
        assert "and 6 more (--json lists them)" in squeezed(called)
        rows = vadbench("data", "doctor", folder, "--json").json["findings"]
        (row,) = (row for row in rows if row["check"] == "unreadable-poses")
        assert len(row["cases"]) == 9


class TestJson:
    def test_damaged(self, vadbench, damaged):
        called = vadbench("data", "doctor", damaged, "--json")
        assert called.code == 3
        assert set(called.json) == {"dataset", "splits", "findings", "counts"}
        assert called.json["dataset"] == "campus"
        assert called.json["splits"] == ["train", "test"]
        assert called.json["counts"] == {"error": 2, "warning": 1, "note": 1}
        for row in called.json["findings"]:
            assert set(row) == {"split", "check", "severity", "what", "where", "remedy", "cases"}
            assert row["where"] == row["cases"][0]["where"]
        (row,) = (row for row in called.json["findings"] if row["check"] == "no-mask")
        assert [case["where"] for case in row["cases"]] == [
            str(damaged / "pose" / "test" / f"{clip}{SUFFIX}") for clip in TEST_CLIPS[1:]
        ]

    def test_one_split(self, vadbench, damaged):
        found = vadbench("data", "doctor", damaged, "--split", "train", "--json").json
        assert found["splits"] == ["train"]
        assert {row["split"] for row in found["findings"]} == {"train"}


class TestExitCode:
    def test_warnings_count_when_they_are_to(self, vadbench, damaged):
        assert vadbench("data", "doctor", damaged, "--split", "train").code == 0
        assert vadbench("data", "doctor", damaged, "--split", "train", "--strict").code == 3
        assert vadbench("data", "doctor", damaged, "--split", "train", "--strict", "--json").code == 3

    def test_notes_never_do(self, vadbench, pose_folder):
        assert vadbench("data", "doctor", pose_folder, "--strict").code == 0


class TestUsage:
    def test_unknown_name(self, vadbench):
        called = vadbench("data", "doctor", "shanghaitec")
        assert called.code == 2
        assert "did you mean" in called.err

    def test_split_that_there_is_not(self, vadbench, pose_folder):
        called = vadbench("data", "doctor", pose_folder, "--split", "validation")
        assert called.code == 2
        assert "has no validation split" in called.err
        assert "its splits are train, test" in called.err

    def test_setting_of_a_method(self, vadbench, pose_folder):
        called = vadbench("data", "doctor", pose_folder, "--set", "windows.length=8")
        assert called.code == 2
        assert "not a setting of the data set" in called.err

    def test_files_that_are_not_there(self, vadbench, tmp_path):
        called = vadbench("data", "doctor", "hr-ubnormal", "--data-root", tmp_path, "--json")
        assert called.code == 3
        assert {row["check"] for row in called.json["findings"]} == {"folder-missing"}

    def test_data_set_of_a_third_party_that_breaks(self, vadbench, monkeypatch):
        described_plugin.install(monkeypatch)
        called = vadbench("data", "doctor", "silent")
        assert called.code == 4
        assert "data set silent failed to be examined: NotImplementedError" in called.err

    def test_data_set_of_a_third_party_that_does_not_inspect_itself(self, vadbench, monkeypatch, tmp_path):
        described_plugin.install(monkeypatch)
        (tmp_path / "Telling" / "poses").mkdir(parents=True)
        found = vadbench("data", "doctor", "telling", "--data-root", tmp_path, "--json").json
        assert found["splits"] == ["train", "validation", "test"]
        checks = {(row["split"], row["check"]) for row in found["findings"]}
        assert ("validation", "unreadable-labels") in checks
        assert ("test", "expected-counts") in checks


def test_window_length_is_that_of_the_methods(vadbench, tmp_path, monkeypatch):
    """Most have 16 on UBnormal and 24 elsewhere; every other length is looked at as well, each once, and the default."""
    from vadbench.cli.data.doctor import _window_lengths

    for dataset, usual in (("anything", 24), ("hr-ubnormal", 16)):
        lengths = _window_lengths(dataset)
        assert lengths[0] == usual
        assert {6, 8, 12, 18, 24} <= set(lengths)
        assert len(set(lengths)) == len(lengths)


def test_mask_that_is_a_frame_short_names_the_pose(vadbench, pose_folder):
    path = pose_folder / "gt" / "test_frame_mask" / f"{TEST_CLIPS[0]}.npy"
    np.save(path, np.load(path)[:-1])
    called = vadbench("data", "doctor", pose_folder, "--json")
    (row,) = (row for row in called.json["findings"] if row["severity"] == "error")
    assert row["check"] == "poses-beyond-mask"
    assert row["where"].startswith(f"{pose_folder / 'pose' / 'test' / TEST_CLIPS[0]}{SUFFIX}, person 1, frame 71")

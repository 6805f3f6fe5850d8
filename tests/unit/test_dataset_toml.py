"""``dataset.toml``: what a user may say of a folder, and that the command line wins over it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fixtures import TEST_CLIPS, document, walk, write_clip, write_csv_folder
from pydantic import ValidationError

from vadbench.api import ConfigError, DataError
from vadbench_datasets.folder_facts import read_facts
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig


def opened(root, text: str | None = None, **told) -> PoseFolder:
    if text is not None:
        (root / "dataset.toml").write_text(text, encoding="utf-8")
    return PoseFolder(PoseFolderConfig(root=root, **told), None)


FULL = """
title = "Our street"
licence = "CC0"
citation = "Us, 2025"
layout = "coco-17"
resolution = [1920, 1080]
frame_rate = 30
family = "json"
missing = "zero"
scenes = "(\\\\d\\\\d)_.*"

[splits]
train = "pose/train"
test = "pose/test"

[labels]
folder = "gt/test_frame_mask"
suffix = ".npy"
abnormal = 1
"""


def test_everything_that_it_may_say(pose_folder):
    data = opened(pose_folder, FULL)
    info = data.info
    assert (info.title, info.licence, info.citation) == ("Our street", "CC0", "Us, 2025")
    assert (info.resolution, info.frame_rate, info.splits) == ((1920, 1080), 30, ("train", "test"))
    assert "dataset.toml" in info.notes[0]
    assert data.tracks("test").clips[0].resolution == (1920, 1080)
    assert data.tracks("test").fingerprint() != opened(pose_folder, "").tracks("test").fingerprint()


def test_an_empty_file_changes_nothing_but_the_note(pose_folder):
    plain = opened(pose_folder)
    before = plain.info
    data = opened(pose_folder, "")
    assert data.tracks("test").fingerprint() == plain.tracks("test").fingerprint()
    assert "dataset.toml" not in before.notes[0]
    assert "dataset.toml" in data.info.notes[0]


def test_the_command_line_wins(pose_folder):
    data = opened(pose_folder, FULL, title="Mine", resolution=(640, 360))
    assert (data.info.title, data.info.resolution, data.info.frame_rate) == ("Mine", (640, 360), 30)


def test_the_file_is_a_source(pose_folder):
    data = opened(pose_folder)
    assert "" not in data.sources("train")
    assert opened(pose_folder, "frame_rate = 25").sources("train")[""] == (pose_folder / "dataset.toml",)


def test_folders_and_meaning_of_the_labels(pose_folder):
    (pose_folder / "pose").rename(pose_folder / "skeletons")
    (pose_folder / "gt" / "test_frame_mask").rename(pose_folder / "truth")
    for mask in (pose_folder / "truth").iterdir():
        np.save(mask, 1 - np.load(mask))
        mask.rename(mask.with_name(mask.stem + "_normal.npy"))
    data = opened(
        pose_folder,
        'splits = {train = "skeletons/train", test = "skeletons/test"}\n'
        'labels = {folder = "truth", suffix = "_normal.npy", abnormal = 0}',
    )
    assert data.available()
    assert data.labels("test").n_abnormal == 72
    assert "skeletons/test/<clip>" in data.info.tree
    assert "truth/<clip>_normal.npy    one number a frame, 1 = normal" in data.info.tree


def test_a_split_that_is_not_named_is_not_there(pose_folder):
    data = opened(pose_folder, '[splits]\ntest = "pose/test"')
    assert data.info.splits == ("test",)
    with pytest.raises(DataError, match="there is no train split"):
        data.tracks("train")


class TestValidation:
    def test_it_is_there_where_its_folder_is(self, pose_folder):
        assert opened(pose_folder).info.splits == ("train", "test")
        write_clip(pose_folder, "validation", "01_005", document({1: (0, walk(9, start=(100, 200)))}))
        data = opened(pose_folder)
        assert data.info.splits == ("train", "validation", "test")
        assert [clip.n_frames for clip in data.tracks("validation").clips] == [9]
        assert data.labels("validation").n_abnormal == 0

    def test_it_may_have_masks(self, pose_folder):
        write_clip(pose_folder, "validation", "01_005", document({1: (0, walk(9, start=(100, 200)))}))
        (pose_folder / "masks").mkdir()
        np.save(pose_folder / "masks" / "01_005.npy", np.arange(12) > 7)
        data = opened(pose_folder, '[labels]\nvalidation = "masks"')
        assert data.tracks("validation").clips[0].n_frames == 12
        assert data.labels("validation").n_abnormal == 4

    def test_masks_in_the_usual_place_are_read(self, pose_folder):
        write_clip(pose_folder, "validation", "01_005", document({1: (0, walk(9, start=(100, 200)))}))
        (pose_folder / "gt" / "validation_frame_mask").mkdir()
        np.save(pose_folder / "gt" / "validation_frame_mask" / "01_005.npy", np.ones(9))
        assert opened(pose_folder).labels("validation").n_abnormal == 9


class TestScenes:
    def test_by_an_expression(self, pose_folder):
        data = opened(pose_folder, 'scenes = "\\\\d\\\\d_00(\\\\d).*"')
        assert [clip.scene for clip in data.tracks("test").clips] == ["1", "1", "1"]

    def test_by_a_table(self, pose_folder):
        table = "\n".join(f'"{clip}" = "gate {i}"' for i, clip in enumerate(TEST_CLIPS))
        data = opened(pose_folder, f"[scenes]\n{table}")
        assert [clip.scene for clip in data.tracks("test").clips] == ["gate 0", "gate 1", "gate 2"]
        with pytest.raises(DataError, match="the clip has no scene") as caught:
            data.tracks("train")
        assert caught.value.where == "clip 01_001"

    def test_an_expression_that_does_not_match(self, pose_folder):
        with pytest.raises(DataError, match="does not say its scene") as caught:
            opened(pose_folder, 'scenes = "cam(\\\\d)"').tracks("train")
        assert caught.value.where == "clip 01_001"
        assert "cam" in caught.value.remedy


class TestMissingJoints:
    @pytest.fixture
    def poses(self, tmp_path):
        pose = walk(1, start=(100, 200))
        pose[0, 3], pose[0, 4] = 0, (0, 0, 0.5)
        write_clip(tmp_path, "train", "01_001", document({1: (0, pose)}))
        return tmp_path

    def test_zeros_are_kept_by_default(self, poses):
        np.testing.assert_array_equal(opened(poses).tracks("train").keypoints[0, 3], [0, 0, 0])

    @pytest.mark.parametrize("way", ["file", "command line"])
    def test_zeros_without_confidence_are_missing_joints_where_the_user_says_so(self, poses, way):
        data = opened(poses, 'missing = "zero"') if way == "file" else opened(poses, missing="zero")
        keypoints = data.tracks("train").keypoints[0]
        assert np.isnan(keypoints[3, :2]).all()
        assert keypoints[3, 2] == 0
        np.testing.assert_array_equal(keypoints[4], np.float32([0, 0, 0.5]))


def test_another_layout(tmp_path):
    pose = {"1": {"0": {"keypoints": [1.5] * 78}}}
    write_clip(tmp_path, "train", "01_001", pose)
    data = opened(tmp_path, 'layout = "halpe-26"')
    assert data.info.layout == "halpe-26"
    assert data.tracks("train").keypoints.shape == (1, 26, 3)
    write_clip(tmp_path, "train", "01_001", {"1": {"0": {"keypoints": [1.5] * 51}}})
    with pytest.raises(DataError, match="78 = 26 x 3") as caught:
        data.tracks("train")
    assert "51 would be coco-17" in caught.value.what


def test_frames_counted_from_1(tmp_path):
    path = write_clip(tmp_path, "train", "01_001", document({1: (1, walk(3, start=(9, 9)))}))
    assert opened(tmp_path, first_frame=1).tracks("train").frame.tolist() == [0, 1, 2]
    path.write_text(json.dumps(document({4: (0, walk(3, start=(9, 9)))})))
    with pytest.raises(DataError, match="frame 0 lies before the first frame of a clip, which is 1") as caught:
        opened(tmp_path, first_frame=1).tracks("train")
    assert caught.value.where == f"{path}, person 4"


def test_the_csv_family(tmp_path):
    root = write_csv_folder(tmp_path / "street")
    assert opened(root, 'family = "csv"').labels("test").n_abnormal == 72


class TestFaults:
    def refused(self, root, text: str) -> ConfigError:
        with pytest.raises(ConfigError) as caught:
            opened(root, text)
        assert str(root / "dataset.toml") in caught.value.where
        assert caught.value.remedy
        return caught.value

    @pytest.mark.parametrize(
        ("text", "key", "remedy"),
        [
            ("framerate = 3", "key framerate", "did you mean 'frame_rate'"),
            ('[labels]\nfoldr = "x"', "key labels.foldr", "did you mean 'folder'"),
            ('[splits]\ntraining = "x"', "splits", "did you mean 'train'"),
        ],
    )
    def test_unknown_keys(self, tmp_path, text, key, remedy):
        error = self.refused(tmp_path, text)
        assert key in error.where
        assert remedy in error.remedy

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ('layout = "coco17"', "did you mean 'coco-17'"),
            ("frame_rate = 0", "greater than 0"),
            ("resolution = [856]", "resolution"),
            ('family = "xml"', "'json' or 'csv'"),
            ("[labels]\nabnormal = 2", "0 or 1"),
            ('missing = "none"', "'zero' or 'keep'"),
            ('scenes = "(a)(b)"', "has 2 groups"),
            ('scenes = "("', "not a regular expression"),
            ('splits = {train = "/poses"}', "below the pose folder"),
            ('splits = {train = "../poses"}', "below the pose folder"),
            ("splits = {}", "at least 1"),
        ],
    )
    def test_values_out_of_range(self, tmp_path, text, what):
        error = self.refused(tmp_path, text)
        assert what in error.what or what in error.where

    @pytest.mark.parametrize("raw", [b"title = ", b"\xff\xfe", b"title = 'a'\ntitle = 'b'"])
    def test_no_toml(self, tmp_path, raw):
        (tmp_path / "dataset.toml").write_bytes(raw)
        with pytest.raises(ConfigError, match=r"dataset\.toml cannot be read"):
            opened(tmp_path)

    def test_zeros_kept_in_csv(self, tmp_path):
        with pytest.raises(ConfigError, match="always a missing one"):
            opened(tmp_path, 'family = "csv"\nmissing = "keep"')

    def test_the_command_line_is_checked_as_well(self):
        with pytest.raises(ValidationError, match="did you mean"):
            PoseFolderConfig(layout="coco_17")


def test_folder_of_that_name_is_not_passed_over(tmp_path):
    (tmp_path / "dataset.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        read_facts(tmp_path)
    assert caught.value.remedy
    assert read_facts(tmp_path / "nowhere") is None

"""The pose-folder data set: what it reads from a valid folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures import SUFFIX, TEST_CLIPS, TRAIN_CLIPS, document, walk, write_clip, write_mask
from pydantic import ValidationError

from vadbench.api import ConfigError, Dataset
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig, dataset_name

if TYPE_CHECKING:
    from pathlib import Path


def opened(root: Path) -> PoseFolder:
    return PoseFolder(PoseFolderConfig(root=root), None)


def test_it_is_a_dataset(pose_folder):
    data = opened(pose_folder)
    assert isinstance(data, Dataset)
    assert data.available()
    assert data.info.name == "campus"
    assert data.info.frame_rate == 24


def test_train_and_test_tracks(pose_folder):
    data = opened(pose_folder)
    train, test = data.tracks("train"), data.tracks("test")
    assert [clip.name for clip in train.clips] == list(TRAIN_CLIPS)
    assert [clip.name for clip in test.clips] == list(TEST_CLIPS)
    assert [clip.scene for clip in test.clips] == ["01", "01", "02"]
    assert {clip.n_frames for clip in test.clips} == {72}
    assert {clip.resolution for clip in test.clips} == {(856, 480)}
    assert train.keypoints.shape[1:] == (17, 3)
    assert len(test.track_bounds()) - 1 == 9
    assert train.fingerprint() == opened(pose_folder).tracks("train").fingerprint()


def test_labels_follow_the_clips_of_the_tracks(pose_folder):
    data = opened(pose_folder)
    labels = data.labels("test")
    assert labels.clips == tuple(clip.name for clip in data.tracks("test").clips)
    assert (labels.n_frames, labels.n_abnormal) == (216, 72)
    normal = data.labels("train")
    assert normal.n_abnormal == 0
    assert [len(clip) for clip in normal.abnormal] == [clip.n_frames for clip in data.tracks("train").clips]


def test_person_and_frame_are_sorted_as_numbers(tmp_path):
    pose = walk(1, start=(100, 200))
    content = document({10: (99, pose), 9: (100, pose)}, digits=1) | {"2": document({2: (7, pose)})["2"]}
    content["9"] |= document({9: (20, pose)}, digits=1)["9"]
    write_clip(tmp_path, "train", "01_001", content)
    tracks = opened(tmp_path).tracks("train")
    assert tracks.person.tolist() == [2, 9, 9, 10]
    assert tracks.frame.tolist() == [7, 20, 100, 99]


def test_a_training_clip_ends_with_its_last_pose(tmp_path):
    write_clip(tmp_path, "train", "01_001", document({1: (5, walk(10, start=(100, 200)))}))
    write_clip(tmp_path, "train", "01_002", {})
    assert [clip.n_frames for clip in opened(tmp_path).tracks("train").clips] == [15, 0]
    assert [len(clip) for clip in opened(tmp_path).labels("train").abnormal] == [15, 0]


@pytest.mark.parametrize("content", [{}, {"4": {}}], ids=["nobody", "person-without-frames"])
def test_a_clip_with_nobody_is_a_clip(pose_folder, content):
    write_clip(pose_folder, "test", "03_0001", content)
    write_mask(pose_folder, "03_0001", np.array([0, 1, 1], dtype=np.uint8))
    data = opened(pose_folder)
    tracks = data.tracks("test")
    assert tracks.clips[-1].name == "03_0001"
    assert tracks.clips[-1].n_frames == 3
    assert not (tracks.clip == 3).any()
    assert data.labels("test").n_abnormal == 74


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_split_with_nobody_at_all(tmp_path, split):
    write_clip(tmp_path, split, "01_001", {})
    write_mask(tmp_path, "01_001", np.zeros(5))
    tracks = opened(tmp_path).tracks(split)
    assert len(tracks) == 0
    assert tracks.keypoints.shape == (0, 17, 3)


def test_scores_may_be_missing_or_null(tmp_path):
    content = document({1: (0, walk(3, start=(100, 200)))})
    del content["1"]["0000"]["scores"]
    content["1"]["0001"]["scores"] = None
    write_clip(tmp_path, "train", "01_001", content)
    np.testing.assert_array_equal(opened(tmp_path).tracks("train").score, np.float32([np.nan, np.nan, 2.5]))


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float64])
def test_masks_of_every_number_type(pose_folder, dtype):
    write_mask(pose_folder, TEST_CLIPS[0], np.ones(72, dtype=dtype))
    assert opened(pose_folder).labels("test").abnormal[0].all()


def test_other_files_are_left_alone(pose_folder):
    poses = pose_folder / "pose" / "test" / f"{TEST_CLIPS[0]}{SUFFIX}"
    poses.with_name(f"._{poses.name}").write_bytes(b"\x00\x05\x16\x07")
    poses.with_name("readme.txt").write_text("no clip")
    poses.with_name("01_0010.json").write_text(json.dumps([1, 2]))
    (pose_folder / "gt" / "test_frame_mask" / "._01_0010.npy").write_bytes(b"\x00")
    assert len(opened(pose_folder).tracks("test").clips) == 3


def test_labels_of_the_test_split_need_no_poses(tmp_path):
    write_mask(tmp_path, "01_0001", np.array([0, 1]))
    assert opened(tmp_path).labels("test").n_abnormal == 1
    assert not opened(tmp_path).available()


def test_settings_are_carried(pose_folder):
    config = PoseFolderConfig(root=pose_folder, frame_rate=30, resolution=(1920, 1080), title="My street")
    data = PoseFolder(config, None)
    assert (data.info.title, data.info.frame_rate) == ("My street", 30)
    assert data.tracks("train").clips[0].resolution == (1920, 1080)


@pytest.mark.parametrize("wrong", [{"frame_rate": 0}, {"resolution": (0, 480)}, {"folder": "x"}])
def test_settings_are_checked(wrong):
    with pytest.raises(ValidationError):
        PoseFolderConfig(**wrong)


def test_without_a_root_it_says_how_to_give_one():
    data = PoseFolder(PoseFolderConfig(), None)
    assert data.info.name == "pose-folder"
    assert not data.available()
    for read in (data.tracks, data.labels):
        with pytest.raises(ConfigError, match="--dataset PATH"):
            read("test")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("mocap-street", "mocap-street"),
        ("My Street (2024)", "my-street-2024"),
        ("Straße_7", "strae_7"),
        ("HR-ShanghaiTech", "folder-hr-shanghaitech"),
        ("CON", "folder-con"),
        ("con.poses", "folder-con.poses"),
        ("街", "folder-unnamed"),
        (".hidden.", "hidden"),
        ("none", "folder-none"),
    ],
)
def test_names_fit_every_file_system_and_never_pose_as_published(tmp_path, folder, name):
    assert dataset_name(tmp_path / folder) == name


def test_mocap_street(shared_data):
    data = opened(shared_data / "mocap-street")
    train, test = data.tracks("train"), data.tracks("test")
    assert (len(train.clips), len(train), len(train.track_bounds()) - 1) == (80, 68_015, 425)
    assert (len(test.clips), len(test), len(test.track_bounds()) - 1) == (40, 41_349, 249)
    # Its README counts 28,437 training frames: three more, at the ends of clips, that hold nobody and so leave no trace.
    assert sum(clip.n_frames for clip in train.clips) == 28_434
    labels = data.labels("test")
    assert (labels.n_frames, labels.n_abnormal) == (14_172, 5_957)


def test_a_byte_order_mark_is_passed_over(pose_folder):
    whole = opened(pose_folder).tracks("train").fingerprint()
    for path in (pose_folder / "pose" / "train").iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert opened(pose_folder).tracks("train").fingerprint() == whole

"""CHAD: clips of one folder that lists divide into splits, and pictures of two sizes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fixtures import SUFFIX
from published_files import CHAD_TEST, CHAD_TRAIN, write_chad
from pydantic import ValidationError

from vadbench.api import DataError, Dataset
from vadbench_datasets.chad import CHAD, CHADConfig

WHOLE, PARTIAL = CHADConfig(), CHADConfig(partial=True)


@pytest.fixture
def data_root(tmp_path):
    write_chad(tmp_path / "CHAD")
    return tmp_path


def list_of(data_root, split="test", number=1):
    return data_root / "CHAD" / "CHAD_Meta" / "splits" / f"{split}_split_{number}.txt"


def poses_of(data_root, clip):
    return data_root / "CHAD" / "pose" / "all" / f"{clip}{SUFFIX}"


def labels_of(data_root, clip):
    return data_root / "CHAD" / "CHAD_Meta" / "anomaly_labels" / f"{clip}.npy"


def names(data, split="test"):
    return tuple(clip.name for clip in data.tracks(split).clips)


class TestSplits:
    def test_lists_divide_the_clips(self, data_root):
        data = CHAD(WHOLE, data_root)
        assert isinstance(data, Dataset)
        assert data.available()
        assert (names(data, "train"), names(data)) == (CHAD_TRAIN, CHAD_TEST)
        assert data.labels("train").n_abnormal == 0
        assert data.labels("test").n_abnormal == 2 * 24
        assert data.labels("test").clips == CHAD_TEST

    def test_a_clip_is_as_long_as_its_labels_in_training_too(self, data_root):
        np.save(labels_of(data_root, CHAD_TRAIN[0]), np.zeros(90))
        assert [clip.n_frames for clip in CHAD(WHOLE, data_root).tracks("train").clips] == [90, 72]

    def test_split_2_has_its_own_lists_and_says_so(self, data_root):
        list_of(data_root, "train", 2).write_text(f"{CHAD_TRAIN[0]}\n{CHAD_TEST[0]}\n")
        list_of(data_root, "test", 2).write_text(f"{CHAD_TRAIN[1]}\n{CHAD_TEST[1]}\n")
        data = CHAD(CHADConfig(split_list=2), data_root)
        assert names(data, "train") == (CHAD_TRAIN[0], CHAD_TEST[0])
        assert names(data) == (CHAD_TRAIN[1], CHAD_TEST[1])
        assert data.labels("train").n_abnormal == 24
        assert "split 2" in data.info.title
        assert "supervised" in data.info.notes[0]
        assert "split 2" not in CHAD(WHOLE, None).info.title
        assert [finding.what for finding in data.inspect("train").findings] == []

    def test_there_are_two(self):
        with pytest.raises(ValidationError, match="1 or 2"):
            CHADConfig(split_list=3)

    @pytest.mark.parametrize(
        "text",
        [
            "{0}\n{1}",
            "{0}.mp4\r\n{1}.mp4\r\n",
            "\ufeff{0}.pkl\n\n  {1}.npy \n",
            "{1}.pickle\n{0}.json\n{0}",
        ],
    )
    def test_a_list_may_name_files(self, data_root, text):
        list_of(data_root).write_bytes(text.format(*CHAD_TEST).encode())
        assert names(CHAD(WHOLE, data_root)) == CHAD_TEST

    def test_abnormal_frames_in_training_under_split_1_are_found(self, data_root):
        np.save(labels_of(data_root, CHAD_TRAIN[0]), np.eye(1, 72)[0])
        (finding,) = CHAD(WHOLE, data_root).inspect("train").findings
        assert (finding.check, finding.severity) == ("extent", "warning")
        assert "1 abnormal frames in place of 0" in finding.what


class TestLists:
    def test_a_list_that_is_not_there(self, data_root):
        list_of(data_root).unlink()
        data = CHAD(WHOLE, data_root)
        assert not data.available()
        for read in (data.tracks, data.labels, data.sources):
            with pytest.raises(DataError, match="list of the clips of a split cannot be read") as caught:
                read("test")
            assert caught.value.where == str(list_of(data_root))
        assert [finding.check for finding in data.inspect("test").findings] == ["clip-list"]
        assert names(data, "train") == CHAD_TRAIN

    def test_an_empty_list(self, data_root):
        list_of(data_root).write_text("\n \n")
        with pytest.raises(DataError, match="list of the clips of a split is empty"):
            CHAD(WHOLE, data_root).tracks("test")

    def test_a_line_that_is_no_clip(self, data_root):
        list_of(data_root).write_text(f"{CHAD_TEST[0]}\n5_001_1.mp4\n")
        with pytest.raises(DataError, match="'5_001_1' is not the name of a CHAD clip") as caught:
            CHAD(WHOLE, data_root).tracks("test")
        assert caught.value.where == f"{list_of(data_root)}, line 2"

    def test_the_list_is_a_source(self, data_root):
        sources = CHAD(WHOLE, data_root).sources("test")
        assert sources[""] == (list_of(data_root),)
        assert sources[CHAD_TEST[0]] == (poses_of(data_root, CHAD_TEST[0]), labels_of(data_root, CHAD_TEST[0]))


class TestWhole:
    def test_a_listed_clip_without_poses(self, data_root):
        poses_of(data_root, CHAD_TEST[1]).unlink()
        with pytest.raises(DataError, match="a clip has a mask but no poses") as caught:
            CHAD(WHOLE, data_root).tracks("test")
        assert caught.value.where == str(labels_of(data_root, CHAD_TEST[1]))

    def test_a_listed_clip_of_which_there_is_nothing(self, data_root):
        poses_of(data_root, CHAD_TEST[1]).unlink()
        labels_of(data_root, CHAD_TEST[1]).unlink()
        data = CHAD(WHOLE, data_root)
        with pytest.raises(DataError, match=f"clip {CHAD_TEST[1]} is in the list of the split"):
            data.tracks("test")
        with pytest.raises(DataError, match="is in the list of the split"):
            data.labels("test")
        assert [finding.check for finding in data.inspect("test").findings] == ["clips-missing"]

    def test_a_listed_clip_without_labels(self, data_root):
        labels_of(data_root, CHAD_TEST[1]).unlink()
        data = CHAD(WHOLE, data_root)
        with pytest.raises(DataError, match="a clip has poses but no mask"):
            data.tracks("test")
        with pytest.raises(DataError, match=f"clip {CHAD_TEST[1]} is in the list of the split"):
            data.labels("test")

    def test_a_part_of_nothing(self, data_root):
        for clip in CHAD_TEST:
            poses_of(data_root, clip).unlink()
        with pytest.raises(DataError, match="the folder holds no clip") as caught:
            CHAD(PARTIAL, data_root).labels("test")
        assert caught.value.where.endswith("all")

    @pytest.mark.parametrize("labels_too", [False, True])
    def test_of_a_part_the_clips_that_have_poses(self, data_root, labels_too):
        poses_of(data_root, CHAD_TEST[1]).unlink()
        if labels_too:
            labels_of(data_root, CHAD_TEST[1]).unlink()
        data = CHAD(PARTIAL, data_root)
        assert data.info.stand_in
        assert names(data) == data.labels("test").clips == tuple(data.sources("test"))[1:] == CHAD_TEST[:1]
        assert data.inspect("test").labels.clips == CHAD_TEST[:1]
        assert data.inspect("test").findings == ()

    def test_of_a_part_too_poses_without_labels_are_refused(self, data_root):
        labels_of(data_root, CHAD_TEST[1]).unlink()
        with pytest.raises(DataError, match="a clip has poses but no mask"):
            CHAD(PARTIAL, data_root).tracks("test")


class TestClips:
    def test_scene_and_size_are_those_of_the_camera(self, data_root):
        clips = CHAD(WHOLE, data_root).tracks("test").clips
        assert [(clip.scene, clip.resolution) for clip in clips] == [("1", (1920, 1080)), ("4", (1280, 720))]
        assert CHAD(WHOLE, data_root).inspect("test").tracks.clips == clips
        assert [CHAD(WHOLE, None).resolution(f"{camera}_001_0") for camera in (2, 3)] == [(1920, 1080)] * 2
        assert CHAD(WHOLE, None).info.resolution is None

    @pytest.mark.parametrize("name", ["1_001", "0_001_1", "5_001_1", "1_001_2", "01_001_1", "1_x_1", ""])
    def test_names_that_are_none(self, name):
        with pytest.raises(DataError, match="is not the name of a CHAD clip"):
            CHAD(WHOLE, None).clip_name(name)

    def test_files_that_count_from_1(self, data_root):
        for clip in CHAD_TEST:
            content = json.loads(poses_of(data_root, clip).read_text())
            later = {person: {str(int(frame) + 1): pose for frame, pose in poses.items()} for person, poses in content.items()}
            poses_of(data_root, clip).write_text(json.dumps(later))
        with pytest.raises(DataError, match="a pose lies beyond them") as caught:
            CHAD(WHOLE, data_root).tracks("test")
        assert "dataset.first_frame=0 or 1" in caught.value.remedy
        assert CHAD(CHADConfig(first_frame=1), data_root).tracks("test").frame.max() == 71


def test_the_tree_names_what_it_reads(data_root):
    tree = CHAD(CHADConfig(split_list=2), None).info.tree
    for part in (
        "CHAD/",
        f"pose/all/<clip>{SUFFIX}",
        "CHAD_Meta/anomaly_labels/<clip>.npy",
        "CHAD_Meta/splits/train_split_2.txt",
    ):
        assert part in tree

"""Avenue and HR-Avenue: clips by number, and the frames that the subset leaves out."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from fixtures import SUFFIX, write_csv_folder, write_mask, write_pose_folder

from vadbench.api import DataError
from vadbench_datasets.avenue import RUNS, Avenue, HRAvenue, runs_of
from vadbench_datasets.published_set import PublishedConfig

PARTIAL, CSV = PublishedConfig(partial=True), PublishedConfig(partial=True, family="csv")
WHOLE = {"01": 1439, "02": 1211, "03": 923, "04": 947, "05": 1007, "06": 1283, "16": 740}
"""Lengths of clips that the facts give one by one; clips 07 to 15 have 6,457 frames together, 17 to 21 1,317."""


@pytest.fixture
def data_root(tmp_path):
    write_pose_folder(tmp_path / "Avenue", train=("01", "02"), test=("avenue_17", "01_0004"))
    return tmp_path


class TestNames:
    @pytest.mark.parametrize("name", ["17", "0017", "avenue_17", "01_0017", "01-0017", "Avenue test video 17"])
    def test_the_number_at_the_end_counts(self, name):
        assert Avenue(PARTIAL, None).clip_name(name) == "17"

    @pytest.mark.parametrize("name", ["", "avenue", "17_b", "00", "22", "01_0122"])
    def test_names_without_one(self, name):
        with pytest.raises(DataError, match="is not the name of an Avenue clip") as caught:
            Avenue(PARTIAL, None).clip_name(name)
        assert "1 to 21" in caught.value.remedy

    def test_poses_and_masks_need_not_be_called_the_same(self, data_root):
        root = data_root / "Avenue"
        (root / "gt" / "test_frame_mask" / "avenue_17.npy").rename(root / "gt" / "test_frame_mask" / "17.npy")
        data = Avenue(PARTIAL, data_root)
        assert [(clip.name, clip.scene) for clip in data.tracks("test").clips] == [("04", "01"), ("17", "01")]
        assert data.labels("test").clips == ("04", "17")
        assert data.tracks("test").clips[0].resolution == (640, 360)
        assert data.info.frame_rate == 25

    def test_a_file_that_is_no_clip(self, data_root):
        path = data_root / "Avenue" / "pose" / "train" / f"street{SUFFIX}"
        path.write_text("{}")
        with pytest.raises(DataError, match="'street' is not the name of an Avenue clip") as caught:
            Avenue(PARTIAL, data_root).tracks("train")
        assert caught.value.where == str(path)
        assert "clip-name" in [finding.check for finding in Avenue(PARTIAL, data_root).inspect("train").findings]

    def test_one_clip_twice(self, data_root):
        (data_root / "Avenue" / "pose" / "train" / f"avenue_01{SUFFIX}").write_text("{}")
        with pytest.raises(DataError, match="clip 01 is there twice"):
            Avenue(PARTIAL, data_root).tracks("train")


class TestFramesThatCount:
    def test_the_runs_are_as_long_as_the_clips(self):
        assert {clip: len(runs_of(clip)) for clip in RUNS} == {clip: WHOLE[clip] for clip in RUNS}
        assert sum(WHOLE.values()) + 6457 + 1317 == 15_324
        assert {clip: int((~runs_of(clip)).sum()) for clip in RUNS} == {"01": 210, "02": 89, "03": 48, "06": 257, "16": 12}

    def test_the_whole_test_set(self, tmp_path):
        lengths = {**{f"{n:02d}": 700 for n in range(7, 16)}, **{f"{n:02d}": 260 for n in range(17, 22)}, **WHOLE}
        lengths["07"], lengths["17"] = 6457 - 8 * 700, 1317 - 4 * 260
        for clip, length in lengths.items():
            write_mask(tmp_path / "Avenue", clip, np.zeros(length))
        whole, subset = Avenue(PublishedConfig(), tmp_path), HRAvenue(PublishedConfig(), tmp_path)
        assert whole.labels("test").n_frames == 15_324 == whole.info.expected["test"].frames
        assert subset.labels("test").n_frames == 14_708 == subset.info.expected["test"].counted
        keep = subset.labels("test").keep[0]
        assert np.flatnonzero(~keep)[[0, 45, 46]].tolist() == [75, 120, 390]

    def test_a_clip_of_another_length_is_refused_where_frames_are_left_out(self, tmp_path):
        write_mask(tmp_path / "Avenue", "16", np.zeros(739))
        assert Avenue(PARTIAL, tmp_path).labels("test").n_frames == 739
        with pytest.raises(DataError, match="has 739 frames; HR-Avenue's exclusions are for one of 740") as caught:
            HRAvenue(PARTIAL, tmp_path).labels("test")
        assert caught.value.where.endswith("clip 16")

    def test_a_clip_that_counts_whole_may_have_any_length(self, tmp_path):
        write_mask(tmp_path / "Avenue", "04", np.zeros(5))
        assert HRAvenue(PARTIAL, tmp_path).labels("test").n_frames == 5

    def test_a_part_does_not_pass_for_the_whole(self, data_root):
        with pytest.raises(DataError, match="the published one has 21 clips with 15,324 frames"):
            HRAvenue(PublishedConfig(), data_root).labels("test")


@pytest.mark.parametrize("folder", ["Avenue", "HR-Avenue"])
def test_csv_poses_below_their_camera(tmp_path, folder):
    write_csv_folder(tmp_path / folder, train=("01_0001", "01_0002"), test=("01_0004", "01_0017"), cameras=True)
    data = HRAvenue(CSV, tmp_path)
    assert data.available()
    assert [clip.name for clip in data.tracks("test").clips] == ["04", "17"]
    assert data.labels("test").clips == ("04", "17")


def test_real_detector_output(tmp_path, shared_data):
    (tmp_path / "Avenue" / "pose" / "test").mkdir(parents=True)
    shutil.copy(shared_data / "samples" / f"avenue_17{SUFFIX}", tmp_path / "Avenue" / "pose" / "test")
    write_mask(tmp_path / "Avenue", "17", np.zeros(423))
    tracks = HRAvenue(PARTIAL, tmp_path).tracks("test")
    assert (len(tracks), tracks.clips[0].name, tracks.frame.max()) == (3_643, "17", 422)

"""ShanghaiTech and HR-ShanghaiTech: which clips belong to them, and the published counts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fixtures import SUFFIX, write_clip, write_mask, write_pose_folder

from vadbench.api import DataError, Dataset
from vadbench_datasets.published_set import PublishedConfig
from vadbench_datasets.shanghaitech import NOT_HUMAN_RELATED, HRShanghaiTech, ShanghaiTech

PARTIAL = PublishedConfig(partial=True)


@pytest.fixture
def data_root(tmp_path):
    write_pose_folder(tmp_path / "ShanghaiTech", test=("01_0130", "01_0131", "12_0152", "12_152x"))
    return tmp_path


@pytest.fixture
def real_labels(tmp_path, shared_data):
    """A data root with the real masks and no poses."""
    masks = tmp_path / "ShanghaiTech" / "gt" / "test_frame_mask"
    masks.parent.mkdir(parents=True)
    masks.symlink_to(shared_data / "shanghaitech-gt" / "test_frame_mask")
    return tmp_path


@pytest.mark.parametrize("kind", [ShanghaiTech, HRShanghaiTech])
def test_they_are_datasets(kind, data_root):
    data = kind(PARTIAL, data_root)
    assert isinstance(data, Dataset)
    assert data.available()
    assert not kind(PARTIAL, None).available()
    assert not kind(PARTIAL, data_root / "elsewhere").available()
    assert all((data.info.licence, data.info.citation, data.info.source))
    assert data.tracks("test").clips[0].resolution == (856, 480)


def test_the_subset_leaves_whole_test_clips_out_and_no_training_clip(data_root):
    whole, subset = ShanghaiTech(PARTIAL, data_root), HRShanghaiTech(PARTIAL, data_root)
    assert [clip.name for clip in whole.tracks("test").clips] == ["01_0130", "01_0131", "12_0152", "12_152x"]
    assert [clip.name for clip in subset.tracks("test").clips] == ["01_0131", "12_152x"]
    assert subset.labels("test").clips == ("01_0131", "12_152x")
    assert subset.tracks("train").fingerprint() == whole.tracks("train").fingerprint()


def test_the_clips_are_compared_as_numbers(tmp_path):
    root = write_pose_folder(tmp_path / "ShanghaiTech", test=("1_130", "6_00144", "6_00143"))
    assert root.exists()
    assert HRShanghaiTech(PARTIAL, tmp_path).labels("test").clips == ("6_00143",)


def test_files_of_clips_left_out_are_not_opened(data_root):
    write_clip(data_root / "ShanghaiTech", "test", "01_0130", ["broken"])
    (data_root / "ShanghaiTech" / "gt" / "test_frame_mask" / "12_0152.npy").unlink()
    assert len(HRShanghaiTech(PARTIAL, data_root).tracks("test").clips) == 2


@pytest.mark.parametrize("kind", [ShanghaiTech, HRShanghaiTech])
@pytest.mark.parametrize("read", ["tracks", "labels"])
def test_a_part_of_the_test_set_does_not_pass_for_the_whole(kind, read, data_root):
    with pytest.raises(DataError, match=r"the published one has 10[17] clips") as caught:
        getattr(kind(PublishedConfig(), data_root), read)("test")
    assert "partial" in caught.value.remedy
    assert len(kind(PublishedConfig(), data_root).tracks("train")) > 0


def test_no_data_root():
    with pytest.raises(DataError, match="no data root") as caught:
        ShanghaiTech(PublishedConfig(), None).tracks("test")
    assert "orhir/STG-NF" in caught.value.remedy


def test_missing_below_the_data_root(tmp_path):
    with pytest.raises(DataError, match="does not exist") as caught:
        HRShanghaiTech(PublishedConfig(), tmp_path).tracks("train")
    assert caught.value.where == str(tmp_path / "ShanghaiTech")
    assert "orhir/STG-NF" in caught.value.remedy


def test_published_counts(real_labels):
    labels = ShanghaiTech(PublishedConfig(), real_labels).labels("test")
    assert (len(labels.clips), labels.n_frames, labels.n_abnormal) == (107, 40_791, 17_326)
    subset = HRShanghaiTech(PublishedConfig(), real_labels).labels("test")
    assert (len(subset.clips), subset.n_frames, subset.n_abnormal) == (101, 38_697, 16_122)
    left_out = {tuple(map(int, clip.split("_"))) for clip in set(labels.clips) - set(subset.clips)}
    assert left_out == NOT_HUMAN_RELATED


def test_detector_output_of_real_clips(tmp_path, shared_data):
    root = tmp_path / "ShanghaiTech"
    for clip in ("03_0033", "06_0153"):
        write_mask(root, clip, np.load(shared_data / "shanghaitech-gt" / "test_frame_mask" / f"{clip}.npy"))
        poses = shared_data / "samples" / f"{clip}{SUFFIX}"
        (root / "pose" / "test").mkdir(parents=True, exist_ok=True)
        shutil.copy(poses, root / "pose" / "test" / Path(poses).name)
    tracks = HRShanghaiTech(PARTIAL, tmp_path).tracks("test")
    assert [(clip.name, clip.scene, clip.n_frames) for clip in tracks.clips] == [("03_0033", "03", 313), ("06_0153", "06", 217)]
    assert np.bincount(tracks.clip).tolist() == [517, 458]
    assert tracks.frame[tracks.clip == 0].min() == 54

"""UBnormal and HR-UBnormal: masks under a misleading suffix, inverted, and the frames that the subset leaves out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures import SUFFIX, document, walk, write_clip

from vadbench.api import DataError, Dataset
from vadbench_datasets.hr_ubnormal import EXCLUDED, HRUBnormal
from vadbench_datasets.published_set import PublishedConfig
from vadbench_datasets.ubnormal import UBnormal

if TYPE_CHECKING:
    from pathlib import Path

PARTIAL = PublishedConfig(partial=True)
ABNORMAL, NORMAL, TRAINED = "abnormal_scene_29_scenario_4", "normal_scene_1_scenario1_10", "abnormal_scene_4_scenario_10_fire"


def write_vector(root: Path, clip: str, normal: np.ndarray) -> None:
    """Writes a test mask as it was released: a NumPy array named as if it were text."""
    path = root / "gt" / f"{clip}_tracks.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.save(file, normal)


@pytest.fixture
def data_root(tmp_path):
    root = tmp_path / "UBnormal"
    poses = document({1: (0, walk(40, start=(100, 200)))})
    write_clip(root, "train", "normal_scene_2_scenario_1", poses)
    for clip in (ABNORMAL, NORMAL):
        write_clip(root, "test", clip, poses)
    vector = np.ones(451)
    vector[100:300] = 0
    write_vector(root, ABNORMAL, vector)
    write_vector(root, NORMAL, np.ones(131))
    (root / "gt" / f"{TRAINED}_tracks.txt").write_text("1,0,450")
    (root / "gt" / "abnormal_test_video_names.txt").write_text(f"{ABNORMAL}\r\n")
    return tmp_path


@pytest.fixture
def real_labels(tmp_path, shared_data):
    """A data root with the real masks and no poses."""
    (tmp_path / "UBnormal").mkdir()
    (tmp_path / "UBnormal" / "gt").symlink_to(shared_data / "ubnormal-gt")
    return tmp_path


@pytest.mark.parametrize("kind", [UBnormal, HRUBnormal])
def test_they_are_datasets(kind, data_root):
    data = kind(PARTIAL, data_root)
    assert isinstance(data, Dataset)
    assert data.available()
    assert not kind(PARTIAL, None).available()
    assert not kind(PARTIAL, data_root / "elsewhere").available()
    tracks = data.tracks("test")
    assert [(clip.name, clip.scene, clip.n_frames) for clip in tracks.clips] == [(ABNORMAL, "29", 451), (NORMAL, "1", 131)]
    assert tracks.clips[0].resolution == (1280, 720)
    assert data.labels("test").clips == (ABNORMAL, NORMAL)
    assert data.tracks("train").clips[0].scene == "2"


def test_one_means_normal(data_root):
    labels = UBnormal(PARTIAL, data_root).labels("test")
    assert np.flatnonzero(labels.abnormal[0]).tolist() == list(range(100, 300))
    assert labels.n_abnormal == 200
    assert labels.n_frames == 451 + 131


def test_the_subset_leaves_frames_out_and_keeps_every_clip(data_root):
    labels = HRUBnormal(PARTIAL, data_root).labels("test")
    assert np.flatnonzero(~labels.keep[0]).tolist() == list(range(192, 200))
    assert labels.keep[1].all()
    assert labels.n_frames == 451 + 131 - 8
    assert HRUBnormal(PARTIAL, data_root).labels("train").keep[0].all()


def test_the_subset_refuses_a_vector_of_another_length(data_root):
    write_vector(data_root / "UBnormal", ABNORMAL, np.ones(450))
    assert UBnormal(PARTIAL, data_root).labels("test").n_frames == 450 + 131
    with pytest.raises(DataError, match="has 450 frames; HR-UBnormal's exclusions are for one of 451") as caught:
        HRUBnormal(PARTIAL, data_root).labels("test")
    assert ABNORMAL in caught.value.where


def test_a_listed_clip_without_a_numpy_mask(data_root):
    (data_root / "UBnormal" / "gt" / f"{ABNORMAL}_tracks.txt").write_text("1,0,450")
    with pytest.raises(DataError, match=f"{ABNORMAL} is in the list, not in the masks"):
        UBnormal(PublishedConfig(), data_root).labels("test")
    assert ABNORMAL not in UBnormal(PARTIAL, data_root).labels("test").clips


@pytest.mark.parametrize("cls", [UBnormal, HRUBnormal])
def test_a_part_is_never_a_result(cls, data_root):
    assert cls(PARTIAL, data_root).info.stand_in
    assert "a part of it" in cls(PARTIAL, data_root).info.title
    assert not cls(PublishedConfig(), data_root).info.stand_in


def test_a_numpy_mask_that_is_not_listed(data_root):
    write_vector(data_root / "UBnormal", TRAINED, np.ones(451))
    with pytest.raises(DataError, match=f"{TRAINED} is in the masks, not in the list"):
        UBnormal(PARTIAL, data_root).labels("test")


def test_the_list_is_not_needed(data_root):
    (data_root / "UBnormal" / "gt" / "abnormal_test_video_names.txt").unlink()
    assert len(UBnormal(PARTIAL, data_root).labels("test").clips) == 2


def test_poses_of_a_clip_that_has_no_frame_labels(data_root):
    write_clip(data_root / "UBnormal", "test", TRAINED, {})
    with pytest.raises(DataError, match="poses but no mask"):
        UBnormal(PARTIAL, data_root).tracks("test")


def test_only_text_in_gt(data_root):
    root = data_root / "UBnormal"
    for path in (root / "gt").iterdir():
        path.unlink()
    (root / "gt" / f"{TRAINED}_tracks.txt").write_text("1,0,450")
    with pytest.raises(DataError, match="no clip"):
        UBnormal(PARTIAL, data_root).tracks("test")


@pytest.mark.parametrize("read", ["tracks", "labels"])
def test_the_validation_split_is_not_read(data_root, read):
    with pytest.raises(DataError, match="no validation split") as caught:
        getattr(UBnormal(PARTIAL, data_root), read)("validation")
    assert "train and test" in caught.value.remedy


@pytest.mark.parametrize("kind", [UBnormal, HRUBnormal])
def test_a_part_of_the_test_set_does_not_pass_for_the_whole(kind, data_root):
    with pytest.raises(DataError, match="the published one has 211 clips with 92,640 frames"):
        kind(PublishedConfig(), data_root).labels("test")


def test_no_data_root():
    with pytest.raises(DataError, match="no data root"):
        UBnormal(PublishedConfig(), None).tracks("test")


def test_other_layout(data_root):
    (data_root / "UBnormal" / "gt").rename(data_root / "UBnormal" / "masks")
    with pytest.raises(DataError, match="gt missing") as caught:
        UBnormal(PARTIAL, data_root).tracks("test")
    assert "1 = normal" in caught.value.remedy


def test_what_the_subset_leaves_out():
    lengths = [last - first + 1 for clip in EXCLUDED.values() for first, last in clip.intervals]
    assert (len(EXCLUDED), len(lengths), sum(lengths)) == (11, 17, 2_151)
    assert all(last < clip.clip_frames for clip in EXCLUDED.values() for _, last in clip.intervals)


def test_published_counts(real_labels):
    labels = UBnormal(PublishedConfig(), real_labels).labels("test")
    assert (len(labels.clips), labels.n_frames, labels.n_abnormal) == (211, 92_640, 49_650)
    assert sum(clip.startswith("abnormal") for clip in labels.clips) == 158
    assert not any(clip[-1] for clip in labels.abnormal)
    subset = HRUBnormal(PublishedConfig(), real_labels).labels("test")
    assert subset.clips == labels.clips
    assert (subset.n_frames, subset.n_abnormal) == (90_489, 47_507)


def test_detector_output_of_real_clips(tmp_path, shared_data):
    root, clip = tmp_path / "UBnormal", "abnormal_scene_29_scenario_3"
    (root / "gt").mkdir(parents=True)
    (root / "pose" / "test").mkdir(parents=True)
    (root / "pose" / "train").mkdir(parents=True)
    shutil.copy(shared_data / "ubnormal-gt" / f"{clip}_tracks.txt", root / "gt")
    shutil.copy(shared_data / "samples" / f"{clip}{SUFFIX}", root / "pose" / "test")
    for sample in (shared_data / "samples").glob(f"normal_scene_*{SUFFIX}"):
        shutil.copy(sample, root / "pose" / "train")
    data = UBnormal(PARTIAL, tmp_path)
    tracks = data.tracks("test")
    assert (tracks.clips[0].n_frames, len(tracks), tracks.frame.max()) == (451, 1_048, 450)
    assert {clip.scene for clip in data.tracks("train").clips} == {"6", "16", "28"}

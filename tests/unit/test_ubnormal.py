"""UBnormal and HR-UBnormal in the JSON family: two formats under one suffix, three splits, frames left out."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures import SUFFIX, document, walk, write_clip

from vadbench.api import ConfigError, DataError, Dataset
from vadbench_datasets.hr_ubnormal import EXCLUDED, HRUBnormal
from vadbench_datasets.ubnormal import UBnormal, UBnormalConfig

if TYPE_CHECKING:
    from pathlib import Path

PARTIAL = UBnormalConfig(partial=True)
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
        UBnormal(UBnormalConfig(), data_root).labels("test")
    assert ABNORMAL not in UBnormal(PARTIAL, data_root).labels("test").clips


@pytest.mark.parametrize("cls", [UBnormal, HRUBnormal])
def test_a_part_is_never_a_result(cls, data_root):
    assert cls(PARTIAL, data_root).info.stand_in
    assert "a part of it" in cls(PARTIAL, data_root).info.title
    assert not cls(UBnormalConfig(), data_root).info.stand_in


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


class TestValidation:
    @pytest.mark.parametrize("read", ["tracks", "labels", "sources", "inspect"])
    def test_it_is_not_there_without_its_poses(self, data_root, read):
        data = UBnormal(PARTIAL, data_root)
        assert data.info.splits == ("train", "test")
        assert data.available()
        with pytest.raises(DataError, match="no validation split") as caught:
            getattr(data, read)("validation")
        assert "the poses of the validation split would lie in pose/validation" in caught.value.remedy

    def test_labels_of_abnormal_clips_are_read_from_text(self, data_root):
        root, clip = data_root / "UBnormal", "abnormal_scene_4_scenario_3"
        write_clip(root, "validation", clip, document({1: (0, walk(90, start=(100, 200)))}))
        write_clip(root, "validation", "normal_scene_4_scenario_4", document({1: (0, walk(30, start=(100, 200)))}))
        (root / "gt" / f"{clip}_tracks.txt").write_text("1,10,20\n2,15,100\n")
        data = UBnormal(PARTIAL, data_root)
        assert data.info.splits == ("train", "validation", "test")
        assert [clip.n_frames for clip in data.tracks("validation").clips] == [101, 30]
        labels = data.labels("validation")
        assert np.flatnonzero(labels.abnormal[0]).tolist() == list(range(10, 100))
        assert not labels.abnormal[1].any()
        assert data.sources("validation")[clip][-1] == root / "gt" / f"{clip}_tracks.txt"
        assert HRUBnormal(PARTIAL, data_root).labels("validation").fingerprint() == labels.fingerprint()

    def test_an_abnormal_clip_without_text(self, data_root):
        root, clip = data_root / "UBnormal", "abnormal_scene_4_scenario_3"
        path = write_clip(root, "validation", clip, {})
        with pytest.raises(DataError, match="poses but no mask") as caught:
            UBnormal(PARTIAL, data_root).tracks("validation")
        assert caught.value.where == str(path)
        assert "track,start,end" in caught.value.remedy

    def test_the_real_text_says_what_the_released_validation_masks_say(self, tmp_path, shared_data):
        """MoCoDAD's release counts 13,896 abnormal frames in its validation masks (hr_bool_masks/validating/stats.json)."""
        (tmp_path / "UBnormal").mkdir()
        (tmp_path / "UBnormal" / "gt").symlink_to(shared_data / "ubnormal-gt")
        names = (shared_data / "ubnormal-gt" / "abnormal_validation_video_names.txt").read_text().split()
        for clip in names:
            write_clip(tmp_path / "UBnormal", "validation", clip, {})
        data = UBnormal(UBnormalConfig(), tmp_path)
        labels = data.labels("validation")
        assert (len(labels.clips), labels.n_abnormal) == (38, 13_896)
        assert labels.n_abnormal == data.info.expected["validation"].abnormal
        lengths = dict(zip(labels.clips, map(len, labels.abnormal), strict=True))
        assert lengths["abnormal_scene_2_scenario_2"] == 457
        assert lengths["abnormal_scene_3_scenario_3"] == 276
        assert not any(abnormal[-1] for abnormal in labels.abnormal)


class TestSupervised:
    @pytest.fixture
    def abnormal(self, data_root):
        root = data_root / "UBnormal"
        poses = document({1: (0, walk(40, start=(100, 200)))})
        write_clip(root, "train", TRAINED, poses)
        write_clip(root, "abnormal_train", "abnormal_scene_3_scenario_4", poses)
        (root / "gt" / f"{TRAINED}_tracks.txt").write_text("1,0,450")
        (root / "gt" / "abnormal_scene_3_scenario_4_tracks.txt").write_text("1.0e+00,5.0e+00,9.0e+00")
        return data_root

    @pytest.mark.parametrize("kind", [UBnormal, HRUBnormal])
    def test_abnormal_training_clips_are_never_seen_unasked(self, abnormal, kind):
        data = kind(PARTIAL, abnormal)
        assert [clip.name for clip in data.tracks("train").clips] == ["normal_scene_2_scenario_1"]
        assert list(data.sources("train")) == ["normal_scene_2_scenario_1"]
        assert [clip.name for clip in data.inspect("train").tracks.clips] == ["normal_scene_2_scenario_1"]
        assert data.labels("train").n_abnormal == 0
        assert any("left out" in note for note in data.info.notes)

    def test_asked_for_they_come_from_both_folders_with_their_labels(self, abnormal):
        data = UBnormal(UBnormalConfig(partial=True, supervised=True), abnormal)
        assert [clip.name for clip in data.tracks("train").clips] == [
            "abnormal_scene_3_scenario_4",
            TRAINED,
            "normal_scene_2_scenario_1",
        ]
        labels = data.labels("train")
        assert labels.clips == tuple(clip.name for clip in data.tracks("train").clips)
        assert [int(part.sum()) for part in labels.abnormal] == [4, 450, 0]
        assert [len(part) for part in labels.abnormal] == [40, 451, 40]
        assert "abnormal training clips included" in data.info.title

    def test_without_any_it_does_not_pretend(self, data_root):
        data = UBnormal(UBnormalConfig(partial=True, supervised=True), data_root)
        with pytest.raises(DataError, match="needs the poses of abnormal training clips, in pose/train or pose/abnormal_train"):
            data.tracks("train")
        assert "clips-missing" in [finding.check for finding in data.inspect("train").findings]

    def test_csv_poses_have_none(self, tmp_path):
        with pytest.raises(ConfigError, match="no abnormal training clips"):
            UBnormal(UBnormalConfig(family="csv", supervised=True), tmp_path)

    def test_the_real_text_of_all_training_clips(self, tmp_path, shared_data):
        (tmp_path / "UBnormal").mkdir()
        (tmp_path / "UBnormal" / "gt").symlink_to(shared_data / "ubnormal-gt")
        for clip in (shared_data / "ubnormal-gt" / "abnormal_training_video_names.txt").read_text().split():
            write_clip(tmp_path / "UBnormal", "train", clip, {})
        data = UBnormal(UBnormalConfig(supervised=True), tmp_path)
        labels = data.labels("train")
        assert (len(labels.clips), labels.n_abnormal) == (82, data.info.expected["train"].abnormal)


@pytest.mark.parametrize("kind", [UBnormal, HRUBnormal])
def test_a_part_of_the_test_set_does_not_pass_for_the_whole(kind, data_root):
    with pytest.raises(DataError, match="the published one has 211 clips with 92,640 frames"):
        kind(UBnormalConfig(), data_root).labels("test")


def test_no_data_root():
    with pytest.raises(DataError, match="no data root"):
        UBnormal(UBnormalConfig(), None).tracks("test")


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
    labels = UBnormal(UBnormalConfig(), real_labels).labels("test")
    assert (len(labels.clips), labels.n_frames, labels.n_abnormal) == (211, 92_640, 49_650)
    assert sum(clip.startswith("abnormal") for clip in labels.clips) == 158
    assert not any(clip[-1] for clip in labels.abnormal)
    subset = HRUBnormal(UBnormalConfig(), real_labels).labels("test")
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


def test_what_concerns_the_whole_split(data_root):
    data = UBnormal(PARTIAL, data_root)
    assert data.sources("test")[""] == (data_root / "UBnormal" / "gt" / "abnormal_test_video_names.txt",)
    assert list(data.sources("test"))[1:] == [ABNORMAL, NORMAL]


def test_findings(data_root):
    root = data_root / "UBnormal"
    (root / "gt" / f"{ABNORMAL}_tracks.txt").write_text("1,0,450")
    seen = UBnormal(UBnormalConfig(), data_root).inspect("test")
    assert [finding.check for finding in seen.findings] == ["list-differs", "no-mask", "extent"]
    assert [clip.name for clip in seen.tracks.clips] == [ABNORMAL, NORMAL]
    assert seen.labels.clips == (NORMAL,)


def test_a_vector_of_another_length_is_found_and_all_its_frames_kept(data_root):
    write_vector(data_root / "UBnormal", ABNORMAL, np.ones(450))
    seen = HRUBnormal(PARTIAL, data_root).inspect("test")
    assert [finding.check for finding in seen.findings] == ["keep-mask", "extent"]
    assert seen.labels.keep[0].all()


def test_real_labels_are_as_published(real_labels, tmp_path):
    """Without poses, what `inspect` counts is right but for them."""
    seen = HRUBnormal(UBnormalConfig(), real_labels).inspect("test")
    assert {finding.check for finding in seen.findings} == {"folder-missing"}
    assert (seen.labels.n_frames, seen.labels.n_abnormal) == (90_489, 47_507)


def test_one_vector_that_cannot_be_opened_costs_one_clip(data_root):
    path = data_root / "UBnormal" / "gt" / f"{NORMAL}_tracks.txt"
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="cannot be read") as caught:
        UBnormal(PARTIAL, data_root).tracks("test")
    assert caught.value.where == str(path)
    seen = UBnormal(PARTIAL, data_root).inspect("test")
    assert [finding.check for finding in seen.findings] == ["unreadable-mask", "no-mask", "extent"]
    assert seen.labels.clips == (ABNORMAL,)

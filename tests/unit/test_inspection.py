"""What `inspect` reads of damaged data sets and says of the rest, and what `sources` tells."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from fixtures import SUFFIX, TEST_CLIPS, TRAIN_CLIPS, document, walk, write_clip, write_csv_folder, write_mask, write_person

from vadbench.api import DataError, Inspectable, Sourced
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig
from vadbench_datasets.published_set import PublishedConfig
from vadbench_datasets.shanghaitech import HRShanghaiTech, ShanghaiTech

CLIP = TEST_CLIPS[1]


def opened(root: Path, **told) -> PoseFolder:
    return PoseFolder(PoseFolderConfig(root=root, **told), None)


@pytest.fixture
def csv_folder(tmp_path):
    return write_csv_folder(tmp_path / "street")


def poses_of(root: Path, clip: str = CLIP) -> Path:
    return root / "pose" / "test" / f"{clip}{SUFFIX}"


def mask_of(root: Path, clip: str = CLIP) -> Path:
    return root / "gt" / "test_frame_mask" / f"{clip}.npy"


def found(data, split="test") -> list[tuple[str, str, str]]:
    """Check, severity and place of each finding; each has words and a remedy."""
    findings = data.inspect(split).findings
    assert all(finding.what and finding.remedy for finding in findings)
    return [(finding.check, finding.severity, finding.where) for finding in findings]


@pytest.mark.parametrize("split", ["train", "test"])
def test_nothing_is_found_in_a_sound_folder(pose_folder, csv_folder, split):
    for data in (opened(pose_folder), opened(csv_folder, family="csv")):
        assert isinstance(data, Inspectable)
        seen = data.inspect(split)
        assert seen.findings == ()
        assert seen.tracks.fingerprint() == data.tracks(split).fingerprint()
        assert seen.labels.fingerprint() == data.labels(split).fingerprint()
        assert list(seen.files) == [clip.name for clip in data.tracks(split).clips]
        assert all(path.exists() for path in seen.files.values())


class TestJson:
    def test_damaged_poses(self, pose_folder):
        poses_of(pose_folder).write_text('{"1": {"0003": {"keypoints": [1, 2]}}}')
        seen = opened(pose_folder).inspect("test")
        (finding,) = seen.findings
        assert finding.check == "unreadable-poses"
        assert finding.where == f"{poses_of(pose_folder)}, person 1, frame 0003"
        assert [clip.name for clip in seen.tracks.clips] == [TEST_CLIPS[0], TEST_CLIPS[2]]
        assert seen.labels.clips == TEST_CLIPS

    def test_damaged_mask(self, pose_folder):
        mask_of(pose_folder).write_bytes(b"no array")
        seen = opened(pose_folder).inspect("test")
        assert [finding.check for finding in seen.findings] == ["unreadable-mask"]
        assert seen.labels.clips == (TEST_CLIPS[0], TEST_CLIPS[2])
        assert [clip.n_frames for clip in seen.tracks.clips] == [72, 72, 72]  # that of the damaged one is its last pose's

    def test_mask_of_other_values(self, pose_folder):
        write_mask(pose_folder, CLIP, np.full(72, 255))
        assert [check for check, *_ in found(opened(pose_folder))] == ["unreadable-mask"]

    def test_poses_without_mask_are_still_poses(self, pose_folder):
        mask_of(pose_folder).unlink()
        seen = opened(pose_folder).inspect("test")
        assert found(opened(pose_folder)) == [("no-mask", "error", str(poses_of(pose_folder)))]
        assert len(seen.tracks.clips) == 3
        assert CLIP not in seen.labels.clips

    def test_mask_without_poses_is_still_a_mask(self, pose_folder):
        poses_of(pose_folder).unlink()
        seen = opened(pose_folder).inspect("test")
        assert found(opened(pose_folder)) == [("no-poses", "error", str(mask_of(pose_folder)))]
        assert seen.labels.clips == TEST_CLIPS
        assert CLIP not in seen.files

    def test_poses_beyond_the_mask_are_cut_off(self, pose_folder):
        whole = opened(pose_folder).tracks("test")
        write_mask(pose_folder, CLIP, np.zeros(40))
        seen = opened(pose_folder).inspect("test")
        (finding,) = seen.findings
        gone = (whole.clip == 1) & (whole.frame >= 40)
        assert finding.check == "poses-beyond-mask"
        assert finding.what == f"{gone.sum()} of {(whole.clip == 1).sum()} poses lie beyond the mask, which has 40 frames"
        assert "frame 40" in finding.where
        np.testing.assert_array_equal(seen.tracks.keypoints, whole.keypoints[~gone])
        assert seen.tracks.clips[1].n_frames == len(seen.labels.abnormal[1]) == 40

    def test_missing_folders(self, pose_folder):
        shutil.rmtree(pose_folder / "gt")
        data = opened(pose_folder)
        assert found(data) == [("folder-missing", "error", str(pose_folder))]
        assert len(data.inspect("test").tracks.clips) == 3
        assert data.inspect("test").labels is None
        shutil.rmtree(pose_folder / "pose")
        nothing = data.inspect("train")
        assert (nothing.tracks, nothing.labels, dict(nothing.files)) == (None, None, {})
        assert found(opened(pose_folder / "nowhere"), "train") == [("folder-missing", "error", str(pose_folder / "nowhere"))]

    def test_empty_folders(self, pose_folder):
        for path in (pose_folder / "pose" / "test").iterdir():
            path.unlink()
        assert found(opened(pose_folder)) == [("no-clips", "error", str(pose_folder / "pose" / "test"))]

    def test_every_fault_is_found_at_once(self, pose_folder):
        poses_of(pose_folder, TEST_CLIPS[0]).write_text("[")
        mask_of(pose_folder, TEST_CLIPS[1]).unlink()
        write_mask(pose_folder, TEST_CLIPS[2], np.zeros(3))
        write_mask(pose_folder, "09_0001", np.zeros(3))
        checks = [check for check, *_ in found(opened(pose_folder))]
        assert sorted(checks) == ["no-mask", "no-poses", "poses-beyond-mask", "unreadable-poses"]

    def test_a_clip_whose_scene_is_unknown(self, pose_folder):
        seen = opened(pose_folder, scenes={TEST_CLIPS[0]: "gate"}).inspect("test")
        assert [finding.check for finding in seen.findings] == ["scene", "scene"]
        assert [clip.scene for clip in seen.tracks.clips] == ["gate", *TEST_CLIPS[1:]]

    def test_a_split_that_there_is_not(self, pose_folder):
        with pytest.raises(DataError, match="no validation split"):
            opened(pose_folder).inspect("validation")


class TestCsv:
    def test_one_damaged_person_costs_one_person(self, csv_folder):
        path = csv_folder / "testing" / "trajectories" / CLIP / "00002.csv"
        path.write_text("1,2,3\n")
        data = opened(csv_folder, family="csv")
        assert found(data) == [("unreadable-poses", "error", f"{path}, line 1")]
        seen = data.inspect("test").tracks
        assert set(seen.person[seen.clip == 1].tolist()) == {1, 3}
        assert set(seen.person[seen.clip == 0].tolist()) == {1, 2, 3}

    def test_two_files_of_one_person(self, csv_folder):
        folder = csv_folder / "testing" / "trajectories" / CLIP
        shutil.copy(folder / "00003.csv", folder / "2.csv")
        data = opened(csv_folder, family="csv")
        assert found(data) == [("unreadable-poses", "error", str(folder / "2.csv"))]
        assert len(data.inspect("test").tracks.track_bounds()) - 1 == 9

    def test_a_clip_of_which_nothing_can_be_read(self, csv_folder):
        folder = csv_folder / "testing" / "trajectories" / CLIP
        for path in folder.iterdir():
            path.write_text("")
        data = opened(csv_folder, family="csv")
        assert [check for check, *_ in found(data)] == ["unreadable-poses"] * 3
        assert CLIP not in [clip.name for clip in data.inspect("test").tracks.clips]

    def test_frames_counted_from_0_in_a_release_that_counts_from_1(self, csv_folder):
        data = opened(csv_folder, family="csv", first_frame=0)
        assert {check for check, *_ in found(data)} == {"poses-beyond-mask"}
        assert "one frame too late" in data.inspect("test").findings[0].remedy


class TestPublishedCounts:
    @pytest.fixture
    def data_root(self, pose_folder):
        pose_folder.rename(pose_folder.parent / "ShanghaiTech")
        return pose_folder.parent

    @pytest.mark.parametrize(("partial", "severity"), [(False, "error"), (True, "note")])
    def test_a_test_set_that_is_not_whole(self, data_root, partial, severity):
        data = HRShanghaiTech(PublishedConfig(partial=partial), data_root)
        seen = data.inspect("test")
        (finding,) = seen.findings
        assert (finding.check, finding.severity) == ("extent", severity)
        assert finding.what == (
            "not as published: 3 clips in place of 101, 216 frames in place of 38,697, "
            "216 frames that count in place of 38,697, 72 abnormal frames in place of 16,122"
        )
        assert len(seen.tracks.clips) == 3

    def test_a_training_set_that_is_not_whole_is_a_warning(self, data_root):
        (finding,) = ShanghaiTech(PublishedConfig(), data_root).inspect("train").findings
        assert (finding.check, finding.severity, finding.what) == (
            "extent",
            "warning",
            "not as published: 3 clips in place of 330",
        )

    def test_clips_left_out_are_not_looked_at(self, data_root):
        write_clip(data_root / "ShanghaiTech", "test", "01_0130", ["broken"])
        assert [finding.check for finding in HRShanghaiTech(PublishedConfig(), data_root).inspect("test").findings] == ["extent"]


class TestSources:
    def test_poses_then_mask_in_the_order_of_the_clips(self, pose_folder):
        data = opened(pose_folder)
        assert isinstance(data, Sourced)
        test = data.sources("test")
        assert list(test) == [clip.name for clip in data.tracks("test").clips]
        assert test[CLIP] == (poses_of(pose_folder), mask_of(pose_folder))
        train = data.sources("train")
        assert train == {clip: (pose_folder / "pose" / "train" / f"{clip}{SUFFIX}",) for clip in TRAIN_CLIPS}

    def test_every_person_of_the_csv_family(self, csv_folder):
        folder = csv_folder / "testing"
        assert opened(csv_folder, family="csv").sources("test")[CLIP] == (
            *(folder / "trajectories" / CLIP / f"{person:05d}.csv" for person in (1, 2, 3)),
            folder / "test_frame_mask" / f"{CLIP}.npy",
        )

    @pytest.mark.parametrize(
        "damage",
        [
            lambda root: mask_of(root).unlink(),
            lambda root: poses_of(root).unlink(),
            lambda root: shutil.rmtree(root / "gt"),
            lambda root: shutil.rmtree(root / "pose"),
            shutil.rmtree,
        ],
    )
    def test_what_tracks_refuses_for_missing_files_sources_refuses(self, pose_folder, damage):
        damage(pose_folder)
        errors = []
        for read in (opened(pose_folder).tracks, opened(pose_folder).sources):
            with pytest.raises(DataError) as caught:
                read("test")
            errors.append(str(caught.value))
        assert errors[0] == errors[1]

    def test_no_file_is_opened_for_them(self, pose_folder):
        poses_of(pose_folder).write_text("[")
        assert len(opened(pose_folder).sources("test")) == 3

    def test_poses_are_a_function_of_the_sources(self, csv_folder):
        data = opened(csv_folder, family="csv")
        before = data.tracks("train").fingerprint()
        path = data.sources("train")[TRAIN_CLIPS[0]][0]
        write_person(path.parent, 1, 1, walk(30, start=(5, 5)))
        assert data.tracks("train").fingerprint() != before


def test_real_detector_output(shared_data, tmp_path):
    for poses in (shared_data / "samples").glob(f"0*{SUFFIX}"):
        (tmp_path / "pose" / "test").mkdir(parents=True, exist_ok=True)
        shutil.copy(poses, tmp_path / "pose" / "test")
        clip = poses.name.removesuffix(SUFFIX)
        write_mask(tmp_path, clip, np.load(shared_data / "shanghaitech-gt" / "test_frame_mask" / f"{clip}.npy"))
    assert opened(tmp_path).inspect("test").findings == ()
    write_mask(tmp_path, "03_0033", np.zeros(303))
    write_clip(tmp_path, "test", "06_0153", document({1: (0, walk(4, start=(9, 9)))}))
    assert opened(tmp_path).inspect("test").findings == ()  # 302 is the last frame with a pose
    write_mask(tmp_path, "03_0033", np.zeros(302))
    assert [check for check, *_ in found(opened(tmp_path))] == ["poses-beyond-mask"]

"""NWPU Campus: frame labels of all clips in one archive, and poses of the user's own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fixtures import SUFFIX
from published_files import NWPU_TEST, write_nwpu
from pydantic import ValidationError

from vadbench.api import DataError
from vadbench_datasets.nwpu_campus import NWPUCampus
from vadbench_datasets.own_poses import OwnPosesConfig

WHOLE, PARTIAL = OwnPosesConfig(), OwnPosesConfig(partial=True)


@pytest.fixture
def data_root(tmp_path):
    write_nwpu(tmp_path / "NWPUCampus")
    return tmp_path


@pytest.fixture
def archive(data_root):
    return data_root / "NWPUCampus" / "gt" / "NWPU_Campus_gt.npz"


def test_labels_come_from_the_archive(data_root, archive):
    data = NWPUCampus(PARTIAL, data_root)
    assert data.available()
    clips = data.tracks("test").clips
    assert [(clip.name, clip.scene, clip.n_frames) for clip in clips] == [("D001_01", "D001", 72), ("D014_01", "D014", 72)]
    labels = data.labels("test")
    assert labels.clips == NWPU_TEST
    assert [np.flatnonzero(abnormal).tolist() for abnormal in labels.abnormal] == [list(range(24, 48))] * 2
    assert data.labels("train").n_abnormal == 0
    poses = data_root / "NWPUCampus" / "pose" / "test" / f"D001_01{SUFFIX}"
    assert data.sources("test")["D001_01"] == (poses, archive)


@pytest.mark.parametrize("top", ["NWPUCampus", "NWPUCampusDataset"])
@pytest.mark.parametrize("folder", ["gt", "groundtruth"])
def test_where_it_may_lie(tmp_path, top, folder):
    write_nwpu(tmp_path / top, folder=folder)
    assert NWPUCampus(PARTIAL, tmp_path).labels("test").clips == NWPU_TEST


def test_arrays_may_be_called_as_the_videos(data_root, archive):
    np.savez(archive, **{f"{clip}.avi": np.zeros(72) for clip in NWPU_TEST})
    assert NWPUCampus(PARTIAL, data_root).labels("test").clips == NWPU_TEST


def test_what_the_archive_holds_now_counts(data_root, archive):
    data = NWPUCampus(PARTIAL, data_root)
    assert data.labels("test").n_abnormal == 48
    np.savez(archive, **{clip: np.ones(80, dtype=bool) for clip in NWPU_TEST})
    assert data.labels("test").n_abnormal == 160
    assert [clip.n_frames for clip in data.tracks("test").clips] == [80, 80]


class TestWhole:
    def write(self, data_root, archive, lengths):
        arrays = {f"D{n:03d}_01": np.zeros(length, dtype=np.uint8) for n, length in enumerate(lengths)}
        np.savez(archive, **arrays)
        for clip in arrays:
            (data_root / "NWPUCampus" / "pose" / "test" / f"{clip}{SUFFIX}").write_text("{}")

    def test_the_whole_test_set(self, data_root, archive):
        self.write(data_root, archive, [1586] * 241 + [384_059 - 241 * 1586])
        data = NWPUCampus(WHOLE, data_root)
        assert (len(data.labels("test").clips), data.labels("test").n_frames) == (242, 384_059)
        assert len(data.tracks("test").clips) == 242

    @pytest.mark.parametrize("lengths", [[1000] * 241, [1000] * 242])
    def test_a_part_does_not_pass_for_it(self, data_root, archive, lengths):
        self.write(data_root, archive, lengths)
        with pytest.raises(DataError, match="the published one has 242 clips with 384,059 frames"):
            NWPUCampus(WHOLE, data_root).labels("test")


class TestTrouble:
    def finding(self, data_root):
        findings = NWPUCampus(PARTIAL, data_root).inspect("test").findings
        (finding,) = [finding for finding in findings if finding.severity == "error"]
        with pytest.raises(DataError) as caught:
            NWPUCampus(PARTIAL, data_root).labels("test")
        assert caught.value.what == finding.what
        return finding

    def test_no_archive(self, data_root, archive):
        archive.unlink()
        finding = self.finding(data_root)
        assert finding.what == "the frame labels, NWPU_Campus_gt.npz, are not there"
        assert finding.where == str(archive.parent)

    @pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
    def test_no_archive_in_spite_of_its_name(self, data_root, archive, content):
        archive.write_bytes(content)
        assert self.finding(data_root).what == "the file of labels is not a NumPy archive"

    def test_objects_are_never_loaded(self, data_root, archive, tmp_path):
        class Trap:
            def __reduce__(self):
                return (open, (str(tmp_path / "sprung"), "w"))

        np.savez(archive, D001_01=np.array([Trap()], dtype=object), D014_01=np.zeros(72))
        data = NWPUCampus(PARTIAL, data_root)
        with pytest.raises(DataError, match="holds pickled objects") as caught:
            data.labels("test")
        assert caught.value.where == f"{archive}, array D001_01"
        assert data.inspect("test").labels.clips == ("D014_01",)
        assert not (tmp_path / "sprung").exists()

    def test_one_damaged_array_leaves_the_others(self, data_root, archive):
        np.savez(archive, D001_01=np.zeros(72), D014_01=np.zeros(72))
        raw = bytearray(archive.read_bytes())
        raw[200] ^= 0xFF  # in the zeros of the first array
        archive.write_bytes(raw)
        seen = NWPUCampus(PARTIAL, data_root).inspect("test")
        assert [(finding.check, finding.where) for finding in seen.findings if finding.severity == "error"] == [
            ("unreadable-mask", f"{archive}, array D001_01")
        ]
        assert seen.labels.clips == ("D014_01",)

    @pytest.mark.parametrize(
        ("array", "what"),
        [
            (np.zeros((72, 1)), "the mask has shape (72, 1)"),
            (np.zeros(0), "the mask has shape (0,)"),
            (np.full(72, 255), "the mask holds 255, not 0 or 1"),
            (np.array(["0"] * 72), "the mask has shape (72,) and type <U1"),
        ],
    )
    def test_arrays_of_another_kind(self, data_root, archive, array, what):
        np.savez(archive, D001_01=array, D014_01=np.zeros(72))
        with pytest.raises(DataError) as caught:
            NWPUCampus(PARTIAL, data_root).labels("test")
        assert caught.value.what.startswith(what)
        assert "array D001_01" in caught.value.where

    def test_poses_and_arrays_that_do_not_match(self, data_root, archive):
        np.savez(archive, D001_01=np.zeros(72), D015_01=np.zeros(72))
        findings = NWPUCampus(PARTIAL, data_root).inspect("test").findings
        assert {(finding.check, finding.where) for finding in findings if finding.severity == "error"} == {
            ("no-mask", str(data_root / "NWPUCampus" / "pose" / "test" / f"D014_01{SUFFIX}")),
            ("no-poses", f"{archive}, array D015_01"),
        }

    def test_one_clip_twice(self, data_root, archive):
        np.savez(archive, **{"D001_01": np.zeros(72), "D001_01.avi": np.zeros(72), "D014_01": np.zeros(72)})
        with pytest.raises(DataError, match=r"clip D001_01 is there twice, as D001_01 and as D001_01\.avi"):
            NWPUCampus(PARTIAL, data_root).labels("test")

    def test_poses_beyond_the_array(self, data_root, archive):
        np.savez(archive, D001_01=np.zeros(50), D014_01=np.zeros(72))
        with pytest.raises(DataError, match="the mask has 50 frames") as caught:
            NWPUCampus(PARTIAL, data_root).tracks("test")
        assert f"mask {archive}, array D001_01" in caught.value.where


def test_the_size_and_the_frame_rate_are_what_the_user_says(data_root):
    usual, told = NWPUCampus(PARTIAL, data_root), OwnPosesConfig(partial=True, resolution=(1280, 720), frame_rate=30)
    data = NWPUCampus(told, data_root)
    assert (usual.info.resolution, usual.info.frame_rate) == ((1920, 1080), 25)
    assert (data.info.resolution, data.info.frame_rate) == ((1280, 720), 30)
    assert {clip.resolution for clip in usual.tracks("test").clips} == {(1920, 1080)}
    assert {clip.resolution for clip in data.tracks("test").clips} == {(1280, 720)}
    assert data.inspect("test").tracks.fingerprint() == data.tracks("test").fingerprint()
    for wrong in ({"resolution": (0, 720)}, {"frame_rate": 0}, {"family": "csv"}):
        with pytest.raises(ValidationError):
            OwnPosesConfig(**wrong)


def test_a_clip_in_which_nobody_was_detected(data_root):
    (data_root / "NWPUCampus" / "pose" / "test" / f"D001_01{SUFFIX}").write_text(json.dumps({}))
    assert NWPUCampus(PARTIAL, data_root).tracks("test").clips[0].n_frames == 72

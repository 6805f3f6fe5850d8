"""The files of an export: every float32 comes back, and a folder gets all of its new parts or none."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_tracks import made_tracks

from vadbench.api import COCO_17, ConfigError, UsageError
from vadbench.data.exporters.csv_places import csv_place, is_ubnormal, scene_in, ubnormal_id
from vadbench.data.exporters.exact_decimals import exact_decimals
from vadbench.data.exporters.mped_csv import csv_losses, write_pose_csv
from vadbench.data.exporters.one_clip import one_clip
from vadbench.data.exporters.pose_json import json_losses, write_pose_json
from vadbench.data.whole_folder import whole_folder

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


class TestExactDecimals:
    @given(values=arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(0, 5)), elements=FLOATS))
    def test_they_are_the_same_float32(self, values):
        for given_ in (values, values.T, values[::-1, ::2]):
            short = exact_decimals(given_)
            assert short.dtype == np.float64
            back = np.array([[float(repr(number)) for number in row] for row in short.tolist()], dtype=np.float32)
            np.testing.assert_array_equal(back.reshape(given_.shape).view(np.uint32), given_.copy().view(np.uint32))

    @pytest.mark.parametrize("text", ["0.1", "412.537", "-3.5", "0.0", "-0.0", "1000000.0", "0.123456"])
    def test_they_are_short(self, text):
        assert repr(exact_decimals(np.array([text], dtype=np.float32)).item()) == text


class TestPoseJson:
    def test_a_clip(self, tmp_path):
        tracks = made_tracks({12: [3, 4], 7: [100]}, layout=COCO_17)
        tracks.keypoints[0, 2] = (np.nan, np.nan, 0)
        tracks.score[0] = np.nan
        write_pose_json(tmp_path / "c.json", tracks)
        document = json.loads((tmp_path / "c.json").read_text())
        assert list(document) == ["7", "12"]
        assert list(document["12"]) == ["0003", "0004"]
        assert document["7"]["0100"]["keypoints"][6:9] == [0, 0, 0]
        assert document["7"]["0100"]["scores"] is None
        assert document["12"]["0003"]["scores"] == 1

    @pytest.mark.parametrize(
        ("frames", "first", "keys"), [([9, 12345], 0, ["00009", "12345"]), ([9998, 9999], 1, ["09999", "10000"])]
    )
    def test_frames_have_equal_width_because_stg_nf_sorts_them_as_text(self, tmp_path, frames, first, keys):
        write_pose_json(tmp_path / "c.json", made_tracks({1: frames}), first_frame=first)
        assert list(json.loads((tmp_path / "c.json").read_text())["1"]) == keys

    def test_nobody(self, tmp_path):
        write_pose_json(tmp_path / "c.json", made_tracks({}))
        assert (tmp_path / "c.json").read_bytes() == b"{}"

    def test_losses(self):
        tracks = made_tracks({1: range(4)})
        tracks.keypoints[0, :2] = 0
        tracks.keypoints[1, 3] = (np.nan, 5, 0)
        tracks.score[2] = np.inf
        assert sorted(json_losses(tracks).values()) == [1, 1, 2]
        assert not any(json_losses(made_tracks({1: range(4)}, missing=0.3)).values())


class TestPoseCsv:
    def test_a_clip(self, tmp_path):
        tracks = made_tracks({12: [3, 4], 7: [100]}, layout=COCO_17)
        tracks.keypoints[1, 2] = (np.nan, np.nan, 0)
        tracks.keypoints[1, 3] = (np.nan, 5, 0)
        write_pose_csv(tmp_path / "c", tracks)
        assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["00007.csv", "00012.csv"]
        lines = (tmp_path / "c" / "00012.csv").read_text().splitlines()
        table = np.array([line.split(",") for line in lines], dtype=np.float32)
        assert table.shape == (2, 35)
        assert table[:, 0].tolist() == [4, 5]
        np.testing.assert_array_equal(table[0, 5:9], np.zeros(4))
        np.testing.assert_array_equal(table[1, 1:], tracks.keypoints[2, :, :2].ravel())

    def test_nobody_is_an_empty_folder(self, tmp_path):
        write_pose_csv(tmp_path / "c", made_tracks({}, layout=COCO_17))
        assert list((tmp_path / "c").iterdir()) == []

    def test_losses(self):
        tracks = made_tracks({1: range(4)}, layout=COCO_17)
        tracks.keypoints[..., 2] = 1
        tracks.score[:3] = np.nan
        tracks.keypoints[0, 0, :2] = 0
        tracks.keypoints[0, 1:3] = (np.nan, np.nan, 0)
        tracks.keypoints[1, 1] = (5, 5, 0)
        tracks.keypoints[2, 1] = (5, 5, 0.5)
        tracks.keypoints[2, 2] = (5, np.nan, 0)
        assert dict(csv_losses(tracks)) == {
            "joints with one coordinate alone, which are written as missing": 1,
            "confidences, which are read back as 1": 2,
            "scores of poses": 1,
            "joints at exactly 0, 0, which are read back as missing": 1,
        }


class TestPlaces:
    @pytest.mark.parametrize(
        ("split", "camera", "poses", "mask"),
        [
            ("train", False, "training/trajectories/01-001", "training/test_frame_mask/01_001.npy"),
            ("test", False, "testing/trajectories/01-001", "testing/test_frame_mask/01_001.npy"),
            ("validation", False, "validating/trajectories/01-001", "validating/test_frame_mask/01_001.npy"),
            ("train", True, "training/trajectories/00/01_001", "training/frame_level_masks/01/01_001.npy"),
            ("test", True, "testing/trajectories/01/001", "testing/frame_level_masks/01/01_001.npy"),
        ],
    )
    def test_of_a_clip(self, split, camera, poses, mask):
        place = csv_place("01_001", split, camera_level=camera)
        assert (place.poses, place.mask) == (poses, mask)

    @pytest.mark.parametrize("clip", ["street", "_1", "01_", "normal_scene_1_scenario_2"])
    def test_a_camera_level_needs_a_camera(self, clip):
        assert csv_place(clip, "test", camera_level=False)
        with pytest.raises(ConfigError, match="<camera>_<number>"):
            csv_place(clip, "test", camera_level=True)

    @pytest.mark.parametrize(
        ("clip", "number", "scene"),
        [
            ("abnormal_scene_29_scenario_3_smoke", "029_0353", "29"),
            ("abnormal_scene_4_scenario_10_fire", "004_1052", "4"),
            ("normal_scene_3_scenario_0", "103_0000", "3"),
            ("normal_scene_3_scenario_4_fog", "103_0451", "3"),
            ("normal_scene_1_scenario1_10", "101_0110", "1"),
        ],
    )
    def test_ubnormal(self, clip, number, scene):
        assert is_ubnormal(clip)
        assert ubnormal_id(clip) == number
        assert scene_in(clip) == scene

    def test_others_have_no_ubnormal_number(self):
        assert not is_ubnormal("01_0014")
        assert scene_in("01_0014") == "01"
        with pytest.raises(ConfigError, match="not the name of a clip of UBnormal"):
            ubnormal_id("01_0014")

    def test_ubnormal_numbers_differ(self, shared_data):
        clips = [path.name.removesuffix("_tracks.txt") for path in (shared_data / "ubnormal-gt").glob("*_tracks.txt")]
        assert len(clips) == 331
        assert len({ubnormal_id(clip) for clip in clips}) == 331


class TestWholeFolder:
    PARTS = ("a.txt", "gt/masks", "pose")

    def fill(self, folder: Path, text: str) -> None:
        (folder / "a.txt").write_text(text)
        for name in ("gt/masks", "pose"):
            (folder / name).mkdir(parents=True)
            (folder / name / "file").write_text(text)

    def texts(self, folder: Path) -> dict[str, str]:
        return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}

    def test_all_parts_come(self, tmp_path):
        with whole_folder(tmp_path / "x" / "d", self.PARTS) as made:
            self.fill(made, "new")
            assert not (tmp_path / "x" / "d").exists()
        assert self.texts(tmp_path / "x" / "d") == dict.fromkeys(("a.txt", "gt/masks/file", "pose/file"), "new")
        assert [path.name for path in (tmp_path / "x").iterdir()] == ["d"]

    def test_a_folder_on_another_disk(self, tmp_path):
        shared_memory = Path("/dev/shm")  # noqa: S108 - only its being another file system counts
        if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second file system to write to")
        with tempfile.TemporaryDirectory(dir=shared_memory) as other:
            (tmp_path / "link").symlink_to(other)
            with whole_folder(tmp_path / "link", self.PARTS) as made:
                self.fill(made, "new")
            assert self.texts(Path(other)) == dict.fromkeys(("a.txt", "gt/masks/file", "pose/file"), "new")
            assert sorted(path.name for path in Path(other).iterdir()) == ["a.txt", "gt", "pose"]

    @pytest.mark.parametrize("failing", range(6))
    @pytest.mark.parametrize("replaces", [True, False])
    def test_a_move_that_fails_half_way_is_taken_back(self, tmp_path, monkeypatch, failing, replaces):
        target = tmp_path / "d"
        target.mkdir()
        (target / "other.txt").write_text("mine")
        if replaces:
            self.fill(target, "old")
        before, moves, rename = self.texts(target), [], Path.rename

        def interrupted(path: Path, to: Path) -> Path:
            moves.append(path)
            if len(moves) == failing + 1:
                raise KeyboardInterrupt
            return rename(path, to)

        def attempt() -> None:
            with whole_folder(target, self.PARTS, replace=True) as made:
                self.fill(made, "new")
                monkeypatch.setattr(Path, "rename", interrupted)

        if failing < (6 if replaces else 3):
            with pytest.raises(KeyboardInterrupt):
                attempt()
            assert self.texts(target) == before
        else:
            attempt()
            assert set(self.texts(target).values()) == {"new", "mine"}
        assert [path.name for path in tmp_path.iterdir()] == ["d"]

    def test_a_new_folder_goes_again(self, tmp_path, monkeypatch):
        def refused(path: Path, to: Path) -> Path:
            raise OSError(28, "No space left on device")

        def attempt() -> None:
            with whole_folder(tmp_path / "d", self.PARTS) as made:
                self.fill(made, "new")
                monkeypatch.setattr(Path, "rename", refused)

        with pytest.raises(UsageError, match="No space left on device"):
            attempt()
        assert list(tmp_path.iterdir()) == []

    def test_what_is_there_is_not_replaced_unasked(self, tmp_path):
        (tmp_path / "d" / "pose").mkdir(parents=True)
        with pytest.raises(UsageError, match="pose is there already"), whole_folder(tmp_path / "d", self.PARTS):
            pytest.fail("nothing should be made in vain")

    def test_what_comes_meanwhile_is_not_replaced(self, tmp_path):
        def attempt() -> None:
            with whole_folder(tmp_path / "d", self.PARTS) as made:
                self.fill(made, "new")
                (tmp_path / "d" / "pose").mkdir(parents=True)

        with pytest.raises(UsageError, match="pose is there already"):
            attempt()
        assert not (tmp_path / "d" / "a.txt").exists()

    def test_a_file_is_no_folder(self, tmp_path):
        (tmp_path / "d").write_text("mine")
        with pytest.raises(UsageError, match="a file, not a folder"), whole_folder(tmp_path / "d", self.PARTS):
            pytest.fail("nothing should be made in vain")


def test_one_clip_of_several():
    tracks = made_tracks({1: range(3)}, {}, {4: range(2), 2: range(5)}, missing=0.2)
    parts = [one_clip(tracks, i) for i in range(3)]
    assert [len(part) for part in parts] == [3, 0, 7]
    assert [part.clips[0].name for part in parts] == ["c0", "c1", "c2"]
    np.testing.assert_array_equal(np.concatenate([part.keypoints for part in parts]), tracks.keypoints)
    np.testing.assert_array_equal(parts[2].person, [2] * 5 + [4] * 2)
    assert replace(parts[2]).fingerprint() == parts[2].fingerprint()

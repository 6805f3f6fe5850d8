"""Damaged pose folders: each error says what is wrong, where, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fixtures import SUFFIX, TEST_CLIPS, document, walk, write_clip, write_mask

from vadbench.api import DataError
from vadbench_datasets.pose_folder import PoseFolder, PoseFolderConfig

CLIP = TEST_CLIPS[1]


def refusal(root: Path, split: str = "test", read: str = "tracks") -> DataError:
    """The error that reading the folder ends with; it always has a place and a remedy."""
    with pytest.raises(DataError) as caught:
        getattr(PoseFolder(PoseFolderConfig(root=root), None), read)(split)
    assert caught.value.where
    assert caught.value.remedy
    return caught.value


def changed(root: Path, change: str) -> DataError:
    """The error after ``change``, a piece of JSON, became the pose of person 7 in frame 3 of a clip."""
    write_clip(
        root, "test", CLIP, {"1": {}, "7": {"0002": document({7: (2, walk(1, start=(9, 9)))})["7"]["0002"], "0003": "HERE"}}
    )
    path = root / "pose" / "test" / f"{CLIP}{SUFFIX}"
    path.write_text(path.read_text().replace('"HERE"', change))
    error = refusal(root)
    assert str(path) in error.where
    return error


def numbers(first: str, count: int = 51) -> str:
    return f'{{"keypoints": [{", ".join([first] + ["1.5"] * (count - 1))}]}}'


class TestLayout:
    def test_missing_root(self, tmp_path):
        error = refusal(tmp_path / "nowhere")
        assert "does not exist" in error.what
        assert str(tmp_path / "nowhere") in error.where
        assert f"pose/test/<clip>{SUFFIX}" in error.remedy

    def test_other_layout_is_shown_beside_the_expected_one(self, tmp_path):
        (tmp_path / "frames").mkdir()
        (tmp_path / "frames.zip").touch()
        error = refusal(tmp_path)
        assert "pose/test and gt/test_frame_mask missing" in error.what
        assert "found:\n    frames/\n    frames.zip" in error.remedy
        assert "gt/test_frame_mask/<clip>.npy" in error.remedy
        assert "where to get it" in error.remedy

    def test_empty_folder(self, tmp_path):
        assert "(nothing)" in refusal(tmp_path, "train").remedy

    def test_long_listings_are_cut(self, tmp_path):
        for i in range(30):
            (tmp_path / f"{i:02d}.mp4").touch()
        assert "... and 18 more" in refusal(tmp_path).remedy

    def test_ubnormal_form_is_pointed_to_its_own_data_set(self, pose_folder):
        (pose_folder / "gt" / "test_frame_mask").rename(pose_folder / "masks")
        (pose_folder / "gt" / "abnormal_scene_1_scenario_1_tracks.txt").touch()
        assert "data set ubnormal" in refusal(pose_folder).remedy

    @pytest.mark.parametrize("split", ["train", "test"])
    def test_split_without_clips(self, pose_folder, split):
        for path in (pose_folder / "pose" / split).iterdir():
            path.unlink()
        error = refusal(pose_folder, split)
        assert "no clip" in error.what
        assert error.where.endswith(f"{split}")

    def test_no_masks_at_all(self, pose_folder):
        for path in (pose_folder / "gt" / "test_frame_mask").iterdir():
            path.unlink()
        assert "no clip" in refusal(pose_folder, read="labels").what

    @pytest.mark.parametrize("read", ["tracks", "labels"])
    def test_unknown_split(self, pose_folder, read):
        error = refusal(pose_folder, "validation", read)
        assert error.what == "there is no validation split"
        assert "train and test; the poses of the validation split would lie in pose/validation" in error.remedy


class TestPoseFile:
    def test_cut_off(self, pose_folder):
        path = pose_folder / "pose" / "test" / f"{CLIP}{SUFFIX}"
        path.write_bytes(path.read_bytes()[:1000])
        error = refusal(pose_folder)
        assert "not JSON" in error.what
        assert error.where.startswith(f"{path}, byte 1000 (line 1, column 1001)")

    @pytest.mark.parametrize("raw", [b"", b"\xff\xfe{}", b"[" * 5000, b'{"1": "\\ud800"}'])
    def test_not_json(self, pose_folder, raw):
        (pose_folder / "pose" / "test" / f"{CLIP}{SUFFIX}").write_bytes(raw)
        error = refusal(pose_folder)
        assert "not JSON" in error.what
        assert "byte" in error.where

    @pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
    def test_nan_literal_names_byte_person_and_frame(self, pose_folder, literal):
        error = changed(pose_folder, numbers(literal))
        assert error.what.startswith("NaN coordinates")
        assert "byte " in error.where
        assert error.where.endswith("person 7, frame 0003")

    def test_nan_literal_in_a_file_that_is_cut_off_too(self, pose_folder):
        path = pose_folder / "pose" / "test" / f"{CLIP}{SUFFIX}"
        path.write_text('{"1": {"0000": {"keypoints": [NaN, 1')
        error = refusal(pose_folder)
        assert error.what == "NaN coordinates: NaN is not a finite number"
        assert error.where == f"{path}, byte 30 (line 1, column 31)"

    def test_byte_offset_counts_bytes(self, pose_folder):
        path = pose_folder / "pose" / "test" / f"{CLIP}{SUFFIX}"
        path.write_text('{"é": NaN}', encoding="utf-8")
        assert "byte 7 (line 1, column 7)" in refusal(pose_folder).where

    @pytest.mark.parametrize(
        ("pose", "what"),
        [
            (numbers("1.0", 50), "keypoints hold 50 numbers; 51 = 17 x 3 (x, y, confidence) were expected"),
            (
                numbers("1.0", 54),
                "keypoints hold 54 numbers; 51 = 17 x 3 (x, y, confidence) were expected for the layout coco-17",
            ),
            (numbers("1.0", 78), "; 78 would be halpe-26"),
            (numbers('"12.5"'), "keypoints hold text, not numbers alone"),
            (numbers("null"), "keypoints hold null, not numbers alone"),
            (numbers("true"), "keypoints hold true or false, not numbers alone"),
            (numbers("[1, 2, 3]", 17), "keypoints hold a list, not numbers alone"),
            (numbers("1e39"), "a keypoint is not a finite number"),
            ('{"keypoints": "1 2 3"}', "keypoints are text, not a list of 51 numbers"),
            ('{"keypoints": null}', "keypoints are null, not a list of 51 numbers"),
            ('{"scores": 1}', "a pose is an object without keypoints"),
            ("[1, 2]", "a pose is a list, not an object"),
            (numbers("1.0")[:-1] + ', "scores": "high"}', "scores is text, not a number or null"),
            (numbers("1.0")[:-1] + ', "scores": true}', "scores is true or false, not a number or null"),
            (numbers("1.0")[:-1] + ', "scores": 1e39}', "scores is not a finite number"),
        ],
    )
    def test_pose_that_is_none(self, pose_folder, pose, what):
        error = changed(pose_folder, pose)
        assert what in error.what
        assert error.where.endswith("person 7, frame 0003")

    @pytest.mark.parametrize("frame", ["3.0", "-1", "frame3", "", " 3", "1_0", "٣"])
    def test_frame_that_is_no_whole_number(self, pose_folder, frame):
        error = changed(pose_folder, f"{numbers('1.0')}, {json.dumps(frame)}: {numbers('1.0')}")
        assert error.what == f"frame {frame!r} is not a whole number counted from 0"
        assert "person 7" in error.where

    @pytest.mark.parametrize("frame", ["2147483647", "9" * 30, "9" * 5000])
    def test_frame_that_is_too_large(self, pose_folder, frame):
        assert "too large" in changed(pose_folder, f'{numbers("1.0")}, "{frame}": {numbers("1.0")}').what

    def test_person_that_is_no_whole_number(self, pose_folder):
        path = write_clip(pose_folder, "test", CLIP, {"p1": document({1: (0, walk(2, start=(9, 9)))})["1"]})
        error = refusal(pose_folder)
        assert error.what == "person id 'p1' is not a whole number counted from 0"
        assert error.where == f"{path}, person p1"

    def test_one_frame_written_in_two_ways(self, pose_folder):
        error = changed(pose_folder, f'{numbers("1.0")}, "3": {numbers("2.0")}')
        assert error.what == "frame 3 is there twice, as '0003' and as '3'"

    def test_one_person_written_in_two_ways(self, pose_folder):
        frames = document({1: (0, walk(2, start=(9, 9)))})["1"]
        write_clip(pose_folder, "test", CLIP, {"1": frames, "01": {}})
        assert refusal(pose_folder).what == "person id 1 is there twice, as '1' and as '01'"

    @pytest.mark.parametrize(("content", "kind"), [([], "a list"), (3, "a number"), ("poses", "text"), (None, "null")])
    def test_top_level_that_is_no_object(self, pose_folder, content, kind):
        write_clip(pose_folder, "test", CLIP, content)
        assert refusal(pose_folder).what == f"the top level is {kind}, not an object"

    def test_person_that_is_no_object(self, pose_folder):
        write_clip(pose_folder, "test", CLIP, {"1": [1, 2]})
        assert refusal(pose_folder).what == "a person's frames are a list, not an object"

    def test_pose_file_that_is_a_folder(self, pose_folder):
        path = pose_folder / "pose" / "test" / f"{CLIP}{SUFFIX}"
        path.unlink()
        path.mkdir()
        assert "cannot be read" in refusal(pose_folder).what


class TestMask:
    def mask_refusal(self, root: Path, values: object, read: str = "labels") -> DataError:
        path = write_mask(root, CLIP, values)
        error = refusal(root, read=read)
        assert str(path) in error.where
        return error

    def test_shorter_than_the_clip(self, pose_folder):
        error = self.mask_refusal(pose_folder, np.zeros(40), read="tracks")
        assert "the mask has 40 frames (0 to 39), but a pose lies beyond them" in error.what
        assert "frame 40" in error.where

    @pytest.mark.parametrize(("value", "shown"), [(2, "2"), (255, "255")])
    def test_other_values(self, pose_folder, value, shown):
        mask = np.zeros(72, dtype=np.uint8)
        mask[30] = value
        error = self.mask_refusal(pose_folder, mask)
        assert f"holds {shown}, not 0 or 1" in error.what
        assert error.where.endswith("frame 30")

    def test_nan(self, pose_folder):
        assert "holds nan" in self.mask_refusal(pose_folder, np.full(72, np.nan)).what

    @pytest.mark.parametrize("shape", [(72, 1), (1, 72), (), (0,)])
    @pytest.mark.parametrize("read", ["tracks", "labels"])
    def test_other_shape(self, pose_folder, shape, read):
        assert f"has shape {shape}" in self.mask_refusal(pose_folder, np.zeros(shape), read).what

    def test_text_values(self, pose_folder):
        assert "type <U1" in self.mask_refusal(pose_folder, np.array(["0", "1"])).what

    @pytest.mark.parametrize("read", ["tracks", "labels"])
    def test_pickled_objects_are_never_loaded(self, pose_folder, tmp_path, read):
        class Trap:
            def __reduce__(self):
                return (Path.touch, (tmp_path / "sprung",))

        error = self.mask_refusal(pose_folder, np.array([Trap()] * 72, dtype=object), read)
        assert "pickled objects" in error.what
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize("raw", [b"", b"0 1 1 0", b"\x93NUMPY", b"\x93NUMPY\x01\x00\x05\x00{'(((", b"PK\x03\x04"])
    @pytest.mark.parametrize("read", ["tracks", "labels"])
    def test_not_a_numpy_file(self, pose_folder, raw, read):
        (pose_folder / "gt" / "test_frame_mask" / f"{CLIP}.npy").write_bytes(raw)
        assert "mask" in refusal(pose_folder, read=read).what

    def test_cut_off(self, pose_folder):
        path = pose_folder / "gt" / "test_frame_mask" / f"{CLIP}.npy"
        path.write_bytes(path.read_bytes()[:-10])
        assert "damaged" in refusal(pose_folder, read="labels").what

    def test_folder_in_its_place(self, pose_folder):
        path = pose_folder / "gt" / "test_frame_mask" / f"{CLIP}.npy"
        path.unlink()
        path.mkdir()
        assert "cannot be read" in refusal(pose_folder, read="labels").what

    def test_poses_without_mask(self, pose_folder):
        (pose_folder / "gt" / "test_frame_mask" / f"{CLIP}.npy").unlink()
        error = refusal(pose_folder)
        assert error.what == "a clip has poses but no mask"
        assert f"{CLIP}{SUFFIX}" in error.where

    def test_mask_without_poses(self, pose_folder):
        (pose_folder / "pose" / "test" / f"{CLIP}{SUFFIX}").unlink()
        error = refusal(pose_folder)
        assert error.what == "a clip has a mask but no poses"
        assert f"add the poses of {CLIP} to pose/test (<clip>{SUFFIX})" in error.remedy
        assert "if nobody was detected in the clip, put a file that holds {} there" in error.remedy

    def test_several_clips_are_counted(self, pose_folder):
        for path in list((pose_folder / "gt" / "test_frame_mask").iterdir())[:2]:
            path.unlink()
        assert refusal(pose_folder).what == "a clip has poses but no mask (1 more like it)"

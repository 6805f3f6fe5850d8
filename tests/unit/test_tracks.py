"""Tracks and frame labels: what is refused, where it is said to be, and what a fingerprint notices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tracks import made_tracks

from vadbench.api import COCO_17, COCO_18, Clip, DataError, FrameLabels, SkeletonLayout


def tracks():
    return made_tracks({1: range(4), 3: range(2, 6)}, {1: [5, 7]})


def refusal(**columns) -> DataError:
    with pytest.raises(DataError) as caught:
        replace(tracks(), **columns)
    return caught.value


class TestValidation:
    def test_valid(self):
        assert len(tracks()) == 10
        assert tracks().track_bounds().tolist() == [0, 4, 8, 10]
        assert tracks().locate(8) == "clip c1, person 1, frame 5"

    def test_empty(self):
        empty = made_tracks({}, {})
        assert len(empty) == 0
        assert empty.track_bounds().tolist() == [0]

    def test_one_track_in_two_clips_is_two_tracks(self):
        assert made_tracks({1: range(3)}, {1: range(3)}).track_bounds().tolist() == [0, 3, 6]

    def test_unsorted_frames(self):
        frame = tracks().frame
        frame[[1, 2]] = frame[[2, 1]]
        error = refusal(frame=frame)
        assert "not sorted" in error.what
        assert error.where == "clip c0, person 1, frame 1"

    def test_unsorted_persons(self):
        person = tracks().person
        person[:4] = 5
        assert refusal(person=person).where == "clip c0, person 3, frame 2"

    def test_unsorted_clips(self):
        clip = tracks().clip
        clip[:4] = 1
        assert refusal(clip=clip).where == "clip c0, person 3, frame 2"

    def test_two_poses_in_one_frame(self):
        frame = tracks().frame
        frame[3] = 2
        error = refusal(frame=frame)
        assert "two poses in one frame" in error.what
        assert error.where == "clip c0, person 1, frame 2"

    @pytest.mark.parametrize(("row", "frame", "where"), [(7, 6, "person 3, frame 6"), (0, -1, "person 1, frame -1")])
    def test_frame_outside_the_clip(self, row, frame, where):
        column = tracks().frame
        column[row] = frame
        error = refusal(frame=column)
        assert "6 frames (0 to 5)" in error.what
        assert error.where == f"clip c0, {where}"
        assert error.remedy

    @pytest.mark.parametrize("value", [-1, 2])
    def test_clip_outside_the_list(self, value):
        clip = tracks().clip
        clip[-1 if value > 0 else 0] = value
        assert "outside the list of clips" in refusal(clip=clip).what

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
    @pytest.mark.parametrize("column", [0, 1, 2])
    def test_keypoint_that_is_no_number(self, value, column):
        keypoints = tracks().keypoints
        keypoints[6, 2, column] = value
        error = refusal(keypoints=keypoints)
        assert "not a finite number" in error.what
        assert error.where == "clip c0, person 3, frame 4"
        assert "confidence 0" in error.remedy

    def test_infinite_coordinate_of_a_missing_joint(self):
        keypoints = tracks().keypoints
        keypoints[6, 2] = (np.inf, np.nan, 0)
        assert "not a finite number" in refusal(keypoints=keypoints).what

    def test_missing_joint_is_fine(self):
        keypoints = tracks().keypoints
        keypoints[6, 2] = (np.nan, np.nan, 0)
        assert np.isnan(replace(tracks(), keypoints=keypoints).keypoints[6, 2, 0])

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("keypoints", np.zeros((10, 17, 3), np.float32)),
            ("keypoints", np.zeros((10, 18, 2), np.float32)),
            ("person", np.zeros(9, np.int32)),
            ("frame", np.zeros((10, 1), np.int32)),
            ("score", np.zeros(11, np.float32)),
        ],
    )
    def test_wrong_shapes(self, name, value):
        error = refusal(**{name: value})
        assert f"Tracks.{name} has shape {value.shape}" in error.what


class TestFingerprint:
    def test_equal_poses_equal_fingerprint(self):
        assert tracks().fingerprint() == tracks().fingerprint()

    def test_memory_order_does_not_count(self):
        assert replace(tracks(), keypoints=np.asfortranarray(tracks().keypoints)).fingerprint() == tracks().fingerprint()

    @pytest.mark.parametrize(("name", "at", "by"), [("clip", 4, -1), ("person", 5, 1), ("frame", 5, 1), ("score", 5, 1)])
    def test_every_column_counts(self, name, at, by):
        base = made_tracks({1: [0, 1, 2, 3]}, {9: [5, 7]})
        base = replace(base, clips=tuple(replace(clip, n_frames=20) for clip in base.clips))
        column = getattr(base, name).copy()
        column[at] += by
        assert replace(base, **{name: column}).fingerprint() != base.fingerprint()

    @pytest.mark.parametrize("change", [{"name": "x"}, {"scene": "x"}, {"n_frames": 99}, {"resolution": (1, 1)}])
    def test_every_field_of_a_clip_counts(self, change):
        other = replace(tracks(), clips=(replace(tracks().clips[0], **change), tracks().clips[1]))
        assert other.fingerprint() != tracks().fingerprint()

    def test_layout_counts(self):
        renamed = SkeletonLayout("renamed", COCO_18.joints, COCO_18.edges, COCO_18.pairs)
        assert replace(tracks(), layout=renamed).fingerprint() != tracks().fingerprint()

    @given(st.integers(0, 9), st.integers(0, 17), st.integers(0, 2))
    def test_the_smallest_change_of_any_number_counts(self, row, joint, column):
        keypoints = tracks().keypoints
        keypoints[row, joint, column] = np.nextafter(keypoints[row, joint, column], np.float32(0))
        assert replace(tracks(), keypoints=keypoints).fingerprint() != tracks().fingerprint()


def labels(*parts: str, keep: tuple[str, ...] | None = None) -> FrameLabels:
    def masks(texts):
        return tuple(np.array([c == "1" for c in text], dtype=bool) for text in texts)

    return FrameLabels(tuple(f"c{i}" for i in range(len(parts))), masks(parts), masks(keep or ["1" * len(p) for p in parts]))


class TestFrameLabels:
    def test_counts_are_of_frames_that_count(self):
        truth = labels("0110", "11", keep=("1100", "01"))
        assert (truth.n_frames, truth.n_abnormal) == (3, 2)

    def test_number_of_parts(self):
        with pytest.raises(DataError, match="one keep mask a clip"):
            FrameLabels(("a",), (np.zeros(2, bool),), ())

    def test_lengths(self):
        with pytest.raises(DataError) as caught:
            labels("010", keep=("11",))
        assert caught.value.where == "clip c0"

    @pytest.mark.parametrize(
        "other",
        [labels("0111", "11"), labels("0110", "10"), labels("0110", "11", keep=("1110", "11")), labels("011", "011")],
    )
    def test_fingerprint_notices(self, other):
        assert labels("0110", "11").fingerprint() == labels("0110", "11").fingerprint()
        assert labels("0110", "11").fingerprint() != other.fingerprint()

    def test_fingerprint_notices_names(self):
        assert replace(labels("01"), clips=("x",)).fingerprint() != labels("01").fingerprint()

    def test_fingerprint_notices_where_one_clip_ends(self):
        assert labels("1", "11").fingerprint() != labels("11", "1").fingerprint()


def test_clip_is_a_value():
    assert Clip("a", "s", 3, (1, 1)) == Clip("a", "s", 3, (1, 1))
    assert tracks().layout is COCO_18
    assert COCO_17 != COCO_18

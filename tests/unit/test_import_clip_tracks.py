"""From detections to the tracks of a clip: whose ids, which poses are left out, and that each is counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures import walk

from vadbench.api import COCO_17
from vadbench.data.importers.clip_tracks import Picture, TrackingChoice, tracks_of
from vadbench.data.importers.raw_poses import NO_ID, Detections
from vadbench.data.tracker import TrackerRule

PICTURE = Picture((856, 480))


def made(frame: list[int], person: list[int], *, score: list[float] | None = None, **more: object) -> Detections:
    poses = walk(max(frame) + 1, start=(100, 200))[frame].astype(np.float32)
    poses[..., 0] += 150 * np.array(person)[:, None]
    values = {
        "where": Path("source.json"),
        "layout": COCO_17,
        "keypoints": poses,
        "frame": np.array(frame, dtype=np.int32),
        "person": np.array(person, dtype=np.int32),
        "score": np.array(score or [1.0] * len(frame), dtype=np.float32),
        "listed": None,
        "counts": {},
    }
    return Detections(**(values | more))


def test_poses_are_sorted_and_numbers_taken_over():
    clip = tracks_of("c", made([2, 0, 1, 0], [7, 7, 3, 3]), PICTURE, TrackingChoice())
    assert clip.tracks.person.tolist() == [3, 3, 7, 7]
    assert clip.tracks.frame.tolist() == [0, 1, 0, 2]
    assert (clip.ids, clip.tracks.clips[0].n_frames) == ("source", 3)


def test_poses_without_an_id_among_others_are_left_out():
    clip = tracks_of("c", made([0, 0, 1], [1, NO_ID, 1]), PICTURE, TrackingChoice())
    assert (clip.ids, len(clip.tracks)) == ("source", 2)
    assert clip.dropped == {"without a track id": 1}


def test_all_poses_are_followed_where_that_is_asked_for():
    clip = tracks_of("c", made([0, 0, 1], [1, NO_ID, 1]), PICTURE, TrackingChoice(ids="tracker"))
    assert (clip.ids, len(clip.tracks), clip.dropped) == ("tracker", 3, {})
    assert clip.tracks.person.tolist() == [1, 2, 2]


@pytest.mark.parametrize(("scores", "kept"), [([1.0, 3.0, 2.0], 3.0), ([2.0, 2.0, 1.0], 2.0), ([np.nan, 0.5, np.nan], 0.5)])
def test_of_two_poses_of_one_person_in_one_frame_the_better_is_kept(scores, kept):
    clip = tracks_of("c", made([0, 0, 0, 1], [1, 1, 1, 1], score=[*scores, 1.0]), PICTURE, TrackingChoice(ids="source"))
    assert clip.tracks.score.tolist() == [kept, 1.0]
    assert clip.dropped == {"of a person who has a better pose in the same frame": 2}


def test_poses_without_joints_are_left_out():
    found = made([0, 1, 2], [1, 1, 1])
    found.keypoints[1] = (np.nan, np.nan, 0)
    clip = tracks_of("c", found, PICTURE, TrackingChoice())
    assert clip.tracks.frame.tolist() == [0, 2]
    assert clip.dropped == {"without any joint": 1}


def test_poses_of_low_confidence_are_left_out():
    found = made([0, 1, 2], [1, 1, 1])
    found.keypoints[0, :, 2] = 0.3
    found.keypoints[1, :9] = (np.nan, np.nan, 0)  # 8 of 17 joints at 0.9: 0.42 on average
    clip = tracks_of("c", found, PICTURE, TrackingChoice(min_confidence=0.5))
    assert clip.tracks.frame.tolist() == [2]
    assert clip.dropped == {"of a mean confidence below 0.5": 2}


def test_short_tracks_are_left_out():
    found = made([0, 1, 2, 2], [NO_ID] * 4)
    found.keypoints[3, :, 0] += 300
    clip = tracks_of("c", found, PICTURE, TrackingChoice(rule=TrackerRule(min_length=2)))
    assert (len(clip.tracks), clip.dropped) == (3, {"in a track of fewer than 2 poses": 1})


def test_shares_become_pixels():
    found = made([0, 1], [1, 1])
    shares = found.keypoints / np.float32([640, 480, 1])
    clip = tracks_of("c", replace(found, keypoints=shares), Picture((640, 480), shares=True), TrackingChoice())
    np.testing.assert_allclose(clip.tracks.keypoints, found.keypoints, rtol=1e-6)


@pytest.mark.parametrize(
    ("counts_from", "listed", "first", "frames", "n_frames"),
    [
        (None, None, 0, [1, 3], 4),
        (1, None, 1, [0, 2], 3),
        (None, (1, 9), 1, [0, 2], 9),
        (None, (0, 9), 0, [1, 3], 10),
        (0, (1, 9), 0, [1, 3], 10),
    ],
)
def test_frames_are_counted_from_0(counts_from, listed, first, frames, n_frames):
    found = made([1, 3], [1, 1], listed=listed)
    clip = tracks_of("c", found, replace(PICTURE, counts_from=counts_from), TrackingChoice())
    assert clip.counts_from == first
    assert clip.tracks.frame.tolist() == frames
    assert clip.tracks.clips[0].n_frames == n_frames


def test_the_source_is_left_alone():
    found = made([0, 1], [1, 1])
    before = found.keypoints.copy()
    tracks_of("c", found, PICTURE, TrackingChoice()).tracks.keypoints[:] = 0
    np.testing.assert_array_equal(found.keypoints, before)

"""The checks of ``vadbench data doctor`` on the poses themselves: copies, joints, their order, numbers; and their bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fixtures import walk
from made_tracks import made_tracks
from read_splits import read, told

from vadbench.api import COCO_17, COCO_18, LAYOUTS, Clip, Tracks
from vadbench.data.doctor.confidences import confidence_range, no_confidence
from vadbench.data.doctor.coordinates import outside_picture, small_extent
from vadbench.data.doctor.copies import copied_clips, leaked_clips, new_scenes, split_keys
from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.joint_order import exchanged_sides, joint_order
from vadbench.data.doctor.joints import frozen_joints, missing_joints, zero_joints
from vadbench.data.doctor.motion import jumps
from vadbench.data.doctor.repeats import doubled_persons, frozen_poses, repeated_first_pose
from vadbench.data.layout_conversion import convert_layout
from vadbench_datasets.synthetic.campus import SyntheticCampus, SyntheticCampusConfig

if TYPE_CHECKING:
    from vadbench.data.doctor.split import ReadSplit


def walkers(*persons: np.ndarray, frames: int = 40) -> Tracks:
    """One clip of COCO-17 poses, each (frames, 17, 3)."""
    tracks = made_tracks({person: range(frames) for person in range(len(persons))}, layout=COCO_17)
    return replace(tracks, keypoints=np.concatenate(persons).astype(np.float32))


@pytest.fixture(scope="module")
def campus() -> Tracks:
    return SyntheticCampus(SyntheticCampusConfig(test_clips=12)).tracks("test")


class TestRepeats:
    def test_first_pose_twice(self):
        tracks = made_tracks({p: range(20) for p in range(20)})
        keypoints = tracks.keypoints.copy()
        for track in range(3):
            keypoints[20 * track + 1] = keypoints[20 * track]
        repeated = read(replace(tracks, keypoints=keypoints))
        (found,) = repeated_first_pose(repeated)
        assert "3 of 20 tracks (15 %)" in found.what
        assert [case.where for case in found.cases] == [f"clip c0, person {p}, frame 0" for p in range(3)]
        assert told(frozen_poses, repeated) == []
        keypoints[1] += 1
        assert told(repeated_first_pose, read(replace(tracks, keypoints=keypoints))) == []

    @pytest.mark.parametrize(
        ("rows", "held", "found"),
        [(1001, 0, []), (1002, 1, []), (1001, 1, ["note"]), (1001, 10, ["note"]), (1001, 11, ["warning"])],
    )
    def test_frozen(self, rows, held, found):
        tracks = made_tracks({1: range(rows)})
        keypoints = tracks.keypoints.copy()
        keypoints[500 : 500 + held + 1] = keypoints[500]
        diagnoses = list(frozen_poses(read(replace(tracks, keypoints=keypoints))))
        assert [each.severity for each in diagnoses] == found
        times = f"{held} time{'' if held == 1 else 's'}"
        assert all(each.cases == (Case(f"repeated {times}", "clip c0, person 1, frame 500"),) for each in diagnoses)

    def test_missing_joints_are_equal_too(self):
        tracks = made_tracks({1: range(40)}, missing=0.2)
        keypoints = tracks.keypoints.copy()
        keypoints[20:30] = keypoints[20]
        (found,) = frozen_poses(read(replace(tracks, keypoints=keypoints)))
        assert "9 of 39 steps" in found.what

    @pytest.mark.parametrize(("noise", "found"), [(0.0, True), (1.0, True), (8.0, False)])
    def test_doubled_persons(self, noise, found):
        rng = np.random.default_rng(0)
        one = walk(40, start=(100, 200))
        other = one + rng.normal(0, noise, one.shape) * (1, 1, 0)
        tracks = walkers(one, walk(40, start=(300, 200)), other)
        assert told(doubled_persons, read(tracks)) == [("doubled-persons", "warning")] * found
        if found:
            (diagnosis,) = doubled_persons(read(tracks))
            assert diagnosis.cases[0] == Case("persons 0 and 2 coincide in 40 frames", "clip c0, person 0, frame 0")

    def test_persons_of_different_clips_are_not_compared(self):
        one = walk(40, start=(100, 200)).astype(np.float32)
        tracks = replace(made_tracks({1: range(40)}, {1: range(40)}, layout=COCO_17), keypoints=np.concatenate([one, one]))
        assert told(doubled_persons, read(tracks)) == []
        assert told(copied_clips, read(tracks)) == [("copied-clips", "warning")]


class TestCopies:
    TRACKS = made_tracks({1: range(40)}, {1: range(40)}, {1: range(40)})

    def test_copy_is_told_by_its_own_name(self):
        keypoints = self.TRACKS.keypoints.copy()
        keypoints[40:80] = keypoints[80:] = keypoints[:40]
        (found,) = copied_clips(read(replace(self.TRACKS, keypoints=keypoints)))
        assert found.cases == (
            Case("40 of 40 poses (100 %) also in clip c0", "clip c1"),
            Case("40 of 40 poses (100 %) also in clip c0", "clip c2"),
        )

    @pytest.mark.parametrize(("copied", "found"), [(8, 0), (9, 0), (10, 1)])
    def test_leak(self, copied, found):
        """A part of a clip is enough, a few equal poses are not."""
        keypoints = made_tracks({1: range(40)}, seed=5).keypoints.copy()
        keypoints[:copied] = self.TRACKS.keypoints[40 : 40 + copied]
        other = replace(made_tracks({1: range(40)}, seed=5), keypoints=keypoints)
        train, test = split_keys(read(self.TRACKS, split="train")), split_keys(read(other))
        diagnoses = list(leaked_clips(test, train))
        assert len(diagnoses) == found
        for each in diagnoses:
            assert each.split == "train and test"
            assert each.severity == "error"
            assert each.cases == (Case("10 of 40 poses (25 %) also in clip c1", "clip c0"),)

    def test_confidences_and_ids_do_not_hide_a_copy(self):
        keypoints = self.TRACKS.keypoints.copy()
        keypoints[..., 2] = 0.5
        other = replace(self.TRACKS, keypoints=keypoints, person=self.TRACKS.person + 7)
        (found,) = leaked_clips(split_keys(read(other)), split_keys(read(self.TRACKS, split="train")))
        assert len(found.cases) == 3

    def test_nothing_in_either_split(self):
        empty = split_keys(read(made_tracks({}), split="train"))
        assert list(leaked_clips(split_keys(read(self.TRACKS)), empty)) == []
        assert list(leaked_clips(empty, split_keys(read(self.TRACKS)))) == []
        assert list(copied_clips(read(made_tracks({})))) == []

    def test_new_scenes(self):
        train = split_keys(read(made_tracks({1: [0]}), split="train"))
        test = split_keys(read(self.TRACKS))
        (found,) = new_scenes(test, train)
        assert found.severity == "note"
        assert "1 of 2 scenes (50 %)" in found.what
        assert [case.where for case in found.cases] == ["clip c1"]
        assert list(new_scenes(train, test)) == []


class TestJoints:
    def test_zero(self):
        tracks = made_tracks({1: range(1000)}, layout=COCO_17)
        keypoints = tracks.keypoints.copy()
        keypoints[3, 5] = 0
        (found,) = zero_joints(read(replace(tracks, keypoints=keypoints)))
        assert found.severity == "note"
        assert found.where == "clip c0, person 1, frame 3"
        assert "dataset.missing=zero" in found.remedy
        keypoints[:200, 5] = 0
        keypoints[:100, 5, 2] = 0.7
        (found,) = zero_joints(read(replace(tracks, keypoints=keypoints)))
        assert found.severity == "warning"
        assert "50 % of them with a confidence above 0" in found.what

    def test_missing(self):
        tracks = made_tracks({1: range(100)}, layout=COCO_17)
        keypoints = tracks.keypoints.copy()
        keypoints[:50, 3] = (np.nan, np.nan, 0)
        assert told(missing_joints, read(replace(tracks, keypoints=keypoints))) == []
        keypoints[:51, 3] = (np.nan, np.nan, 0)
        (found,) = missing_joints(read(replace(tracks, keypoints=keypoints)))
        assert "left_ear is missing in 51 of 100 poses" in found.cases[0].what

    @pytest.mark.parametrize(("held", "found"), [(20, 0), (21, 1)])
    def test_frozen(self, held, found):
        """In more than half of the 39 steps."""
        tracks = made_tracks({1: range(40)}, {1: range(40)}, layout=COCO_17)
        keypoints = tracks.keypoints.copy()
        keypoints[40 : 40 + held, 9] = (100, 100, 0.9)
        diagnoses = list(frozen_joints(read(replace(tracks, keypoints=keypoints))))
        assert len(diagnoses) == found
        if found:
            assert diagnoses[0].cases == (Case("left_wrist stays in 20 of 39 moving steps (51.3 %)", "clip c1"),)


class TestJointOrder:
    def read_as(self, campus: Tracks, layout: str, order: tuple[str, ...]) -> ReadSplit:
        """The campus in ``order``, called ``layout``."""
        whole = convert_layout(campus, "coco-18")
        columns = [whole.layout.index(joint) for joint in order]
        return read(replace(whole, layout=LAYOUTS[layout], keypoints=whole.keypoints[:, columns]))

    @pytest.mark.parametrize("layout", [name for name in LAYOUTS if set(LAYOUTS[name].joints) <= set(COCO_18.joints)])
    def test_right(self, campus, layout):
        assert told(joint_order, self.read_as(campus, layout, LAYOUTS[layout].joints)) == []

    @pytest.mark.parametrize(
        ("layout", "order", "name"),
        [
            ("coco-17", tuple(joint for joint in COCO_18.joints if joint != "neck"), "coco-18 without its neck"),
            ("coco-17", COCO_18.joints[:17], "coco-18"),
            ("coco-18", (*COCO_17.joints, "neck"), "coco-17 with a neck at the end"),
        ],
    )
    def test_another_known_order(self, campus, layout, order, name):
        (found,) = joint_order(self.read_as(campus, layout, order))
        assert (found.check, found.severity) == ("joint-order", "error")
        assert f"not in the order of {layout} but of {name}" in found.what

    @pytest.mark.parametrize(
        ("one", "other"), [("left_elbow", "left_hip"), ("left_knee", "left_ankle"), ("left_wrist", "left_elbow")]
    )
    def test_no_known_order(self, campus, one, other):
        exchanged = {one: other, other: one, one.replace("left", "right"): other.replace("left", "right")}
        exchanged |= {value: key for key, value in exchanged.items()}
        order = tuple(exchanged.get(joint, joint) for joint in COCO_17.joints)
        (found,) = joint_order(self.read_as(campus, "coco-17", order))
        assert (found.check, found.severity) == ("joint-order", "error")
        assert "no other known order" in found.what

    @pytest.mark.parametrize("part", ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"])
    def test_exchanged_sides_of_a_part(self, campus, part):
        exchange = {f"left_{part}": f"right_{part}", f"right_{part}": f"left_{part}"}
        order = tuple(exchange.get(joint, joint) for joint in COCO_17.joints)
        (found,) = joint_order(self.read_as(campus, "coco-17", order))
        assert (found.check, found.severity) == ("joint-sides", "error")
        assert part in found.what

    @pytest.mark.parametrize(
        ("x", "y", "what"),
        [
            ((0, 1), (1, -1), "y runs upwards"),
            ((1, 1), (0, 1), "x and y are exchanged"),
            ((1, -1), (0, 1), "x and y are exchanged and run upwards"),
        ],
    )
    def test_axes(self, campus, x, y, what):
        keypoints = campus.keypoints.copy()
        for place, (source, sign) in enumerate((x, y)):
            keypoints[..., place] = sign * campus.keypoints[..., source]
        (found,) = joint_order(read(replace(campus, keypoints=keypoints)))
        assert (found.check, found.severity) == ("axes", "error")
        assert found.what.startswith(f"{what}: ")

    def test_a_camera_that_looks_down_is_only_warned_of(self, campus):
        """Nothing is above anything, but bones are as long as they are."""
        turn = np.random.default_rng(0).uniform(0, 2 * np.pi, len(campus))[:, None].astype(np.float32)
        x, y, confidence = campus.planes
        keypoints = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn), confidence], axis=-1)
        (found,) = joint_order(read(replace(campus, keypoints=keypoints)))
        assert (found.check, found.severity) == ("joint-order", "warning")
        assert "looks straight down" in found.remedy

    def test_few_poses_say_nothing(self, campus):
        assert told(joint_order, read(made_tracks({1: range(20)}, layout=COCO_17))) == []
        assert told(joint_order, read(made_tracks({}, layout=COCO_17))) == []

    def test_random_joints_are_no_body(self):
        (found,) = joint_order(read(made_tracks({1: range(500)}, layout=COCO_17)))
        assert found.check == "joint-order"

    def test_sides_exchanged_throughout(self, campus):
        assert told(exchanged_sides, read(campus)) == []
        mirrored = replace(campus, keypoints=campus.keypoints[:, list(campus.layout.mirror)])
        assert told(exchanged_sides, read(mirrored)) == [("exchanged-sides", "warning")]
        assert told(joint_order, read(mirrored)) == []


class TestNumbers:
    @pytest.mark.parametrize(
        ("confidence", "found"),
        [
            ([1, 1], [("no-confidence", "note")]),
            ([0.7, 0.7], [("no-confidence", "note")]),
            ([0, 0], [("zero-confidence", "error")]),
            ([0, 1], []),
            ([0.2, 1.1], [("confidence-range", "note")]),
            ([0.2, 1.3], [("confidence-range", "warning")]),
            ([-0.3, 0.9], [("confidence-range", "warning")]),
            ([60, 95], [("confidence-scale", "error")]),
            ([95, 95], [("confidence-scale", "error")]),
        ],
    )
    def test_confidences(self, confidence, found):
        tracks = made_tracks({1: range(40)}, layout=COCO_17)
        keypoints = tracks.keypoints.copy()
        keypoints[..., 2] = np.resize(np.array(confidence, dtype=np.float32), keypoints.shape[:2])
        split = read(replace(tracks, keypoints=keypoints))
        assert [*told(no_confidence, split), *told(confidence_range, split)] == found

    def test_outside_the_picture(self):
        tracks = made_tracks({1: range(200)})
        assert told(outside_picture, read(tracks)) == []
        smaller = replace(tracks, clips=(replace(tracks.clips[0], resolution=(340, 400)),))
        (found,) = outside_picture(read(smaller))
        assert found.check == "outside-picture"
        smaller = replace(tracks, clips=(replace(tracks.clips[0], resolution=(100, 400)),))
        (found,) = outside_picture(read(smaller))
        assert found.check == "wrong-resolution"
        assert "(100 x 400)" in found.what

    def test_small_extent(self):
        tracks = made_tracks({1: range(10_000)})
        assert told(small_extent, read(tracks)) == []  # to 400 of 480
        larger = replace(tracks, clips=(replace(tracks.clips[0], resolution=(1280, 960)),))
        assert told(small_extent, read(larger)) == [("small-extent", "note")]

    @pytest.mark.parametrize(("steps", "found"), [(1, "note"), (2, "warning")])
    def test_jumps(self, steps, found):
        poses = walk(200, start=(100, 200))
        poses[100 : 100 + (100 if steps == 1 else 20), :, 0] += 150
        (diagnosis,) = jumps(read(walkers(poses, frames=200)))
        assert diagnosis.severity == found
        assert diagnosis.cases[0].where == "clip c0, person 0, frame 99"

    def test_a_long_step_over_a_gap_is_no_jump(self):
        poses = walk(200, start=(100, 200), speed=3).astype(np.float32)[::50]
        tracks = replace(made_tracks({1: range(0, 200, 50)}, layout=COCO_17), keypoints=poses)
        assert told(jumps, read(tracks)) == []


def test_clips_of_several_sizes():
    clips = (Clip("a", "a", 10, (100, 100)), Clip("b", "b", 10, (1000, 1000)))
    tracks = made_tracks({1: range(10)}, {1: range(10)})
    (found,) = outside_picture(read(replace(tracks, clips=clips)))
    assert "2 sizes" in found.what
    assert [case.where for case in found.cases] == ["clip a"]

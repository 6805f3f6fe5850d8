"""Defects planted in the files of a clean pose folder, and the check of ``vadbench data doctor`` that finds each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from fixtures import SUFFIX, write_clip, write_mask

from vadbench.api import COCO_17, COCO_18

N_FRAMES = 96
TRAIN = tuple(f"0{scene}_00{clip}" for scene in (1, 2) for clip in (1, 2, 3))
TEST = tuple(f"0{scene}_001{clip}" for scene in (1, 2) for clip in (0, 1, 2))
CLIPS = {"train": TRAIN, "test": TEST}
"""The folder that they are planted in is `fixtures.write_pose_folder` with these clips of so many frames."""

Person = dict[int, np.ndarray]
"""Frame to pose (17, 3)."""
Persons = dict[int, Person]


def pose_file(root: Path, split: str, clip: str) -> Path:
    return root / "pose" / split / f"{clip}{SUFFIX}"


def mask_file(root: Path, clip: str) -> Path:
    return root / "gt" / "test_frame_mask" / f"{clip}.npy"


def read(root: Path, split: str, clip: str) -> Persons:
    content = json.loads(pose_file(root, split, clip).read_text())
    return {
        int(person): {int(frame): np.array(pose["keypoints"]).reshape(17, 3) for frame, pose in frames.items()}
        for person, frames in content.items()
    }


def write(root: Path, split: str, clip: str, persons: Persons) -> None:
    content = {
        str(person): {f"{frame:04d}": {"keypoints": pose.ravel().tolist(), "scores": 2.5} for frame, pose in frames.items()}
        for person, frames in persons.items()
    }
    write_clip(root, split, clip, content)


def change(root: Path, split: str, how: Callable[[Persons], Persons], clips: Iterable[str] = ()) -> Path:
    """Rewrites the clips of a split, by default all; returns the file of the one that is named, or the split's folder."""
    named = list(clips)
    for clip in named or CLIPS[split]:
        write(root, split, clip, how(read(root, split, clip)))
    return pose_file(root, split, named[0]) if len(named) == 1 else root / "pose" / split


def each_pose(how: Callable[[np.ndarray], np.ndarray]) -> Callable[[Persons], Persons]:
    return lambda persons: {p: {f: how(pose.copy()) for f, pose in frames.items()} for p, frames in persons.items()}


def each_person(how: Callable[[Person], Person]) -> Callable[[Persons], Persons]:
    return lambda persons: {p: how(frames) for p, frames in persons.items()}


# --- files -----------------------------------------------------------------------------------------------------------------


def truncated_json(root: Path) -> Path:
    path = pose_file(root, "test", TEST[1])
    path.write_bytes(path.read_bytes()[:1000])
    return path


def nan_literal(root: Path) -> Path:
    path = pose_file(root, "train", TRAIN[2])
    path.write_text(path.read_text().replace("0.9", "NaN", 1))
    return path


def deleted_mask(root: Path) -> Path:
    mask_file(root, TEST[2]).unlink()
    return pose_file(root, "test", TEST[2])


def deleted_pose_file(root: Path) -> Path:
    pose_file(root, "test", TEST[0]).unlink()
    return mask_file(root, TEST[0])


def mask_one_frame_short(root: Path) -> Path:
    path = mask_file(root, TEST[3])
    np.save(path, np.load(path)[:-1])
    return pose_file(root, "test", TEST[3])


def mask_with_other_values(root: Path) -> Path:
    path = mask_file(root, TEST[3])
    np.save(path, np.load(path) * 255)
    return path


def mask_of_another_clip(root: Path) -> Path:
    paths = [mask_file(root, clip) for clip in TEST[:2]]
    for path in paths:
        np.save(path, np.repeat(np.load(path), 3))
    return pose_file(root, "test", TEST[0])


# --- frames and tracks -----------------------------------------------------------------------------------------------------


def shifted(frames: Person) -> Person:
    return {frame + 1: pose for frame, pose in frames.items()}


def at_one(persons: Persons) -> Persons:
    first = min(min(frames) for frames in persons.values())
    return {p: {f - first + 1: pose for f, pose in frames.items()} for p, frames in persons.items()}


def frames_from_one(root: Path) -> Path:
    return change(root, "train", at_one)


def every_second_frame(root: Path) -> Path:
    return change(root, "train", each_person(lambda frames: {f: pose for f, pose in frames.items() if f % 2 == 0}))


def all_in_one_frame(root: Path) -> Path:
    return change(root, "train", lambda persons: {p: {0: next(iter(frames.values()))} for p, frames in persons.items()})


def no_ids(root: Path) -> Path:
    def scattered(persons: Persons) -> Persons:
        poses = [(frame, pose) for frames in persons.values() for frame, pose in frames.items()]
        return {number: {frame: pose} for number, (frame, pose) in enumerate(poses)}

    return change(root, "train", scattered)


def short_tracks(root: Path) -> Path:
    def cut(persons: Persons) -> Persons:
        return {
            100 * p + part: {f: pose for f, pose in frames.items() if f // 20 == part}
            for p, frames in persons.items()
            for part in range(5)
        }

    return change(root, "test", cut)


def torn_tracks(root: Path) -> Path:
    return change(root, "train", each_person(lambda frames: {f: pose for f, pose in frames.items() if f % 7 != 3}))


def swapped_ids(root: Path) -> Path:
    """The two people who are farthest from each other change ids half-way."""

    def swap(persons: Persons) -> Persons:
        half = N_FRAMES // 2
        pairs = [(one, two) for one in persons.values() for two in persons.values()]
        one, two = max(pairs, key=lambda pair: np.abs(pair[0][half][0] - pair[1][half][0]).sum())
        for frame in range(half, N_FRAMES):
            one[frame], two[frame] = two[frame], one[frame]
        return persons

    return change(root, "test", swap, TEST[4:5])


def nobody_in_some_clips(root: Path) -> Path:
    return change(root, "test", lambda _: {}, TEST[:2])


def nobody_at_all(root: Path) -> Path:
    return change(root, "train", lambda _: {})


# --- poses again -----------------------------------------------------------------------------------------------------------


def doubled_first_pose(root: Path) -> Path:
    def doubled(frames: Person) -> Person:
        first = min(frames)
        return {first: frames[first]} | shifted(frames)

    return change(root, "train", each_person(doubled))


def held_poses(root: Path) -> Path:
    def held(frames: Person) -> Person:
        return {f: frames[40] if 40 <= f < 70 else pose for f, pose in frames.items()}

    return change(root, "test", each_person(held), TEST[5:])


def track_twice(root: Path) -> Path:
    return change(root, "train", lambda persons: persons | {77: persons[2]}, TRAIN[4:5])


def clip_twice(root: Path) -> Path:
    shutil.copy(pose_file(root, "train", TRAIN[0]), pose_file(root, "train", "02_009"))
    return pose_file(root, "train", "02_009")


def training_clip_in_test(root: Path) -> Path:
    shutil.copy(pose_file(root, "train", TRAIN[1]), pose_file(root, "test", TEST[2]))
    return pose_file(root, "test", TEST[2])


# --- joints ----------------------------------------------------------------------------------------------------------------


def openpose_order(root: Path) -> Path:
    names = [joint for joint in COCO_18.joints if joint != "neck"]
    return change(root, "train", each_pose(lambda pose: pose[[COCO_17.index(name) for name in names]]))


def knees_exchanged(root: Path) -> Path:
    left, right = COCO_17.index("left_knee"), COCO_17.index("right_knee")

    def exchanged(pose: np.ndarray) -> np.ndarray:
        pose[[left, right]] = pose[[right, left]]
        return pose

    return change(root, "test", each_pose(exchanged))


def x_and_y_exchanged(root: Path) -> Path:
    return change(root, "train", each_pose(lambda pose: pose[:, [1, 0, 2]]))


def y_upwards(root: Path) -> Path:
    return change(root, "train", each_pose(lambda pose: pose * (1, -1, 1) + (0, 480, 0)))


def frozen_joint(root: Path) -> Path:
    def frozen(frames: Person) -> Person:
        place = next(iter(frames.values()))[9].copy()
        return {f: np.concatenate([pose[:9], place[None], pose[10:]]) for f, pose in frames.items()}

    return change(root, "train", each_person(frozen), TRAIN[3:4])


def joint_at_zero(root: Path) -> Path:
    def at_zero(pose: np.ndarray) -> np.ndarray:
        pose[4] = 0
        return pose

    return change(root, "test", each_pose(at_zero))


# --- numbers ---------------------------------------------------------------------------------------------------------------


def normalised(root: Path) -> Path:
    return change(root, "train", each_pose(lambda pose: pose / (856, 480, 1)))


def other_resolution(root: Path) -> Path:
    return change(root, "test", each_pose(lambda pose: pose * (2.25, 2.25, 1)))


def poses_without_extent(root: Path) -> Path:
    def flat(pose: np.ndarray) -> np.ndarray:
        pose[:, :2] = pose[0, :2]
        return pose

    return change(root, "test", lambda persons: persons | {3: each_pose(flat)({3: persons[3]})[3]}, TEST[2:3])


def far_away(root: Path) -> Path:
    return change(root, "test", each_pose(lambda pose: (pose - (400, 240, 0)) * (0.1, 0.1, 1) + (400, 240, 0)))


def percent_confidences(root: Path) -> Path:
    return change(root, "train", each_pose(lambda pose: pose * (1, 1, 100)))


def no_confidences_but_zero(root: Path) -> Path:
    return change(root, "test", each_pose(lambda pose: pose * (1, 1, 0)))


def negative_confidences(root: Path) -> Path:
    def negative(pose: np.ndarray) -> np.ndarray:
        pose[3:5, 2] = -1
        return pose

    return change(root, "train", each_pose(negative), TRAIN[5:])


# --- labels ----------------------------------------------------------------------------------------------------------------


def all_normal(root: Path) -> Path:
    for clip in TEST:
        write_mask(root, clip, np.zeros(N_FRAMES, dtype=np.uint8))
    return root / "pose" / "test"


def inverted_masks(root: Path) -> Path:
    for clip in TEST:
        write_mask(root, clip, 1 - np.load(mask_file(root, clip)))
    return pose_file(root, "test", TEST[0])


DEFECTS: dict[Callable[[Path], Path], tuple[str, str]] = {
    truncated_json: ("unreadable-poses", "error"),
    nan_literal: ("unreadable-poses", "error"),
    deleted_mask: ("no-mask", "error"),
    deleted_pose_file: ("no-poses", "error"),
    mask_one_frame_short: ("poses-beyond-mask", "error"),
    mask_with_other_values: ("unreadable-mask", "error"),
    mask_of_another_clip: ("long-labels", "warning"),
    frames_from_one: ("frames-from-one", "warning"),
    every_second_frame: ("frame-stride", "error"),
    all_in_one_frame: ("one-frame", "error"),
    no_ids: ("untracked", "error"),
    short_tracks: ("short-tracks", "error"),
    torn_tracks: ("gaps", "error"),
    swapped_ids: ("jumps", "warning"),
    nobody_in_some_clips: ("empty-clips", "warning"),
    nobody_at_all: ("no-persons", "error"),
    doubled_first_pose: ("repeated-first-pose", "warning"),
    held_poses: ("frozen-poses", "warning"),
    track_twice: ("doubled-persons", "warning"),
    clip_twice: ("copied-clips", "warning"),
    training_clip_in_test: ("leaked-clips", "error"),
    openpose_order: ("joint-order", "error"),
    knees_exchanged: ("joint-sides", "error"),
    x_and_y_exchanged: ("axes", "error"),
    y_upwards: ("axes", "error"),
    frozen_joint: ("frozen-joints", "warning"),
    joint_at_zero: ("zero-joints", "warning"),
    normalised: ("normalised-coordinates", "error"),
    other_resolution: ("wrong-resolution", "warning"),
    poses_without_extent: ("zero-size", "warning"),
    far_away: ("tiny-poses", "warning"),
    percent_confidences: ("confidence-scale", "error"),
    no_confidences_but_zero: ("zero-confidence", "error"),
    negative_confidences: ("confidence-range", "warning"),
    all_normal: ("one-class", "error"),
    inverted_masks: ("inverted-labels", "warning"),
}
"""Each takes the folder, damages it, and returns the place that is to be named; with the check and its severity."""

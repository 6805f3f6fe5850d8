"""Builders of small data for tests: a pose folder with people walking, in the layout of STG-NF."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIX = "_alphapose_tracked_person.json"
TRAIN_CLIPS = ("01_001", "01_002", "02_001")
TEST_CLIPS = ("01_0010", "01_0011", "02_0010")

# One figure, standing: x and y of the COCO-17 joints in units of its height, y downwards, hips at the origin.
_STANDING = np.array(
    [
        *((0, -0.43), (0.02, -0.45), (-0.02, -0.45), (0.04, -0.44), (-0.04, -0.44)),  # nose, eyes, ears
        *((0.11, -0.32), (-0.11, -0.32), (0.13, -0.16), (-0.13, -0.16), (0.14, 0), (-0.14, 0)),  # shoulders, elbows, wrists
        *((0.07, 0), (-0.07, 0), (0.07, 0.24), (-0.07, 0.24), (0.07, 0.48), (-0.07, 0.48)),  # hips, knees, ankles
    ]
)
_SWING = np.array([0, 0, 0, 0, 0, 0, 0, -0.05, 0.05, -0.1, 0.1, 0, 0, 0.07, -0.07, 0.15, -0.15])


def walk(
    n_frames: int, *, start: tuple[float, float], height: float = 90.0, speed: float = 1.5, swing: float = 1.0, phase: float = 0.0
) -> NDArray[np.float64]:
    """(n_frames, 17, 3): a figure that walks to the right with swinging arms and legs, seen with confidence 0.9."""
    time = np.arange(n_frames)
    poses = np.zeros((n_frames, 17, 3))
    poses[..., :2] = start + height * _STANDING
    poses[..., 0] += speed * time[:, None] + height * swing * _SWING * np.sin(time[:, None] / 4 + phase)
    poses[..., 2] = 0.9
    return poses


def document(persons: Mapping[int, tuple[int, NDArray[np.float64]]], *, digits: int = 4) -> dict[str, Any]:
    """A pose file's content; each person is given as (first frame, (n, 17, 3))."""
    return {
        str(person): {
            f"{first + i:0{digits}d}": {"keypoints": pose, "scores": 2.5}
            for i, pose in enumerate(poses.reshape(-1, 51).round(3).tolist())
        }
        for person, (first, poses) in persons.items()
    }


def write_clip(root: Path, split: str, clip: str, content: object) -> Path:
    """Writes one pose file and returns its path."""
    path = root / "pose" / split / f"{clip}{SUFFIX}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def write_mask(root: Path, clip: str, abnormal: NDArray[Any]) -> Path:
    """Writes one mask in ShanghaiTech's form and returns its path."""
    path = root / "gt" / "test_frame_mask" / f"{clip}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, abnormal)
    return path


def write_pose_folder(
    root: Path,
    *,
    train: tuple[str, ...] = TRAIN_CLIPS,
    test: tuple[str, ...] = TEST_CLIPS,
    n_frames: int = 72,
    n_persons: int = 3,
    seed: int = 0,
) -> Path:
    """Writes a small valid pose folder and returns its root.

    Everybody walks. In the middle third of a test clip, which is labelled abnormal, the first person leaps and flails.
    """
    rng = np.random.default_rng(seed)
    for split, clips in (("train", train), ("test", test)):
        for clip in clips:
            persons = {}
            for person in range(1, n_persons + 1):
                first = int(rng.integers(0, 6))
                start = (float(rng.uniform(50, 400)), float(rng.uniform(150, 350)))
                poses = walk(n_frames - first, start=start, speed=rng.uniform(1, 2), phase=rng.uniform(0, 6))
                poses[..., :2] += rng.normal(0, 0.5, poses[..., :2].shape)
                persons[person] = (first, poses)
            if split == "test":
                abnormal = np.zeros(n_frames, dtype=np.uint8)
                abnormal[n_frames // 3 : 2 * n_frames // 3] = 1
                first, poses = persons[1]
                leap = abnormal[first:].astype(bool)
                poses[leap, :, :2] += rng.normal(0, 12, (int(leap.sum()), 17, 2))
                write_mask(root, clip, abnormal)
            write_clip(root, split, clip, document(persons))
    return root


def write_person(folder: Path, person: int, first: int, poses: NDArray[np.float64], *, missing: float = 0.0) -> Path:
    """Writes one person's CSV file: frame, then x and y of each joint; ``missing`` for what is NaN. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        ",".join([str(first + i), *(repr(float(value)) for value in np.nan_to_num(pose[:, :2], nan=missing).ravel())])
        for i, pose in enumerate(poses)
    ]
    path = folder / f"{person:05d}.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_csv_folder(
    root: Path,
    *,
    train: tuple[str, ...] = TRAIN_CLIPS,
    test: tuple[str, ...] = TEST_CLIPS,
    cameras: bool = False,
    separator: str = "_",
    masks: str = "test_frame_mask",
    n_frames: int = 72,
    n_persons: int = 3,
    seed: int = 0,
) -> Path:
    """Writes the people of `write_pose_folder` in the CSV layout, frames counted from 1, and returns the root.

    Args:
        root: Where to.
        train: Names of clips, with an underscore.
        test: The same.
        cameras: Whether a folder for each camera stands above those of the clips, and the masks'.
        separator: What stands for the underscore in the names of the clips' folders; masks keep it.
        masks: The folder of the masks.
        n_frames: As in `write_pose_folder`.
        n_persons: The same.
        seed: The same.
    """
    source = write_pose_folder(root / "json", train=train, test=test, n_frames=n_frames, n_persons=n_persons, seed=seed)
    for split, folder, clips in (("train", "training", train), ("test", "testing", test)):
        for clip in clips:
            above = [clip.partition("_")[0]] if cameras else []
            content = json.loads((source / "pose" / split / f"{clip}{SUFFIX}").read_text())
            for person, frames in content.items():
                poses = np.array([pose["keypoints"] for pose in frames.values()]).reshape(-1, 17, 3)
                place = root.joinpath(folder, "trajectories", *above, clip.replace("_", separator))
                write_person(place, int(person), int(next(iter(frames))) + 1, poses)
            if split == "test":
                mask = root.joinpath("testing", masks, *above, f"{clip}.npy")
                mask.parent.mkdir(parents=True, exist_ok=True)
                np.save(mask, np.load(source / "gt" / "test_frame_mask" / f"{clip}.npy"))
    shutil.rmtree(source)
    return root

"""A pose folder as large as ShanghaiTech's, in STG-NF's layout: 330 training and 107 test clips, a million poses, 950 MB of JSON.

    python tests/bench/shanghaitech_scale.py FOLDER

The test split has the official numbers of clips and frames (107, 40,791), and so many tracks of such lengths that it gives about
108 thousand windows of 24 frames. Numbers are written with as many digits as AlphaPose writes. People walk at random: the data
are for measuring how long things take and nothing else.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson


@dataclass(frozen=True)
class Extent:
    """How large a split is."""

    clips: int
    frames: int
    tracks: int
    poses: int


TRAIN = Extent(clips=330, frames=274_515, tracks=4_950, poses=875_000)
TEST = Extent(clips=107, frames=40_791, tracks=715, poses=124_808)
_SUFFIX = "_alphapose_tracked_person.json"


def make(folder: Path) -> Path:
    """Writes the folder unless it is there; returns it. Takes some ten seconds."""
    done = folder / "whole"
    if not done.exists():
        rng = np.random.default_rng(0)
        for split, extent in (("train", TRAIN), ("test", TEST)):
            _write_split(folder, split, extent, rng)
        done.touch()
    return folder


def _write_split(folder: Path, split: str, extent: Extent, rng: np.random.Generator) -> None:
    pose_folder, mask_folder = folder / "pose" / split, folder / "gt" / "test_frame_mask"
    for path in (pose_folder, mask_folder):
        path.mkdir(parents=True, exist_ok=True)
    lengths = _shares(rng, extent.frames, extent.clips, spread=0.3)
    persons = _shares(rng, extent.tracks, extent.clips, spread=0.3)
    rows = iter(_shares(rng, extent.poses, extent.tracks, spread=0.4))
    for number, (n_frames, n_persons) in enumerate(zip(lengths, persons, strict=True)):
        name = f"{number % 13 + 1:02d}_{number:0{4 if split == 'test' else 3}d}"
        document = {str(person + 1): _track(rng, n_frames, min(next(rows), n_frames)) for person in range(n_persons)}
        (pose_folder / f"{name}{_SUFFIX}").write_bytes(orjson.dumps(document))
        if split == "test":
            abnormal = np.zeros(n_frames, dtype=np.uint8)
            abnormal[n_frames // 3 : n_frames // 2] = 1
            np.save(mask_folder / f"{name}.npy", abnormal)


def _shares(rng: np.random.Generator, total: int, parts: int, *, spread: float) -> list[int]:
    """``total`` divided into ``parts`` whole numbers of about the same size."""
    weights = rng.uniform(1 - spread, 1 + spread, parts)
    bounds = np.rint(np.cumsum(weights) / weights.sum() * total).astype(int)
    return np.diff(bounds, prepend=0).tolist()


def _track(rng: np.random.Generator, n_frames: int, rows: int) -> dict[str, Any]:
    first = int(rng.integers(0, n_frames - rows + 1))
    poses = np.empty((rows, 17, 3))
    poses[..., :2] = rng.uniform(100, 380, 2) + rng.uniform(-40, 40, (17, 2)) + np.cumsum(rng.normal(0, 1, (rows, 17, 2)), axis=0)
    poses[..., 2] = rng.uniform(0.3, 1, (rows, 17))
    # AlphaPose computes in single precision and writes in double: 15 digits and more.
    values = poses.astype(np.float32).astype(np.float64).reshape(rows, 51).tolist()
    scores = rng.uniform(1, 3, rows).tolist()
    return {f"{first + i:04d}": {"keypoints": values[i], "scores": scores[i]} for i in range(rows)}


if __name__ == "__main__":
    make(Path(sys.argv[1]))

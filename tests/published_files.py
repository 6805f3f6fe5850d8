"""Builders of small data in the layouts of published sets whose files do not lie as those of STG-NF do."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import numpy as np
from fixtures import SUFFIX, write_pose_folder

if TYPE_CHECKING:
    from pathlib import Path

CHAD_TRAIN = ("1_001_0", "4_002_0")
CHAD_TEST = ("1_066_1", "4_067_1")
NWPU_TEST = ("D001_01", "D014_01")


def write_chad(root: Path, *, train: tuple[str, ...] = CHAD_TRAIN, test: tuple[str, ...] = CHAD_TEST) -> Path:
    """The people of `write_pose_folder` as CHAD: one folder of poses, labels of every clip, the lists of split 1."""
    write_pose_folder(root, train=train, test=test)
    labels, lists = root / "CHAD_Meta" / "anomaly_labels", root / "CHAD_Meta" / "splits"
    shutil.move(root / "gt" / "test_frame_mask", labels)
    (root / "gt").rmdir()
    (root / "pose" / "all").mkdir()
    lists.mkdir()
    for split, clips in (("train", train), ("test", test)):
        for clip in clips:
            (root / "pose" / split / f"{clip}{SUFFIX}").rename(root / "pose" / "all" / f"{clip}{SUFFIX}")
            if split == "train":
                np.save(labels / f"{clip}.npy", np.zeros(72))
        (root / "pose" / split).rmdir()
        (lists / f"{split}_split_1.txt").write_text("\n".join(clips) + "\n")
    return root


def write_nwpu(root: Path, *, test: tuple[str, ...] = NWPU_TEST, folder: str = "gt") -> Path:
    """The people of `write_pose_folder` as NWPU Campus: the labels of all test clips in one archive."""
    write_pose_folder(root, train=("D001_02", "D002_03"), test=test)
    masks = {path.stem: np.load(path) for path in (root / "gt" / "test_frame_mask").iterdir()}
    shutil.rmtree(root / "gt")
    (root / folder).mkdir()
    np.savez(root / folder / "NWPU_Campus_gt.npz", **masks)
    return root

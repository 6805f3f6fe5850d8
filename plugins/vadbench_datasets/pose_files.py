"""A folder of pose files and masks as `Tracks` and `FrameLabels`: what every data set of this plug-in is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import COCO_17, Clip, DataError, DatasetInfo, FrameLabels, Tracks
from vadbench_datasets.folder_form import POSE_SUFFIX, FolderForm, scene_of
from vadbench_datasets.frame_masks import mask_length, read_mask
from vadbench_datasets.pose_json import ClipPoses, read_poses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import Split


@dataclass(frozen=True, slots=True)
class Extent:
    """How large a published test set is: results on a part of it cannot be compared with anyone's."""

    clips: int
    frames: int


def partial_info(info: DatasetInfo) -> DatasetInfo:
    """What is to be said of a part of a data set: that figures on it are never a result."""
    return replace(
        info,
        title=f"{info.title}, a part of it",
        stand_in=True,
        notes=("The test set is not whole: figures on it are comparable with nothing.", *info.notes),
    )


@dataclass(frozen=True, slots=True)
class PoseFiles:
    """Poses and masks of one data set on disk.

    Args:
        root: The data set's folder.
        form: Where its masks lie and what they mean.
        resolution: Width and height of its pictures in pixels.
        source: Where to get it, for errors.
        skip: Whether a test clip, by name, is no part of the data set.
        extent: What the test set must amount to; None for any.
    """

    root: Path
    form: FolderForm
    resolution: tuple[int, int]
    source: str
    skip: Callable[[str], bool] | None = None
    extent: Extent | None = None

    def available(self) -> bool:
        """Whether the folders are there; nothing is read."""
        return all((self.root / part).is_dir() for part in ("pose/train", "pose/test", self.form.masks))

    def tracks(self, split: Split) -> Tracks:
        """The poses of a split, clips sorted by name.

        A test clip is as long as its mask. A training clip ends with its last pose; without any pose it has 0 frames.

        Raises:
            DataError: if files are missing, damaged, or disagree.
        """
        self._check_split(split)
        if split == "train":
            self.form.check(self.root, "pose/train", source=self.source)
            files = self._some(self.form.find_poses(self.root, split), "pose/train", POSE_SUFFIX)
            poses = [read_poses(path) for path in files.values()]
            lengths = [int(clip.frame.max(initial=-1)) + 1 for clip in poses]
        else:
            self.form.check(self.root, "pose/test", self.form.masks, source=self.source)
            masks = self._masks()
            files = self._paired(masks)
            lengths = [mask_length(path) for path in masks.values()]
            self._check_extent(lengths)
            poses = [read_poses(path) for path in files.values()]
            for clip, path, mask, length in zip(poses, files.values(), masks.values(), lengths, strict=True):
                _check_within(clip, path, mask, length)
        clips = tuple(Clip(name, scene_of(name), length, self.resolution) for name, length in zip(files, lengths, strict=True))
        return _joined(clips, poses)

    def labels(self, split: Split) -> FrameLabels:
        """The frame labels of a split; for the test split, the poses need not be there. Training clips are normal.

        Raises:
            DataError: if masks are missing or damaged.
        """
        self._check_split(split)
        if split == "train":
            clips = self.tracks(split).clips
            names = tuple(clip.name for clip in clips)
            abnormal = tuple(np.zeros(clip.n_frames, dtype=np.bool_) for clip in clips)
        else:
            self.form.check(self.root, self.form.masks, source=self.source)
            masks = self._masks()
            names = tuple(masks)
            abnormal = tuple(read_mask(path) == bool(self.form.abnormal) for path in masks.values())
            self._check_extent([len(clip) for clip in abnormal])
        return FrameLabels(names, abnormal, keep=tuple(np.ones(len(clip), dtype=np.bool_) for clip in abnormal))

    def _check_split(self, split: Split) -> None:
        if split not in ("train", "test"):
            raise DataError(f"there is no {split} split", where=self.root, remedy="the splits are train and test")

    def _masks(self) -> dict[str, Path]:
        masks = self._kept(self.form.find_masks(self.root))
        return self._some(masks, self.form.masks, self.form.mask_suffix)

    def _paired(self, masks: Mapping[str, Path]) -> dict[str, Path]:
        """The pose file of each test clip; raises `DataError` unless every clip has both poses and mask."""
        files = self._kept(self._some(self.form.find_poses(self.root, "test"), "pose/test", POSE_SUFFIX))
        if unmasked := [path for name, path in files.items() if name not in masks]:
            raise DataError(
                f"{_test_clips(unmasked)} poses but no mask",
                where=unmasked[0],
                remedy=f"add {self.form.masks}/<clip>{self.form.mask_suffix}, or take the pose file out of pose/test",
            )
        if poseless := [path for name, path in masks.items() if name not in files]:
            name = poseless[0].name.removesuffix(self.form.mask_suffix)
            raise DataError(
                f"{_test_clips(poseless)} a mask but no poses",
                where=poseless[0],
                remedy=f"add pose/test/{name}{POSE_SUFFIX}; if nobody was detected in the clip, let it hold {{}}",
            )
        return files

    def _kept(self, files: Mapping[str, Path]) -> dict[str, Path]:
        return {name: path for name, path in files.items() if self.skip is None or not self.skip(name)}

    def _some(self, files: dict[str, Path], folder: str, suffix: str) -> dict[str, Path]:
        if not files:
            remedy = f"its files are named <clip>{suffix}\nwhere to get them: {self.source}"
            raise DataError("the folder holds no clip", where=self.root / folder, remedy=remedy)
        return files

    def _check_extent(self, lengths: list[int]) -> None:
        found = Extent(len(lengths), sum(lengths))
        if self.extent not in (None, found):
            raise DataError(
                f"the test set has {found.clips} clips with {found.frames:,} frames; the published one has "
                f"{self.extent.clips} clips with {self.extent.frames:,} frames",
                where=self.root / self.form.masks,
                remedy=f"complete it ({self.source}); to try a part of it, "
                "--set dataset.partial=true: figures are then never a result",
            )


def _test_clips(paths: list[Path]) -> str:
    return "a test clip has" if len(paths) == 1 else f"{len(paths)} test clips have"


def _check_within(clip: ClipPoses, path: Path, mask: Path, length: int) -> None:
    beyond = clip.frame >= length
    if beyond.any():
        row = int(beyond.argmax())
        raise DataError(
            f"the mask has {length} frames (0 to {length - 1}), but a pose lies beyond them",
            where=f"{path}, person {clip.person[row]}, frame {clip.frame[row]}; mask {mask}",
            remedy="check that poses and mask belong to the same clip and that frames are counted from 0",
        )


def _joined(clips: tuple[Clip, ...], poses: list[ClipPoses]) -> Tracks:
    index: NDArray[np.int32] = np.repeat(np.arange(len(clips), dtype=np.int32), [len(clip.frame) for clip in poses])
    return Tracks(
        clips=clips,
        layout=COCO_17,
        keypoints=np.concatenate([clip.keypoints for clip in poses]),
        clip=index,
        person=np.concatenate([clip.person for clip in poses]),
        frame=np.concatenate([clip.frame for clip in poses]),
        score=np.concatenate([clip.score for clip in poses]),
    )

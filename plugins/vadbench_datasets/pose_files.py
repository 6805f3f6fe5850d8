"""A folder of pose files and labels as `Tracks` and `FrameLabels`: what every data set of this plug-in is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.api import Clip, DataError, FrameLabels
from vadbench_datasets.clip_poses import PoseTable
from vadbench_datasets.survey import Survey, survey_split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from vadbench.api import Expected, Split, Tracks
    from vadbench_datasets.clip_poses import ClipPoses
    from vadbench_datasets.pose_form import PoseForm, SplitForm
    from vadbench_datasets.survey import ClipFiles


@dataclass(frozen=True, slots=True)
class PoseFiles:
    """Poses and labels of one data set on disk.

    Args:
        root: The data set's folder.
        form: What lies where in it.
        resolution: From a clip's name to width and height of its pictures in pixels.
        source: Where to get it, for errors.
        expected: What the test set must amount to in clips and frames; None for any. Results on a part of a published test
            set cannot be compared with anyone's.
    """

    root: Path
    form: PoseForm
    resolution: Callable[[str], tuple[int, int]]
    source: str
    expected: Expected | None = None

    def available(self) -> bool:
        """Whether the folders and lists of the splits are there, but for optional splits; nothing is read."""
        needed = [folders for form in self.form.splits.values() if not form.optional for folders in _folders(form)]
        lists = [form.listed.path for form in self.form.splits.values() if form.listed is not None]
        folders_there = all(any((self.root / folder).is_dir() for folder in folders) for folders in needed)
        return folders_there and all((self.root / path).is_file() for path in lists)

    def survey(self, split: Split, *, poses: bool = True, truth: bool = True) -> Survey:
        """The files of a split and what is wrong with them; raises `DataError` for a split that there is not."""
        return survey_split(self.root, self.form, self.split(split), self.source, poses=poses, truth=truth)

    def sources(self, split: Split) -> Mapping[str, tuple[Path, ...]]:
        """Clip to its pose files, then its label file; under the empty name what concerns the split as a whole.

        Raises:
            DataError: as `tracks`, for files that are missing or not paired.
        """
        survey = self.survey(split).sound()
        files = {name: _files_of(clip) for name, clip in survey.clips.items()}
        return {"": survey.shared, **files} if survey.shared else files

    def tracks(self, split: Split) -> Tracks:
        """The poses of a split, clips sorted by name.

        A clip that has a mask is as long as that; any other ends with its last pose, and without any has 0 frames.

        Raises:
            DataError: if files are missing, damaged, or disagree.
        """
        form, survey = self.split(split), self.survey(split).sound()
        if form.truth is not None and form.truth.fixed:
            self.check_extent(split, [length_of(form, clip, 0) for clip in survey.clips.values()])
        names, lengths, poses = [], [], PoseTable(self.form.family.layout)
        for name, clip in survey.clips.items():
            read = self.form.family.read(clip.source)
            length = length_of(form, clip, read.end)
            if read.end > length:
                raise beyond_mask(read, clip, length)
            names.append(name)
            poses.add(read)
            lengths.append(length)
        return poses.tracks(self.clips(names, lengths))

    def labels(self, split: Split) -> FrameLabels:
        """The frame labels of a split; where masks say how long clips are, the poses need not be there.

        Raises:
            DataError: if label files are missing or damaged.
        """
        form = self.split(split)
        if form.truth is not None and form.truth.fixed:
            files = self.survey(split, poses=False).sound().clips
            lengths = [length_of(form, clip, 0) for clip in files.values()]
            self.check_extent(split, lengths)
        else:
            lengths = [clip.n_frames for clip in self.tracks(split).clips]
            files = self.survey(split).sound().clips
        abnormal = tuple(abnormal_of(form, clip, length) for clip, length in zip(files.values(), lengths, strict=True))
        keep = tuple(self.keep_of(form, name, length) for name, length in zip(files, lengths, strict=True))
        return FrameLabels(tuple(files), abnormal, keep)

    def split(self, split: Split) -> SplitForm:
        """The form of a split; raises `DataError` for one that there is not."""
        form, present = self.form.splits.get(split), self.form.present(self.root)
        if form is None or split not in present:
            remedy = f"the splits are {' and '.join(present)}"
            if form is not None:
                remedy += f"; the poses of the {split} split would lie in {form.poses[0]} ({self.form.family.file_name})"
            raise DataError(f"there is no {split} split", where=self.root, remedy=remedy)
        return form

    def clips(self, names: Sequence[str], lengths: Sequence[int]) -> tuple[Clip, ...]:
        """Clips by name and length."""
        pairs = zip(names, lengths, strict=True)
        return tuple(Clip(name, self.form.scene(name), length, self.resolution(name)) for name, length in pairs)

    def keep_of(self, form: SplitForm, clip: str, n_frames: int) -> NDArray[np.bool_]:
        """Which frames of a clip count."""
        return np.ones(n_frames, dtype=np.bool_) if form.keep is None else form.keep(self.root, clip, n_frames)

    def check_extent(self, split: Split, lengths: Sequence[int]) -> None:
        """Raises `DataError` where a published test set is not whole."""
        if split != "test" or self.expected is None:
            return
        wanted = (self.expected.clips, self.expected.frames)
        if any(want not in (None, have) for want, have in zip(wanted, (len(lengths), sum(lengths)), strict=True)):
            raise DataError(
                f"the test set has {extent(len(lengths), sum(lengths))}; the published one has {extent(*wanted)}",
                where=self.root,
                remedy=f"complete it ({self.source}); to try a part of it, "
                "--set dataset.partial=true: figures are then never a result",
            )


def extent(clips: int | None, frames: int | None) -> str:
    """``107 clips with 40,791 frames``."""
    words = [f"{number:,} {thing}" for number, thing in ((clips, "clips"), (frames, "frames")) if number is not None]
    return " with ".join(words)


def length_of(form: SplitForm, clip: ClipFiles, posed: int) -> int:
    """Frames of a clip whose poses end before frame ``posed``."""
    return posed if form.truth is None or clip.truth is None else form.truth.n_frames(clip.truth, posed)


def abnormal_of(form: SplitForm, clip: ClipFiles, n_frames: int) -> NDArray[np.bool_]:
    """(n_frames,): labels of a clip, normal where no file says otherwise."""
    if form.truth is None or clip.truth is None:
        return np.zeros(n_frames, dtype=np.bool_)
    return form.truth.abnormal(clip.truth, n_frames)


def beyond_mask(poses: ClipPoses, clip: ClipFiles, length: int) -> DataError:
    """The error for poses beyond the last frame of their clip's mask."""
    row, source = int((poses.frame >= length).argmax()), clip.poses
    by_one = "; they lie one frame too late: the files may count frames from 1" if poses.end == length + 1 else ""
    return DataError(
        f"the mask has {length} frames (0 to {length - 1}), but a pose lies beyond them",
        where=f"{source.place if source else ''}, person {poses.person[row]}, frame {poses.frame[row]}; mask {clip.truth}",
        remedy="check that poses and mask belong to the same clip, and from what the files count frames "
        f"(--set dataset.first_frame=0 or 1){by_one}",
    )


def _folders(form: SplitForm) -> list[tuple[str, ...]]:
    return [form.poses[:1], *([form.truth.folders] if form.truth is not None else [])]


def _files_of(clip: ClipFiles) -> tuple[Path, ...]:
    return (*(clip.poses.files if clip.poses else ()), *((clip.truth.path,) if clip.truth else ()))

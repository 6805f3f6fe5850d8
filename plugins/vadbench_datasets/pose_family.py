"""The two families of published pose files: one JSON file a clip, or one CSV file a person."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol

from vadbench.api import DataError
from vadbench_datasets.clip_poses import ClipPoses, mark_missing
from vadbench_datasets.pose_csv import SUFFIX, read_pose_csv
from vadbench_datasets.pose_json import read_pose_json

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import SkeletonLayout

Family = Literal["json", "csv"]
Missing = Literal["zero", "keep"]
"""What a joint at exactly (0, 0) with confidence 0 is: a missing joint, or a joint at that place."""

FIRST_FRAME: Final[dict[Family, int]] = {"json": 0, "csv": 1}
"""The number of a clip's first frame. MoCoDAD and COSKAD score frame ``id - 1`` of their CSV files, hence 1."""

POSE_SUFFIX: Final = "_alphapose_tracked_person.json"


@dataclass(frozen=True, slots=True)
class ClipSource:
    """Where one clip's poses lie: the file, or the folder of its persons' files, and the files themselves."""

    place: Path
    files: tuple[Path, ...]


class PoseFamily(Protocol):
    """How pose files are found and read."""

    @property
    def layout(self) -> SkeletonLayout:
        """Which joints a pose has."""
        ...

    @property
    def file_name(self) -> str:
        """What a clip's poses are called below their folder, for people."""
        ...

    @property
    def nobody(self) -> str:
        """What stands for a clip in which nobody was detected, for people."""
        ...

    def find(self, folder: Path) -> list[tuple[str, ClipSource]]:
        """The name and the files of every clip below a folder, as the files call it. Raises `DataError`."""
        ...

    def read(self, source: ClipSource) -> ClipPoses:
        """The poses of a clip, or of some of its files. Raises `DataError`."""
        ...


@dataclass(frozen=True, slots=True)
class JsonPoses:
    """One JSON file a clip, as published with GEPC and STG-NF; see `pose_json`.

    Args:
        layout: Which joints a pose has.
        missing: What a joint at exactly (0, 0) with confidence 0 is. STG-NF keeps it as a place.
        first_frame: The number of a clip's first frame in the files.
        suffix: How a file's name ends; the clip's name stands before it.
    """

    layout: SkeletonLayout
    missing: Missing = "keep"
    first_frame: int = FIRST_FRAME["json"]
    suffix: str = POSE_SUFFIX

    @property
    def file_name(self) -> str:
        """``<clip>`` and the suffix."""
        return f"<clip>{self.suffix}"

    @property
    def nobody(self) -> str:
        """An empty object."""
        return "a file that holds {}"

    def find(self, folder: Path) -> list[tuple[str, ClipSource]]:
        """The pose files of a folder, by what stands before the suffix."""
        return [(name, ClipSource(path, (path,))) for name, path in files_by_stem(folder, self.suffix)]

    def read(self, source: ClipSource) -> ClipPoses:
        """The poses of a file."""
        (path,) = source.files
        poses = read_pose_json(path, self.layout)
        if self.missing == "zero":
            mark_missing(poses.keypoints)
        if self.first_frame == 0:
            return poses
        frame = poses.frame - self.first_frame
        if (early := frame < 0).any():
            raise DataError(
                f"frame {poses.frame[early][0]} lies before the first frame of a clip, which is {self.first_frame}",
                where=f"{path}, person {poses.person[early][0]}",
                remedy="if these files count frames from 0, leave dataset.first_frame as it is by default",
            )
        return replace(poses, frame=frame)


@dataclass(frozen=True, slots=True)
class CsvPoses:
    """One CSV file a person, in a folder a clip, with or without a folder a camera above it; see `pose_csv`.

    Args:
        layout: Which joints a line has.
        first_frame: The number of a clip's first frame in the files.
    """

    layout: SkeletonLayout
    first_frame: int = FIRST_FRAME["csv"]

    @property
    def file_name(self) -> str:
        """A folder a clip, a file a person."""
        return f"<clip>/<person>{SUFFIX}"

    @property
    def nobody(self) -> str:
        """An empty folder."""
        return "an empty folder"

    def find(self, folder: Path) -> list[tuple[str, ClipSource]]:
        """The folders that hold CSV files, and those that hold nothing: clips in which nobody was detected."""
        found = []
        for entry in _listed(folder)[0]:
            folders, files = _listed(entry)
            if files or not folders:
                found.append((clip_id(entry.name), ClipSource(entry, files)))
            else:  # a camera
                found += [(clip_id(clip.name, camera=entry.name), ClipSource(clip, _listed(clip)[1])) for clip in folders]
        return found

    def read(self, source: ClipSource) -> ClipPoses:
        """The poses of all files."""
        return read_pose_csv(source.files, self.layout, first_frame=self.first_frame)


def clip_id(name: str, *, camera: str | None = None) -> str:
    """``01_0014`` for ``01_0014``, ``01-0014``, and ``0014`` below the folder of camera ``01``: releases write all three."""
    name = name.replace("-", "_")
    return name if camera is None or "_" in name else f"{camera}_{name}"


def files_by_stem(folder: Path, suffix: str) -> list[tuple[str, Path]]:
    """What stands before ``suffix`` in the names of a folder's files that end so, in the order of the names, and the files.

    Names that begin with a dot are left out: archives made on macOS hold a ``._`` companion for each file.
    """
    try:
        found = sorted(path for path in folder.iterdir() if path.name.endswith(suffix) and not path.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error
    return [(path.name.removesuffix(suffix), path) for path in found]


def _listed(folder: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The folders and the CSV files of a folder, in the order of their names."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        raise _unreadable(folder, error) from error
    folders = tuple(folder / name for name, is_folder in found if is_folder)
    return folders, tuple(folder / name for name, is_folder in found if not is_folder and name.endswith(SUFFIX))


def _unreadable(folder: Path, error: OSError) -> DataError:
    return DataError(f"the folder cannot be read: {error.strerror}", where=folder, remedy="check its permissions")

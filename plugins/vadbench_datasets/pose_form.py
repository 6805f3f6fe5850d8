"""The form of a data set on disk: which folders hold the poses and the labels of each split, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vadbench.api import Finding, Split
from vadbench_datasets.frame_truth import ClipName, FrameTruth, Masks
from vadbench_datasets.pose_family import CsvPoses, JsonPoses, PoseFamily

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vadbench_datasets.clip_list import ClipList

KeepRule = Callable[[Path, str, int], "NDArray[np.bool_]"]
"""``keep(root, clip, n_frames)``: which of a clip's frames count. Raises `DataError` where it does not fit the clip."""

_PICKLES: Final = (".pkl", ".pickle")
_UBNORMAL_NAME: Final = re.compile(r"(?:ab)?normal_scene_(\d+)_scenario.*")  # some clips are called normal_scene_1_scenario1_10


def every(clip: str) -> bool:  # noqa: ARG001 - every clip
    """A split to which every clip belongs."""
    return True


def nothing_else(clips: Mapping[str, object]) -> str | None:  # noqa: ARG001 - whatever there is
    """A split of which no clip in particular is demanded."""
    return None


def scene_of(clip: str) -> str:
    """The scene a clip was filmed in: ``S`` of ``normal_scene_S_scenario_1``, else what stands before the first ``_``."""
    ubnormal = _UBNORMAL_NAME.fullmatch(clip)
    return ubnormal[1] if ubnormal else clip.partition("_")[0]


@dataclass(frozen=True, slots=True)
class SplitForm:
    """One split on disk.

    Args:
        poses: Folders of pose files below the root. The first must be there; the others may be.
        truth: Its frame labels; None where every frame is normal and a clip ends with its last pose.
        belongs: Whether a clip, by name, is part of the split; files of others are left alone.
        listed: A file that says which clips those are; None where ``belongs`` does.
        keep: Which frames count; None for all.
        lacks: Given the clips that have poses, what else there must be, in a sentence; None where nothing is lacking.
        beside: Other files that it looks for, a line each, for people.
        optional: Whether the data set is usable without the split: it is there where its first folder is.
    """

    poses: tuple[str, ...]
    truth: FrameTruth | None = None
    belongs: Callable[[str], bool] = every
    listed: ClipList | None = None
    keep: KeepRule | None = None
    lacks: Callable[[Mapping[str, object]], str | None] = nothing_else
    beside: tuple[str, ...] = ()
    optional: bool = False

    def lines(self, family: PoseFamily) -> list[str]:
        """Its files, a line each, for people."""
        first, *others = (f"{folder}/{family.file_name}" for folder in self.poses)
        lines = [first + "    (if you have it)" * self.optional, *(f"{line}    (if you have it)" for line in others)]
        if self.truth is not None:
            places = " or ".join(f"{folder}/" for folder in self.truth.folders)
            lines.append(f"{places}{self.truth.file_name}    {self.truth.meaning}")
        if self.listed is not None:
            lines.append(f"{self.listed.path}    {self.listed.meaning}")
        return [*lines, *(f"{line}    (if you have it)" for line in self.beside)]


@dataclass(frozen=True, slots=True)
class PoseForm:
    """A data set on disk.

    Args:
        family: How pose files are found and read.
        splits: Its splits.
        clip_name: From what a file or folder is called to the name of its clip.
        scene: From a clip's name to its scene. Raises `DataError` for a clip that it does not know.
        shared: Files, besides those of clips, on which what is read depends.
    """

    family: PoseFamily
    splits: Mapping[Split, SplitForm]
    clip_name: ClipName = str
    scene: Callable[[str], str] = scene_of
    shared: tuple[Path, ...] = ()

    def present(self, root: Path | None) -> tuple[Split, ...]:
        """The splits that there are: all but the optional ones whose folder is not below the root."""
        return tuple(
            name
            for name, split in self.splits.items()
            if not split.optional or (root is not None and (root / split.poses[0]).is_dir())
        )

    @property
    def tree(self) -> str:
        """The folder as it should be, a line a file, for people."""
        lines = [line for form in self.splits.values() for line in form.lines(self.family)]
        return "\n".join(dict.fromkeys(lines))


def absent_folders(root: Path, form: PoseForm, needed: list[tuple[str, ...]], source: str) -> Finding | None:
    """What is to be said where the root, or of some of ``needed`` every alternative, is not a folder."""
    missing = [" or ".join(parts) for parts in needed if not any((root / part).is_dir() for part in parts)]
    if not missing:
        return None
    expected = f"expected:\n{indented(form.tree)}\nwhere to get it: {source}"
    if not root.is_dir():
        parent = next(folder for folder in root.absolute().parents if folder.is_dir())
        found = "\n".join(sorted(entry.name for entry in parent.iterdir())[:12]) or "(nothing)"
        remedy = f"{expected}\nfound in {parent}:\n{indented(found)}"
        return Finding("folder-missing", "error", "the folder does not exist", str(root), remedy)
    found = "\n".join(_listing(root)) or "(nothing)"
    return Finding(
        "folder-missing",
        "error",
        f"the folder is not in the pose layout: {' and '.join(missing)} missing",
        str(root),
        f"{_hint(root, form)}{expected}\nfound:\n{indented(found)}",
    )


def pickled_poses(root: Path, form: PoseForm) -> Finding | None:
    """What is to be said where a data set has no poses that can be read, and a pickle lies in one of its folders."""
    pickles = (path for depth in ("*", "*/*", "*/*/*") for path in root.glob(depth) if path.suffix in _PICKLES)
    found = min(pickles, default=None)
    if found is None:
        return None
    return Finding(
        "pickled-poses",
        "error",
        "poses are there as pickles alone, and a pickle is never loaded, because it can run any code",
        str(found),
        'write them as JSON: docs/datasets.md, "Poses that are pickles", has a script that you run at your own risk\n'
        f"expected:\n{indented(form.tree)}",
    )


def _hint(root: Path, form: PoseForm) -> str:
    """What a folder of another form may be."""
    if isinstance(form.family, JsonPoses) and (root / "training").is_dir() and (root / "testing").is_dir():
        return "this folder has the form of the CSV family: add --set dataset.family=csv\n"
    if isinstance(form.family, CsvPoses) and (root / "pose").is_dir():
        return "this folder has the form of the JSON family: leave out --set dataset.family=csv\n"
    plain = any(isinstance(split.truth, Masks) and split.truth.folders != ("gt",) for split in form.splits.values())
    if plain and any((root / "gt").glob("*_tracks.txt")):
        return "this folder has the form of UBnormal: choose the data set ubnormal, which looks for <data root>/UBnormal\n"
    return ""


def indented(text: str) -> str:
    """Lines of a tree, set apart from the text around them."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _listing(root: Path, limit: int = 12) -> list[str]:
    """The first entries of a folder and of the folders in it that a form may know, a line each."""
    below = ("pose", "gt", "training", "testing", "validating")
    folders = (root, *(root / name for name in below if (root / name).is_dir()))
    entries = sorted(entry for folder in folders for entry in folder.iterdir())
    lines = [entry.relative_to(root).as_posix() + "/" * entry.is_dir() for entry in entries]
    return lines[:limit] + [f"... and {len(lines) - limit} more"] * (len(lines) > limit)

"""The two forms of a pose folder, and the error for a folder that has neither."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vadbench.api import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

POSE_SUFFIX: Final = "_alphapose_tracked_person.json"
STG_NF: Final = "poses and masks are released with STG-NF: the README of https://github.com/orhir/STG-NF links to them"
_UBNORMAL_NAME: Final = re.compile(r"(?:ab)?normal_scene_(\d+)_scenario.*")  # one clip is called normal_scene_1_scenario1_10


@dataclass(frozen=True, slots=True)
class FolderForm:
    """Where a pose folder keeps its masks and what their numbers mean; poses are in ``pose/train`` and ``pose/test``.

    Args:
        masks: Folder of the masks, below the root.
        mask_suffix: How a mask's file name ends; the clip's name stands before it.
        abnormal: The number that stands for an abnormal frame, 1 or 0.
        find_masks: Given the root, the mask file of every test clip.
        tree: The folder as it should be, for people.
    """

    masks: str
    mask_suffix: str
    abnormal: int
    find_masks: Callable[[Path], Mapping[str, Path]]
    tree: str

    def find_poses(self, root: Path, split: str) -> dict[str, Path]:
        """The pose file of every clip of a split."""
        return files_by_clip(root / "pose" / split, POSE_SUFFIX)

    def check(self, root: Path, *parts: str, source: str) -> None:
        """Raises `DataError` unless the folders ``parts`` exist below ``root``."""
        missing = [part for part in parts if not (root / part).is_dir()]
        if not missing:
            return
        expected = f"expected:\n{indented(self.tree)}\nwhere to get it: {source}"
        if not root.is_dir():
            parent = next(folder for folder in root.absolute().parents if folder.is_dir())
            found = "\n".join(sorted(entry.name for entry in parent.iterdir())[:12]) or "(nothing)"
            raise DataError("the folder does not exist", where=root, remedy=f"{expected}\nfound in {parent}:\n{indented(found)}")
        hint = ""
        if self.masks != "gt" and any((root / "gt").glob("*_tracks.txt")):
            hint = "this folder has the form of UBnormal: choose the data set ubnormal, which looks for <data root>/UBnormal\n"
        found = "\n".join(_listing(root)) or "(nothing)"
        raise DataError(
            f"the folder is not in the pose layout: {' and '.join(missing)} missing",
            where=root,
            remedy=f"{hint}{expected}\nfound:\n{indented(found)}",
        )


def files_by_clip(folder: Path, suffix: str) -> dict[str, Path]:
    """The files of a folder that end in ``suffix``, sorted by what stands before it.

    Names that begin with a dot are left out: archives made on macOS hold a ``._`` companion for each file.
    """
    try:
        found = {path.name.removesuffix(suffix): path for path in folder.iterdir() if path.name.endswith(suffix)}
    except OSError as error:
        raise DataError(f"the folder cannot be read: {error.strerror}", where=folder, remedy="check its permissions") from error
    return {clip: found[clip] for clip in sorted(found) if not clip.startswith(".")}


def scene_of(clip: str) -> str:
    """The scene a clip was filmed in: ``S`` of ``normal_scene_S_scenario_1``, else what stands before the first ``_``."""
    ubnormal = _UBNORMAL_NAME.fullmatch(clip)
    return ubnormal[1] if ubnormal else clip.partition("_")[0]


def indented(text: str) -> str:
    """Lines of a tree, set apart from the text around them."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _listing(root: Path, limit: int = 12) -> list[str]:
    """The first entries of a folder and of its pose and gt folders, a line each."""
    entries = sorted(entry for folder in (root, root / "pose", root / "gt") if folder.is_dir() for entry in folder.iterdir())
    lines = [entry.relative_to(root).as_posix() + "/" * entry.is_dir() for entry in entries]
    return lines[:limit] + [f"... and {len(lines) - limit} more"] * (len(lines) > limit)


STANDARD_FORM: Final = FolderForm(
    masks="gt/test_frame_mask",
    mask_suffix=".npy",
    abnormal=1,
    find_masks=lambda root: files_by_clip(root / "gt" / "test_frame_mask", ".npy"),
    tree=(
        f"pose/train/<clip>{POSE_SUFFIX}\n"
        f"pose/test/<clip>{POSE_SUFFIX}\n"
        "gt/test_frame_mask/<clip>.npy    one number a frame, 1 = abnormal"
    ),
)
"""The form of ShanghaiTech, and of any folder that is opened by its path."""

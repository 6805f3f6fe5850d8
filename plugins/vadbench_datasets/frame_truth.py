"""Where the frame labels of a split come from, and what a file says: `FrameTruth`, and masks, which are one form of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from vadbench.api import DataError, Finding
from vadbench_datasets.frame_masks import mask_length, read_mask
from vadbench_datasets.pose_family import clip_id, files_by_stem

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from vadbench.api import Severity

ClipName = Callable[[str], str]
"""From what a file is called to the name of its clip; raises `DataError` for what is none."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LabelFile:
    """Where the labels of one clip lie.

    Args:
        path: The file.
        member: Name of the clip's array in it, where the file holds those of many clips.
    """

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        """The place, for people."""
        return str(self.path) if self.member is None else f"{self.path}, array {self.member}"


@dataclass(frozen=True, slots=True)
class Found:
    """The label files of a split.

    Args:
        files: Clip to where its labels lie, sorted by clip.
        findings: What is wrong with their names, or with what there is and is not.
        shared: Files that concern the split as a whole.
    """

    files: Mapping[str, LabelFile]
    findings: tuple[Finding, ...] = ()
    shared: tuple[Path, ...] = ()


class FrameTruth(Protocol):
    """The frame labels of a split, clip by clip."""

    @property
    def folders(self) -> tuple[str, ...]:
        """Folders below the root, of which one must be there."""
        ...

    @property
    def file_name(self) -> str:
        """What the file is called that a clip's labels are in, for people."""
        ...

    @property
    def meaning(self) -> str:
        """What is in it, for people."""
        ...

    @property
    def fixed(self) -> bool:
        """Whether labels fix the length of their clip. Then every clip has some, and every labelled clip has poses."""
        ...

    def find(self, root: Path, clip_name: ClipName) -> Found:
        """The files below the root."""
        ...

    def wanted(self, clip: str) -> bool:
        """Whether a clip with poses must have a file; one that has none is normal throughout."""
        ...

    def n_frames(self, labels: LabelFile, posed: int) -> int:
        """Frames of a clip whose poses end before frame ``posed``. Raises `DataError` for a damaged file."""
        ...

    def abnormal(self, labels: LabelFile, n_frames: int) -> NDArray[np.bool_]:
        """(n_frames,), True where the frame is abnormal. Raises `DataError` for a damaged file."""
        ...


@dataclass(frozen=True, slots=True)
class Masks:
    """One NumPy array a clip, one number a frame; files may lie one folder (a camera) deeper.

    Args:
        folders: Where they lie below the root; the first folder that is there counts.
        suffix: How a file's name ends; the clip's name stands before it.
        ones: Whether 1 stands for an abnormal frame or for a normal one.
        dashes: Whether a dash in a name is an underscore, as in the CSV releases.
    """

    folders: tuple[str, ...]
    suffix: str = ".npy"
    ones: str = "abnormal"
    dashes: bool = False

    @property
    def file_name(self) -> str:
        """``<clip>`` and the suffix."""
        return f"<clip>{self.suffix}"

    @property
    def meaning(self) -> str:
        """One number a frame."""
        return f"one number a frame, 1 = {self.ones}"

    @property
    def fixed(self) -> bool:
        """A mask is as long as its clip."""
        return True

    def find(self, root: Path, clip_name: ClipName) -> Found:
        """The masks of the first folder that is there."""
        folder = next((root / name for name in self.folders if (root / name).is_dir()), None)
        if folder is None:
            return Found({})
        pairs = [(clip_id(name) if self.dashes else name, path) for name, path in files_by_stem(folder, self.suffix)]
        for camera in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.endswith(self.suffix)):
            pairs += [(clip_id(name, camera=camera.name), path) for name, path in files_by_stem(camera, self.suffix)]
        files, findings = by_clip(((name, path, LabelFile(path)) for name, path in pairs), clip_name)
        return Found(files, findings)

    def wanted(self, clip: str) -> bool:  # noqa: ARG002 - every clip
        """Every clip has a mask."""
        return True

    def n_frames(self, labels: LabelFile, posed: int) -> int:  # noqa: ARG002 - a mask fixes the length
        """The mask's length."""
        return mask_length(labels.path)

    def abnormal(self, labels: LabelFile, n_frames: int) -> NDArray[np.bool_]:  # noqa: ARG002 - a mask fixes the length
        """The mask, turned round where 1 stands for normal."""
        mask = read_mask(labels.path)
        return mask if self.ones == "abnormal" else ~mask


def by_clip(named: Iterable[tuple[str, Path, _T]], clip_name: ClipName) -> tuple[dict[str, _T], tuple[Finding, ...]]:
    """Things by the names of their clips, sorted; and findings for names that are none, or that mean one clip twice.

    Args:
        named: Name, place (for messages) and thing.
        clip_name: From that name to the clip's.
    """
    found: dict[str, tuple[Path, _T]] = {}
    findings = []
    for name, path, thing in named:
        try:
            clip = clip_name(name)
        except DataError as error:
            findings.append(finding("clip-name", DataError(error.what, where=path, remedy=error.remedy)))
            continue
        if clip in found:
            what = f"clip {clip} is there twice, as {found[clip][0].name} and as {path.name}"
            findings.append(Finding("clip-twice", "error", what, str(path), "keep one of the two"))
        else:
            found[clip] = (path, thing)
    return {clip: found[clip][1] for clip in sorted(found)}, tuple(findings)


def finding(check: str, error: DataError, severity: Severity = "error") -> Finding:
    """An error as something that was found."""
    return Finding(check, severity, error.what, error.where or "", error.remedy or "")

"""A text file that lists the clips of a split, a name a line, where one folder holds the clips of several splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vadbench.api import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench_datasets.frame_truth import ClipName

ENDINGS: Final = (".mp4", ".avi", ".pkl", ".pickle", ".npy", ".json")
"""What may stand behind a clip's name in a list: the endings of its files."""


@dataclass(frozen=True, slots=True)
class ClipList:
    """The list of a split.

    Args:
        path: Where it lies below the root.
        whole: Whether every clip of the list must be there; else it is enough that it is in the list.
    """

    path: str
    whole: bool = True

    @property
    def meaning(self) -> str:
        """What is in it, for people."""
        return "the clips of the split, a name a line"

    def read(self, root: Path, clip_name: ClipName) -> frozenset[str]:
        """The clips of the list. Raises `DataError` where it cannot be read, is empty, or holds what is no clip's name."""
        path = root / self.path
        try:
            text = path.read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            what = f"the list of the clips of a split cannot be read: {error.strerror}"
            raise DataError(what, where=path, remedy="it comes with the data set; copy it to this place") from error
        clips = set()
        for number, line in enumerate(text.splitlines(), start=1):
            name = line.strip()
            if name:
                try:
                    clips.add(clip_name(_without_ending(name)))
                except DataError as error:
                    raise DataError(error.what, where=f"{path}, line {number}", remedy=error.remedy) from None
        if not clips:
            raise DataError("the list of the clips of a split is empty", where=path, remedy="copy it again")
        return frozenset(clips)


def _without_ending(name: str) -> str:
    ending = next((ending for ending in ENDINGS if name.endswith(ending)), "")
    return name.removesuffix(ending)

"""The formats that are read here: how clips are found in what the user names, and how one is read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from vadbench.api import UsageError, did_you_mean
from vadbench.data.importers import alphapose, coco, openpose, poseflow, ultralytics, ultralytics_labels
from vadbench.data.importers.clip_sources import one_file_a_clip, one_file_a_frame, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vadbench.data.importers.raw_poses import Detections


@dataclass(frozen=True, slots=True)
class ClipSource:
    """One clip that can be read.

    Args:
        read: Reads it; raises `DataError` for a file of another form.
        shares: Whether its places are shares of the picture, not pixels.
        counts_from: The number that the format gives the first frame, where it says.
    """

    read: Callable[[], Detections]
    shares: bool = False
    counts_from: int | None = None


def find_clips(name: str, source: Path) -> Mapping[str, ClipSource]:
    """The clips of a format in a file or folder, by name.

    Raises:
        UsageError: for an unknown format.
        DataError: where there is no clip.
    """
    if name not in FORMATS:
        raise UsageError(f"no format is called {name!r}", remedy=did_you_mean(name, FORMATS))
    return FORMATS[name](source)


def _json_files(read: Callable[[Path], Detections], source: Path) -> Mapping[str, ClipSource]:
    return {clip: ClipSource(partial(read, file)) for clip, file in one_file_a_clip(source, ".json").items()}


def _openpose(source: Path) -> Mapping[str, ClipSource]:
    clips = one_file_a_frame(source, ".json", ending="_keypoints")
    return {clip: ClipSource(partial(openpose.read, files)) for clip, files in clips.items()}


def _ultralytics(source: Path) -> Mapping[str, ClipSource]:
    """JSON; or label files, in the folder, in ``labels`` below it as Ultralytics makes it, or in a folder a clip."""
    if source.is_file() or visible(source, ".json"):
        return _json_files(ultralytics.read, source)
    labels = source / "labels" if (source / "labels").is_dir() else source
    clips = one_file_a_frame(labels, ".txt")
    return {
        # Frames of a video are numbered from 1 in these files' names; a file 0 shows that others numbered them.
        clip: ClipSource(partial(ultralytics_labels.read, files), shares=True, counts_from=0 if 0 in files else 1)
        for clip, files in clips.items()
    }


FORMATS: Final[Mapping[str, Callable[[Path], Mapping[str, ClipSource]]]] = {
    "alphapose": partial(_json_files, alphapose.read),
    "poseflow": partial(_json_files, poseflow.read),
    "coco": partial(_json_files, coco.read),
    "openpose": _openpose,
    "ultralytics": _ultralytics,
}
"""Format to the function that finds its clips. The published layouts are not here: the data sets that open folders read them."""

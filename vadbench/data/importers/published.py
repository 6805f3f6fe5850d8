"""Imports of the published layouts, which the data sets that open folders read: nothing is parsed here a second time.

What they open is a folder made for the purpose, with links to the user's files as a training split: that needs no masks.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vadbench.api import DataError, Dataset
from vadbench.data.exporters.csv_places import CSV_SPLIT
from vadbench.data.exporters.one_clip import one_clip
from vadbench.data.exporters.pose_json import POSE_SUFFIX
from vadbench.data.importers.clip_sources import one_file_a_clip
from vadbench.data.importers.clip_tracks import ClipTracks, Picture, TrackingChoice, tracks_of
from vadbench.data.importers.raw_poses import Detections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.api import Split, Tracks

Opener = Callable[[Path], Dataset]
"""Opens a folder of the family that is imported; the command line has one that knows the installed plug-ins."""


def stg_nf_clips(source: Path, split: Split, opener: Opener, choice: TrackingChoice) -> Mapping[str, Callable[[], ClipTracks]]:
    """The clips of loose ``<clip>_alphapose_tracked_person.json`` files: one file, a folder of them, or a pose folder's split.

    Args:
        source: File or folder.
        split: Which split is read, where ``source`` is a pose folder.
        opener: See `Opener`.
        choice: Ids are those of the files unless our own tracker is asked for.

    Raises:
        DataError: where there is no clip; a clip's own faults come when it is read.
    """
    inner = source / "pose" / split
    files = one_file_a_clip(inner if inner.is_dir() else source, ".json", ending=POSE_SUFFIX.removesuffix(".json"))
    return {clip: partial(_json_clip, clip, file, opener, choice) for clip, file in files.items()}


def mped_csv_clips(source: Path, split: Split, opener: Opener, choice: TrackingChoice) -> Mapping[str, Callable[[], ClipTracks]]:
    """The clips of a folder of CSV files, a person each: a data set with ``training`` and ``testing``, or ``trajectories`` in it.

    Takes the arguments of `stg_nf_clips`. All clips are read at once.

    Raises:
        DataError: where there is no clip, or a file is damaged.
    """
    inner = source / CSV_SPLIT[split] / "trajectories"
    if not source.is_dir():
        raise DataError("this is no folder", where=source, remedy="name the data set's folder, or the folder trajectories in it")
    with _opened({"training/trajectories": inner if inner.is_dir() else source}, opener) as dataset:
        tracks = dataset.tracks("train")
    return {clip.name: partial(_as_wanted, one_clip(tracks, i), choice) for i, clip in enumerate(tracks.clips)}


def _json_clip(clip: str, file: Path, opener: Opener, choice: TrackingChoice) -> ClipTracks:
    with _opened({f"pose/train/{clip}{POSE_SUFFIX}": file}, opener) as dataset:
        return _as_wanted(dataset.tracks("train"), choice)


def _as_wanted(tracks: Tracks, choice: TrackingChoice) -> ClipTracks:
    """As they are in the files, unless something else was asked for."""
    if choice.ids != "tracker" and choice.min_confidence == 0:
        return ClipTracks(tracks, "source", 0, {}, {})
    (clip,) = tracks.clips
    found = Detections(
        where=Path(clip.name),
        layout=tracks.layout,
        keypoints=tracks.keypoints,
        frame=tracks.frame,
        person=tracks.person,
        score=tracks.score,
        listed=None,
        counts={},
    )
    return tracks_of(clip.name, found, Picture(clip.resolution), choice)


@contextmanager
def _opened(links: Mapping[str, Path], opener: Opener) -> Iterator[Dataset]:
    """A data set whose files are links to others; its errors name those."""
    with tempfile.TemporaryDirectory(prefix="vadbench-import-") as name:
        root = Path(name).resolve()
        for place, target in links.items():
            _link(root / place, target.resolve())
        try:
            yield opener(root)
        except DataError as error:
            where = error.where
            for place, target in links.items():
                where = None if where is None else where.replace(str(root / place), str(target))
            raise DataError(error.what, where=where, remedy=error.remedy) from error


def _link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        place.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:  # a system, or a user, that may not make links
        copy = shutil.copytree if target.is_dir() else shutil.copyfile
        copy(target, place)

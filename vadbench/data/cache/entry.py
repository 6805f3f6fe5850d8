"""One cached split on disk: a folder of NumPy arrays and a description, whole or absent, checked whenever it is opened.

The description, ``entry.json``, holds what it is of, layout, clips, and the fingerprint of the poses; ``planes.npy`` is (3, N, J)
float32, x, y and confidence; ``clip.npy``, ``person.npy``, ``frame.npy`` and ``score.npy`` are (N,).
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from vadbench.api import LAYOUTS, Clip, DataError, Tracks

DESCRIPTION: Final = "entry.json"
PARTIAL: Final = ".partial-"
_COLUMNS: Final = ("clip", "person", "frame", "score")


class EntryDescription(BaseModel):
    """What ``entry.json`` holds.

    Args:
        format: Version of this form.
        dataset: Name of the data set, for people.
        split: Split, for people.
        created: When, UTC.
        layout: Name of the skeleton layout.
        clips: Name, scene, number of frames, and resolution of each clip.
        poses: N.
        fingerprint: ``Tracks.fingerprint`` of what was written, which is what is checked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    format: Literal[1] = 1
    dataset: str
    split: str
    created: str
    layout: str
    clips: list[tuple[str, str, int, int, int]]
    poses: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """An entry as it lies on disk, not yet checked."""

    path: Path
    description: EntryDescription

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.path.iterdir())

    @property
    def used(self) -> float:
        """When it was last read or written, seconds since the epoch."""
        return (self.path / DESCRIPTION).stat().st_mtime


def write_entry(path: Path, tracks: Tracks, *, fingerprint: str, dataset: str, split: str) -> bool:
    """Writes an entry beside its place and moves it there in one step; whether it is this one that stands there now.

    Raises:
        OSError: if it cannot be written; then nothing is left behind.
    """
    description = EntryDescription(
        dataset=dataset,
        split=split,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        layout=tracks.layout.name,
        clips=[(clip.name, clip.scene, clip.n_frames, *clip.resolution) for clip in tracks.clips],
        poses=len(tracks),
        fingerprint=fingerprint,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=path.parent, ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "entry"
        folder.mkdir()
        np.save(folder / "planes.npy", tracks.planes, allow_pickle=False)
        for name in _COLUMNS:
            np.save(folder / f"{name}.npy", getattr(tracks, name), allow_pickle=False)
        (folder / DESCRIPTION).write_text(description.model_dump_json(indent=2) + "\n", encoding="utf-8")
        try:
            folder.rename(path)
        except OSError:
            # Another process may have been quicker. What it wrote has the same name, so it is of the same content.
            if not (path / DESCRIPTION).is_file():
                raise
            return False
    return True


def describe_entry(path: Path) -> CacheEntry:
    """The entry at a folder; raises `DataError` where there is none, or its description is damaged or of another version."""
    try:
        return CacheEntry(path, EntryDescription.model_validate_json((path / DESCRIPTION).read_bytes()))
    except (OSError, ValidationError) as error:
        raise _damaged(path, error) from error


def open_entry(path: Path) -> tuple[Tracks, str]:
    """The poses of an entry, mapped into memory, and their fingerprint.

    Raises:
        DataError: if it is damaged in any way: a file missing, cut off or changed, columns that make no `Tracks`.
    """
    description = describe_entry(path).description
    try:
        columns: dict[str, Any] = {name: np.load(path / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _COLUMNS}
        planes = np.load(path / "planes.npy", mmap_mode="r", allow_pickle=False)
        tracks = Tracks(
            clips=tuple(Clip(name, scene, frames, (width, height)) for name, scene, frames, width, height in description.clips),
            layout=LAYOUTS[description.layout],
            keypoints=planes.view(np.ndarray).transpose(1, 2, 0),
            **{name: column.view(np.ndarray) for name, column in columns.items()},
        )
        fingerprint = tracks.fingerprint()
    except Exception as error:  # NumPy's reader of damaged headers lets out whatever its parser meets
        raise _damaged(path, error) from error
    if fingerprint != description.fingerprint:
        raise _damaged(path, "the poses are not those that were written")
    with suppress(OSError):  # a cache that may only be read is used all the same
        (path / DESCRIPTION).touch()
    return tracks, fingerprint


def _damaged(path: Path, why: object) -> DataError:
    return DataError(f"the cached poses are damaged: {why}", where=path, remedy="vadbench data cache clear removes them")

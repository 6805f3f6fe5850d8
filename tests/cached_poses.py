"""A data set small enough to be cached, damaged and killed over again, for the tests of the cache."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from made_tracks import made_tracks

from vadbench.api import DatasetInfo, Tracks

if TYPE_CHECKING:
    from vadbench.data.cache.track_cache import TrackCache


@dataclass
class Written:
    """A data set of one file, which holds the seed of its poses; counts how often it is parsed."""

    folder: Path
    parsed: int = 0
    info: DatasetInfo = field(default=DatasetInfo("written", "Written", "coco-18", 24.0, "x", "x", "x"))

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        # Not again: other processes may be reading it.
        if not (self.folder / "poses.txt").exists():
            self.write(1)

    def write(self, seed: int) -> None:
        (self.folder / "poses.txt").write_text(str(seed), encoding="utf-8")

    def sources(self, split):
        return {"c0": (self.folder / "poses.txt",)}

    def tracks(self, split) -> Tracks:
        self.parsed += 1
        return poses(int((self.folder / "poses.txt").read_text(encoding="utf-8")))

    def labels(self, split):
        raise NotImplementedError


def poses(seed: int) -> Tracks:
    return made_tracks({1: range(20), 2: range(5, 30)}, {}, {4: range(9)}, seed=seed, missing=0.1)


def same(got: tuple[Tracks, str], wanted: Tracks) -> bool:
    tracks, fingerprint = got
    assert fingerprint == tracks.fingerprint()
    columns = all(
        np.array_equal(getattr(tracks, name), getattr(wanted, name), equal_nan=name == "keypoints")
        for name in ("keypoints", "clip", "person", "frame", "score")
    )
    return columns and tracks.clips == wanted.clips and tracks.layout == wanted.layout


def entry_of(cache: TrackCache) -> Path:
    (entry,) = cache.entries()
    return entry.path

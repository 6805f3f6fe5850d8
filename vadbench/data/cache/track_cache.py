"""The cache of parsed poses: ``~/.cache/vadbench``, or ``$VADBENCH_CACHE``; ``off`` in that variable for none.

An entry's name is a digest over the content of every source file, the data set's settings and its code. Whatever changes, the
name changes with it, so an entry is never out of date. It is written beside its place and moved there in one step, and its
content is checked each time it is opened: after a kill, a full disk or a damaged file the poses are simply parsed again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vadbench.api import DataError, Dataset, Sourced, Split, Tracks
from vadbench.data.cache.entry import DESCRIPTION, PARTIAL, CacheEntry, describe_entry, open_entry, write_entry
from vadbench.data.cache.source_digests import SourceDigests, signatures
from vadbench.data.user_paths import expanded

CACHE_VARIABLE: Final = "VADBENCH_CACHE"
LARGEST: Final = 16 * 2**30
"""Bytes kept; beyond that, what was not used for longest goes."""
_VERSION: Final = "tracks-1"
_DAY: Final = 86_400
_NAME: Final = re.compile(r"[0-9a-f]{32}")

logger = logging.getLogger(__name__)


def default_cache() -> TrackCache | None:
    """The user's cache; None where ``$VADBENCH_CACHE`` says ``off``."""
    variable = os.environ.get(CACHE_VARIABLE)
    if variable == "off":
        return None
    if variable:
        return TrackCache(expanded(variable))
    return TrackCache(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vadbench")


@dataclass(frozen=True, slots=True)
class TrackCache:
    """Cached poses below a folder."""

    folder: Path

    @property
    def _own(self) -> Path:
        """A folder that nobody but this cache writes to: the user may have named one that holds other things."""
        return self.folder / "vadbench-poses"

    def tracks(self, dataset: Dataset, split: Split, *, reading: str) -> tuple[Tracks, str]:
        """The poses of a split and their fingerprint: those of the cache if it has them, else parsed and kept.

        Args:
            dataset: One that does not say what it reads (`Sourced`) is asked for its poses each time.
            split: Which split.
            reading: What decides, beside the files, what the data set makes of them: its settings and code.

        Raises:
            DataError: if the files are missing or damaged. Trouble with the cache itself is logged and survived.
        """
        if not isinstance(dataset, Sourced):
            return _parsed(dataset, split)
        path = self._path(dataset.sources(split), split, reading)
        if path is None:
            return _parsed(dataset, split)
        if os.path.lexists(path):  # says no where it may not look
            try:
                return open_entry(path)
            except DataError as error:
                logger.warning("%s; the poses are parsed again", error.what)
                _remove(path)
        tracks, fingerprint = _parsed(dataset, split)
        if not self._unchanged(dataset, split, reading, path):
            logger.warning("files of %s changed while they were read: the poses are not cached", dataset.info.name)
            return tracks, fingerprint
        try:
            write_entry(path, tracks, fingerprint=fingerprint, dataset=dataset.info.name, split=split)
            self._tidy(keep=path)
        except OSError as error:
            # NumPy says only how much of an array it could write.
            why = error.strerror or f"the disk is full, or fails ({error})"
            logger.warning("the poses of %s are not cached: %s: %s", dataset.info.name, why, self.folder)
        return tracks, fingerprint

    def _unchanged(self, dataset: Sourced, split: Split, reading: str, path: Path) -> bool:
        """Whether the files, looked for anew, are still those that the entry is named by: none changed, came or went."""
        try:
            return self._path(dataset.sources(split), split, reading) == path
        except DataError:
            return False

    def entries(self) -> Iterator[CacheEntry]:
        """Every entry with a readable description, in no order."""
        for path in self._folders():
            with suppress(DataError):
                yield describe_entry(path)

    def verify(self) -> list[Path]:
        """Opens every entry and checks its content; the damaged ones, which are removed if that can be done."""
        damaged = []
        for path in self._folders():
            used = _modified(path)
            try:
                open_entry(path)
            except DataError:
                _remove(path)
                damaged.append(path)
            else:
                with suppress(OSError):  # looking at an entry is not using it
                    os.utime(path / DESCRIPTION, (used, used))
        return damaged

    def clear(self, *, unused_days: float = 0) -> tuple[int, int]:
        """Removes what was not used for so many days, 0 for everything; how many entries went, and how many bytes."""
        before = time.time() - unused_days * _DAY
        old = [(path, _size(path)) for path in self._folders() if _modified(path) <= before]
        gone = [(path, size) for path, size in old if _remove(path)]
        if unused_days == 0:
            shutil.rmtree(self._own / "sources", ignore_errors=True)
        self._remove_leftovers(older=0 if unused_days == 0 else _DAY)
        return len(gone), sum(size for _, size in gone)

    def _path(self, sources: Mapping[str, tuple[Path, ...]], split: Split, reading: str) -> Path | None:
        """Where the entry of what the files hold now lies; None where their digests cannot be kept."""
        found = signatures(dict.fromkeys(file for files in sources.values() for file in files))
        try:
            digests = SourceDigests(self._own / "sources").of(found)
        except OSError as error:
            logger.warning("the cache is not used: %s: %s", error.strerror or error, self.folder)
            return None
        place = os.path.commonpath([path.absolute().parent for path in found]) if found else ""
        content = [
            (clip, [(os.path.relpath(file.absolute(), place), digests[file]) for file in files])
            for clip, files in sources.items()
        ]
        name = hashlib.sha256(json.dumps([_VERSION, reading, split, content]).encode()).hexdigest()
        return self._own / "tracks" / name[:2] / name[2:34]

    def _folders(self) -> Iterator[Path]:
        for path in self._own.glob("tracks/??/*"):
            if _NAME.fullmatch(path.name):
                yield path

    def _tidy(self, *, keep: Path) -> None:
        self._remove_leftovers(older=_DAY)
        kept = _size(keep)
        for path in sorted((path for path in self._folders() if path != keep), key=_modified, reverse=True):
            kept += _size(path)
            if kept > LARGEST:
                _remove(path)

    def _remove_leftovers(self, *, older: float) -> None:
        """What a killed writer left half written, if it has been lying about for so many seconds."""
        for leftover in (*self._own.glob(f"tracks/??/{PARTIAL}*"), *self._own.glob(f"sources/{PARTIAL}*")):
            if time.time() - _modified(leftover) >= older:
                shutil.rmtree(leftover, ignore_errors=True)


def _parsed(dataset: Dataset, split: Split) -> tuple[Tracks, str]:
    tracks = dataset.tracks(split)
    return tracks, tracks.fingerprint()


def _remove(path: Path) -> bool:
    """Takes an entry away in one step, then deletes it: nobody finds half of it. Whether it is gone."""
    aside = path.with_name(f"{PARTIAL}{path.name}-{os.getpid()}-{time.time_ns()}")
    try:
        path.rename(aside)
    except OSError:
        return not os.path.lexists(path)
    shutil.rmtree(aside, ignore_errors=True)
    return True


def _size(path: Path) -> int:
    try:
        return sum(file.stat().st_size for file in path.iterdir())
    except OSError:  # another process may remove it at this moment
        return 0


def _modified(path: Path) -> float:
    for file in (path / DESCRIPTION, path):
        try:
            return file.stat().st_mtime
        except OSError:
            continue
    return 0.0

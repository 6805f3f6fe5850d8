"""What is in a set of files, as digests that are remembered while the files stand still.

As git's index does, a file whose size, times and inode are what they were is taken to hold what it held; one that changed within
the last seconds before it was read is not remembered, because a second change might leave the same times.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from vadbench.api import DataError
from vadbench.data.cache.entry import PARTIAL

Signature = tuple[int, int, int, int]
"""Size, modification time, change time (both ns) and inode."""
_RESTLESS_NS: Final = 2_000_000_000
"""How long a file must have stood still to be remembered; no clock of a file system is coarser."""


def signatures(files: Iterable[Path]) -> dict[Path, Signature]:
    """The signature of each file; raises `DataError` for one that is gone."""
    found = {}
    for path in files:
        try:
            stat = path.stat()
        except OSError as error:
            raise DataError(
                f"the file cannot be read: {error.strerror}", where=path, remedy="put it back, or try again"
            ) from error
        found[path] = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
    return found


@dataclass(frozen=True, slots=True)
class SourceDigests:
    """Digests of files, remembered in one small file below ``folder`` for each place that files come from."""

    folder: Path

    def of(self, files: Mapping[Path, Signature]) -> dict[Path, str]:
        """SHA-256 of each file's content.

        Args:
            files: The files with the signatures they had when they were looked up.

        Raises:
            DataError: if a file cannot be read.
        """
        if not files:
            return {}
        memory = self.folder / f"{hashlib.sha256(_place(files).encode()).hexdigest()[:24]}.json"
        known = _remembered(memory)
        digests: dict[Path, str] = {}
        remembered: dict[str, list[object]] = {}
        for path, signature in files.items():
            key = os.fspath(path.absolute())
            before = known.get(key)
            if before is not None and tuple(before[:4]) == signature:
                digests[path] = str(before[4])
            else:
                digests[path] = _digest(path)
            if time.time_ns() - max(signature[1], signature[2]) > _RESTLESS_NS:
                remembered[key] = [*signature, digests[path]]
        if any(known.get(key) != row for key, row in remembered.items()):
            _remember(memory, known | remembered)
        return digests


def _place(files: Mapping[Path, Signature]) -> str:
    return os.path.commonpath([path.absolute().parent for path in files])


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}", where=path, remedy="check it and its permissions"
        ) from error


def _remembered(memory: Path) -> dict[str, list[object]]:
    """What was remembered; nothing where it is damaged, as everything can be read again."""
    try:
        rows = orjson.loads(memory.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    if not isinstance(rows, dict):
        return {}
    return {key: row for key, row in rows.items() if isinstance(row, list) and [*map(type, row)] == [int, int, int, int, str]}


def _remember(memory: Path, rows: Mapping[str, list[object]]) -> None:
    """Replaces the memory in one step; may raise `OSError`."""
    memory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=memory.parent, ignore_cleanup_errors=True) as folder:
        scratch = Path(folder) / memory.name
        scratch.write_bytes(orjson.dumps(rows))
        scratch.replace(memory)

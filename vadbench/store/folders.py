"""Run folders, ``runs/<method>/<dataset>/<seed>/<id>/``: each is whole or absent.

Beside it stands ``.unfinished-<id>/`` as long as the run is not stored: what a killed run had trained so far.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from vadbench.api import DataError, DriftError, FrameLabels, UsageError, WindowScores
from vadbench.data.whole_folder import PARTIAL, staged
from vadbench.store.arrays import load_labels, load_scores
from vadbench.store.record import RunRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD: Final = "run.json"
SCORES: Final = "scores.npz"
LABELS: Final = "labels.npz"
WEIGHTS: Final = "weights.safetensors"
LOG: Final = "log.txt"
UNFINISHED: Final = ".unfinished-"
"""How the name of a folder begins that holds the work of a run that is not stored yet."""
CHECKPOINTS: Final = "checkpoints"
PARTS: Final = "parts"
_KEPT: Final = {PARTIAL: 86_400, UNFINISHED: 7 * 86_400}
"""How long what was left behind is kept, in seconds, by how its name begins."""

_LOCK: Final = "lock"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A finished run on disk."""

    path: Path
    record: RunRecord

    def scores(self) -> WindowScores:
        """Its window scores; raises `DriftError` when the file is not the one that the record was written for."""
        self._verify(SCORES)
        return load_scores(self.path / SCORES)

    def labels(self) -> tuple[FrameLabels, dict[str, str]]:
        """Its test labels and the scene of each clip; raises `DriftError` as `scores` does."""
        self._verify(LABELS)
        return load_labels(self.path / LABELS)

    def verify(self) -> None:
        """Raises `DataError` for a file that is gone and `DriftError` for one that is not as it was recorded."""
        for name in {SCORES, LABELS, *self.record.files}:
            self._verify(name)

    def _verify(self, name: str) -> None:
        path = self.path / name
        if not path.is_file():
            raise DataError(f"the run has no {name}", where=self.path, remedy="run again with --force")
        try:
            digest = file_digest(path)
        except OSError as error:
            raise DataError(f"{name} cannot be read: {error.strerror}", where=path, remedy="check its permissions") from error
        if digest != self.record.files.get(name):
            raise DriftError(
                f"{name} has changed since the run was recorded",
                where=path,
                remedy="run again with --force; a result whose scores were edited cannot be trusted",
            )


def run_path(root: Path, method: str, dataset: str, seed: int, run_id: str) -> Path:
    """Where the run of an id lives."""
    return root / method / dataset / str(seed) / run_id


@contextmanager
def new_run(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes the run folder ``path`` when the block ends, and vanishes if it raises.

    A run that is there already is replaced only when the new one is whole.

    Raises:
        UsageError: if nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with staged(path.parent, [path.name], scratch=path.parent) as made:
            folder = made / path.name
            folder.mkdir()
            yield folder
    except OSError as error:
        raise _not_storable(path, error) from error


@contextmanager
def unfinished_run(path: Path, *, afresh: bool = False) -> Iterator[Path]:
    """The folder for unfinished work of the run folder ``path``; it goes when the block ends.

    If the block raises, or the process is killed, it stays, so that the same run can be taken up again; but not if there is
    nothing in it that was trained.

    Args:
        path: Of the run.
        afresh: Whether what is there is thrown away first.

    Raises:
        UsageError: if nothing can be written there, or another process is making this very run.
    """
    folder = _unfinished(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
    except OSError as error:
        raise _not_storable(path, error) from error
    with _nobody_else(folder):
        if afresh:
            for name in (CHECKPOINTS, PARTS):
                shutil.rmtree(folder / name, ignore_errors=True)
            (folder / LOG).unlink(missing_ok=True)
        try:
            yield folder
        except BaseException:
            if not any(file.is_file() for name in (CHECKPOINTS, PARTS) for file in (folder / name).rglob("*")):
                shutil.rmtree(folder, ignore_errors=True)
                _remove_empty(folder.parent)
            raise
        shutil.rmtree(folder, ignore_errors=True)


def _remove_empty(folder: Path) -> None:
    """Removes the folders of a seed, a data set and a method that hold nothing."""
    with suppress(OSError):
        for level in (folder, *folder.parents[:2]):
            level.rmdir()


def remove_unfinished(path: Path) -> None:
    """Throws away the unfinished work of a run that is finished, unless another process is at it."""
    folder = _unfinished(path)
    if folder.is_dir():
        with suppress(UsageError), _nobody_else(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _unfinished(path: Path) -> Path:
    return path.parent / f"{UNFINISHED}{path.name}"


@contextmanager
def _nobody_else(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder of unfinished work; it is let go when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: whoever starts the same run twice there does its work twice
        yield
        return
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(
                "another process is making this very run",
                where=folder,
                remedy="wait until it is done, and give the command again: the run is then found finished",
            ) from error
        yield


def write_record(folder: Path, record: RunRecord) -> None:
    """Writes ``run.json``, the last file of a run."""
    (folder / RECORD).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def open_run(path: Path) -> StoredRun:
    """The run at a folder (or at its ``run.json``); raises `DataError` if there is none or its record is damaged."""
    folder = path.parent if path.name == RECORD else path
    try:
        text = (folder / RECORD).read_bytes()
    except OSError as error:
        raise DataError(
            "this is not a run folder", where=folder, remedy="give a folder that holds run.json, as vadbench run prints it"
        ) from error
    try:
        return StoredRun(folder, RunRecord.model_validate_json(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(
            f"the run record is damaged or of another version: {'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=folder / RECORD,
            remedy="run again with --force",
        ) from error


def _not_storable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"the run cannot be stored here: {error.strerror or error}",
        where=path.parent,
        remedy="make room and check the permissions, or name another folder with --out",
    )


def find_runs(root: Path) -> list[StoredRun]:
    """Every readable run below ``root``, by path; a damaged one is logged and left out. Unfinished ones are not runs."""
    found = []
    for path in sorted(root.glob(f"**/{RECORD}")):
        if any(part.startswith((PARTIAL, UNFINISHED)) for part in path.parts):
            continue
        try:
            found.append(open_run(path))
        except DataError as error:
            logger.warning("left out: %s", error)
    return found


def remove_leftovers(root: Path) -> None:
    """Deletes what nobody touches any more: half-written runs after a day, unfinished work after a week."""
    for begins, kept in _KEPT.items():
        for folder in (*root.glob(f"*/*/*/{begins}*"), *root.glob(f".parts/{begins}*")):
            with suppress(FileNotFoundError):  # whoever writes it may finish at this moment
                # A folder's own time stands still while a file in it grows: a long run shows in its log alone.
                if time.time() - max(path.stat().st_mtime for path in (folder, *folder.rglob("*"))) > kept:
                    shutil.rmtree(folder, ignore_errors=True)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

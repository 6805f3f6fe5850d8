"""Stored runs as commands are given them: run folders, or folders above."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vadbench.api.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.store.folders import StoredRun


def runs_at(paths: Sequence[Path]) -> list[StoredRun]:
    """The runs at or below paths, in the order given, each once.

    Raises:
        DataError: for a path without any.
    """
    from vadbench.store.folders import RECORD, find_runs, open_run

    found: dict[Path, StoredRun] = {}
    for path in paths:
        is_run = path.name == RECORD or (path / RECORD).is_file()
        runs = [open_run(path)] if is_run else find_runs(path)
        if not runs:
            raise DataError(
                "there is no run here" if path.exists() else "there is no such folder",
                where=path,
                remedy="give a run folder, as vadbench run prints it, or a folder above it",
            )
        for run in runs:
            found.setdefault(run.path.resolve(), run)
    return list(found.values())

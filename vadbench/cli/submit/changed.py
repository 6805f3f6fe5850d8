"""Which submissions and rows a branch changes, by git: what a pull request has to be checked for."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vadbench.api.errors import UsageError


@dataclass(frozen=True, slots=True)
class Changed:
    """What differs from a revision.

    Args:
        submissions: Folders of those that are there.
        faults: What must not be, a sentence each.
        warnings: What a person has to look at, a sentence each.
    """

    submissions: tuple[Path, ...]
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def changed_since(revision: str, leaderboards: Path) -> Changed:
    """The submissions below a folder of leaderboards that differ from where the branch left a revision.

    Raises:
        UsageError: if the folder is not in a git checkout, or there is no such revision.
    """
    from vadbench.report.row_files import SUBMISSIONS

    names = _changed_paths(revision, leaderboards)
    folders: dict[Path, None] = {}
    rows: list[Path] = []
    faults: list[str] = []
    warnings: list[str] = []
    for name in names:
        parts = PurePosixPath(name).parts
        if parts[0] == SUBMISSIONS and len(parts) > 3:
            folders[leaderboards.joinpath(*parts[:3])] = None
        elif parts[0] == SUBMISSIONS and parts[1:] != ("README.md",):
            faults.append(f"{name} lies in no submission: {SUBMISSIONS}/DATASET/ROW/")
        elif len(parts) == 2 and name.endswith(".json"):
            rows.append(leaderboards / name)
    for path in rows:
        _look_at_row(path, leaderboards, faults, warnings)
    gone = [folder for folder in folders if not folder.exists()]
    warnings += [f"{folder} was taken away" for folder in gone]
    return Changed(tuple(folder for folder in folders if folder not in gone), tuple(faults), tuple(warnings))


def _look_at_row(path: Path, leaderboards: Path, faults: list[str], warnings: list[str]) -> None:
    """A row that was changed must be that of its submission; cost and environment are whoever's ran it."""
    from vadbench.report.row_files import SUBMISSIONS, open_row
    from vadbench.store.submission import ROW

    sent = leaderboards / SUBMISSIONS / path.parent.name / path.stem / ROW
    if not path.exists():
        warnings.append(f"the row {path} was taken away")
    elif not sent.is_file():
        warnings.append(f"the row {path} was changed, and no submission holds its scores: make it again with vadbench reproduce")
    elif open_row(path) != open_row(sent):
        faults.append(f"the row {path} is not that of its submission, {sent}: write it with vadbench submit accept")


def _changed_paths(revision: str, folder: Path) -> list[str]:
    """Paths below the folder, new, changed or gone; of something renamed both."""
    git = shutil.which("git")
    if git is None:
        raise UsageError("git is not installed", where="--changed-since", remedy="install it, or name the folders to check")
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=folder, remedy="give the folder of the leaderboards")
    if revision.startswith("-"):
        raise UsageError(f"{revision!r} is no revision", where="--changed-since", remedy="name a branch, a tag or a commit")
    command = [git, "-C", str(folder), "diff", "--name-only", "-z", "--no-renames", "--relative", f"{revision}...HEAD", "--", "."]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - no shell, and no option is a name
    if done.returncode:
        raise UsageError(
            f"git cannot say what was changed: {done.stderr.strip()}",
            where="--changed-since",
            remedy="name a revision that the checkout has; a shallow one lacks where the branch began",
        )
    return [name for name in done.stdout.split("\0") if name]

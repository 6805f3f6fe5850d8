"""What a branch changes below a folder, by git: the files, what they are, and how they were before."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vadbench.api.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_FILES: Final = frozenset({"100644", "100755"})
_NONE: Final = "000000"


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A path that differs.

    Args:
        name: Below the folder.
        there: Whether it is there now.
        was_there: Whether it was before.
        plain: Whether it is a file, and no link or other repository.
    """

    name: str
    there: bool
    was_there: bool
    plain: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch since it left a revision, as far as a folder goes.

    Args:
        folder: In a git checkout.
        base: The commit where it left.
        files: What differs; of something renamed both.
    """

    folder: Path
    base: str
    files: tuple[ChangedFile, ...]

    def before(self, name: str) -> bytes | None:
        """The content of a file where the branch began; None where there was none."""
        done = _run(self.folder, "cat-file", "blob", f"{self.base}:./{name}")
        return None if done.returncode else done.stdout


def branch_since(revision: str, folder: Path) -> Branch:
    """What a branch changes below a folder since it left a revision.

    Raises:
        UsageError: if the folder is not in a git checkout, is a link, or there is no such revision.
    """
    if folder.is_symlink():
        # It would be looked at elsewhere, where nothing was changed.
        raise UsageError("this is a link", where=folder, remedy="give the folder of the leaderboards itself")
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=folder, remedy="give the folder of the leaderboards")
    if revision.startswith("-"):
        raise UsageError(f"{revision!r} is no revision", where="--changed-since", remedy="name a branch, a tag or a commit")
    base = _asked(folder, "merge-base", "--", revision, "HEAD").decode().strip()
    told = _asked(folder, "diff", "--raw", "-z", "--no-renames", "--no-abbrev", "--relative", base, "HEAD", "--", ".")
    parts = [part.decode(errors="surrogateescape") for part in told.split(b"\0") if part]
    files = []
    for about, name in zip(parts[::2], parts[1::2], strict=True):
        before, now = about.removeprefix(":").split()[:2]
        files.append(ChangedFile(name, now != _NONE, before != _NONE, now in _FILES))
    return Branch(folder, base, tuple(files))


def _asked(folder: Path, *words: str) -> bytes:
    done = _run(folder, *words)
    if done.returncode:
        raise UsageError(
            f"git cannot say what was changed: {done.stderr.decode(errors='replace').strip()}",
            where="--changed-since",
            remedy="name a revision that the checkout has; a shallow one lacks where the branch began",
        )
    return done.stdout


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    git = shutil.which("git")
    if git is None:
        raise UsageError("git is not installed", where="--changed-since", remedy="install it, or name the folders to check")
    command = [git, "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell, and no option is a name

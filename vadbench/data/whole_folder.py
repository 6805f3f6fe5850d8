"""Puts new folders and files into a folder, all or none: they are made aside, and moved in when they are complete."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vadbench.api import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PARTIAL: Final = ".vadbench-partial-"
"""How the name of a folder begins in which something is being made."""


@contextmanager
def whole_folder(target: Path, parts: Sequence[str], *, replace: bool = False) -> Iterator[Path]:
    """A temporary folder in which to make ``parts``; when the block ends they stand in ``target``, and if it raises nothing does.

    Parts are moved one by one in the order given, each in one step: name last what makes the others count. What stands in
    their place is put aside, and put back if a part cannot come.

    Args:
        target: The folder; made if it is not there.
        parts: Paths below it, of files or of folders. One that the block does not make is left as it is.
        replace: Whether parts that are there already may be replaced.

    Raises:
        UsageError: if a part is there and may not be replaced, or nothing can be written here.
    """
    try:
        check_free(target, parts, replace=replace)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Within a folder that is there: it may be the root of another disk, or its parent may not be written to.
        with staged(target, parts, scratch=target if target.is_dir() else target.parent) as made:
            yield made
            check_free(target, parts, replace=replace)
    except OSError as error:
        raise UsageError(
            f"nothing can be written here: {error.strerror or error}",
            where=target,
            remedy="make room and check the permissions, or name another folder",
        ) from error


@contextmanager
def staged(target: Path, parts: Sequence[str], *, scratch: Path) -> Iterator[Path]:
    """`whole_folder` without its checks: whatever stands in the place of a part is replaced.

    Args:
        target: The folder.
        parts: Paths below it.
        scratch: An existing folder on the same disk, in which the temporary one is made.

    Raises:
        OSError: if something cannot be written; then everything is as it was.
    """
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=scratch, ignore_cleanup_errors=True) as name:
        made = Path(name) / "new"
        made.mkdir()
        yield made
        _move_in(made, target, parts, aside=Path(name) / "old")


def check_free(target: Path, parts: Sequence[str], *, replace: bool) -> None:
    """Raises `UsageError` if ``target`` is no folder, or a part is there and may not be replaced."""
    if target.exists() and not target.is_dir():
        raise UsageError("this is a file, not a folder", where=target, remedy="name another folder")
    taken = [part for part in parts if (target / part).exists()]
    if taken and not replace:
        raise UsageError(
            f"{' and '.join(taken)} {'is' if len(taken) == 1 else 'are'} there already",
            where=target,
            remedy="name another folder, or replace what is there with --force",
        )


def _move_in(made: Path, target: Path, parts: Sequence[str], *, aside: Path) -> None:
    new_target = not target.exists()
    moved = [part for part in parts if (made / part).exists()]
    try:
        for part in moved:
            for parent in ((target / part).parent, (aside / part).parent):
                parent.mkdir(parents=True, exist_ok=True)
            if (target / part).exists():
                (target / part).rename(aside / part)
            (made / part).rename(target / part)
    except BaseException:  # also Ctrl-C. What stands where tells how far it came.
        for part in moved:
            if not (made / part).exists():
                (target / part).rename(made / part)
            if (aside / part).exists():
                (aside / part).rename(target / part)
        if new_target:
            shutil.rmtree(target, ignore_errors=True)
        raise

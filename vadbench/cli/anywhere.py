"""Options that may stand anywhere on the command line, also after the subcommand: ``--debug`` and ``--plugins-dir``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vadbench.api.errors import UsageError

DEBUG: Final = "--debug"
PLUGINS_DIR: Final = "--plugins-dir"
_VARIABLE: Final = "VADBENCH_PLUGINS_DIR"


@dataclass(frozen=True, slots=True)
class Anywhere:
    """A command line taken apart.

    Args:
        arguments: What is left of it.
        debug: Whether tracebacks of errors are shown.
        folders: Files and folders of plug-ins.
    """

    arguments: tuple[str, ...]
    debug: bool = False
    folders: tuple[Path, ...] = ()


def taken_apart(arguments: Sequence[str]) -> Anywhere:
    """Takes the options that may stand anywhere out of a command line; what follows ``--`` is left as it is.

    Raises:
        UsageError: for ``--plugins-dir`` without a path, or with one that cannot be told from several.
    """
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    pending, left, folders, debug = iter(arguments[:end]), [], [], False
    for argument in pending:
        if argument == DEBUG:
            debug = True
        elif argument == PLUGINS_DIR or argument.startswith(f"{PLUGINS_DIR}="):
            folders.append(_folder(next(pending, "") if argument == PLUGINS_DIR else argument.partition("=")[2]))
        else:
            left.append(argument)
    return Anywhere((*left, *arguments[end:]), debug, tuple(folders))


def _folder(text: str) -> Path:
    if not text or text.startswith("--"):
        raise UsageError(f"{PLUGINS_DIR} needs a folder or a .py file", remedy=f"write {PLUGINS_DIR} DIR")
    if os.pathsep in text:
        raise UsageError(f"{text!r} has a {os.pathsep!r}", where=PLUGINS_DIR, remedy=f"repeat {PLUGINS_DIR} for several folders")
    with suppress(RuntimeError, OSError):  # no such user, no current folder: told as of any other path that is not there
        return Path(text).expanduser().absolute()
    return Path(text)


@contextmanager
def plugin_folders(folders: Sequence[Path]) -> Iterator[None]:
    """In the block, plug-ins of these files and folders are loaded, before the variable's; in processes that it starts too."""
    before = os.environ.get(_VARIABLE)
    if folders:
        os.environ[_VARIABLE] = os.pathsep.join([*map(str, folders), *([before] if before else [])])
    try:
        yield
    finally:
        if folders and before is None:
            os.environ.pop(_VARIABLE, None)
        elif folders and before is not None:
            os.environ[_VARIABLE] = before

"""A folder of files as named tensors and back: what a program learned, as the weights of a run can hold it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NoReturn

import numpy as np

from vadbench.api import PluginError
from vadbench_foreign.printable import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BYTES: Final = 2 * 2**30
"""Of all files together."""
_PREFIX: Final = "model/"
"""Begins each name, so that no file takes a name that safetensors keeps for itself."""


def read_files(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """The bytes of every file below a folder, by relative path. What is read here, `from_state` takes back.

    Raises:
        PluginError: for a link or anything else that is neither file nor folder, a name that cannot be stored, or files of more
            than 2 GiB.
        OSError: if something cannot be read.
    """
    found: dict[str, NDArray[np.uint8]] = {}
    size = 0
    for path in sorted(_inside(folder)):
        mode = path.lstat().st_mode
        name = path.relative_to(folder).as_posix()
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            raise PluginError(
                f"the command of fit left {printable(name)}, which is {'a link' if stat.S_ISLNK(mode) else 'no file'}",
                where="{model}",
                remedy="leave copies of files there: what was learned is stored with the run, and links lead out of it",
            )
        if not _is_below(name):
            raise PluginError(
                f"the command of fit left a file by the name of {printable(name)}, which cannot be stored with the run",
                where="{model}",
                remedy="give files and folders names in UTF-8 that have no ':' and no '\\', which lead elsewhere on some systems",
            )
        size += path.stat().st_size
        if size > MOST_BYTES:
            raise PluginError(
                f"the command of fit left more than {MOST_BYTES / 2**30:g} GiB of files, up to {printable(name)}",
                where="{model}",
                remedy="leave there what scoring needs, and nothing else",
            )
        found[name] = np.fromfile(path, dtype=np.uint8)
    return found


def write_files(folder: Path, files: Mapping[str, NDArray[np.uint8]]) -> None:
    """Writes files below a folder, which is made."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.tobytes())


def as_state(files: Mapping[str, NDArray[np.uint8]]) -> dict[str, Any]:
    """Files as a state: one tensor (n,) uint8 each."""
    import torch

    return {_PREFIX + name: torch.from_numpy(content.copy()) for name, content in files.items()}


def from_state(state: Mapping[str, Any]) -> dict[str, NDArray[np.uint8]]:
    """The files of a state; raises `PluginError` for a name that is no path below a folder, or what are no bytes."""
    import torch

    files: dict[str, NDArray[np.uint8]] = {}
    for key, value in state.items():
        tensor = torch.as_tensor(value).detach().cpu()
        name = key.removeprefix(_PREFIX)
        if key == name or not _is_below(name) or tensor.dtype != torch.uint8 or tensor.ndim != 1:
            raise PluginError(
                f"the weights hold {key!r}, {tensor.dtype} {tuple(tensor.shape)}, which is no file of a command's model",
                remedy="use weights that were made by a run of this method",
            )
        files[name] = np.array(tensor.numpy(), dtype=np.uint8)
    for name in files:
        if clash := [parent for parent in map(str, PurePosixPath(name).parents) if parent in files]:
            raise PluginError(
                f"the weights hold {clash[0]!r} as a file and as a folder",
                remedy="use weights that were made by a run of this method",
            )
    return files


def _inside(folder: Path) -> Iterator[Path]:
    """Everything below a folder; a link is not followed, and a folder that cannot be read is no empty one."""

    def refuse(error: OSError) -> NoReturn:
        raise error

    for place, folders, files in os.walk(folder, onerror=refuse):
        for name in (*folders, *files):
            yield Path(place, name)


def _is_below(name: str) -> bool:
    """Whether it is the path of a file below a folder, on every system."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    parts = name.split("/")
    return not any(part in ("", ".", "..") or "\\" in part or "\0" in part or ":" in part for part in parts)

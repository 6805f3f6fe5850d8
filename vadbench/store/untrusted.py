"""Files that a stranger wrote: how large they may be, and JSON and archives looked at before anything is read from them."""

from __future__ import annotations

import json
import math
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.lib import format as npy

from vadbench.api import DataError
from vadbench.api.plain_text import is_plain, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

LARGEST_FILE: Final = 64 * 2**20
"""Bytes of a file as it is stored. 140,000 windows of ShanghaiTech take one or two million; one score a frame, twenty."""
LARGEST_ARCHIVE: Final = 512 * 2**20
"""Bytes of all arrays of an archive when they are unpacked."""
LARGEST_JSON: Final = 2**20
DEEPEST_JSON: Final = 32
"""Levels of lists and objects within each other."""
MOST_ARRAYS: Final = 64
_KINDS: Final = "biufUS"


def check_archive(path: Path) -> None:
    """Looks at the directory and the headers of an ``.npz``, so that reading it can take no more memory than it says.

    NumPy makes room for the shape that a header names before it reads a value, and a deflated file unpacks to a thousand times
    its size: both are refused here by what they claim. An archive's reader never gives out more bytes than its directory says.

    Raises:
        DataError: if it is too large as it is or unpacked, is no archive of plain arrays, or a header claims more than there is.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise _too_large(f"the file has {_mib(path.stat().st_size)}, and {_mib(LARGEST_FILE)} are allowed", path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_directory(members, path)
            for member in members:
                _check_header(archive, member, path)
    except DataError:
        raise
    except Exception as error:  # of a damaged file zipfile, zlib, NumPy and tokenize each complain in their own way
        what = f"this is no .npz file that can be read: {error}"
        raise DataError(what, where=path, remedy="write it with numpy.savez") from error


def read_json(path: Path) -> Any:
    """The content of a small JSON file; no key twice, and no number that is none or too large.

    Raises:
        DataError: if it cannot be read, is too large, or is no such JSON.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_JSON:
            raise _too_large(f"the file has {_mib(size)}, and {_mib(LARGEST_JSON)} are allowed", path)
        # utf-8-sig: some editors begin a file with a byte-order mark.
        content = json.loads(
            path.read_bytes().decode("utf-8-sig"),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_float=_float,
            parse_int=_int,
        )
        _check_depth(content)
        return content
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", where=path, remedy="check that it is there") from error
    except (ValueError, RecursionError) as error:  # also of bytes that are no UTF-8
        raise DataError(f"this is no JSON: {error}", where=path, remedy="pack the submission again") from error


def unplain_texts(content: Any, *, lines: Collection[str] = (), key: str = "") -> Iterator[tuple[str, str]]:
    """Texts that hold a control character, a break of lines or half a character, each with its key; keys count as texts.

    Args:
        content: Of a JSON file, no deeper than one may be.
        lines: Keys whose text may have several lines, and tabs.
        key: Of the content.
    """
    if isinstance(content, str):
        if not is_plain(content, lines=key in lines):
            yield shown(key), content
    elif isinstance(content, dict):
        for name, value in content.items():
            inner = f"{key}.{name}".removeprefix(".")
            if not is_plain(name):
                yield shown(inner), name
            yield from unplain_texts(value, lines=lines, key=inner)
    elif isinstance(content, list | tuple):
        for i, value in enumerate(content):
            yield from unplain_texts(value, lines=lines, key=f"{key}.{i}".removeprefix("."))


def _check_depth(content: Any) -> None:
    level, depth = [content], 0
    while level := [part for part in level if isinstance(part, dict | list)]:
        depth += 1
        if depth > DEEPEST_JSON:
            raise ValueError(f"lists and objects lie more than {DEEPEST_JSON} deep in each other")
        level = [value for part in level for value in (part.values() if isinstance(part, dict) else part)]


def _check_directory(members: list[zipfile.ZipInfo], path: Path) -> None:
    names = [member.filename for member in members]
    if len(members) > MOST_ARRAYS:
        raise _too_large(f"the archive has {len(members)} arrays, and {MOST_ARRAYS} are allowed", path)
    if len(set(names)) < len(names):
        raise DataError("an array stands in the archive twice", where=path, remedy="write it with numpy.savez")
    if odd := [name for name in names if not name.endswith(".npy") or "/" in name or "\\" in name]:
        raise DataError(f"the archive holds {odd[0]!r}, which is no array", where=path, remedy="write it with numpy.savez")
    unpacked = sum(member.file_size for member in members)
    if unpacked > LARGEST_ARCHIVE:
        raise _too_large(f"its arrays take {_mib(unpacked)} unpacked, and {_mib(LARGEST_ARCHIVE)} are allowed", path)


def _check_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as stream:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(stream)
    if dtype.kind not in _KINDS:
        holds = "Python objects, which only a pickle can store" if dtype.hasobject else f"values of type {dtype}"
        raise DataError(f"the array {name} holds {holds}", where=path, remedy="save text and numbers; pickles are never loaded")
    if math.prod(shape) * max(int(np.dtype(dtype).itemsize), 1) > member.file_size:
        raise DataError(
            f"the array {name} claims the shape {shape}, and its file has {member.file_size} bytes",
            where=path,
            remedy="write it with numpy.savez",
        )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} stands there twice")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large a number")
    return value


def _int(text: str) -> int:
    value = int(text)
    if abs(value) >= 2**63:
        raise ValueError(f"{text[:20]} is too large a number")
    return value


def _too_large(what: str, path: Path) -> DataError:
    return DataError(what, where=path, remedy="leave out what is not needed: docs/submitting.md says what a submission holds")


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"

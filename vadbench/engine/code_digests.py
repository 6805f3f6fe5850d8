"""Digests of source code and what lies beside it: what tells a component that was edited from what it was before."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from importlib import metadata
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CODE: Final = frozenset({".py", ".pyi"})
_IMPORTABLE: Final = frozenset({".py", ".so", ".pyd"})
_NO_CODE: Final = frozenset({".pyc", ".pyo", ".log", ".out", ".err", ".ipynb", ".html", ".pdf", ".png", ".svg"})
"""What is written beside code while it is used, and decides no score."""
_LEFT_OUT: Final = ("__pycache__", "tests")
_METADATA: Final = (".egg-info", ".dist-info")
_RUN: Final = frozenset({"run.json", "scores.npz"})
"""Files by which a folder is known for a run; `vadbench.store` imports too much to be asked for them."""
_WHOLE: Final = 2**20
"""Bytes up to which a file that is no code counts by its contents; a larger one by its size and time."""
_READ: Final = 2**25
"""Bytes of such files that are read; what is left counts by size and time."""
MOST_FILES: Final = 10_000
"""Files of a folder that are looked at before it is given up."""

_digests: Final[dict[str, str]] = {}


def code_digest(package: str) -> str:
    """SHA-256 over the files of a top-level package or module, wherever it is; of none if it has no file.

    It is of the package as it was when it was first asked for in this process, about when it was imported; see `forget_digests`.
    """
    if package not in _digests:
        try:
            spec = importlib.util.find_spec(package)
        except ValueError:  # a module that was made in this process, such as a notebook's
            spec = None
        folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
        files = [(name, path) for folder in folders for name, path in _files_below(folder)]
        if not folders and spec is not None and spec.origin is not None and spec.has_location:
            files = [(package, Path(spec.origin))]
        _digests[package] = _digest(files)
    return _digests[package]


def forget_digests(packages: Iterable[str] | None = None) -> None:
    """Digests of packages, or of all, are taken again: after code was imported again."""
    for key in list(_digests) if packages is None else packages:
        _digests.pop(key, None)


def folder_digest(folder: Path) -> str | None:
    """SHA-256 over all that a folder makes importable and what lies beside it; None where there are more than `MOST_FILES`.

    Hidden files and folders, caches, ``tests``, virtual environments, runs of vadbench, logs, notebooks and pictures are left
    out. Code counts by its contents; so do other files, unless they are large.
    """
    files = []
    for each in _files_below(folder):
        files.append(each)
        if len(files) > MOST_FILES:
            return None
    return _digest(files)


def distribution_digests(distribution: str, package: str) -> dict[str, str | None]:
    """Digests of all that was installed with a distribution, by top-level package.

    Of one that was installed in place (``pip install -e``), that of the folder which one of its packages lies in; None as
    `folder_digest` gives it.

    Args:
        distribution: Its name. One that is not known has no digests.
        package: One of its packages.
    """
    try:
        known = metadata.distribution(distribution)
        files, in_place = known.files or (), _in_place(known)
    except (metadata.PackageNotFoundError, ValueError, OSError):
        return {}
    found: dict[str, str | None] = {}
    if in_place is not None and (root := _root_of(package)) is not None and root.is_relative_to(in_place):
        key = f"{distribution} in place"
        if key not in _digests and (digest := folder_digest(root)) is not None:
            _digests[key] = digest
        found[key] = _digests.get(key)
    tops = {Path(file.parts[0]).stem for file in files if file.suffix in _IMPORTABLE and file.parts[0] != ".."}
    return found | {top: code_digest(top) for top in sorted(tops) if top.isidentifier() and not top.startswith("__editable__")}


def _in_place(distribution: metadata.Distribution) -> Path | None:
    """The project folder of a distribution that was installed in place."""
    from urllib.parse import urlsplit  # heavier than the commands that need none of it
    from urllib.request import url2pathname

    try:
        told = json.loads(distribution.read_text("direct_url.json") or "{}")
        return Path(url2pathname(urlsplit(told["url"]).path)).resolve() if told["dir_info"]["editable"] else None
    except (ValueError, KeyError, TypeError):
        return None


def _root_of(package: str) -> Path | None:
    """The folder that a top-level package or module lies in."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])] if spec is not None else []
    return Path(places[0]).resolve().parent if places else None


def _files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names below a folder and paths of all files that count, in a fixed order; links are followed, but not in circles."""
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        inside = place != str(folder)
        real = os.path.realpath(place)
        if real in seen or (inside and ("pyvenv.cfg" in names or set(names) >= _RUN)):
            folders.clear()
            continue
        seen.add(real)
        left_out = [each for each in folders if each.startswith(".") or each in _LEFT_OUT or each.endswith(_METADATA)]
        folders[:] = sorted(set(folders) - set(left_out))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and not name.endswith("~") and path.suffix not in _NO_CODE:
                yield path.relative_to(folder).as_posix(), path


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    digest, left = hashlib.sha256(), _READ
    for name, path in files:
        contents = b"gone"
        try:
            state = path.stat()
            contents = f"{state.st_size} {state.st_mtime_ns}".encode()
            size = 0 if path.suffix in _CODE else state.st_size
            if S_ISREG(state.st_mode) and size <= min(_WHOLE, left):
                left -= size
                contents = path.read_bytes()
        except OSError:  # a link to nowhere, a file that may not be read: its import will tell
            pass
        digest.update(os.fsencode(name) + b"\0" + str(len(contents)).encode() + b"\0" + contents)
    return digest.hexdigest()

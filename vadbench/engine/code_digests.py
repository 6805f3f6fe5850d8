"""Digests of source code: what tells a component that was edited from what it was before."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@cache
def code_digest(package: str) -> str:
    """SHA-256 over the Python files of a top-level package or module, wherever it is; of none if it has no file."""
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # a module that was made in this process, such as a notebook's
        spec = None
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    files = [(path.relative_to(folder).as_posix(), path) for folder in folders for path in folder.rglob("*.py")]
    if not folders and spec is not None and spec.origin is not None and spec.has_location:
        files = [(package, Path(spec.origin))]
    return _digest(sorted(files))


def forget_digests() -> None:
    """Digests are of the code as it was imported; after code was imported again they are taken again."""
    code_digest.cache_clear()


def digest_of_files(root: Path, files: Iterable[Path]) -> str:
    """SHA-256 over files, with their names below ``root``."""
    return _digest([(path.relative_to(root).as_posix(), path) for path in files])


def _digest(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def local_files(path: Path) -> list[Path]:
    """A Python file and all that it imports from its own folder, directly and by way of others, sorted."""
    found: set[Path] = set()
    pending = [path]
    while pending:
        file = pending.pop()
        if file in found:
            continue
        found.add(file)
        for name in _imported_names(file):
            module = path.parent / f"{name}.py"
            package = path.parent / name
            if module.is_file():
                pending.append(module)
            elif (package / "__init__.py").is_file():
                pending += package.rglob("*.py")
    return sorted(found)


def _imported_names(file: Path) -> set[str]:
    """Top-level names that a file imports; none of one that cannot be read, which its import will tell."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names

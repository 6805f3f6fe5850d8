"""Importing plug-ins of files and folders that are not installed: nothing that is installed is hidden, and edits are seen."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vadbench.api.errors import PluginError
from vadbench.engine.code_digests import forget_digests, local_files


@dataclass(frozen=True, slots=True)
class _Imported:
    """One top-level module: the folder it lies in, the version it was imported at, and when it was last asked for."""

    root: Path
    version: str
    round: int


@dataclass(slots=True)
class _Imports:
    """What was imported from files and folders in this process."""

    round: int = 0
    modules: dict[str, _Imported] = field(default_factory=dict)


_imports: Final = _Imports()


def new_round() -> None:
    """What is looked for from here on belongs together: of two modules of one name in it, the first stays.

    One of an earlier round, which nobody points to any more, gives way.
    """
    _imports.round += 1


def import_from(root: Path, module: str, file: Path, version: str, attribute: str = "") -> object:
    """Imports a module, or takes an attribute of it; imports it again if it was edited since.

    Args:
        root: Folder that its top-level module lies in. It goes to the end of the import path, so that it hides nothing.
        module: Dotted name.
        file: That of the module.
        version: Derived from the contents of all that it consists of.
        attribute: Of the module; empty for the module itself.

    Raises:
        PluginError: if the name is none, or another module has it.
    """
    top = module.partition(".")[0]
    if not all(part.isidentifier() for part in module.split(".")):
        renamed = re.sub(r"\W", "_", top)
        remedy = f"rename it: {renamed if renamed.isidentifier() else f'plugin_{renamed}'}"
        raise PluginError(f"{top!r} is no name of a Python module", where=file, remedy=remedy)
    before = _imports.modules.get(top)
    if before is not None and before.root != root and before.round != _imports.round:
        _forget(before.root / top)
        sys.path[:] = [*(folder for folder in sys.path if folder != str(before.root)), str(root), str(before.root)]
    elif before is not None and before.root == root and before.version != version:
        _forget(root / top)
    if str(root) not in sys.path:
        sys.path.append(str(root))
    if top not in _imports.modules:
        importlib.invalidate_caches()  # a file may be younger than what the import system remembers of its folder
    _check_not_hidden(root, top)
    _imports.modules[top] = _Imported(root, version, _imports.round)
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


def _check_not_hidden(root: Path, top: str) -> None:
    """Raises `PluginError` where the name imports something else."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        spec = None
    lies = [*(spec.submodule_search_locations or ())] if spec is not None else []
    if spec is not None and spec.origin and spec.has_location:
        lies.append(spec.origin)
    own = {(root / top).resolve(), (root / f"{top}.py").resolve(), (root / top / "__init__.py").resolve()}
    if any(Path(each).resolve() in own for each in lies):
        return
    if spec is None:
        raise PluginError(f"{top} cannot be found where it lies", where=root / top, remedy="check the permissions of the folder")
    raise PluginError(
        f"another module is called {top!r} as well ({lies[-1] if lies else 'of Python itself'}), and would be imported instead",
        where=root / top,
        remedy=f"rename the file or folder, e.g. my_{top}",
    )


def _forget(path: Path) -> None:
    """Makes Python forget a file or package that it imported, and the files beside it that it imports."""
    file = path.with_name(f"{path.name}.py")
    gone = {file.resolve(), *(each.resolve() for each in (local_files(file) if file.is_file() else ()))}
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if not isinstance(origin, str):
            continue
        place = Path(origin).resolve()
        if place in gone or place.is_relative_to(path.resolve()):
            del sys.modules[name]
            _imports.modules.pop(name, None)
    _imports.modules.pop(path.name, None)
    importlib.invalidate_caches()
    forget_digests()

"""Importing plug-ins of files and folders that are not installed: nothing that is installed is hidden, and edits are seen."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Final

from vadbench.api.errors import PluginError
from vadbench.api.process_state import import_path_behind
from vadbench.engine.code_digests import forget_digests


@dataclass(slots=True)
class _Imports:
    """What was imported from files and folders in this process.

    Args:
        round: Counts how often plug-ins were looked for.
        versions: Root folder to the version that its modules were imported at.
        tops: Top-level module to the root folder that it lies in, and the round in which it was last asked for.
    """

    round: int = 0
    versions: dict[Path, str] = field(default_factory=dict)
    tops: dict[str, tuple[Path, int]] = field(default_factory=dict)


_imports: Final = _Imports()


def new_round() -> None:
    """What is looked for from here on belongs together: of two modules of one name in it, the first stays.

    One of an earlier round, which nobody points to any more, gives way.
    """
    _imports.round += 1


def import_from(root: Path, module: str, file: Path, version: str, attribute: str = "") -> object:
    """Imports a module, or takes an attribute of it; imports all of its root folder again if that was edited since.

    Args:
        root: Folder that its top-level module lies in. It goes to the end of the import path, so that it hides nothing.
        module: Dotted name.
        file: That of the module.
        version: Of the root folder; derived from the contents of all that can be imported from it.
        attribute: Of the module, dotted where it is an attribute of one; empty for the module itself.

    Raises:
        PluginError: if the name is none, or another module has it.
    """
    top = module.partition(".")[0]
    if not all(part.isidentifier() for part in module.split(".")):
        renamed = re.sub(r"\W", "_", top)
        remedy = f"rename it: {renamed if renamed.isidentifier() else f'plugin_{renamed}'}"
        raise PluginError(f"{top!r} is no name of a Python module", where=file, remedy=remedy)
    before, asked = _imports.tops.get(top, (root, 0))
    if before != root and asked != _imports.round:
        _forget(before)
        sys.path[:] = [*(folder for folder in sys.path if folder != str(before)), str(root), str(before)]
    if _imports.versions.setdefault(root, version) != version:
        _forget(root)
        _imports.versions[root] = version
    if str(root) not in sys.path:
        sys.path.append(str(root))
    if top not in _imports.tops:
        importlib.invalidate_caches()  # a file may be younger than what the import system remembers of its folder
    _check_not_hidden(root, top)
    _imports.tops[top] = (root, _imports.round)
    with import_path_behind():
        found: object = importlib.import_module(module)
    return reduce(getattr, filter(None, attribute.split(".")), found)


def version_of_module(name: str) -> str | None:
    """The version of the root folder that a module was imported from; None of one that is no folder's."""
    module = sys.modules.get(name)
    return next((version for root, version in _imports.versions.items() if _lies_in(root, name, module)), None)


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


def _forget(root: Path) -> None:
    """Makes Python forget all that was imported from a folder, what plug-ins import from it by the way too."""
    tops = {top for top, (folder, _) in _imports.tops.items() if folder == root}
    for name, module in list(sys.modules.items()):
        top = name.partition(".")[0]
        # vadbench itself may lie beside a plug-in, where somebody works on both.
        if top != "vadbench" and (top in tops or _lies_in(root, name, module)):
            del sys.modules[name]
            tops.add(top)
    for top in tops:
        _imports.tops.pop(top, None)
    _imports.versions.pop(root, None)
    importlib.invalidate_caches()
    forget_digests(tops)


def _lies_in(root: Path, name: str, module: object) -> bool:
    """Whether a module is where its name is looked for below a folder; what lies elsewhere in it, as an environment, is not."""
    try:
        file = getattr(module, "__file__", None)
        places = [file] if file else list(getattr(module, "__path__", ()))
    except Exception:  # a module may be replaced by any object
        return False
    for place in places:
        for plain in (os.path.abspath, os.path.realpath):
            wanted = str(Path(plain(root), *name.split(".")))
            if isinstance(place, str) and (found := plain(place)).startswith(wanted):
                left = found[len(wanted) :]
                if left in ("", f"{os.sep}__init__.py") or (left.startswith(".") and os.sep not in left):
                    return True
    return False

"""Where plug-ins come from: installed distributions, and files and folders that somebody points to.

Nothing of a plug-in is imported before its source's ``load`` is called.
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from vadbench.api.errors import PluginError, did_you_mean
from vadbench.api.hooks import ENTRY_POINT_GROUP
from vadbench.api.process_state import import_path_behind
from vadbench.engine.code_digests import folder_digest
from vadbench.engine.loading.folder_imports import import_from, new_round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Origin = Literal["installed", "folder", "process"]

OWN_DISTRIBUTION: Final = "vadbench"
_HOOK_MODULE: Final = "plugin"
"""The module of a package folder that has the hook, if it is not the package itself."""
_NO_PLUGIN: Final = re.compile(r"[_.].*|test_.*|.*_test|tests?|conftest|setup|noxfile")
"""Names of files and folders that stand beside plug-ins and are none."""
_ROOTS: Final = ("src", ".", "lib", "python")
"""Folders of a project in which its packages may lie."""


@dataclass(frozen=True, slots=True)
class PluginSource:
    """One plug-in before it is loaded.

    Args:
        name: Of the entry point, the file without ``.py``, or the package folder.
        origin: Whether a distribution was installed, a file or folder was pointed to, or a class was registered in this process.
        distribution: That it comes from; of a file or folder its own name.
        version: Of the distribution; of a file or folder derived from its contents.
        where: The file with the hook, or the entry point's value where the file is not known.
        load: Gives the module or object with the hook; raises whatever the plug-in raises.
        module: The module that ``load`` imports, if it imports one.
        attribute: What of the module has the hook; empty for the module itself.
    """

    name: str
    origin: Origin
    distribution: str
    version: str
    where: str
    load: Callable[[], object]
    module: str | None = None
    attribute: str = ""


def installed_sources() -> tuple[PluginSource, ...]:
    """Every entry point of the group ``vadbench``: vadbench's own first, so that nobody can take a name of theirs."""
    return sources_of(metadata.entry_points(group=ENTRY_POINT_GROUP))


def sources_of(entry_points: Iterable[metadata.EntryPoint]) -> tuple[PluginSource, ...]:
    """The sources of entry points, in the order in which they are loaded."""
    found = [_installed(entry_point) for entry_point in dict.fromkeys(entry_points)]
    return tuple(sorted(found, key=lambda source: (source.distribution != OWN_DISTRIBUTION, source.distribution, source.name)))


def _load(entry_point: metadata.EntryPoint) -> object:
    with import_path_behind():
        return entry_point.load()


def _installed(entry_point: metadata.EntryPoint) -> PluginSource:
    distribution = entry_point.dist
    name, version = (distribution.name, distribution.version) if distribution else ("unknown", "unknown")
    module, _, attribute = (part.strip() for part in entry_point.value.partition(":"))
    where = str(_file_of(module) or entry_point.value)
    return PluginSource(entry_point.name, "installed", name, version, where, partial(_load, entry_point), module, attribute)


def _file_of(module: str) -> Path | None:
    """Where a module lies, as far as that can be told without importing its package."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.has_location else None
    for folder in spec.submodule_search_locations or ():
        path = Path(folder, *rest)
        for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
            with suppress(OSError):  # a folder that may not be read
                if file.is_file():
                    return file
    return None


def sources_at(path: Path) -> tuple[PluginSource, ...]:
    """The plug-ins of a path: one ``.py`` file, one package folder, one project folder, or a folder of those.

    Raises:
        PluginError: if there is no such file or folder, or a project's ``pyproject.toml`` names no plug-in that can be found.
    """
    _look_afresh()
    return _at(path)


def folder_sources(paths: Iterable[Path]) -> tuple[PluginSource, ...]:
    """The plug-ins of several paths as `sources_at` takes them; of a path where there is none, what is wrong with it."""
    _look_afresh()
    found: list[PluginSource] = []
    for path in paths:
        try:
            found += _at(path)
        except PluginError as error:
            found.append(fault(path.name or str(path), "folder", str(path), error, distribution="not found"))
    return tuple(found)


def _look_afresh() -> None:
    new_round()
    _version_of.cache_clear()


def _at(path: Path) -> tuple[PluginSource, ...]:
    with _readable(path):
        return _sources_of_path(path.expanduser().absolute())


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raises `PluginError` for whatever a path can be wrong with: no permission, too long, no such user, no current folder."""
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        what = f"it cannot be read: {getattr(error, 'strerror', None) or error}"
        raise PluginError(what, where=path, remedy="correct the path, or its permissions") from error


def _sources_of_path(path: Path) -> tuple[PluginSource, ...]:
    if path.is_file() and path.suffix == ".py":
        return (_file(path),)
    if not path.is_dir():
        siblings = _names_in(path.parent)
        remedy = f"correct the path; {did_you_mean(path.name, siblings)}" if siblings else "correct the path"
        what = "a plug-in is a .py file or a folder, and this is neither" if path.exists() else "there is no such file or folder"
        raise PluginError(what, where=path, remedy=remedy)
    if (path / "pyproject.toml").is_file() and (project := _project(path)):
        return project
    if _is_package(path):
        return (_package(path),)
    return _in(path)


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def sources_in(folder: Path) -> tuple[PluginSource, ...]:
    """The plug-ins directly in a folder, by name.

    Every ``.py`` file is one, every package folder, and those that a project folder's ``pyproject.toml`` names. What begins with
    ``_`` or ``.`` is none, nor are tests, ``conftest.py``, ``setup.py`` and ``noxfile.py``.

    Raises:
        PluginError: if the folder cannot be read.
    """
    _look_afresh()
    with _readable(folder):
        return _in(folder.expanduser().absolute())


def _in(folder: Path) -> tuple[PluginSource, ...]:
    found: list[PluginSource] = []
    for path in sorted(folder.iterdir()):
        if not _NO_PLUGIN.fullmatch(path.stem):
            try:
                with _readable(path):
                    found += _in_passing(path)
            except PluginError as error:
                found.append(fault(path.name, "folder", str(path), error, distribution=path.name))
    return tuple(found)


def _in_passing(path: Path) -> tuple[PluginSource, ...]:
    """The plug-ins of a path that nobody pointed to; one that has nothing to do with vadbench is passed over."""
    if path.is_file() and path.suffix == ".py":
        return (_file(path),)
    if (path / "pyproject.toml").is_file():
        return _project(path)
    return (_package(path),) if _is_package(path) else ()


def fault(name: str, origin: Origin, where: str, error: PluginError, *, distribution: str = "unknown") -> PluginSource:
    """A source that cannot be loaded, so that what is wrong with it is told as of any other."""

    def load() -> object:
        raise error

    return PluginSource(name, origin, distribution, "unknown", where, load)


def _file(path: Path) -> PluginSource:
    version = _version_of(path.parent)
    load = partial(import_from, path.parent, path.stem, path, version)
    return PluginSource(path.stem, "folder", path.name, version, str(path), load, module=path.stem)


def _is_package(path: Path) -> bool:
    return (path / "__init__.py").is_file() or (path / f"{_HOOK_MODULE}.py").is_file()


def _package(path: Path) -> PluginSource:
    inside = path / f"{_HOOK_MODULE}.py"
    module, file = (f"{path.name}.{_HOOK_MODULE}", inside) if inside.is_file() else (path.name, path / "__init__.py")
    version = _version_of(path.parent)
    load = partial(import_from, path.parent, module, file, version)
    return PluginSource(path.name, "folder", path.name, version, str(file), load, module=module)


def _project(path: Path) -> tuple[PluginSource, ...]:
    """The plug-ins of a project folder; none if its ``pyproject.toml`` names none."""
    file = path / "pyproject.toml"
    try:
        told: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PluginError(f"pyproject.toml cannot be read: {error}", where=file, remedy="correct the file") from error
    project = _table(told, "project", file)
    named = _table(_table(project, "entry-points", file), ENTRY_POINT_GROUP, file)
    distribution = str(project.get("name") or path.name)
    return tuple(_of_project(path, distribution, project.get("version"), name, str(value)) for name, value in named.items())


def _table(within: dict[str, Any], name: str, file: Path) -> dict[str, Any]:
    found = within.get(name, {})
    if isinstance(found, dict):
        return found
    remedy = 'write under [project.entry-points.vadbench]: speed = "vad_speed.plugin"'
    raise PluginError(f"{name} in pyproject.toml is no table", where=file, remedy=remedy)


def _of_project(path: Path, distribution: str, version: object, name: str, value: str) -> PluginSource:
    module, _, attribute = (part.strip() for part in value.partition(":"))
    for root in (path / each for each in _ROOTS):
        top, *rest = module.split(".")
        candidates = (Path(root, top, *rest).with_suffix(".py"), Path(root, top, *rest, "__init__.py"))
        if file := next((candidate for candidate in candidates if candidate.is_file()), None):
            digest = _version_of(root)
            told = f"{version}+{digest.replace(':', '.')}" if isinstance(version, str) else digest
            load = partial(import_from, root, module, file, digest, attribute)
            return PluginSource(name, "folder", distribution, told, str(file), load, module, attribute)
    error = PluginError(
        f"the entry point {name!r} names {module}, and the project has no such module",
        where=path / "pyproject.toml",
        remedy=f"correct the entry point, or put the module into {path / 'src'} or {path}",
    )
    return fault(name, "folder", str(path / "pyproject.toml"), error, distribution=distribution)


@cache
def _version_of(root: Path) -> str:
    """Of a folder that modules are imported from: derived from all that lies in it, so that what was edited is another version.

    One that never comes again where the folder has too much in it to be looked at.
    """
    digest = folder_digest(root)
    return f"unknown:{uuid.uuid4().hex[:12]}" if digest is None else f"sha256:{digest[:12]}"

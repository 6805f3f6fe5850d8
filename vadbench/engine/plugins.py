"""Loading plug-ins, each alone: whatever one of them does, the others and the command go on, and its fault is told.

Each plug-in has a plugin manager of its own, because one raising hook would otherwise end the call for all, and because
a misspelt hook name passes silently unless ``check_pending`` is asked, plug-in by plug-in.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from vadbench.api.errors import PluginError, UsageError, did_you_mean
from vadbench.api.faults import ENDS
from vadbench.api.registry import Registry
from vadbench.engine.loading.api_version import NAME, check_api, declared_api
from vadbench.engine.loading.faults import Fault, fault_of, printable
from vadbench.engine.loading.hook import registered_components
from vadbench.engine.loading.in_process import process_sources
from vadbench.engine.loading.isolation import isolated
from vadbench.engine.loading.sources import OWN_DISTRIBUTION, PluginSource, fault, folder_sources, installed_sources, sources_of
from vadbench.engine.presets import hidden_by_preset, preset_names, read_brought

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib import metadata

    from vadbench.engine.loading.sources import Origin

FOLDERS_VARIABLE: Final = "VADBENCH_PLUGINS_DIR"
"""Files and folders of plug-ins beside the installed ones, separated as in PATH."""
NAMES_VARIABLE: Final = "VADBENCH_PLUGINS"
"""Where it is set: the plug-ins that are loaded beside vadbench's own; empty for none."""
STRICT_VARIABLE: Final = "VADBENCH_STRICT"
"""Where it is 1: any fault of any plug-in is an error."""
_YES: Final = ("1", "true", "yes", "on")
_NO: Final = ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """What became of one plug-in.

    Args:
        name: As `PluginSource` has it; so are the four below.
        origin: ``installed``, ``folder`` or ``process``.
        distribution: That it comes from.
        version: Of the distribution, or of the contents.
        where: The file with the hook.
        status: ``ok`` or ``failed``.
        components: What it offers, as ``kind name``; of a method of its own ``method name``.
        error: Why it failed.
        remedy: What to do about it.
        traceback: Where it failed, in the plug-in's own files as far as it failed there.
        printed: What it printed while it was loaded, on stdout and stderr.
        api_version: The ``vadbench.api.VERSION`` that it says it was written for; None if it says none.
        needs: Modules that some of its components require and that are not installed.
    """

    name: str
    origin: Origin
    distribution: str
    version: str
    where: str
    status: Literal["ok", "failed"]
    components: tuple[str, ...] = ()
    error: str | None = None
    remedy: str | None = None
    traceback: str | None = None
    printed: str = ""
    api_version: int | None = None
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plugins:
    """The registry, filled by every plug-in that works, and what became of each."""

    registry: Registry
    statuses: tuple[PluginStatus, ...]

    @property
    def failed(self) -> tuple[PluginStatus, ...]:
        """Those that failed."""
        return tuple(status for status in self.statuses if status.status == "failed")

    def version_of(self, plugin: str) -> str:
        """``distribution version`` of a plug-in."""
        return next((f"{s.distribution} {s.version}" for s in self.statuses if s.name == plugin), "unknown")


class PluginFaultsError(PluginError):
    """Faults of plug-ins where none is allowed; ``plugins`` is what was loaded all the same."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        told = [f"plug-in {s.name!r} ({s.distribution}): {s.error}\nremedy: {s.remedy}" for s in plugins.failed]
        super().__init__(
            f"{len(told)} of {len(plugins.statuses)} plug-ins failed to load, and {STRICT_VARIABLE} allows none",
            where="\n".join(told),
            remedy=f"correct or uninstall them, or unset {STRICT_VARIABLE}",
        )


def load_plugins(
    entry_points: Iterable[metadata.EntryPoint] | None = None, *, sources: Iterable[PluginSource] | None = None
) -> Plugins:
    """Loads every plug-in; a broken one is reported in its status and survived.

    Args:
        entry_points: Those to load and no others.
        sources: Those to load and no others. By default the installed ones and those of the files and folders that
            ``VADBENCH_PLUGINS_DIR`` names, without those that ``VADBENCH_PLUGINS`` leaves out; then what this process registered.

    Raises:
        PluginError: if one failed and ``VADBENCH_STRICT`` is 1.
        UsageError: if that variable says neither yes nor no.
    """
    strict = _is_strict()
    given = sources_of(entry_points or ()) if entry_points is not None else sources
    wanted = [*_default_sources()] if given is None else [*given]
    registry = Registry()
    plugins = Plugins(registry, tuple(load_source(source, registry) for source in _named_apart(wanted)))
    registry.without(status.name for status in plugins.failed)
    if plugins.failed and strict:
        raise PluginFaultsError(plugins)
    return plugins


def _is_strict() -> bool:
    said = os.environ.get(STRICT_VARIABLE, "").strip().lower()
    if said in _NO or said in _YES:
        return said in _YES
    raise UsageError(f"{said!r} is neither yes nor no", where=STRICT_VARIABLE, remedy=f"{STRICT_VARIABLE}=1, or unset it")


def load_source(source: PluginSource, registry: Registry) -> PluginStatus:
    """Loads one plug-in into a registry, all that it offers or nothing; never raises what the plug-in raises."""
    with isolated() as printed:
        outcome = _loaded(source, registry)
    # Names of files may have bytes in them that are no text.
    name, distribution, where = map(printable, (source.name, source.distribution, source.where))
    status = PluginStatus(name, source.origin, distribution, source.version, where, "ok", printed=printed.text)
    if isinstance(outcome, Fault):
        return replace(
            status,
            status="failed",
            error=outcome.cause,
            remedy=outcome.remedy,
            traceback=outcome.traceback,
            api_version=outcome.api_version,
        )
    own, api_version = outcome
    needs = dict.fromkeys(module for entry in own.entries() for module in entry.missing())
    components = (*_components(own), *(f"method {method.name}" for method in own.methods()))
    return replace(status, components=components, api_version=api_version, needs=tuple(needs))


def register_plugin(plugin: Any, name: str, registry: Registry) -> tuple[str, ...]:
    """Asks one plug-in (a module or object with the hook) for its components and takes them over, all or none.

    Returns:
        What it offers, as ``kind name``.

    Raises:
        PluginError: if it has no hook, a misspelt one, one with other arguments, or offers a name that is taken.
    """
    own = registered_components(plugin, name, registry)
    registry.merge(own)
    return _components(own)


def _components(own: Registry) -> tuple[str, ...]:
    return tuple(f"{entry.kind} {entry.name}" for entry in own.entries())


def _loaded(source: PluginSource, registry: Registry) -> tuple[Registry, int | None] | Fault:
    api_version = None
    try:
        told = declared_api(source.where)
        api_version = told if isinstance(told, int) else None
        check_api(told, source.name)
        plugin = source.load()
        if told is None:  # not written down as a number
            told = getattr(plugin, NAME, None)
            api_version = told if isinstance(told, int) else None
            check_api(told, source.name)
        origin = f"{source.distribution} {source.version}, {source.where}"
        own = registered_components(plugin, source.name, registry, origin=origin)
        _check_methods(own, source.name)
        registry.merge(own)
    except ENDS:
        raise
    except BaseException as error:  # whatever a plug-in raises, SystemExit too, the others and the command go on
        return fault_of(error, source, api_version=api_version)
    return own, api_version


def _check_methods(own: Registry, name: str) -> None:
    """Finds methods that nobody could run: a name of one that comes with vadbench, or a preset that cannot be read.

    Raises:
        PluginError, ConfigError: for the first.
    """
    taken = [f"detector {detector!r}" for detector in own.names("detector") if hidden_by_preset(detector)]
    taken += [f"method {method.name!r}" for method in own.methods() if method.name in preset_names()]
    if taken:
        raise PluginError(
            f"{taken[0]} has the name of a method that comes with vadbench",
            where=f"plug-in {name}",
            remedy="give it another name",
        )
    for method in own.methods():
        read_brought(method)


def _default_sources() -> Iterable[PluginSource]:
    """Installed, pointed to, and registered in this process, less those that are not wanted."""
    found = list(installed_sources())
    texts = filter(None, os.environ.get(FOLDERS_VARIABLE, "").split(os.pathsep))
    # A project that is installed as well, as by pip install -e, is one plug-in, and so is one that is pointed to twice.
    known = {_place(source) for source in found}
    for source in folder_sources(map(Path, texts)):
        if _place(source) not in known:
            known.add(_place(source))
            found.append(source)
    wanted = os.environ.get(NAMES_VARIABLE)
    return [*(found if wanted is None else _chosen(found, wanted)), *process_sources()]


def _place(source: PluginSource) -> tuple[Path, str | None, str]:
    where = Path(source.where)
    with suppress(OSError, RuntimeError):  # links in a circle, no current folder
        where = where.resolve()
    return where, source.module, source.attribute


def _chosen(found: list[PluginSource], wanted: str) -> list[PluginSource]:
    """Of vadbench's own all, of the others those that are named, by their own name or their distribution's."""
    own = [source for source in found if source.distribution == OWN_DISTRIBUTION and source.origin == "installed"]
    others = [source for source in found if source not in own]
    chosen = list(own)
    for name in dict.fromkeys(text.strip() for text in wanted.split(",") if text.strip()):
        named = [source for source in others if name in (source.name, source.distribution)]
        if not named and name not in {source.name for source in own} | {OWN_DISTRIBUTION}:
            known = {text for source in others for text in (source.name, source.distribution)}
            remedy = f"{did_you_mean(name, known)}; or install it" if known else "install it; there are none but vadbench's own"
            error = PluginError(f"{NAMES_VARIABLE} names a plug-in that is not there: {name}", remedy=remedy)
            named = [fault(name, "installed", NAMES_VARIABLE, error)]
        chosen += [source for source in named if source not in chosen]
    return chosen


def _named_apart(sources: Iterable[PluginSource]) -> Iterable[PluginSource]:
    """A second plug-in of the same name is called with its distribution: two authors may have chosen one name."""
    taken: dict[str, int] = {}
    for source in sources:
        name = source.name if source.name not in taken else f"{source.name} of {source.distribution}"
        taken[name] = taken.get(name, 0) + 1
        yield replace(source, name=name if taken[name] == 1 else f"{name} ({taken[name]})")

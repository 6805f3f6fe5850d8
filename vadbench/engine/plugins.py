"""Finding plug-ins: every entry point of the group ``vadbench``, loaded one by one.

Each plug-in has a plugin manager of its own, because one raising hook would otherwise end the call for all, and because
a misspelt hook name passes silently unless ``check_pending`` is asked, plug-in by plug-in.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from vadbench.api.errors import PluginError
from vadbench.api.hooks import ENTRY_POINT_GROUP, Hooks
from vadbench.api.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

_OWN_DISTRIBUTION = "vadbench"


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """What became of one plug-in.

    Args:
        name: Of the entry point.
        distribution: That it comes from, and its version.
        version: Of the distribution.
        status: ``ok`` or ``failed``.
        components: What it offers, as ``kind name``.
        error: Why it failed.
        traceback: Where it failed.
    """

    name: str
    distribution: str
    version: str
    status: Literal["ok", "failed"]
    components: tuple[str, ...] = ()
    error: str | None = None
    traceback: str | None = None


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


def load_plugins(entry_points: Iterable[metadata.EntryPoint] | None = None) -> Plugins:
    """Loads every plug-in; a broken one is reported in its status and survived.

    Args:
        entry_points: Those to load; by default the installed ones. vadbench's own come first, so that a third party
            cannot take a name of theirs.
    """
    found = metadata.entry_points(group=ENTRY_POINT_GROUP) if entry_points is None else entry_points
    registry = Registry()
    statuses = [_load(entry_point, registry) for entry_point in sorted(set(found), key=_order)]
    return Plugins(registry, tuple(statuses))


def register_plugin(plugin: Any, name: str, registry: Registry) -> tuple[str, ...]:
    """Asks one plug-in (a module or object with the hook) for its components and takes them over, all or none.

    Returns:
        What it offers, as ``kind name``.

    Raises:
        PluginError: if it has no hook, a misspelt one, or offers a name that is taken.
    """
    manager = pluggy.PluginManager("vadbench")
    manager.add_hookspecs(Hooks)
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise PluginError(
            str(error), where=f"plug-in {name}", remedy="the hook is vadbench_register(registry), marked with @hookimpl"
        ) from error
    if not manager.hook.vadbench_register.get_hookimpls():
        raise PluginError(
            "the plug-in has no hook", where=f"plug-in {name}", remedy="write vadbench_register(registry), marked with @hookimpl"
        )
    own = registry.for_plugin(name)
    manager.hook.vadbench_register(registry=own)
    registry.merge(own)
    return tuple(f"{entry.kind} {entry.name}" for entry in own.entries())


def _load(entry_point: metadata.EntryPoint, registry: Registry) -> PluginStatus:
    distribution = entry_point.dist
    name, version = (distribution.name, distribution.version) if distribution else ("unknown", "unknown")
    try:
        components = register_plugin(entry_point.load(), entry_point.name, registry)
    except (Exception, SystemExit) as error:  # whatever a plug-in raises, the others and the command line go on
        text = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
        return PluginStatus(entry_point.name, name, version, "failed", error=text, traceback=traceback.format_exc())
    return PluginStatus(entry_point.name, name, version, "ok", components=components)


def _order(entry_point: metadata.EntryPoint) -> tuple[bool, str, str]:
    distribution = entry_point.dist.name if entry_point.dist else ""
    return distribution != _OWN_DISTRIBUTION, distribution, entry_point.name

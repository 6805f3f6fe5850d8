"""Asking one plug-in for its components, after its hook was looked at: a hook that is not called would go unnoticed."""

from __future__ import annotations

import difflib
import inspect
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pluggy

from vadbench.api.errors import PluginError
from vadbench.api.hooks import Hooks

if TYPE_CHECKING:
    from vadbench.api.registry import Registry

HOOK: Final = "vadbench_register"
_HOW: Final = f"write {HOOK}(registry), marked with @hookimpl"
_NEAR: Final = 0.75
"""Similarity from which a name is taken for a misspelt one."""


def registered_components(plugin: Any, name: str, registry: Registry, *, origin: str | None = None) -> Registry:
    """What a plug-in (a module or object with the hook) registers; ``registry`` stays as it is.

    Args:
        plugin: The module or object.
        name: Of the plug-in.
        registry: That the components are meant for.
        origin: Where the plug-in comes from, for whoever collides with it.

    Raises:
        PluginError: if it has no hook, a misspelt or unmarked one, or one with other arguments.
    """
    where = f"plug-in {name}"
    if isinstance(plugin, type):
        remedy = f"offer a module or an instance: {plugin.__name__}()"
        raise PluginError(f"what it offers is a class, {plugin.__name__}", where=where, remedy=remedy)
    manager = pluggy.PluginManager("vadbench")
    manager.add_hookspecs(Hooks)
    try:
        manager.register(plugin, name)
    except pluggy.PluginValidationError as error:
        raise _other_arguments(plugin, where) from error
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise _misspelt(plugin, manager, where) from error
    if not manager.hook.vadbench_register.get_hookimpls():
        raise _no_hook(plugin, where)
    hook = getattr(plugin, HOOK)
    if inspect.iscoroutinefunction(hook) or inspect.isgeneratorfunction(hook) or _parameters(hook) != ["registry"]:
        raise _other_arguments(plugin, where)
    own = registry.for_plugin(name, origin=origin)
    manager.hook.vadbench_register(registry=own)
    return own


def _parameters(hook: Any) -> list[str]:
    return list(inspect.signature(hook).parameters)


def _other_arguments(plugin: Any, where: str) -> PluginError:
    hook = getattr(plugin, HOOK, None)
    remedy = f"write def {HOOK}(registry): and register there"
    if hook is None or not callable(hook):
        return PluginError("its hook cannot be called", where=where, remedy=remedy)
    if inspect.iscoroutinefunction(hook):
        return PluginError(f"its hook {HOOK} is a coroutine", where=where, remedy=remedy)
    if inspect.isgeneratorfunction(hook):
        return PluginError(f"its hook {HOOK} is a generator", where=where, remedy=remedy)
    taken = ", ".join(_parameters(hook)) or "nothing"
    return PluginError(f"its hook {HOOK} takes {taken}; it is called with registry alone", where=where, remedy=remedy)


def _misspelt(plugin: Any, manager: pluggy.PluginManager, where: str) -> PluginError:
    marked = [name for name in dir(plugin) if manager.parse_hookimpl_opts(plugin, name) is not None]
    odd = next((name for name in marked if name != HOOK), "?")
    near = difflib.SequenceMatcher(None, odd, HOOK).ratio() >= _NEAR
    return PluginError(
        f"it marks {odd} with @hookimpl, and there is no such hook",
        where=where,
        remedy=f"did you mean {HOOK}?" if near else f"the hook is called {HOOK}; leave @hookimpl away from others",
    )


def _no_hook(plugin: Any, where: str) -> PluginError:
    functions = [name for name, value in inspect.getmembers(plugin, callable) if not name.startswith("__")]
    if HOOK in functions:
        return PluginError(
            f"the plug-in has no hook: its {HOOK} is not marked with @hookimpl",
            where=where,
            remedy=f"from vadbench.api import hookimpl, and write @hookimpl above def {HOOK}(registry):",
        )
    if near := difflib.get_close_matches(HOOK, functions, n=1, cutoff=_NEAR):
        return PluginError(f"the plug-in has no hook, but it has {near[0]}", where=where, remedy=f"did you mean {HOOK}? {_HOW}")
    aside = "; begin the file's name with _ if it is no plug-in" if isinstance(plugin, ModuleType) else ""
    return PluginError("the plug-in has no hook", where=where, remedy=f"{_HOW}{aside}")

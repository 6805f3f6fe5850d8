"""The registry: names to components and methods. Registering imports nothing; a component is imported when it is used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from vadbench.api.entry import KINDS, Entry, Kind
from vadbench.api.errors import PluginError, UsageError, did_you_mean
from vadbench.api.method_preset import MethodPreset

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_RESERVED: Final = frozenset({"none"})


class Registry:
    """What a plug-in registers with. Each method takes a name, a target and, by keyword, a config model, a summary and needs."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Kind, str], Entry] = {}
        self._methods: dict[str, MethodPreset] = {}
        self._plugin = "vadbench"
        self._origins: dict[str, str] = {}
        self._failed: tuple[str, ...] = ()

    def for_plugin(self, plugin: str, *, origin: str | None = None) -> Registry:
        """An empty registry whose entries are credited to ``plugin``; see `merge`.

        Args:
            plugin: Its name.
            origin: The distribution and file it comes from, for whoever collides with it.
        """
        registry = Registry()
        registry._plugin = plugin
        if origin is not None:
            registry._origins[plugin] = origin
        return registry

    def merge(self, other: Registry) -> None:
        """Takes over every entry of ``other``, or none: raises `PluginError` at a name that is taken."""
        for key, entry in other._entries.items():
            if key in self._entries:
                raise self._taken(f"{entry.kind} {entry.name!r}", self._entries[key].plugin, entry.plugin)
        for name, method in other._methods.items():
            if name in self._methods:
                raise self._taken(f"method {name!r}", self._methods[name].plugin, method.plugin)
        # A detector is run by its own name, and may have a preset of that name; another plug-in's would hide it.
        detectors = {entry.name: entry.plugin for entry in self.entries("detector")}
        methods = {method.name: method.plugin for method in self.methods()}
        hidden = [(each.name, detectors[each.name], each.plugin) for each in other.methods() if each.name in detectors]
        hidden += [(each.name, methods[each.name], each.plugin) for each in other.entries("detector") if each.name in methods]
        for name, holder, plugin in hidden:
            if holder != plugin:
                raise self._taken(f"method {name!r}", holder, plugin)
        self._entries |= other._entries
        self._methods |= other._methods
        self._origins |= other._origins

    def _taken(self, what: str, holder: str, other: str) -> PluginError:
        origin = f" ({self._origins[holder]})" if holder in self._origins else ""
        return PluginError(
            f"{what} is already registered by plug-in {holder!r}{origin}",
            where=f"plug-in {other}",
            remedy="give it another name, or uninstall one of the two plug-ins",
        )

    def without(self, failed: Iterable[str]) -> None:
        """Notes plug-ins that failed, so that whoever looks in vain for a component is told of them."""
        self._failed = tuple(failed)

    def add(
        self,
        kind: Kind,
        name: str,
        target: str,
        *,
        config: str | None = None,
        summary: str = "",
        requires: Iterable[str] = (),
        **more: Any,
    ) -> None:
        """Registers a component of a kind; raises `PluginError` for a name or target that cannot be, or is taken."""
        where = f"plug-in {self._plugin}"
        self._check_name(kind, name)
        for text in (target, config):
            if text is not None and not _is_target(text):
                raise PluginError(
                    f"{kind} {name!r} has the target {text!r}", where=where, remedy="write it as 'package.module:Class'"
                )
        if not isinstance(summary, str):
            raise PluginError(f"{kind} {name!r} has the summary {summary!r}", where=where, remedy="write one line of text")
        # A string would be taken letter by letter.
        needed = (requires,) if isinstance(requires, str) else tuple(requires)
        if odd := [module for module in needed if not module.isidentifier()]:
            raise PluginError(
                f"{kind} {name!r} requires {odd[0]!r}, which is no top-level module",
                where=where,
                remedy='write what is imported, without a version: requires=("pyod",)',
            )
        self.enter(Entry(kind, name, target, config, summary, self._plugin, requires=needed, **more))

    def method(self, name: str, preset: str) -> None:
        """Registers a whole method by its preset, the TOML file that says what it is made of; see `MethodPreset`.

        Args:
            name: By which ``vadbench run`` finds it; a detector of this plug-in may have the same.
            preset: ``"package:file.toml"``.

        Raises:
            PluginError: for a name or preset that cannot be, or a name that is taken.
        """
        self._check_name("method", name)
        single = Registry()
        single._methods[name] = MethodPreset(name, preset, self._plugin)
        self.merge(single)

    def _check_name(self, kind: str, name: str) -> None:
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise PluginError(
                f"{kind} cannot be named {name!r}",
                where=f"plug-in {self._plugin}",
                remedy="use lower-case letters, digits, '.', '_' and '-'; 'none' is reserved",
            )

    def enter(self, entry: Entry) -> None:
        """Takes an entry as it is; raises `PluginError` if its name is taken."""
        single = Registry()
        single._entries[entry.kind, entry.name] = replace(entry, plugin=self._plugin)
        self.merge(single)

    def dataset(
        self,
        name: str,
        target: str,
        *,
        config: str | None = None,
        summary: str = "",
        requires: Iterable[str] = (),
        opens_folders: bool = False,
        default: bool = False,
    ) -> None:
        """Registers a dataset; for the two flags see `Entry`."""
        flags = {"opens_folders": opens_folders, "default": default}
        self.add("dataset", name, target, config=config, summary=summary, requires=requires, **flags)

    def tokenizer(
        self, name: str, target: str, *, config: str | None = None, summary: str = "", requires: Iterable[str] = ()
    ) -> None:
        """Registers a tokenizer."""
        self.add("tokenizer", name, target, config=config, summary=summary, requires=requires)

    def prior(
        self, name: str, target: str, *, config: str | None = None, summary: str = "", requires: Iterable[str] = ()
    ) -> None:
        """Registers a prior."""
        self.add("prior", name, target, config=config, summary=summary, requires=requires)

    def flow(self, name: str, target: str, *, config: str | None = None, summary: str = "", requires: Iterable[str] = ()) -> None:
        """Registers a flow."""
        self.add("flow", name, target, config=config, summary=summary, requires=requires)

    def scorer(
        self, name: str, target: str, *, config: str | None = None, summary: str = "", requires: Iterable[str] = ()
    ) -> None:
        """Registers a scorer."""
        self.add("scorer", name, target, config=config, summary=summary, requires=requires)

    def detector(
        self,
        name: str,
        target: str,
        *,
        config: str | None = None,
        summary: str = "",
        requires: Iterable[str] = (),
        variant: str | None = None,
        runs_programs: bool = False,
    ) -> None:
        """Registers a whole method, or a family of them: for ``variant`` and ``runs_programs`` see `Entry`."""
        more: dict[str, Any] = {"variant": variant, "runs_programs": runs_programs}
        self.add("detector", name, target, config=config, summary=summary, requires=requires, **more)

    def entries(self, kind: Kind | None = None) -> list[Entry]:
        """The entries, of one kind or all, in the order kind, name."""
        found = [entry for entry in self._entries.values() if kind in (None, entry.kind)]
        return sorted(found, key=lambda entry: (KINDS.index(entry.kind), entry.name))

    def methods(self) -> list[MethodPreset]:
        """The methods that plug-ins bring presets for, by name."""
        return [self._methods[name] for name in sorted(self._methods)]

    def names(self, kind: Kind) -> list[str]:
        """The names of a kind, sorted."""
        return [entry.name for entry in self.entries(kind)]

    def get(self, kind: Kind, name: str) -> Entry:
        """The entry of a name; raises `UsageError` with the nearest names for an unknown one."""
        try:
            return self._entries[kind, name]
        except KeyError:
            raise UsageError(f"no {kind} is named {name!r}", remedy=self.remedy_for(name, self.names(kind))) from None

    def remedy_for(self, name: str, known: Iterable[str]) -> str:
        """A remedy for an unknown name: the nearest known ones, and the plug-ins that may have it but failed to load."""
        near = did_you_mean(name, known)
        if not self._failed:
            return near
        which = f"plug-in {self._failed[0]!r}" if len(self._failed) == 1 else f"plug-ins {', '.join(map(repr, self._failed))}"
        return f"{near}\n{which} failed to load, which may be why: vadbench plugin list"


def _is_target(text: object) -> bool:
    """Whether something is ``package.module:Class``, in letters of any script."""
    if not isinstance(text, str):
        return False
    module, colon, name = text.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), name))

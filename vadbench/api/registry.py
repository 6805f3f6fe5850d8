"""The registry: names to components, lazily. Registering imports nothing; a component is imported when it is used."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from vadbench.api.errors import PluginError, UsageError, did_you_mean

Kind = Literal["dataset", "tokenizer", "prior", "flow", "scorer", "detector"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
METHODS_OF_KIND: Final[dict[Kind, tuple[str, ...]]] = {
    "dataset": ("tracks", "labels"),
    "tokenizer": ("fit", "encode", "decode", "state_dict", "load_state_dict"),
    "prior": ("fit", "log_prob", "sample", "state_dict", "load_state_dict"),
    "flow": ("fit", "log_prob", "forward", "inverse", "state_dict", "load_state_dict"),
    "scorer": ("fit", "score", "state_dict", "load_state_dict"),
    "detector": ("fit", "score", "state_dict", "load_state_dict"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_RESERVED: Final = frozenset({"none"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered component.

    Args:
        kind: Which contract it fulfils.
        name: By which it is chosen.
        target: ``"package.module:Class"``.
        config: ``"package.module:ConfigModel"``, or None for a component without settings.
        summary: One line for ``vadbench list``.
        plugin: The plug-in that offers it.
        opens_folders: For a dataset: its config has a ``root`` key, and ``--dataset PATH`` may open it.
        default: For a dataset: run when the user names none, provided that it is there.
        variant: For a detector: the setting that ``vadbench run NAME:VALUE`` fills in; None where it has no variants.
    """

    kind: Kind
    name: str
    target: str
    config: str | None
    summary: str
    plugin: str
    opens_folders: bool = False
    default: bool = False
    variant: str | None = None

    def load(self) -> type[Any]:
        """Imports the component's class and checks that it has its contract's methods.

        Raises:
            PluginError: if it cannot be imported or lacks a method.
        """
        cls = self._import(self.target)
        missing = [method for method in METHODS_OF_KIND[self.kind] if not callable(getattr(cls, method, None))]
        if missing:
            raise PluginError(
                f"{self.kind} {self.name!r} lacks {', '.join(missing)}",
                where=f"{self.target}, plug-in {self.plugin}",
                remedy=f"see the contract of {self.kind.capitalize()} in vadbench.api",
            )
        return cls

    def load_config(self) -> type[Any]:
        """Imports the config model; raises `PluginError` if it cannot be imported or is no `ComponentConfig`."""
        from vadbench.api.config import ComponentConfig, NoConfig

        model = NoConfig if self.config is None else self._import(self.config)
        if not issubclass(model, ComponentConfig):
            raise PluginError(
                f"the config model of {self.kind} {self.name!r} is no ComponentConfig",
                where=f"{self.config}, plug-in {self.plugin}",
                remedy="derive it from vadbench.api.ComponentConfig",
            )
        return model

    def _import(self, target: str) -> type[Any]:
        module, _, attribute = target.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except Exception as error:  # whatever a third party's module raises
            raise PluginError(
                f"{self.kind} {self.name!r} cannot be imported: {type(error).__name__}: {error}",
                where=f"{target}, plug-in {self.plugin}",
                remedy="install what it needs, or correct the target it was registered with",
            ) from error
        if not isinstance(found, type):
            raise PluginError(f"{target} is not a class", where=f"plug-in {self.plugin}")
        return found


class Registry:
    """What a plug-in registers with. Each method takes a name, a target and, by keyword, a config model and a summary."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Kind, str], Entry] = {}
        self._plugin = "vadbench"

    def for_plugin(self, plugin: str) -> Registry:
        """An empty registry whose entries are credited to ``plugin``; see `merge`."""
        registry = Registry()
        registry._plugin = plugin
        return registry

    def merge(self, other: Registry) -> None:
        """Takes over every entry of ``other``, or none: raises `PluginError` at a name that is taken."""
        for key, entry in other._entries.items():
            if key in self._entries:
                raise PluginError(
                    f"{entry.kind} {entry.name!r} is already registered by plug-in {self._entries[key].plugin!r}",
                    where=f"plug-in {entry.plugin}",
                    remedy="give the component another name, or uninstall one of the two plug-ins",
                )
        self._entries |= other._entries

    def add(self, kind: Kind, name: str, target: str, *, config: str | None = None, summary: str = "", **more: Any) -> None:
        """Registers a component of a kind; raises `PluginError` for a name or target that cannot be, or is taken."""
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise PluginError(
                f"{kind} cannot be named {name!r}",
                where=f"plug-in {self._plugin}",
                remedy="use lower-case letters, digits, '.', '_' and '-'; 'none' is reserved",
            )
        for text in (target, config):
            if text is not None and not _TARGET.fullmatch(text):
                raise PluginError(
                    f"{kind} {name!r} has the target {text!r}",
                    where=f"plug-in {self._plugin}",
                    remedy="write it as 'package.module:Class'",
                )
        entry = Entry(kind, name, target, config, summary, self._plugin, **more)
        single = Registry()
        single._entries[kind, name] = entry
        self.merge(single)

    def dataset(
        self,
        name: str,
        target: str,
        *,
        config: str | None = None,
        summary: str = "",
        opens_folders: bool = False,
        default: bool = False,
    ) -> None:
        """Registers a dataset; for the two flags see `Entry`."""
        self.add("dataset", name, target, config=config, summary=summary, opens_folders=opens_folders, default=default)

    def tokenizer(self, name: str, target: str, *, config: str | None = None, summary: str = "") -> None:
        """Registers a tokenizer."""
        self.add("tokenizer", name, target, config=config, summary=summary)

    def prior(self, name: str, target: str, *, config: str | None = None, summary: str = "") -> None:
        """Registers a prior."""
        self.add("prior", name, target, config=config, summary=summary)

    def flow(self, name: str, target: str, *, config: str | None = None, summary: str = "") -> None:
        """Registers a flow."""
        self.add("flow", name, target, config=config, summary=summary)

    def scorer(self, name: str, target: str, *, config: str | None = None, summary: str = "") -> None:
        """Registers a scorer."""
        self.add("scorer", name, target, config=config, summary=summary)

    def detector(
        self, name: str, target: str, *, config: str | None = None, summary: str = "", variant: str | None = None
    ) -> None:
        """Registers a whole method, or a family of them: for ``variant`` see `Entry`."""
        self.add("detector", name, target, config=config, summary=summary, variant=variant)

    def entries(self, kind: Kind | None = None) -> list[Entry]:
        """The entries, of one kind or all, in the order kind, name."""
        found = [entry for entry in self._entries.values() if kind in (None, entry.kind)]
        return sorted(found, key=lambda entry: (KINDS.index(entry.kind), entry.name))

    def names(self, kind: Kind) -> list[str]:
        """The names of a kind, sorted."""
        return [entry.name for entry in self.entries(kind)]

    def get(self, kind: Kind, name: str) -> Entry:
        """The entry of a name; raises `UsageError` with the nearest names for an unknown one."""
        try:
            return self._entries[kind, name]
        except KeyError:
            raise UsageError(f"no {kind} is named {name!r}", remedy=did_you_mean(name, self.names(kind))) from None

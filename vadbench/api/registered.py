"""Components of a notebook or script, registered where they are defined, without a plug-in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from vadbench.api.entry import METHODS_OF_KIND, Entry, Kind
from vadbench.api.errors import PluginError
from vadbench.api.registry import Registry

_Class = TypeVar("_Class", bound=type[Any])

IN_PROCESS: Final[dict[tuple[Kind, str], Entry]] = {}
"""Everything that was registered in this process, as it was last defined."""


@dataclass(frozen=True, slots=True)
class Register:
    """Decorators that register a class under a name: ``@register.detector("my-speed", config=SpeedConfig)``.

    The class is there for `vadbench.run` in the same process. Defining it again, as when a notebook's cell is run again, replaces
    what had the name before. A name of an installed plug-in stays with that plug-in: `vadbench.run` says so.

    Each takes ``config``, the class of its settings; ``summary``, one line; and ``requires``, top-level modules that it needs.
    Each raises `PluginError` for a name that cannot be, for what is no class, and for one that lacks methods of its contract.
    """

    def dataset(
        self,
        name: str,
        *,
        config: type[Any] | None = None,
        summary: str = "",
        requires: Iterable[str] = (),
        opens_folders: bool = False,
        default: bool = False,
    ) -> Callable[[_Class], _Class]:
        """Registers a dataset; for the two flags see `Entry`."""
        return _decorator("dataset", name, config, summary, requires, opens_folders=opens_folders, default=default)

    def tokenizer(
        self, name: str, *, config: type[Any] | None = None, summary: str = "", requires: Iterable[str] = ()
    ) -> Callable[[_Class], _Class]:
        """Registers a tokenizer."""
        return _decorator("tokenizer", name, config, summary, requires)

    def prior(
        self, name: str, *, config: type[Any] | None = None, summary: str = "", requires: Iterable[str] = ()
    ) -> Callable[[_Class], _Class]:
        """Registers a prior."""
        return _decorator("prior", name, config, summary, requires)

    def flow(
        self, name: str, *, config: type[Any] | None = None, summary: str = "", requires: Iterable[str] = ()
    ) -> Callable[[_Class], _Class]:
        """Registers a flow."""
        return _decorator("flow", name, config, summary, requires)

    def scorer(
        self, name: str, *, config: type[Any] | None = None, summary: str = "", requires: Iterable[str] = ()
    ) -> Callable[[_Class], _Class]:
        """Registers a scorer."""
        return _decorator("scorer", name, config, summary, requires)

    def detector(
        self,
        name: str,
        *,
        config: type[Any] | None = None,
        summary: str = "",
        requires: Iterable[str] = (),
        variant: str | None = None,
        runs_programs: bool = False,
    ) -> Callable[[_Class], _Class]:
        """Registers a whole method; for ``variant`` and ``runs_programs`` see `Entry`."""
        return _decorator("detector", name, config, summary, requires, variant=variant, runs_programs=runs_programs)


register: Final = Register()
"""Registers a class of this process, such as one in a notebook: ``@register.detector("my-speed")``; see `Register`."""


def _decorator(
    kind: Kind, name: str, config: type[Any] | None, summary: str, requires: Iterable[str], **more: Any
) -> Callable[[_Class], _Class]:
    def keep(cls: _Class) -> _Class:
        IN_PROCESS[kind, name] = _entry(kind, name, cls, config, summary=summary, requires=requires, **more)
        return cls

    return keep


def _entry(
    kind: Kind, name: str, cls: object, config: type[Any] | None, /, *, summary: str, requires: Iterable[str], **more: Any
) -> Entry:
    from vadbench.api.config import ComponentConfig

    where = f"@register.{kind}({name!r})"
    if not isinstance(cls, type):
        raise PluginError(f"{cls!r} is not a class", where=where, remedy="write the decorator above a class")
    if config is not None and not (isinstance(config, type) and issubclass(config, ComponentConfig)):
        raise PluginError(
            f"the config model of {kind} {name!r} is no ComponentConfig",
            where=where,
            remedy="derive it from vadbench.api.ComponentConfig",
        )
    if missing := [method for method in METHODS_OF_KIND[kind] if not callable(getattr(cls, method, None))]:
        raise PluginError(
            f"{kind} {name!r} lacks {', '.join(missing)}",
            where=where,
            remedy=f"see the contract of {kind.capitalize()} in vadbench.api",
        )
    # A class of a function or of another class has no target; it is only named by it.
    checked = Registry().for_plugin(where)
    checked.add(kind, name, f"{cls.__module__}:{cls.__name__}", summary=summary, requires=requires, **more)
    (entry,) = checked.entries()
    return replace(entry, loaded=cls, loaded_config=config)

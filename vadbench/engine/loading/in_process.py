"""Classes that were registered in this process, as plug-ins: each one its own, with a version that changes as its source does."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vadbench.api.hooks import hookimpl
from vadbench.api.registered import IN_PROCESS
from vadbench.engine.loading.sources import PluginSource
from vadbench.engine.source_digests import digest_of_classes

if TYPE_CHECKING:
    from vadbench.api.entry import Entry
    from vadbench.api.registry import Registry


@dataclass(frozen=True, slots=True)
class _OneClass:
    entry: Entry

    @hookimpl
    def vadbench_register(self, registry: Registry) -> None:
        registry.enter(self.entry)


UNKNOWN: Final = "unknown"
"""Version of a class of which it cannot be told whether it is still the same."""


def version_in_process(cls: type[Any]) -> str | None:
    """The version of a class that was registered in this process, or `UNKNOWN`; None of any other class."""
    for entry in IN_PROCESS.values():
        if entry.loaded is cls:
            version = _version(entry)
            return UNKNOWN if version.startswith(UNKNOWN) else version
    return None


def _version(entry: Entry) -> str:
    return digest_of_classes([cls for cls in (entry.loaded, entry.loaded_config) if cls is not None])


def process_sources() -> tuple[PluginSource, ...]:
    """A source for each class that a decorator of `vadbench.api.register` was written above."""
    return tuple(_source(entry) for entry in IN_PROCESS.values())


def _source(entry: Entry) -> PluginSource:
    cls = entry.loaded
    assert cls is not None  # noqa: S101 - what a decorator keeps is a class
    module = sys.modules.get(cls.__module__)
    where = f"{getattr(module, '__file__', None) or 'a notebook or console'}, class {cls.__qualname__}"
    return PluginSource(f"{entry.kind} {entry.name}", "process", cls.__module__, _version(entry), where, lambda: _OneClass(entry))

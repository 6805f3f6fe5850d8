"""Classes that were registered in this process, as plug-ins: each one its own, with a version that never comes again.

What such a class does may depend on anything that was defined, changed or replaced in the session, in any order. No look at its
source tells whether it is still what it was, so a finished run of it is never taken for one of what it is now.
"""

from __future__ import annotations

import sys
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vadbench.api.hooks import hookimpl
from vadbench.api.registered import IN_PROCESS
from vadbench.engine.loading.sources import PluginSource

if TYPE_CHECKING:
    from vadbench.api.entry import Entry
    from vadbench.api.registry import Registry


@dataclass(frozen=True, slots=True)
class _OneClass:
    entry: Entry

    @hookimpl
    def vadbench_register(self, registry: Registry) -> None:
        registry.enter(self.entry)


def is_registered(cls: type[Any]) -> bool:
    """Whether a class was registered in this process."""
    return any(entry.loaded is cls for entry in IN_PROCESS.values())


def process_sources() -> tuple[PluginSource, ...]:
    """A source for each class that a decorator of `vadbench.api.register` was written above."""
    return tuple(_source(entry) for entry in IN_PROCESS.values())


def _source(entry: Entry) -> PluginSource:
    cls = entry.loaded
    assert cls is not None  # noqa: S101 - what a decorator keeps is a class
    module = sys.modules.get(cls.__module__)
    where = f"{getattr(module, '__file__', None) or 'a notebook or console'}, class {cls.__qualname__}"
    version = f"session:{uuid.uuid4().hex[:12]}"
    return PluginSource(f"{entry.kind} {entry.name}", "process", cls.__module__, version, where, lambda: _OneClass(entry))

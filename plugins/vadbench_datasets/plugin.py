"""What this plug-in offers."""

from __future__ import annotations

from vadbench.api import Registry, hookimpl


@hookimpl
def vadbench_register(registry: Registry) -> None:
    """Registers the components."""

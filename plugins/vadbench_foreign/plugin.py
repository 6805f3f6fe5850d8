"""What this plug-in offers."""

from __future__ import annotations

from vadbench.api import Registry, hookimpl

VADBENCH_API = 1


@hookimpl
def vadbench_register(registry: Registry) -> None:
    """Registers the components."""
    registry.detector(
        "command",
        "vadbench_foreign.detector:Command",
        config="vadbench_foreign.settings:CommandConfig",
        summary="any program: windows go out as files, scores come back as a bundle",
        runs_programs=True,
    )

"""The one hook by which a plug-in offers its components. Light: importing this imports neither torch nor NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from vadbench.api.registry import Registry

ENTRY_POINT_GROUP = "vadbench"

hookspec = pluggy.HookspecMarker("vadbench")
hookimpl = pluggy.HookimplMarker("vadbench")
"""Marks a plug-in's implementation of a hook: ``@hookimpl`` above ``def vadbench_register(registry)``."""


class Hooks:
    """The hooks of vadbench."""

    @hookspec
    def vadbench_register(self, registry: Registry) -> None:
        """Offers components: ``registry.tokenizer("fsq", "my_package.fsq:FSQ", config="my_package.fsq:FSQConfig")``."""

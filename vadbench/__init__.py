"""vadbench: a modular benchmark suite for skeleton-based video anomaly detection."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vadbench.engine.in_process import run

__version__ = "0.1.0"
__all__ = ["__version__", "run"]

_HOME: Final = {"run": "vadbench.engine.in_process"}
"""Names that are imported on first use: the command line, and plug-ins that only register, start without them."""


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value

"""How figures are written: percent with one decimal, ``n/a`` where there is none; and as plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

NOT_AVAILABLE: Final = "n/a"
"""Stands for a metric that is not defined because only one class is present."""

STAND_IN: Final = "stand-in data, not a result"
"""What every picture and table of stand-in data says."""


def percent(share: float | None, spread: float | None = None) -> str:
    """A share of 1 as percent, ``73.2``; with a standard deviation, ``73.2 ± 0.4``."""
    if share is None:
        return NOT_AVAILABLE
    text = f"{100 * share:.1f}"
    return text if spread is None else f"{text} ± {100 * spread:.1f}"


def seconds(duration: float) -> str:
    """A duration with at least two digits: ``0.32``, ``4.2``, ``190``."""
    return f"{duration:.2f}" if duration < 1 else f"{duration:.1f}" if duration < 100 else f"{duration:,.0f}"


def count(number: float | None) -> str:
    """A number of things, ``343,888``; empty where it is not known."""
    return "" if number is None else f"{number:,.0f}"


def plain(value: Any) -> Any:
    """A report as JSON can hold it: numbers of Python's own, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

"""How figures are written in every table and picture: percent with one decimal, ``n/a`` where there is none."""

from __future__ import annotations

from typing import Final

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

"""Numbers in words, the same way in every diagnosis."""

from __future__ import annotations


def share(part: int, whole: int, things: str = "") -> str:
    """``12 of 330 clips (3.6 %)``."""
    return f"{part:,} of {whole:,}{f' {things}' if things else ''} ({percent(part, whole)})"


def percent(part: float, whole: float = 1.0) -> str:
    """``3.6 %``; what is not nothing is never called 0, and what is not all never 100."""
    if whole == 0:
        return "0 %"
    value = 100 * part / whole
    if 0 < value < 0.1:
        return "under 0.1 %"
    if 99.9 < value < 100:
        return "over 99.9 %"
    return f"{value:.1f}".removesuffix(".0") + " %"


def counted(number: int, thing: str) -> str:
    """``1 clip``, ``2 clips``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"

"""Spending CPU time on purpose."""

from __future__ import annotations

import time


def spend(seconds: float) -> None:
    """Computes for so many seconds of CPU time, whatever else the machine does."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        sum(range(1000))

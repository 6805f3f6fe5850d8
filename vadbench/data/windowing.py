"""Cutting tracks into windows by a `WindowRule`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from vadbench.api import Normaliser, Tracks, WindowRule, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

Mirror = Literal["none", "negate-x", "swap-sides"]
"""Training augmentation: none; STG-NF's, x negated; x negated and left and right joints exchanged."""


def cut_windows(tracks: Tracks, rule: WindowRule, normaliser: Normaliser, mirror: Mirror = "none") -> Windows:
    """Every window that ``rule`` accepts, in the order of the tracks; then, with ``mirror``, all of them mirrored.

    A track of L rows has starts at rows ``range(0, L - T, stride)`` (to ``L - T`` with ``keep_last``); so a track of T
    rows or fewer gives no window, which is STG-NF's rule and not an error.
    """
    first = window_starts(tracks, rule)
    mirrored = np.zeros(len(first), dtype=bool)
    if mirror != "none":
        first, mirrored = np.tile(first, 2), np.repeat([False, True], len(first))
    return Windows(tracks, rule, normaliser, first, mirrored, swap_sides=mirror == "swap-sides")


def window_starts(tracks: Tracks, rule: WindowRule) -> NDArray[np.int64]:
    """(W,) int64: the rows at which windows begin."""
    bounds = tracks.track_bounds()
    begin, rows = bounds[:-1], np.diff(bounds)
    last = rows - rule.length + (1 if rule.keep_last else 0)
    counts = np.maximum(-(-last // rule.stride), 0)
    track = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    first = begin[track] + step * rule.stride
    inside = tracks.frame[first + rule.length - 1 - rule.missing] < tracks.frame[first] + rule.length
    return np.asarray(first[inside], dtype=np.int64)

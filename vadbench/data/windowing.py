"""Cutting tracks into windows by a `WindowRule`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import Normaliser, Tracks, WindowRule, Windows
from vadbench.data.views import named_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST_KEPT: Final = 2**25 - 2**16
"""Bytes of a block as large as glibc still learns from (32 MB with its own overhead)."""


def cut_windows(tracks: Tracks, rule: WindowRule, normaliser: Normaliser, views: Sequence[str] = ()) -> Windows:
    """Every window that ``rule`` accepts, in the order of the tracks; then all of them again for each of ``views``.

    A track of L rows has starts at rows ``range(0, L - T, stride)`` (to ``L - T`` with ``keep_last``); so a track of T
    rows or fewer gives no window, which is STG-NF's rule and not an error.

    Args:
        tracks: The poses.
        rule: How to cut them.
        normaliser: Kept with the windows, and applied batch by batch.
        views: Names of augmentations; see `vadbench.data.views`.

    Raises:
        ConfigError: for a view that there is not.
    """
    _keep_freed_memory()
    first = window_starts(tracks, rule)
    copies = 1 + len(views)
    return Windows(
        tracks,
        rule,
        normaliser,
        first=np.tile(first, copies),
        view=np.repeat(np.arange(copies, dtype=np.int64), len(first)),
        views=tuple(named_view(name, tracks.layout) for name in views),
    )


def _keep_freed_memory() -> None:
    """Lets the memory of one batch serve the next.

    A fresh process's glibc gives the few megabytes of a batch back to the system each time, and the next batch pays for new
    pages, which trebles the time of a pass. Once a block of nearly 32 MB was freed, it keeps as much as 64 MB (mallopt(3),
    dynamic threshold). The block is never written to, so it costs nothing; elsewhere it does nothing.
    """
    np.empty(_LARGEST_KEPT, dtype=np.uint8)


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

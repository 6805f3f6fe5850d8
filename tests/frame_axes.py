"""Axes of test sets for tests of protocols: clips by length, all of one scene unless said otherwise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vadbench.evaluation.frame_axis import FrameAxis


def axis_of(
    lengths: Mapping[str, int], *, scenes: Mapping[str, str] | None = None, keep: Mapping[str, np.ndarray] | None = None
) -> FrameAxis:
    """Every frame counts unless ``keep`` says otherwise."""
    return FrameAxis(
        tuple(lengths),
        tuple(lengths.values()),
        tuple((scenes or {}).get(name, "01") for name in lengths),
        tuple((keep or {}).get(name, np.ones(n, dtype=bool)) for name, n in lengths.items()),
    )

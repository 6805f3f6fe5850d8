"""Test sets and window scores for tests of protocols, said in a line each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vadbench.api import WindowScores
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


def scores_of(windows: Mapping[tuple[str, int, int], float], length: int) -> WindowScores:
    """Windows of ``length`` frames: (clip, person, start) to score."""
    keys = list(windows)
    return WindowScores(
        np.array([key[0] for key in keys], dtype=np.str_),
        np.array([key[1] for key in keys], dtype=np.int64),
        np.array([key[2] for key in keys], dtype=np.int64),
        np.array([windows[key] for key in keys], dtype=np.float64),
        length,
    )

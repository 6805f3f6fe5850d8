"""Builders of small tracks in memory, for tests that need no files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vadbench.api import COCO_18, Clip, SkeletonLayout, Tracks, WindowRule, Windows
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows

Frames = Mapping[int, Sequence[int]]
"""Person to the frames in which the person is seen."""


def made_tracks(*clips: Frames, layout: SkeletonLayout = COCO_18, seed: int = 0, missing: float = 0.0) -> Tracks:
    """Tracks of clips ``c0``, ``c1``, ... with random poses; a share ``missing`` of the joints is missing."""
    rng = np.random.default_rng(seed)
    rows = [
        (c, person, frame) for c, persons in enumerate(clips) for person in sorted(persons) for frame in sorted(persons[person])
    ]
    clip, person, frame = np.array(rows, dtype=np.int32).reshape(-1, 3).T.copy()
    keypoints = rng.uniform(10, 400, (len(rows), len(layout), 3)).astype(np.float32)
    keypoints[..., 2] = rng.uniform(0.1, 1, keypoints.shape[:2])
    keypoints[rng.uniform(size=keypoints.shape[:2]) < missing] = (np.nan, np.nan, 0)
    return Tracks(
        clips=tuple(
            Clip(f"c{i}", f"s{i % 2}", 1 + max((max(f, default=0) for f in persons.values()), default=0), (856, 480))
            for i, persons in enumerate(clips)
        ),
        layout=layout,
        keypoints=keypoints,
        clip=clip,
        person=person,
        frame=frame,
        score=np.ones(len(rows), dtype=np.float32),
    )


def made_windows(
    *clips: Frames, rule: WindowRule | None = None, views: Sequence[str] = (), missing: float = 0.0, seed: int = 0
) -> Windows:
    """Windows over `made_tracks`, normalised as STG-NF does."""
    return cut_windows(made_tracks(*clips, missing=missing, seed=seed), rule or WindowRule(8), STG_NF, views)

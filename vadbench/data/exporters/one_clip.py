"""One clip of several."""

from __future__ import annotations

import numpy as np

from vadbench.api import Tracks


def one_clip(tracks: Tracks, index: int) -> Tracks:
    """The poses of the clip at an index, as tracks of their own; the columns are copies."""
    first, last = np.searchsorted(tracks.clip, (index, index + 1)).tolist()
    rows = slice(first, last)
    return Tracks(
        clips=(tracks.clips[index],),
        layout=tracks.layout,
        keypoints=tracks.keypoints[rows],
        clip=np.zeros(last - first, dtype=np.int32),
        person=tracks.person[rows],
        frame=tracks.frame[rows],
        score=tracks.score[rows],
    )

"""Writes a clip's poses as MPED-RNN, COSKAD, MoCoDAD and TrajREC read them: one CSV file a person, no header.

A line is ``frame, x0, y0, ..., x16, y16`` in COCO-17, a missing joint is 0, 0. Source: Morais et al., CVPR 2019, and the READMEs
of MoCoDAD and TrajREC for the folders around the files.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from vadbench.data.exporters.exact_decimals import exact_decimals

if TYPE_CHECKING:
    from pathlib import Path

    from vadbench.api import Tracks

FIRST_FRAME = 1
"""What the published files call a clip's first frame: MoCoDAD and COSKAD score frame ``id - 1``."""


def write_pose_csv(folder: Path, tracks: Tracks, *, first_frame: int = FIRST_FRAME) -> None:
    """Writes the poses of one clip into a new folder; an empty one, where nobody was detected.

    Args:
        folder: Of the clip.
        tracks: One clip, in COCO-17.
        first_frame: The number to give the first frame.
    """
    folder.mkdir(parents=True)
    x, y, _ = tracks.planes
    missing = np.isnan(x) | np.isnan(y)
    places = np.where(missing[..., None], np.float32(0), tracks.keypoints[..., :2])
    numbers = exact_decimals(places).reshape(len(tracks), 2 * len(tracks.layout))
    frames = (tracks.frame + np.int64(first_frame)).tolist()
    bounds = tracks.track_bounds()
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        # repr gives the shortest digits that read back as the same number.
        lines = [
            f"{frame},{','.join(map(repr, row))}\n"
            for frame, row in zip(frames[first:last], numbers[first:last].tolist(), strict=True)
        ]
        (folder / f"{tracks.person[first]:05d}.csv").write_text("".join(lines), encoding="ascii")


def csv_losses(tracks: Tracks) -> Counter[str]:
    """What the CSV form cannot hold of some poses, in words, to how many."""
    x, y, confidence = tracks.planes
    there = ~(np.isnan(x) | np.isnan(y))
    return Counter(
        {
            "joints with one coordinate alone, which are written as missing": int((np.isnan(x) != np.isnan(y)).sum()),
            "confidences, which are read back as 1": int((there & (confidence != 1)).sum()),
            "scores of poses": int(np.isfinite(tracks.score).sum()),
            "joints at exactly 0, 0, which are read back as missing": int((there & (x == 0) & (y == 0)).sum()),
        }
    )

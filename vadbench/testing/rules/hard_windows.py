"""Windows at the edge of what data hold: tracks no longer than a window, clips without one, joints and people never seen.

And the same windows with less around them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import Clip, Tracks, WindowRule, Windows
from vadbench.data.normalisation import STG_NF
from vadbench.data.windowing import cut_windows
from vadbench.testing.sample import FRAMES, sample_tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENGTH: Final = 24
NEVER_SEEN: Final = 4
"""The joint that nobody shows: COCO's right ear, or its neighbour in other layouts."""
_PIECES: Final = (LENGTH, LENGTH + 1, FRAMES - 2 * LENGTH - 1)
"""Rows of the tracks that a walker's is cut into: exactly one window, one frame longer, a few windows."""


def short_tracks() -> Windows:
    """The walkers of the sample, each cut into three tracks of 24, 25 and 27 rows: 1, 2 and 4 windows.

    Between the clips stand one that nobody is in and one whose only track is too short for a window.
    """
    tracks = sample_tracks()
    piece = np.repeat(np.arange(len(_PIECES)), _PIECES)
    person = 10 * tracks.person + np.tile(piece, len(tracks) // FRAMES).astype(np.int32)
    # The first walker of clip 1 is all that is left of it, and for fewer rows than a window has.
    kept = (tracks.clip != 1) | ((person == person.min()) & (tracks.frame < LENGTH - 1))
    cut = _rows(replace(tracks, person=person), kept)
    empty = Clip("nobody", cut.clips[0].scene, FRAMES, cut.clips[0].resolution)
    clips = (cut.clips[0], empty, *cut.clips[1:])
    with_empty = replace(cut, clips=clips, clip=np.where(cut.clip > 0, cut.clip + 1, cut.clip).astype(np.int32))
    return cut_windows(with_empty, WindowRule(LENGTH, 1, keep_last=True), STG_NF)


def windows_with_unseen(*, seed: int = 17) -> Windows:
    """The sample's windows with a joint that is never seen, and a walker of whom no joint is seen at all (confidence 0)."""
    tracks = sample_tracks(seed=seed)
    keypoints = tracks.keypoints.copy()
    keypoints[:, NEVER_SEEN] = (np.nan, np.nan, 0)
    keypoints[(tracks.clip == 1) & (tracks.person == 2)] = (np.nan, np.nan, 0)
    return cut_windows(replace(tracks, keypoints=keypoints), WindowRule(LENGTH, 3), STG_NF)


def with_rows(windows: Windows, kept: NDArray[np.bool_]) -> Windows:
    """The same windows over some rows of their tracks, among which all of their own are."""
    return replace(windows, tracks=_rows(windows.tracks, kept), first=(np.cumsum(kept) - 1)[windows.first])


def _rows(tracks: Tracks, kept: NDArray[np.bool_]) -> Tracks:
    return replace(
        tracks,
        keypoints=tracks.keypoints[kept],
        clip=tracks.clip[kept],
        person=tracks.person[kept],
        frame=tracks.frame[kept],
        score=tracks.score[kept],
    )

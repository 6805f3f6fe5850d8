"""Frame numbers: counted from 1, every second frame only, all the same; and poses that nobody linked into tracks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, percent, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

FEWEST_CLIPS: Final = 5
"""Of fewer clips, that none has a pose in frame 0 says little."""


def frames_from_one(read: ReadSplit) -> Iterator[Diagnosis]:
    """No clip has a pose in frame 0, and at least half of them have their first in frame 1."""
    clips = np.flatnonzero(read.n_poses)
    if len(clips) < FEWEST_CLIPS:
        return
    first = np.minimum.reduceat(read.tracks.frame, read.clip_rows[clips])
    at_one = clips[first == 1]
    if first.min() >= 1 and 2 * len(at_one) >= len(clips):
        yield read.diagnosis(
            "frames-from-one",
            "warning",
            f"frames look counted from 1: no clip has a pose in frame 0, and in {share(len(at_one), len(clips), 'clips')} the "
            "first is in frame 1",
            "count frames from 0, or say --set dataset.first_frame=1 where the data set has this setting: every score stands one "
            "frame late otherwise",
            [Case("first pose in frame 1", read.place(int(clip))) for clip in at_one],
        )


def frame_stride(read: ReadSplit) -> Iterator[Diagnosis]:
    """In most steps of the tracks, frames are left out, always as many: the poses are of every k-th frame only."""
    steps = read.step[read.joined]
    if len(steps) == 0:
        return
    common = int(np.bincount(np.minimum(steps, 1000)).argmax())
    share_of_common = float((steps == common).mean())
    if common == 1 or share_of_common < 0.5:
        return
    regular = np.zeros(len(read.tracks), dtype=np.bool_)
    regular[:-1] = read.step == common
    worst = np.argsort(-read.per_clip(regular), kind="stable")
    yield read.diagnosis(
        "frame-stride",
        "error",
        f"only every {_ordinal(common)} frame has poses: {percent(share_of_common)} of the steps within tracks are of "
        f"{common} frames",
        "estimate poses in every frame, or number the frames that have them 0, 1, 2, ... and divide the frame rate and the "
        f"label vectors by {common} as well; the gap rule takes hardly a window as it is",
        [Case(f"steps of {common} frames", read.place(int(clip))) for clip in worst if read.n_poses[clip]],
    )


def one_frame(read: ReadSplit) -> Iterator[Diagnosis]:
    """All poses of a clip are in one and the same frame, in most clips: frame numbers were lost."""
    clips = np.flatnonzero(read.n_poses)
    if len(clips) == 0:
        return
    frame, begin = read.tracks.frame, read.clip_rows[clips]
    equal = np.minimum.reduceat(frame, begin) == np.maximum.reduceat(frame, begin)
    several = read.n_poses[clips] > 1
    still = clips[equal & several]
    if 2 * len(still) > several.sum():
        yield read.diagnosis(
            "one-frame",
            "error",
            f"all poses are in one frame in {share(len(still), int(several.sum()), 'clips')}",
            "the frame numbers were lost: write each pose under the frame it was seen in",
            [
                Case(f"{counted(int(read.n_poses[clip]), 'pose')} in frame {frame[read.clip_rows[clip]]}", read.place(int(clip)))
                for clip in still
            ],
        )


def untracked(read: ReadSplit) -> Iterator[Diagnosis]:
    """Most poses are a track of their own: persons were detected but not followed."""
    rows = np.diff(read.bounds)
    alone = read.bounds[:-1][rows == 1]
    if len(read.tracks) < 2 or 2 * len(alone) <= len(read.tracks):
        return
    marked = np.zeros(len(read.tracks), dtype=np.bool_)
    marked[alone] = True
    number = read.per_clip(marked)
    yield read.diagnosis(
        "untracked",
        "error",
        f"{share(len(alone), len(read.tracks), 'poses')} are a track of their own",
        "give a person one id through all frames; vadbench data import tracks poses that have no ids",
        [
            Case(f"{counted(int(number[clip]), 'track')} of one pose", read.place(int(clip)))
            for clip in np.argsort(-number, kind="stable")
            if number[clip]
        ],
    )


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")

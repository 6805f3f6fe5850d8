"""Where poses stand in the picture: normalised instead of pixels, beyond the picture, another resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, percent, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

NORMALISED: Final = 2.0
"""Pixels that nobody's poses stay within; normalised coordinates run from 0 to 1, or from -1 to 1."""
CENTRES: Final = 0.005
"""Share of poses with their middle outside the picture; of such a person a detector sees less than half."""
OUTSIDE: Final = 0.1
"""Share of joints outside the picture; estimators put the hidden half of a person at the border beyond it."""
CORNER, FEWEST_POSES = 0.5, 10_000


def normalised_coordinates(read: ReadSplit) -> Iterator[Diagnosis]:
    """All coordinates of a clip within 2 pixels of the corner: shares of the picture instead of pixels."""
    clips = np.flatnonzero(read.n_poses)
    if len(clips) == 0:
        return
    reach = np.fmax(np.abs(read.box).max(axis=0), 0)
    largest = np.fmax.reduceat(reach, read.clip_rows[clips])
    small = clips[largest <= NORMALISED]
    if len(small) == 0:
        return
    yield read.diagnosis(
        "normalised-coordinates",
        "error",
        f"coordinates are not pixels in {share(len(small), len(clips), 'clips')}: none is farther than "
        f"{largest.min():.3g} from the corner",
        "multiply x by the width and y by the height of the picture",
        [Case(f"the largest coordinate is {largest[np.searchsorted(clips, clip)]:.3g}", read.place(int(clip))) for clip in small],
    )


def outside_picture(read: ReadSplit) -> Iterator[Diagnosis]:
    """Persons whose middle, or many joints, lie outside the picture: the resolution is wrong, or the coordinates are."""
    if len(read.tracks) == 0:
        return
    sizes = np.array([clip.resolution for clip in read.tracks.clips], dtype=np.float32)
    width, height = sizes[read.tracks.clip].T
    x, y = read.centre
    away = (x < 0) | (x > width) | (y < 0) | (y > height)
    joints = (read.x < 0) | (read.x > width[:, None]) | (read.y < 0) | (read.y > height[:, None])
    outside, seen = int(joints.sum()), int(read.seen.sum())
    if away.sum() > CENTRES * len(away):
        number = read.per_clip(away)
        right, bottom = (float(np.nanquantile(side, 0.99)) for side in read.box[2:])
        yield read.diagnosis(
            "wrong-resolution",
            "warning",
            f"{share(int(away.sum()), len(away), 'poses')} have their middle outside the picture ({_size(read)}); the poses "
            f"reach to x = {right:.0f}, y = {bottom:.0f}",
            'say the size of the pictures that the poses were estimated in: --set "dataset.resolution=[W, H]" where the data set '
            "has this setting",
            [
                Case(f"{counted(int(number[clip]), 'pose')} outside", read.place(int(clip)))
                for clip in np.argsort(-number, kind="stable")
                if number[clip]
            ],
        )
    elif outside > OUTSIDE * seen:
        poses = joints.any(axis=1)
        worst = int(joints.sum(axis=1).argmax())
        yield read.diagnosis(
            "outside-picture",
            "warning",
            f"{share(outside, seen, 'joints')} lie outside the picture ({_size(read)}), in "
            f"{percent(float(poses.mean()))} of the poses",
            "check the resolution, and whether boxes that are cut off by the border were handled",
            [read.row_case(worst, f"{counted(int(joints[worst].sum()), 'joint')} outside")],
        )


def small_extent(read: ReadSplit) -> Iterator[Diagnosis]:
    """All poses lie in one quarter of the picture: the pictures may be smaller than said."""
    if len(read.tracks) < FEWEST_POSES:
        return
    sizes = np.array([clip.resolution for clip in read.tracks.clips], dtype=np.float32)[read.tracks.clip].T
    right, bottom = (float(np.nanquantile(side, 0.999)) for side in read.box[2:] / sizes)
    if NORMALISED / sizes.min() < max(right, bottom) < CORNER:
        yield read.diagnosis(
            "small-extent",
            "note",
            f"poses reach only {percent(right)} of the width and {percent(bottom)} of the height of the picture ({_size(read)})",
            "check the resolution: the pictures may be smaller than that",
        )


def _size(read: ReadSplit) -> str:
    sizes = sorted({clip.resolution for clip in read.tracks.clips})
    return f"{sizes[0][0]} x {sizes[0][1]}" if len(sizes) == 1 else f"{len(sizes)} sizes"

"""Poses and steps that no person makes: without extent, a few pixels tall, or a body's size away in the next frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

JUMPS_WARNING, FEWEST_JUMPS = 0.001, 2
"""Share and number of steps that are jumps from which ids are exchanged more than now and then; an exchange is two jumps."""
TINY: Final = 12.0
"""Pixels of a body's longer side below which joints are noise."""
TINY_NOTE, TINY_WARNING = 0.01, 0.1


def jumps(read: ReadSplit) -> Iterator[Diagnosis]:
    """The middle of a person moves by more than the body's size from one frame to the next: an id went to someone else."""
    if len(read.tracks) < 2:
        return
    x, y = read.centre
    distance = np.hypot(np.diff(x), np.diff(y))
    size = np.fmax(read.size[1:], read.size[:-1])
    step = np.maximum(read.step, 1)
    jumped = np.flatnonzero(read.joined & (size > 0) & (distance > size * step))
    if len(jumped) == 0:
        return
    far = distance[jumped] / size[jumped] / step[jumped]
    steps = int(read.joined.sum())
    tracks = len(np.unique(np.searchsorted(read.bounds, jumped, side="right")))
    yield read.diagnosis(
        "jumps",
        "warning" if len(jumped) >= FEWEST_JUMPS and len(jumped) > JUMPS_WARNING * steps else "note",
        f"{share(len(jumped), steps, 'steps')} jump by more than the body's size, in "
        f"{share(tracks, len(read.bounds) - 1, 'tracks')}: ids that went from one person to another",
        "track anew, or cut tracks at these places: a jump looks like an anomaly to every method",
        [read.row_case(int(jumped[at]), f"jumps by {far[at]:.1f} body sizes") for at in np.argsort(-far, kind="stable")],
    )


def small_poses(read: ReadSplit) -> Iterator[Diagnosis]:
    """Poses whose joints all stand at one place, and poses of a few pixels."""
    flat = np.flatnonzero(read.comparable & (read.size == 0))
    if len(flat):
        number = read.per_clip(read.comparable & (read.size == 0))
        yield read.diagnosis(
            "zero-size",
            "warning",
            f"{share(len(flat), len(read.tracks), 'poses')} have all joints at one place",
            "leave such poses out: a normalisation by size divides by nothing",
            [
                Case(counted(int(number[clip]), "pose") + " without extent", read.place(int(clip), _first(read, flat, int(clip))))
                for clip in np.argsort(-number, kind="stable")
                if number[clip]
            ],
        )
    tiny = read.comparable & (read.size > 0) & (read.size < TINY)
    if tiny.sum() > TINY_NOTE * len(read.tracks):
        number = read.per_clip(tiny)
        rows = np.flatnonzero(tiny)
        yield read.diagnosis(
            "tiny-poses",
            "warning" if tiny.sum() > TINY_WARNING * len(read.tracks) else "note",
            f"{share(int(tiny.sum()), len(read.tracks), 'poses')} are less than {TINY:g} pixels tall",
            "estimate poses in larger pictures, or leave such people out: their joints are noise",
            [
                Case(f"{counted(int(number[clip]), 'pose')}, e.g. here", read.place(int(clip), _first(read, rows, int(clip))))
                for clip in np.argsort(-number, kind="stable")
                if number[clip]
            ],
        )


def _first(read: ReadSplit, rows: NDArray[np.int64], clip: int) -> int:
    return int(rows[np.searchsorted(rows, read.clip_rows[clip])])

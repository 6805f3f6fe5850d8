"""What the gap rule and short tracks cost: windows lost, clips without any, abnormal frames that no window sees."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.api import WindowRule
from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, percent, share
from vadbench.data.windowing import window_starts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from vadbench.api import Severity
    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

NOTE, WARNING = 0.1, 0.3
"""Share of windows, poses or abnormal frames that are lost from which it is worth knowing, and may spoil figures."""
CLIPS_WARNING: Final = 0.2


@dataclass(frozen=True, slots=True)
class Cut:
    """A split cut into windows of T rows at stride 1.

    Args:
        length: T.
        starts: (W,) row of each window.
        possible: (C,) windows of each clip that there were without the gap rule.
        given: (C,) windows of each clip.
    """

    length: int
    starts: NDArray[np.int64]
    possible: NDArray[np.int64]
    given: NDArray[np.int64]


def cut(read: ReadSplit, length: int) -> Cut:
    """The windows of length T that the default gap rule leaves."""
    starts = window_starts(read.tracks, WindowRule(length))
    n_clips = len(read.tracks.clips)
    track_clip = read.tracks.clip[read.bounds[:-1]]
    without_rule = np.maximum(np.diff(read.bounds) - length, 0)
    return Cut(
        length,
        starts,
        np.bincount(track_clip, weights=without_rule, minlength=n_clips).astype(np.int64),
        np.bincount(read.tracks.clip[starts], minlength=n_clips),
    )


def gaps(read: ReadSplit) -> Iterator[Diagnosis]:
    """Frames missing inside tracks, and the share of windows that the gap rule refuses on their account."""
    if len(read.tracks) < 2 or read.step.max(initial=0) < 2:
        return
    cuts = [cut(read, length) for length in read.lengths]
    lost = [1 - each.given.sum() / max(each.possible.sum(), 1) if each.possible.sum() else 0.0 for each in cuts]
    if lost[0] < NOTE:
        return
    longest = int(read.step.argmax())
    missing = int((read.step[read.step > 1] - 1).sum())
    by_clip = cuts[0].possible - cuts[0].given
    shares = ", ".join(f"{percent(part)} at T = {each.length}" for part, each in zip(lost, cuts, strict=True))
    severity: Severity = "error" if cuts[0].given.sum() == 0 else "warning" if lost[0] > WARNING else "note"
    yield read.diagnosis(
        "gaps",
        severity,
        f"{counted(int((read.step > 1).sum()), 'gap')} inside tracks, {counted(missing, 'frame')} in all; the gap rule refuses "
        f"windows for them: {shares}",
        "fill short gaps by interpolation before import, give a person who comes back a new id, or allow more with "
        "--set windows.missing=N",
        [
            read.row_case(longest, f"the longest gap: {read.step[longest] - 1:,} frames are missing after this one"),
            *(
                Case(f"{share(int(by_clip[clip]), int(cuts[0].possible[clip]), 'windows')} refused", read.place(int(clip)))
                for clip in np.argsort(-by_clip, kind="stable")
                if by_clip[clip]
            ),
        ],
    )


def short_tracks(read: ReadSplit) -> Iterator[Diagnosis]:
    """Poses in tracks of T rows or fewer, which give no window."""
    if len(read.tracks) == 0:
        return
    rows, usual = np.diff(read.bounds), read.lengths[0]
    poses = [int(rows[rows <= length].sum()) for length in read.lengths]
    part = poses[0] / len(read.tracks)
    if part <= NOTE:
        return
    severity: Severity = "error" if part == 1 else "warning" if part > WARNING else "note"
    shares = ", ".join(f"{percent(p, len(read.tracks))} at T = {length}" for p, length in zip(poses, read.lengths, strict=True))
    short = np.repeat(rows <= usual, rows)
    number = read.per_clip(short)
    yield read.diagnosis(
        "short-tracks",
        severity,
        f"tracks too short for a window hold {shares} of the poses; {share(int((rows <= usual).sum()), len(rows), 'tracks')} "
        f"have at most {usual} poses, the longest has {int(rows.max()):,}",
        "check the tracking (vadbench data import tracks anew), or use shorter windows: --set windows.length=N",
        [
            Case(f"{share(int(number[clip]), int(read.n_poses[clip]), 'poses')} in short tracks", read.place(int(clip)))
            for clip in np.argsort(-number, kind="stable")
            if number[clip]
        ],
    )


def clips_without_window(read: ReadSplit) -> Iterator[Diagnosis]:
    """Clips that have poses and give no window."""
    usual = cut(read, read.lengths[0])
    with_poses = int((read.n_poses > 0).sum())
    bare = np.flatnonzero((read.n_poses > 0) & (usual.given == 0))
    if len(bare) == 0:
        return
    yield read.diagnosis(
        "clips-without-window",
        "warning" if len(bare) > CLIPS_WARNING * with_poses else "note",
        f"{share(len(bare), with_poses, 'clips with poses')} give no window at T = {usual.length}",
        "no frame of such a clip is trained on or scored; check its tracks",
        [Case(f"{counted(int(read.n_poses[clip]), 'pose')}, no window", read.place(int(clip))) for clip in bare],
    )


def unseen_abnormal_frames(read: ReadSplit) -> Iterator[Diagnosis]:
    """Abnormal frames that no window covers: no method can find them, which bounds its AUROC."""
    if not read.truth or read.split == "train":
        return
    cuts = [cut(read, length) for length in read.lengths]
    covered = [_covered_frames(read, each) for each in cuts]
    missed = np.zeros((len(cuts), len(read.tracks.clips)), dtype=np.int64)
    abnormal = np.zeros(len(read.tracks.clips), dtype=np.int64)
    for number, clip in enumerate(read.tracks.clips):
        truth, keep = read.truth.get(clip.name, (np.zeros(0, np.bool_), np.zeros(0, np.bool_)))
        wanted = truth & keep
        abnormal[number] = wanted.sum()
        for which, frames in enumerate(covered):
            part = frames[number][: len(wanted)]
            missed[which, number] = abnormal[number] - (wanted[: len(part)] & part).sum()
    total = int(abnormal.sum())
    if total == 0 or missed[0].sum() <= NOTE * total:
        return
    shares = ", ".join(
        f"{percent(float(part.sum()), total)} at T = {each.length}" for part, each in zip(missed, cuts, strict=True)
    )
    yield read.diagnosis(
        "unseen-abnormal-frames",
        "warning" if missed[0].sum() > WARNING * total else "note",
        f"no window covers {shares} of the {total:,} abnormal frames: no method can tell them from normal ones",
        "look whether these clips lack persons or have broken tracks; a better detector or tracker raises the bound",
        [
            Case(f"{share(int(missed[0, clip]), int(abnormal[clip]), 'abnormal frames')} unseen", read.place(int(clip)))
            for clip in np.argsort(-missed[0], kind="stable")
            if missed[0, clip]
        ],
    )


def _covered_frames(read: ReadSplit, windows: Cut) -> list[NDArray[np.bool_]]:
    """For each clip (n_frames,), whether a row of some window lies in the frame."""
    change = np.zeros(len(read.tracks) + 1, dtype=np.int64)
    np.add.at(change, windows.starts, 1)
    np.add.at(change, windows.starts + windows.length, -1)
    rows = np.cumsum(change[:-1]) > 0
    offsets = np.concatenate([[0], np.cumsum(read.n_frames)])
    frames = np.zeros(offsets[-1], dtype=np.bool_)
    frames[offsets[read.tracks.clip[rows]] + read.tracks.frame[rows]] = True
    return [frames[a:b] for a, b in pairwise(offsets)]

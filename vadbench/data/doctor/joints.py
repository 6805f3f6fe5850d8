"""Single joints: missing most of the time, written as 0, 0, or never moving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import percent, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.api import Severity
    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

MISSING: Final = 0.5
"""Share of the poses without a joint from which it says nothing."""
ZERO_WARNING: Final = 0.01
FROZEN: Final = 0.5
"""Share of a clip's moving steps in which a joint stays where it is to the last bit."""
FEWEST_STEPS: Final = 24


def zero_joints(read: ReadSplit) -> Iterator[Diagnosis]:
    """Joints at exactly (0, 0): a code for "missing" that is read as a place, the corner of the picture."""
    x, y, confidence = read.tracks.planes
    zero = (x == 0) & (y == 0)
    number = int(zero.sum())
    if number == 0:
        return
    by_joint = zero.sum(axis=0)
    sure = int((zero & (confidence > 0)).sum())
    severity: Severity = "warning" if number > ZERO_WARNING * zero.size or by_joint.max() > MISSING * len(zero) else "note"
    yield read.diagnosis(
        "zero-joints",
        severity,
        f"{share(number, zero.size, 'joints')} stand at exactly 0, 0"
        + (f", {percent(sure, number)} of them with a confidence above 0" if sure else " with confidence 0")
        + ": this is how missing joints are written, and it is read as a place",
        "have them read as missing, with --set dataset.missing=zero where the data set has this setting; STG-NF itself "
        "takes them as places",
        [
            read.row_case(
                int(zero[:, joint].argmax()),
                f"{read.tracks.layout.joints[joint]} is at 0, 0 in {share(int(by_joint[joint]), len(zero), 'poses')}",
            )
            for joint in np.argsort(-by_joint, kind="stable")
            if by_joint[joint]
        ],
    )


def missing_joints(read: ReadSplit) -> Iterator[Diagnosis]:
    """A joint that is not there in most poses that have others."""
    n_poses = int(read.comparable.sum())
    if n_poses == 0:
        return
    absent = ~read.seen & read.comparable[:, None]
    number = absent.sum(axis=0)
    most = [joint for joint in np.argsort(-number, kind="stable") if number[joint] > MISSING * n_poses]
    if not most:
        return
    names = read.tracks.layout.joints
    yield read.diagnosis(
        "missing-joints",
        "warning",
        f"{', '.join(names[joint] for joint in most)} missing in most poses",
        "use a layout without them (--set windows.layout=NAME), or check how the poses were written",
        [
            read.row_case(
                int(absent[:, joint].argmax()), f"{names[joint]} is missing in {share(int(number[joint]), n_poses, 'poses')}"
            )
            for joint in most
        ],
    )


def frozen_joints(read: ReadSplit) -> Iterator[Diagnosis]:
    """In some clip a joint stays where it is to the last bit while the rest of the pose moves."""
    if len(read.tracks) < 2:
        return
    x, y = read.x, read.y
    still = (x[1:] == x[:-1]) & (y[1:] == y[:-1]) & read.joined[:, None]
    moving = read.joined & (2 * still.sum(axis=1) < len(read.tracks.layout))
    n_clips = len(read.tracks.clips)
    clip = read.tracks.clip[:-1][moving]
    steps = np.bincount(clip, minlength=n_clips)
    still = still[moving]
    number = np.stack([np.bincount(clip[still[:, joint]], minlength=n_clips) for joint in range(still.shape[1])], axis=1)
    part = number / np.maximum(steps, 1)[:, None]
    clips, joints = np.nonzero((part > FROZEN) & (steps >= FEWEST_STEPS)[:, None])
    if len(clips) == 0:
        return
    order = np.argsort(-number[clips, joints], kind="stable")
    names = read.tracks.layout.joints
    affected = len(np.unique(clips))
    held = number[clips, joints]
    yield read.diagnosis(
        "frozen-joints",
        "warning",
        f"a joint never moves while the others do, in {share(affected, int((read.n_poses > 0).sum()), 'clips')}: "
        f"{', '.join(names[joint] for joint in np.unique(joints))}",
        "look where the joint comes from: a constant column, or a conversion from a layout that lacks it",
        [
            Case(
                f"{names[joints[at]]} stays in {share(int(held[at]), int(steps[clips[at]]), 'moving steps')}",
                read.place(int(clips[at])),
            )
            for at in order
        ],
    )

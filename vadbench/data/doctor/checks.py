"""The checks of one split, in the order they are told, and which of them follow from which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from vadbench.data.doctor.confidences import confidence_range, no_confidence
from vadbench.data.doctor.coordinates import normalised_coordinates, outside_picture, small_extent
from vadbench.data.doctor.copies import copied_clips
from vadbench.data.doctor.counts import expected_counts
from vadbench.data.doctor.diagnosis import SEVERITIES, Diagnosis
from vadbench.data.doctor.frame_ids import frame_stride, frames_from_one, one_frame, untracked
from vadbench.data.doctor.joint_order import exchanged_sides, joint_order
from vadbench.data.doctor.joints import frozen_joints, missing_joints, zero_joints
from vadbench.data.doctor.labels import (
    abnormal_training,
    inverted_labels,
    keep_masks,
    labels_one_longer,
    long_labels,
    one_class,
)
from vadbench.data.doctor.motion import jumps, small_poses
from vadbench.data.doctor.presence import empty_clips, empty_frames, no_persons
from vadbench.data.doctor.repeats import doubled_persons, frozen_poses, repeated_first_pose
from vadbench.data.doctor.windows import clips_without_window, gaps, short_tracks, unseen_abnormal_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.data.doctor.split import ReadSplit

Check = Callable[["ReadSplit"], Iterator[Diagnosis]]
"""Looks at one split and says what is wrong; most often nothing."""

CHECKS: Final[tuple[Check, ...]] = (
    expected_counts,
    *(no_persons, empty_clips, empty_frames),
    *(one_class, inverted_labels, abnormal_training, keep_masks, long_labels, labels_one_longer),
    *(one_frame, frames_from_one, frame_stride, untracked),
    *(short_tracks, gaps, clips_without_window, unseen_abnormal_frames),
    *(repeated_first_pose, frozen_poses, doubled_persons, copied_clips),
    *(zero_joints, missing_joints, frozen_joints, joint_order, exchanged_sides),
    *(normalised_coordinates, outside_picture, small_extent),
    *(no_confidence, confidence_range),
    *(jumps, small_poses),
)

_LOST_WINDOWS: Final = ("short-tracks", "gaps", "clips-without-window", "unseen-abnormal-frames")
FOLLOWS: Final = {
    "no-persons": ("expected-counts", "empty-clips", "empty-frames", *_LOST_WINDOWS),
    "empty-clips": ("empty-frames", "unseen-abnormal-frames"),
    "empty-frames": ("unseen-abnormal-frames",),
    "one-class": ("inverted-labels",),
    "long-labels": ("empty-frames", "unseen-abnormal-frames"),
    "keep-masks": ("expected-counts",),
    "one-frame": ("untracked", "empty-frames", "long-labels", *_LOST_WINDOWS),
    "untracked": _LOST_WINDOWS,
    "frame-stride": (*_LOST_WINDOWS, "empty-frames", "jumps"),
    "short-tracks": ("clips-without-window", "unseen-abnormal-frames"),
    "gaps": ("clips-without-window", "unseen-abnormal-frames"),
    "clips-without-window": ("unseen-abnormal-frames",),
    "copied-clips": ("expected-counts",),
    "zero-joints": ("missing-joints", "frozen-joints"),
    "normalised-coordinates": ("small-extent", "tiny-poses", "wrong-resolution", "outside-picture"),
    "axes": ("wrong-resolution", "outside-picture", "exchanged-sides"),
    "joint-order": ("exchanged-sides",),
    "joint-sides": ("exchanged-sides",),
}
"""Check to those that follow from what it finds: they are left out unless they are worse than it."""


def without_consequences(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """The diagnoses of one split that do not follow from another one of at least their severity."""
    kept = []
    for found in diagnoses:
        causes = (
            other
            for other in diagnoses
            if found.check in FOLLOWS.get(other.check, ())
            and SEVERITIES.index(other.severity) <= SEVERITIES.index(found.severity)
        )
        if next(causes, None) is None:
            kept.append(found)
    return kept

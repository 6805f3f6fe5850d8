"""Frame labels and keep masks by themselves, and against the poses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.diagnosis import Case
from vadbench.data.doctor.wording import counted, percent, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

MOSTLY: Final = 0.9
"""Share of abnormal frames beyond which labels look turned round."""
OVERHANG: Final = 0.5
"""A label vector is much longer than its poses when they end before this share of it."""
CLIPS_WARNING: Final = 0.2
FEWEST_CLIPS: Final = 3


def one_class(read: ReadSplit) -> Iterator[Diagnosis]:
    """The frames that count are all normal or all abnormal, so no AUROC is defined."""
    labels = read.labels
    if labels is None or read.split == "train" or labels.n_abnormal not in (0, labels.n_frames):
        return
    kind = "abnormal" if labels.n_abnormal else "normal"
    every = f"all {labels.n_frames:,} frames that count are {kind}" if labels.n_frames else "not one frame counts"
    yield read.diagnosis(
        "one-class",
        "error" if read.split == "test" else "warning",
        f"{every}: AUROC is not defined",
        "check that the label files are those of this split, and which number stands for abnormal",
    )


def inverted_labels(read: ReadSplit) -> Iterator[Diagnosis]:
    """Nearly all is abnormal; or most clips begin abnormal, and abnormal frames are rarer later on. Only a hint.

    A clip usually begins before its anomaly does: the first frame is abnormal in 10 % of ShanghaiTech's test clips (all frames:
    42 %) and in 35 % of UBnormal's (54 %).
    """
    labels = read.labels
    if labels is None or read.split == "train" or labels.n_abnormal in (0, labels.n_frames):
        return
    overall = labels.n_abnormal / labels.n_frames
    kept = [truth[keep] for truth, keep in zip(labels.abnormal, labels.keep, strict=True)]
    first = float(np.mean([part[0] for part in kept if len(part)]))
    begins = len(kept) >= FEWEST_CLIPS and first > 0.5 and first > overall + 0.1
    if overall <= MOSTLY and not begins:
        return
    most = int(np.argmax([part.mean() if len(part) else 0 for part in kept]))
    index = {clip.name: number for number, clip in enumerate(read.tracks.clips)}
    name = labels.clips[most]
    yield read.diagnosis(
        "inverted-labels",
        "warning",
        f"labels may be turned round: {percent(overall)} of the frames that count are abnormal, and the first frame is in "
        f"{percent(first)} of the clips",
        "look which number stands for abnormal: 1 in ShanghaiTech's masks, 0 in UBnormal's label vectors; if it is right, "
        "there is nothing to do",
        [
            Case(
                f"{percent(float(kept[most].mean()))} of its frames are abnormal",
                read.place(index[name]) if name in index else f"clip {name}",
            )
        ],
    )


def abnormal_training(read: ReadSplit) -> Iterator[Diagnosis]:
    """Abnormal frames in the training split, unless the data set says that it has them."""
    expected = read.info.expected.get(read.split)
    labels = read.labels
    if read.split != "train" or labels is None or labels.n_abnormal == 0 or (expected is not None and expected.abnormal):
        return
    number = {name: int((truth & keep).sum()) for name, (truth, keep) in read.truth.items()}
    index = {clip.name: place for place, clip in enumerate(read.tracks.clips)}
    yield read.diagnosis(
        "abnormal-training",
        "warning",
        f"{share(labels.n_abnormal, labels.n_frames, 'training frames')} are abnormal; a one-class method takes them as normal",
        "keep abnormal clips out of the training split, or use a supervised method",
        [
            Case(
                f"{counted(count, 'abnormal frame')}",
                read.place(index[name]) if name in index else f"clip {name}",
            )
            for name, count in sorted(number.items(), key=lambda item: -item[1])
            if count
        ],
    )


def keep_masks(read: ReadSplit) -> Iterator[Diagnosis]:
    """A subset that should leave frames out leaves out none; or no frame counts at all."""
    labels, expected = read.labels, read.info.expected.get(read.split)
    if labels is None or expected is None or expected.counted is None or expected.frames is None:
        return
    frames = sum(len(keep) for keep in labels.keep)
    if expected.counted < expected.frames and frames and labels.n_frames == frames:
        yield read.diagnosis(
            "keep-masks",
            "error",
            f"all {frames:,} frames count, but this subset leaves {expected.frames - expected.counted:,} of them out",
            f"its masks of frames that count are missing: {read.info.source}. Without them the figures are those of the full set",
        )


def long_labels(read: ReadSplit) -> Iterator[Diagnosis]:
    """The poses of a clip end long before its label vector does: another clip's labels, or a broken pose file."""
    if not read.truth or read.split == "train":
        return
    clips = np.flatnonzero(read.n_poses)
    last = np.maximum.reduceat(read.tracks.frame, read.clip_rows[clips]) + 1 if len(clips) else np.zeros(0, dtype=np.int64)
    short = np.flatnonzero(last < OVERHANG * read.n_frames[clips])
    if len(short) == 0:
        return
    order = short[np.argsort(last[short] / read.n_frames[clips[short]], kind="stable")]
    yield read.diagnosis(
        "long-labels",
        "warning" if len(short) > CLIPS_WARNING * len(clips) else "note",
        f"in {share(len(short), len(clips), 'clips')} nobody is seen in the last {percent(1 - OVERHANG)} of the labelled "
        "frames or more",
        "check that labels and poses are of the same clip and that the pose file is whole; a clip that empties is right",
        [
            Case(
                f"the last pose is in frame {last[which] - 1:,}, the labels go on to frame {read.n_frames[clips[which]] - 1:,}",
                read.place(int(clips[which])),
            )
            for which in order
        ],
    )


def labels_one_longer(read: ReadSplit) -> Iterator[Diagnosis]:
    """No clip has a pose in its last frame, and most have one in the frame before: labels are longer by one throughout."""
    if not read.truth or read.split == "train":
        return
    clips = np.flatnonzero(read.n_poses)
    if len(clips) < FEWEST_CLIPS:
        return
    spare = read.n_frames[clips] - 1 - np.maximum.reduceat(read.tracks.frame, read.clip_rows[clips])
    before = clips[spare == 1]
    if spare.min() >= 1 and 2 * len(before) >= len(clips):
        yield read.diagnosis(
            "labels-one-longer",
            "note",
            f"label vectors are one frame longer than the poses: no clip has a pose in its last frame, and "
            f"{share(len(before), len(clips), 'clips')} have one in the frame before",
            "UBnormal's label vectors are so; elsewhere, check that the first label belongs to the first frame",
            [Case("the last pose is one frame before the last label", read.place(int(clip))) for clip in before],
        )

"""A split against what the published data set amounts to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.api import Severity
    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit


def expected_counts(read: ReadSplit) -> Iterator[Diagnosis]:
    """Clips, frames, counted and abnormal frames, poses, where the data set says how many there should be.

    Of the test split a difference is an error: figures on other frames are comparable with nothing. Poses alone may come
    from another run of the pose estimator, which changes figures and spoils none. Nothing is said where the data set itself
    has found files that are missing or damaged, of which such differences follow, or has named the expected number.
    """
    expected = read.info.expected.get(read.split)
    if expected is None or any(finding.severity == "error" for finding in read.own):
        return
    labels = read.labels
    counts = {
        "clips": (len(read.tracks.clips), expected.clips),
        "frames": (int(read.n_frames.sum()), expected.frames),
        "frames that count": (None if labels is None else labels.n_frames, expected.counted),
        "abnormal frames": (None if labels is None else labels.n_abnormal, expected.abnormal),
        "poses": (len(read.tracks), expected.poses),
    }
    told = " ".join(finding.what for finding in read.own)
    differing = {
        things: f"{found:,} {things} where {wanted:,} are expected"
        for things, (found, wanted) in counts.items()
        if found is not None and wanted is not None and found != wanted and f"{wanted:,}" not in told
    }
    if not differing:
        return
    severity: Severity = "error" if read.split == "test" and set(differing) != {"poses"} else "warning"
    yield read.diagnosis(
        "expected-counts",
        "note" if read.info.stand_in else severity,
        f"the split is not the published one: {'; '.join(differing.values())}",
        f"complete it: {read.info.source}. Figures on other clips or frames cannot be compared with published ones",
    )

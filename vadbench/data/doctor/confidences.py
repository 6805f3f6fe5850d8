"""The confidences of joints: given at all, and between 0 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from vadbench.data.doctor.wording import share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vadbench.data.doctor.diagnosis import Diagnosis
    from vadbench.data.doctor.split import ReadSplit

SLIGHTLY: Final = 0.2
"""How far beyond 0 and 1 the height of an estimator's heat map may run over."""
SCALE: Final = 1.5
"""A median above this is on another scale, such as percent."""


def no_confidence(read: ReadSplit) -> Iterator[Diagnosis]:
    """One and the same confidence everywhere, so none was given; all 0 means that every joint counts as missing."""
    confidence = read.tracks.planes[2]
    present = confidence[~np.isnan(read.tracks.planes[0])]
    if len(present) == 0:
        return
    low, high = float(present.min()), float(present.max())
    if low != high:
        return
    if low == 0:
        yield read.diagnosis(
            "zero-confidence",
            "error",
            "every joint has confidence 0, which means missing: methods that weight or mask joints see nothing",
            "write the estimator's confidences, or 1 where it gives none",
        )
    elif low <= 1 + SLIGHTLY:
        yield read.diagnosis(
            "no-confidence",
            "note",
            f"every joint has confidence {low:g}: the source gives none",
            "methods that use confidences learn nothing from them here; the others do not mind",
        )


def confidence_range(read: ReadSplit) -> Iterator[Diagnosis]:
    """Confidences below 0 or above 1; a median far above is another scale, such as percent."""
    confidence = read.tracks.planes[2]
    if confidence.size == 0 or (confidence.min() >= 0 and confidence.max() <= 1):
        return
    odd = (confidence < 0) | (confidence > 1)
    row = int(np.abs(confidence - 0.5).max(axis=1).argmax())
    low, high = float(confidence.min()), float(confidence.max())
    number = int(odd.sum())
    case = read.row_case(row, f"confidences from {confidence[row].min():.3g} to {confidence[row].max():.3g}")
    if float(np.median(confidence[:: max(len(confidence) // 20_000, 1)])) > SCALE:
        yield read.diagnosis(
            "confidence-scale",
            "error",
            f"confidences run from {low:.3g} to {high:.3g}; they lie between 0 and 1",
            "divide them by 100 if they are percent, or by the largest that the estimator gives",
            [case],
        )
        return
    severe = low < -SLIGHTLY or high > 1 + SLIGHTLY
    yield read.diagnosis(
        "confidence-range",
        "warning" if severe else "note",
        f"{share(number, confidence.size, 'confidences')} lie outside 0 to 1: from {low:.3g} to {high:.3g}",
        "clip them to 0 and 1 where an estimator runs over a little; otherwise find out what the third number of a joint is",
        [case],
    )

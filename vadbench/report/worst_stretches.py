"""Where an AUROC is lost: stretches of frames that are ranked wrong, by what each costs.

One less the AUROC is the share of pairs of an abnormal and a normal frame that are in the wrong order, a tie counting one half.
Every normal frame answers for the abnormal ones that score lower, so that the costs of all normal frames sum to 1 - AUROC; and
so do the costs of all abnormal frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vadbench.evaluation.events import Stretches
from vadbench.evaluation.frames import person_timelines
from vadbench.evaluation.report import pooled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels, WindowScores
    from vadbench.evaluation.frame_axis import FrameAxis
    from vadbench.evaluation.frames import FrameScores
    from vadbench.evaluation.protocol import Pipeline


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames of one clip, one after another among those that count.

    Args:
        clip: Its name.
        first: First frame.
        last: Last frame, inclusive.
        cost: How much of 1 - AUROC its frames answer for.
        percentile: Mean place of its scores among all frames, in [0, 1]; 1 is the most anomalous.
        scored: Share of its frames that windows score.
        person: Track id of the person with the highest score in it; None where nobody is scored.
    """

    clip: str
    first: int
    last: int
    cost: float
    percentile: float
    scored: float
    person: int | None


def worst_stretches(
    scores: WindowScores, labels: FrameLabels, axis: FrameAxis, frames: FrameScores, pipeline: Pipeline, *, top: int
) -> tuple[tuple[Stretch, ...], tuple[Stretch, ...]]:
    """False alarms and misses that cost the most.

    A false alarm is a longest stretch of normal frames that score above the median abnormal frame; a miss is a whole abnormal
    event, a longest stretch of abnormal frames.

    Returns:
        ``(false_alarms, misses)``, ``top`` of each at most, the most costly first; none where only one class is present.
    """
    truth, score = pooled(labels.abnormal, labels).astype(bool), pooled(frames.smoothed, labels)
    if truth.all() or not truth.any():
        return (), ()
    lengths = [int(keep.sum()) for keep in labels.keep]
    cost, place = _costs(truth, score), _places(score)
    alarm = ~truth & (score > np.median(score[truth]))
    where = np.concatenate([np.flatnonzero(keep) for keep in labels.keep])
    clip = np.repeat(np.arange(len(lengths)), lengths)
    scored = pooled(frames.scored, labels).astype(bool)
    found = []
    for marked in (alarm, truth):
        stretches = Stretches.of(marked, lengths)
        total = np.add.reduceat(np.append(cost, 0.0), np.stack([stretches.first, stretches.end], axis=1).ravel())[::2]
        worst = [i for i in np.argsort(-total, kind="stable")[:top] if total[i] > 0]
        made = []
        for i in worst:
            span = slice(stretches.first[i], stretches.end[i])
            name = labels.clips[clip[stretches.first[i]]]
            first, last = int(where[span][0]), int(where[span][-1])
            made.append(
                Stretch(
                    clip=name,
                    first=first,
                    last=last,
                    cost=float(total[i]),
                    percentile=float(place[span].mean()),
                    scored=float(scored[span].mean()),
                    person=_most_anomalous(person_timelines(scores, axis, pipeline, name), first, last),
                )
            )
        found.append(tuple(made))
    return found[0], found[1]


def _costs(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) what each frame answers for; those of each class sum to 1 - AUROC."""
    normal, abnormal = np.sort(score[~truth]), np.sort(score[truth])
    lower = (np.searchsorted(abnormal, score, side="left") + np.searchsorted(abnormal, score, side="right")) / 2
    higher = len(normal) - (np.searchsorted(normal, score, side="left") + np.searchsorted(normal, score, side="right")) / 2
    return np.where(truth, higher, lower) / (len(normal) * len(abnormal))


def _places(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) mid-ranks in [0, 1]."""
    ordered = np.sort(score)
    middle = (np.searchsorted(ordered, score, side="left") + np.searchsorted(ordered, score, side="right")) / 2
    return np.asarray(middle / len(score))


def _most_anomalous(timelines: dict[int, NDArray[np.float64]], first: int, last: int) -> int | None:
    peaks = {
        person: float(np.nanmax(line[first : last + 1]))
        for person, line in timelines.items()
        if not np.isnan(line[first : last + 1]).all()
    }
    return max(peaks, key=lambda person: (peaks[person], -person)) if peaks else None

"""The frames of stored runs that count, clip by clip: what intervals and comparisons are computed from; and tie groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, product
from string import ascii_lowercase
from typing import TYPE_CHECKING

from vadbench.evaluation.clip_pairs import clip_pairs
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.paired import difference_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels, WindowScores
    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.evaluation.protocol import Pipeline
    from vadbench.store.folders import StoredRun


@dataclass(frozen=True, slots=True)
class CountedFrames:
    """Labels and scores of the frames that count.

    Args:
        abnormal: Per clip (n_frames,) bool.
        score: Per clip (n_frames,), after every step of the protocol.
    """

    abnormal: tuple[NDArray[np.bool_], ...]
    score: tuple[NDArray[np.float64], ...]

    def pairs(self) -> ClipPairs:
        """Their ordered pairs by clip."""
        return clip_pairs(self.abnormal, self.score)


def counted_frames(run: StoredRun, pipeline: Pipeline) -> CountedFrames:
    """The frames of a run that count, scored under a protocol.

    Raises:
        DriftError: if a file has changed since the run was recorded.
        DataError: if a file is missing or damaged, or the protocol cannot take the scores.
    """
    labels, scenes = run.labels()
    return frames_that_count(run.scores(), labels, scenes, pipeline)


def frames_that_count(scores: WindowScores, labels: FrameLabels, scenes: Mapping[str, str], pipeline: Pipeline) -> CountedFrames:
    """The same of window scores, wherever they are from; raises `DataError` if the protocol cannot take them."""
    frames = frame_scores(scores, FrameAxis.of_labels(labels, scenes), pipeline)
    return CountedFrames(
        tuple(part[keep] for part, keep in zip(labels.abnormal, labels.keep, strict=True)),
        tuple(part[keep] for part, keep in zip(frames.smoothed, labels.keep, strict=True)),
    )


def tie_groups(best_first: Sequence[ClipPairs]) -> list[str]:
    """A letter for each row: rows that these test clips do not tell from the first of their group share it.

    Going down from the best, a row whose difference from the group's first row has an interval without 0 begins the next
    group. A row of a group may still differ from another one of it than the first.
    """
    names = _letters()
    found: list[str] = []
    leader: ClipPairs | None = None
    name = ""
    for pairs in best_first:
        interval = None if leader is None else difference_interval(leader, pairs)
        if interval is None or (interval.known and not interval.includes(0.0)):
            leader, name = pairs, next(names)
        found.append(name)
    return found


def _letters() -> Iterator[str]:
    """a, b, ..., z, aa, ab, ..."""
    for length in count(1):
        for letters in product(ascii_lowercase, repeat=length):
            yield "".join(letters)

"""From window scores to frame scores under a pipeline: the steps of `person_lines` and `frame_steps`, one after another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from vadbench.evaluation.frame_steps import fill, over_persons, quantiles, shift, smooth, standardised
from vadbench.evaluation.person_lines import person_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import WindowScores
    from vadbench.evaluation.frame_axis import FrameAxis
    from vadbench.evaluation.protocol import Pipeline


@dataclass(frozen=True, slots=True)
class FrameScores:
    """Frame scores of a test set, clip by clip.

    Args:
        clips: Names of the clips.
        raw: Per clip (n_frames,) float64: filled, and nothing more.
        smoothed: Per clip (n_frames,) float64, after every step; NaN where a frame left before smoothing.
        scored: Per clip (n_frames,) bool, True where some window scores the frame.
        raised_by: What all window scores were raised by, so that none is below 0; 0 where nothing was done.
    """

    clips: tuple[str, ...]
    raw: tuple[NDArray[np.float64], ...]
    smoothed: tuple[NDArray[np.float64], ...]
    scored: tuple[NDArray[np.bool_], ...]
    raised_by: float = 0.0


def frame_scores(scores: WindowScores, axis: FrameAxis, pipeline: Pipeline) -> FrameScores:
    """The frame scores of every clip.

    Args:
        scores: Of the windows, in any order.
        axis: The test set; clips without a window belong to it too.
        pipeline: The steps: ``protocol.on(dataset)``.

    Raises:
        DataError: if a window belongs to a clip that is not on the axis, or lies beyond its end; or the scores are outside
            what a step can take.
    """
    names = [name for name, _ in pipeline.branches]
    if names and all(name in scores.terms for name in names):
        made = [_branch(scores.of_term(name), axis, pipeline, ahead) for name, ahead in pipeline.branches]
        raw = np.sum([standardised(axis.together(part.raw)) for part in made], axis=0)
        # What left before smoothing stays NaN, and takes no part in mean and standard deviation.
        kept = ~np.isnan(axis.together(made[0].smoothed))
        smoothed = np.full(len(raw), np.nan)
        smoothed[kept] = np.sum([standardised(axis.together(part.smoothed)[kept]) for part in made], axis=0)
        scored = np.any([axis.together(part.scored) for part in made], axis=0)
        return FrameScores(
            axis.clips, axis.split(raw), axis.split(smoothed), axis.split(scored), max(part.raised_by for part in made)
        )
    return _branch(scores, axis, pipeline, 0)


def person_timelines(scores: WindowScores, axis: FrameAxis, pipeline: Pipeline, clip: str) -> dict[int, NDArray[np.float64]]:
    """Scores (n_frames,) of each person of a clip as the pipeline places them, NaN where there are none; for plots."""
    raised, _ = _raised(scores, pipeline)
    at = axis.clips.index(clip)
    here = raised.clip == clip
    mine = replace(
        raised, clip=raised.clip[here], person=raised.person[here], start=raised.start[here], score=raised.score[here], terms={}
    )
    lines = person_lines(mine, axis, pipeline)
    timelines: dict[int, NDArray[np.float64]] = {}
    for i, person in enumerate(lines.name.tolist()):
        cells = slice(lines.bounds[i], lines.bounds[i + 1])
        line = np.full(axis.lengths[at], np.nan)
        line[lines.frame[cells]] = np.where(lines.scored[cells], lines.value[cells], np.nan)
        timelines[person] = line
    return timelines


def _branch(scores: WindowScores, axis: FrameAxis, pipeline: Pipeline, ahead: int) -> FrameScores:
    scores, raised_by = _raised(scores, pipeline)
    lines = person_lines(scores, axis, pipeline, ahead=ahead)
    flat, scored = over_persons(lines, axis, rule=pipeline.persons, absent_zero=pipeline.absent == "zero")
    filled, lowest = fill(flat, pipeline.fill)
    keep = axis.together(axis.keep).astype(bool)
    stays = keep if pipeline.frames_leave == "before-smoothing" else np.ones(len(keep), dtype=bool)
    smoothed = np.full(len(filled), np.nan)
    smoothed[stays] = _smoothed(filled[stays], _clip_of_frame(axis)[stays], pipeline, scores.length, lowest)
    if pipeline.scenes == "quantile":
        scene = np.repeat(np.array(axis.scenes, dtype=np.str_), axis.lengths)
        for name in sorted(set(axis.scenes)):
            here = stays & (scene == name)
            smoothed[here] = quantiles(smoothed[here])
    return FrameScores(axis.clips, axis.split(filled), axis.split(smoothed), axis.split(scored), raised_by)


def _clip_of_frame(axis: FrameAxis) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(axis.clips)), axis.lengths)


def _smoothed(
    line: NDArray[np.float64], clip: NDArray[np.int64], pipeline: Pipeline, length: int, lowest: float
) -> NDArray[np.float64]:
    """Shift and smoothing, of each clip by itself or of all strung together; (F,) scores and the clip of each, sorted."""
    frames, vacated = pipeline.shift_frames(length), lowest if pipeline.vacated == "minimum" else 0.0
    parts = [line] if pipeline.smoothing_over == "test-set" else np.split(line, np.flatnonzero(np.diff(clip)) + 1)
    return np.concatenate([smooth(shift(part, frames, vacated), pipeline.smoothing) for part in parts])


def _raised(scores: WindowScores, pipeline: Pipeline) -> tuple[WindowScores, float]:
    lowest = float(scores.score.min(initial=0.0))
    if pipeline.origin == "as-is" or lowest >= 0:
        return scores, 0.0
    return replace(scores, score=scores.score - lowest), -lowest

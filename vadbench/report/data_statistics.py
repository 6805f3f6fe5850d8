"""The statistics of a data set, split by split and scene by scene: what it holds, how much is abnormal, what windows reach."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vadbench.api import DataError
from vadbench.data.stats import Measures, Summary, measure, scenes_of, summarise
from vadbench.report.coverage import Reach, frame_states, reach
from vadbench.report.formatting import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vadbench.api import FrameLabels, Split, Tracks, WindowRule
    from vadbench.evaluation.protocol import Pipeline


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of a split or of one of its scenes.

    Args:
        summary: What it holds.
        counted: Frames that count; all where there are no labels.
        abnormal: Abnormal frames among these; None where there are no labels.
        reach: How far windows reach among the frames that count; None for a split that is not scored.
        abnormal_reach: Likewise among the abnormal ones.
    """

    summary: Summary
    counted: int
    abnormal: int | None
    reach: Reach | None
    abnormal_reach: Reach | None

    @property
    def ceiling(self) -> float | None:
        """The AUROC, not smoothed, that no method exceeds; None where nothing is abnormal or the split is not scored.

        An abnormal frame that no window scores has the lowest score of all, as under every protocol that fills with the
        minimum. So it ties with normal frames at best, which counts one half.
        """
        reached = None if self.abnormal_reach is None else self.abnormal_reach.scored
        return None if reached is None or math.isnan(reached) else (1 + reached) / 2


@dataclass(frozen=True, slots=True)
class SplitStatistics:
    """The figures of a split, and the columns that pictures are drawn from.

    Args:
        split: Its name.
        measures: Columns over poses, tracks and frames.
        counted: (F,) bool, the frames that count.
        abnormal: (F,) bool, abnormal frames; None where there are no labels.
        states: (F,) as `frame_states` gives them; None for a split that is not scored.
        whole: The figures of the split.
        scenes: Scene to its figures.
        problem: Why there are no labels; None where there are.
    """

    split: Split
    measures: Measures
    counted: NDArray[np.bool_]
    abnormal: NDArray[np.bool_] | None
    states: NDArray[np.int8] | None
    whole: Group
    scenes: dict[str, Group]
    problem: str | None


def split_statistics(
    split: Split, tracks: Tracks, labels: FrameLabels | DataError, rule: WindowRule, pipeline: Pipeline | None
) -> SplitStatistics:
    """Measures a split.

    Args:
        split: Its name.
        tracks: Its poses.
        labels: Its frame labels, or why there are none. Labels of other clips or lengths are none.
        rule: How windows are cut.
        pipeline: Under which the split is scored; None for a split that is not.
    """
    measures = measure(tracks, rule)
    states = None if pipeline is None else frame_states(tracks, rule, pipeline)
    problem = str(labels.what) if isinstance(labels, DataError) else _mismatch(tracks, labels)
    counted, abnormal = np.ones(len(measures.frame_clip), dtype=bool), None
    if problem is None and not isinstance(labels, DataError):
        counted, abnormal = _flat(labels.keep), _flat(labels.abnormal)

    def group(chosen: NDArray[np.bool_]) -> Group:
        use = counted & chosen[measures.frame_clip]
        bad = None if abnormal is None else use & abnormal
        return Group(
            summary=summarise(measures, chosen),
            counted=int(use.sum()),
            abnormal=None if bad is None else int(bad.sum()),
            reach=None if states is None else reach(states[use]),
            abnormal_reach=None if states is None or bad is None else reach(states[bad]),
        )

    return SplitStatistics(
        split=split,
        measures=measures,
        counted=counted,
        abnormal=abnormal,
        states=states,
        whole=group(np.ones(len(tracks.clips), dtype=bool)),
        scenes={scene: group(chosen) for scene, chosen in scenes_of(tracks.clips).items()},
        problem=problem,
    )


def as_json(stats: SplitStatistics) -> dict[str, Any]:
    """Plain values for one split, ready for JSON: what is not a number is None."""
    measures = stats.measures
    return {
        "rule": asdict(measures.rule),
        "all": _group_json(stats.whole),
        "scenes": {scene: _group_json(group) for scene, group in stats.scenes.items()},
        "joints": {
            joint: {"missing": plain(gone), "unsure": plain(dim)}
            for joint, gone, dim in zip(
                measures.joints, measures.joint_missing.tolist(), measures.joint_unsure.tolist(), strict=True
            )
        },
        "labels_problem": stats.problem,
    }


def _group_json(group: Group) -> dict[str, Any]:
    abnormal = group.abnormal
    coverage = None
    if group.reach is not None:
        coverage = {"frames": asdict(group.reach), "abnormal_frames": None, "auroc_raw_ceiling": group.ceiling}
        if group.abnormal_reach is not None:
            coverage["abnormal_frames"] = asdict(group.abnormal_reach)
    counted = {
        "frames_counted": group.counted,
        "abnormal_frames": abnormal,
        "abnormal_share": None if abnormal is None or not group.counted else abnormal / group.counted,
    }
    found: dict[str, Any] = plain(asdict(group.summary) | counted | {"coverage": coverage})
    return found


def _flat(parts: tuple[NDArray[np.bool_], ...]) -> NDArray[np.bool_]:
    return np.concatenate([np.zeros(0, dtype=bool), *parts])


def _mismatch(tracks: Tracks, labels: FrameLabels) -> str | None:
    """Why labels are not those of the poses."""
    if labels.clips != tuple(clip.name for clip in tracks.clips):
        return "poses and labels are not of the same clips"
    for clip, part in zip(tracks.clips, labels.abnormal, strict=True):
        if len(part) != clip.n_frames:
            return f"clip {clip.name} has {clip.n_frames} frames and {len(part)} labels"
    return None

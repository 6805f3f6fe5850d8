"""The figures of a row from those of its seeds: means, spreads, the interval, and what the labels alone would give."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.intervals import auroc_interval
from vadbench.evaluation.oracles import oracles
from vadbench.evaluation.report import evaluate
from vadbench.report.comparison_frames import frames_that_count
from vadbench.store.record import Metrics
from vadbench.store.row_record import OracleFigures, Spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vadbench.api import FrameLabels, WindowScores
    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.evaluation.protocol import Pipeline
    from vadbench.store.row_record import SeedResult


@dataclass(frozen=True, slots=True)
class ScoredSeed:
    """What the scores of one seed give: the standardised report, and the ordered pairs that intervals are computed from."""

    metrics: Metrics
    pairs: ClipPairs


@dataclass(frozen=True, slots=True)
class RowFigures:
    """What a row says beside its seeds; figures in [0, 1], None where they are not defined.

    Args:
        auroc: Over seeds, as are the two below.
        auroc_raw: Not smoothed.
        ap: Average precision.
        interval: 95 % interval of the mean AUROC over resampled test clips; None where nothing can be said.
        oracles: Of the labels alone.
        pairs: Of the seeds together.
    """

    auroc: Spread
    auroc_raw: Spread
    ap: Spread
    interval: tuple[float, float] | None
    oracles: OracleFigures
    pairs: ClipPairs


def scored_seed(
    scores: WindowScores,
    labels: FrameLabels,
    scenes: Mapping[str, str],
    pipeline: Pipeline,
    frame_rate: float | None,
) -> ScoredSeed:
    """The figures of window scores; raises `DataError` if the protocol cannot take them or they are of other clips."""
    metrics = Metrics.of(evaluate(scores, labels, scenes, pipeline, frame_rate))
    return ScoredSeed(metrics, frames_that_count(scores, labels, scenes, pipeline).pairs())


def row_figures(results: Sequence[SeedResult | Metrics], pairs: Sequence[ClipPairs], labels: FrameLabels) -> RowFigures:
    """The figures of a row.

    Args:
        results: Of its seeds.
        pairs: Of the same seeds.
        labels: Of the test split.
    """
    together = over_seeds(list(pairs))
    interval, known = auroc_interval(together), oracles(labels)
    return RowFigures(
        auroc=Spread.over([result.auroc for result in results]),
        auroc_raw=Spread.over([result.auroc_raw for result in results]),
        ap=Spread.over([result.ap for result in results]),
        interval=(interval.low, interval.high) if interval.known else None,
        oracles=OracleFigures(clip_level=_defined(known.clip_level), clip_share=_defined(known.clip_share)),
        pairs=together,
    )


def _defined(figure: float) -> float | None:
    return None if math.isnan(figure) else figure

"""A row of a leaderboard: what ``leaderboards/<data set>/<row>.json`` holds. Every key is documented here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Annotated, Literal, Self

from pydantic import Field

from vadbench.store.record import Cost, DatasetRecord, Environment, MethodRecord, RecordPart

_Share = Annotated[float, Field(ge=0, le=1)]


class Spread(RecordPart):
    """A figure over seeds."""

    mean: float | None
    """Null where it is not defined for some seed."""
    sd: float | None
    """Sample standard deviation over seeds; null for a single seed."""

    @classmethod
    def over(cls, values: Sequence[float | None]) -> Self:
        """Of one value a seed; undefined where any of them is."""
        known = [value for value in values if value is not None]
        if len(known) < len(values) or not known:
            return cls(mean=None, sd=None)
        return cls(mean=fmean(known), sd=stdev(known) if len(known) > 1 else None)


class SeedResult(RecordPart):
    """What one seed gave; figures in [0, 1], null where a class is absent, each computed again from the stored scores."""

    seed: int
    auroc: _Share | None
    """Smoothed, micro."""
    auroc_raw: _Share | None
    """Not smoothed, micro."""
    ap: _Share | None
    """Average precision, smoothed."""
    scores: str
    """SHA-256 of the run's ``scores.npz``."""
    cost: Cost


class RowMethod(MethodRecord):
    """Which method: with name and changes, what makes the row again."""

    title: str = ""
    """What the method is called in words; empty where its preset does not say."""


class OracleFigures(RecordPart):
    """What the test labels alone would give, see `vadbench.evaluation.oracles`; null where a class is absent."""

    clip_level: _Share | None
    clip_share: _Share | None


class RowRecord(RecordPart):
    """One configuration of a method on one state of a data set under one protocol, over seeds."""

    schema_version: Literal[1] = 1
    kind: Literal["reproduced"] = "reproduced"
    """Where its figures come from: computed by vadbench from stored scores."""
    method: RowMethod
    dataset: DatasetRecord
    """The data of every seed; ``settings`` never holds where they lie."""
    protocol: str
    protocol_digest: str
    """12 hex digits over the protocol's rule."""
    seeds: tuple[SeedResult, ...] = Field(min_length=1)
    """Ascending by seed."""
    auroc: Spread
    """Of the seeds, as are the three below."""
    auroc_raw: Spread
    ap: Spread
    cost: Cost
    """Means over seeds; of parameters and memory the most of any seed."""
    interval: tuple[_Share, _Share] | None
    """95 % interval of the mean AUROC over resampled test clips; null where nothing can be said. Seeds play no part in it."""
    transductive: bool
    """Whether a score of any seed was found to depend on which other test clips are scored."""
    oracles: OracleFigures
    """Of the data set, not of the method."""
    environment: Environment
    """Where every seed was run; the version of vadbench stands among the packages."""


def mean_cost(costs: Sequence[Cost]) -> Cost:
    """The cost of a row: means over seeds, and of parameters and memory the most of any seed."""
    speeds = [cost.windows_per_s for cost in costs if cost.windows_per_s is not None]
    peaks = [cost.peak_rss_mb for cost in costs if cost.peak_rss_mb is not None]
    return Cost(
        parameters=max(cost.parameters for cost in costs),
        fit_s=fmean(cost.fit_s for cost in costs),
        score_s=fmean(cost.score_s for cost in costs),
        windows_per_s=fmean(speeds) if speeds else None,
        peak_rss_mb=max(peaks, default=None),
    ).rounded()

"""A row of a leaderboard: what ``leaderboards/<data set>/<row>.json`` holds. Every key is documented here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from vadbench.api import Track, UsageError
from vadbench.store.record import Cost, DatasetRecord, Environment, RecordPart, called

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
    """SHA-256 of ``scores.npz``: of the run, or of the bundle."""
    cost: Cost | None
    """Null in a row of scores only, as everything that nobody measured here."""


class RowMethod(RecordPart):
    """Which method: with name and changes, what makes the row again."""

    name: str
    """Name of the preset, or of the detector; of scores only, the name that their ``meta.json`` says."""
    track: Track
    """Which rows it may be ranked with."""
    components: dict[str, str]
    """Kind to component name, as run; empty for scores only."""
    changes: tuple[str, ...]
    """What the user changed against the preset, as ``key=value``; empty for the preset itself, and for scores only."""
    config: dict[str, Any] | None
    """The resolved configuration, every default filled in; null for scores only."""
    config_hash: str | None
    """12 hex digits over ``config``; null for scores only."""
    title: str = ""
    """What the method is called in words; empty where its preset does not say."""

    @property
    def label(self) -> str:
        """Name and changes, as one row of a table is called."""
        return called(self.name, self.changes)


class OracleFigures(RecordPart):
    """What the test labels alone would give, see `vadbench.evaluation.oracles`; null where a class is absent."""

    clip_level: _Share | None
    clip_share: _Share | None


class RowRecord(RecordPart):
    """One configuration of a method on one state of a data set under one protocol, over seeds.

    A row of kind ``scores-only`` was computed from scores that somebody sent in. How they were made is not known, so
    configuration, poses, cost and environment are null or empty in it, and must not be null in a reproduced row.
    """

    schema_version: Literal[1] = 1
    kind: Literal["reproduced", "scores-only"] = "reproduced"
    """Where its figures come from: computed by vadbench from the scores of its own runs, or from scores that were sent in."""
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
    cost: Cost | None
    """Means over seeds; of parameters and memory the most of any seed. Null for scores only."""
    interval: tuple[_Share, _Share] | None
    """95 % interval of the mean AUROC over resampled test clips; null where nothing can be said. Seeds play no part in it."""
    transductive: bool | None
    """Whether a score of any seed was found to depend on which other test clips are scored; null for scores only."""
    oracles: OracleFigures
    """Of the data set, not of the method."""
    environment: Environment | None
    """Where every seed was run; the version of vadbench stands among the packages. Null for scores only."""

    @property
    def scores_only(self) -> bool:
        """Whether it was computed from scores that were sent in."""
        return self.kind == "scores-only"

    @property
    def ran_in(self) -> Environment:
        """Where it was run; raises `UsageError` for a row of scores only, which nobody can make again."""
        if self.environment is None:
            raise UsageError(
                f"{self.method.label} on {self.dataset.name} is a row of scores only: no command makes it again",
                remedy="its figures can be computed again from the scores of its submission: vadbench submit check",
            )
        return self.environment

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        unknown: dict[str, object] = {
            "method.config": self.method.config,
            "method.config_hash": self.method.config_hash,
            "cost": self.cost,
            **{f"seeds.{i}.cost": result.cost for i, result in enumerate(self.seeds)},
            "transductive": self.transductive,
            "environment": self.environment,
        }
        if self.scores_only:
            empty = {"method.components": self.method.components, "method.changes": self.method.changes}
            empty["dataset.poses"] = self.dataset.poses
            said = [key for key, value in unknown.items() if value is not None] + [key for key, value in empty.items() if value]
            if said:
                raise ValueError(f"a row of scores only does not say {', '.join(said)}")
        elif missing := [key for key, value in unknown.items() if value is None]:
            raise ValueError(f"a reproduced row says {', '.join(missing)}")
        return self


def mean_cost(costs: Sequence[Cost]) -> Cost:
    """The cost of a reproduced row: means over seeds, and of parameters and memory the most of any seed."""
    speeds = [cost.windows_per_s for cost in costs if cost.windows_per_s is not None]
    peaks = [cost.peak_rss_mb for cost in costs if cost.peak_rss_mb is not None]
    return Cost(
        parameters=max(cost.parameters for cost in costs),
        fit_s=fmean(cost.fit_s for cost in costs),
        score_s=fmean(cost.score_s for cost in costs),
        windows_per_s=fmean(speeds) if speeds else None,
        peak_rss_mb=max(peaks, default=None),
    ).rounded()

"""The record of a run: what ``run.json`` holds. Every key is documented here and nowhere else."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MethodRecord(_Part):
    """Which method was run."""

    name: str
    """Name of the preset, or of the detector."""
    track: Literal["one-class", "supervised", "zero-shot"]
    """Which rows it may be ranked with."""
    components: dict[str, str]
    """Kind to component name, as run: what was swapped in shows here."""
    changes: tuple[str, ...]
    """What the user changed against the preset, as ``key=value``; empty for the preset itself."""
    config: dict[str, Any]
    """The resolved configuration, every default filled in."""
    config_hash: str
    """12 hex digits over ``config``."""

    @property
    def label(self) -> str:
        """Name and changes, as one row of a table is called."""
        return f"{self.name} [{', '.join(self.changes)}]" if self.changes else self.name


class DatasetRecord(_Part):
    """On what it was run."""

    name: str
    title: str
    stand_in: bool
    """True for data that are never a result."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """What the user set of the data set with ``dataset.key=value``."""
    poses: dict[str, str]
    """Split to SHA-256 of its poses."""
    labels: str
    """SHA-256 of the test labels."""
    counts: dict[str, dict[str, int]]
    """Split to number of clips, frames, tracks, poses, windows."""


class Metrics(_Part):
    """The standardised report; AUROC and AP in [0, 1], null where a class is absent."""

    auroc: float | None
    """Micro AUROC of the smoothed frame scores: the headline figure."""
    auroc_raw: float | None
    """The same without smoothing."""
    ap: float | None
    """Average precision of the smoothed frame scores."""
    per_scene: dict[str, float | None]
    """Scene to AUROC over its clips."""
    coverage: dict[str, float | None]
    """``frames`` and ``abnormal_frames``: shares that some window scores."""
    frames: int
    abnormal_frames: int
    clips: int

    @classmethod
    def of(cls, report: dict[str, Any]) -> Metrics:
        """From what `vadbench.evaluation.evaluate` gives, NaN to null."""
        return cls.model_validate(_nan_to_none(report))


class Cost(_Part):
    """What the run took."""

    parameters: int
    """Numbers that were learned."""
    fit_s: float
    score_s: float
    windows_per_s: float | None
    """Test windows scored a second."""
    peak_rss_mb: float | None
    """Highest resident memory of the process so far, MiB; null where the platform does not tell."""


class Environment(_Part):
    """Where it was run."""

    device: str
    threads: int
    """CPU threads used; sums are ordered by them, so scores are bit-identical for the same number."""
    python: str
    platform: str
    packages: dict[str, str]


class RunRecord(_Part):
    """One run: a method on a data set with a seed."""

    schema_version: Literal[1] = 1
    id: str
    """12 hex digits over configuration, data, seed, protocol, software versions and device: the folder's name."""
    status: Literal["done"] = "done"
    created: str
    """UTC, ISO 8601."""
    method: MethodRecord
    dataset: DatasetRecord
    seed: int
    protocol: str
    protocol_digest: str
    metrics: Metrics
    terms: dict[str, Metrics] = Field(default_factory=dict)
    """The same report for each term of the score taken alone."""
    diagnostics: dict[str, float] = Field(default_factory=dict)
    """What the components say of their training, e.g. ``tokenizer.perplexity``."""
    cost: Cost
    environment: Environment
    files: dict[str, str]
    """File of the run folder to its SHA-256."""

    @field_serializer("cost")
    def _round_cost(self, cost: Cost) -> dict[str, Any]:
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in cost.model_dump().items()}


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nan_to_none(part) for key, part in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value

"""The record of a run: what ``run.json`` holds. Every key is documented here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from vadbench.api import Track


class RecordPart(BaseModel):
    """A part of what is stored: it has the keys that are told here and no others, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class MethodRecord(RecordPart):
    """Which method was run."""

    name: str
    """Name of the preset, or of the detector."""
    track: Track
    """Which rows it may be ranked with."""
    components: dict[str, str]
    """Kind to component name, as run: what was swapped in shows here."""
    changes: tuple[str, ...]
    """What the user changed against the preset, as ``key=value``; empty for the preset itself."""
    config: dict[str, Any]
    """The resolved configuration, every default filled in."""
    config_hash: str
    """12 hex digits over ``config``."""
    title: str = ""
    """What the method is called in words; empty where its preset does not say."""

    @property
    def label(self) -> str:
        """Name and changes, as one row of a table is called."""
        return called(self.name, self.changes)


def called(name: str, changes: Sequence[str]) -> str:
    """A method's name, and its changes in brackets."""
    return f"{name} [{', '.join(changes)}]" if changes else name


class DatasetRecord(RecordPart):
    """On what it was run."""

    name: str
    title: str
    stand_in: bool
    """True for data that are never a result."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """What the user set of the data set with ``dataset.key=value``."""
    frame_rate: float | None = None
    """Frames a second, as the data set tells."""
    poses: dict[str, str]
    """Split to SHA-256 of its poses."""
    labels: str
    """SHA-256 of the test labels."""
    counts: dict[str, dict[str, int]]
    """Split to number of clips, frames, tracks, poses, windows."""


class Metrics(RecordPart):
    """The standardised report; AUROC and AP in [0, 1], null where a class is absent."""

    auroc: float | None
    """Micro AUROC of the smoothed frame scores: the headline figure."""
    auroc_raw: float | None
    """The same without smoothing."""
    ap: float | None
    """Average precision of the smoothed frame scores."""
    headline: float | None = None
    """Which of them the protocol takes for the result: the micro AUROC, or the macro AUROC."""
    macro_auroc: float | None = None
    """Mean AUROC of the clips that have both classes."""
    macro_clips: int | None = None
    """How many clips have both."""
    macro_clips_without: int | None = None
    """How many have not, and take no part in the macro AUROC."""
    eer: float | None = None
    """Equal error rate: where the false positive rate equals the false negative rate."""
    fpr95: float | None = None
    """False positive rate at a true positive rate of 95 %."""
    operating_points: tuple[dict[str, float | None], ...] = ()
    """What is detected, how late and at how many false alarms an hour, at fixed false-alarm rates; see docs/metrics.md."""
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


class Cost(RecordPart):
    """What the run took."""

    parameters: int
    """Numbers that were learned."""
    fit_s: float
    score_s: float
    windows_per_s: float | None
    """Test windows scored a second."""
    peak_rss_mb: float | None
    """Highest resident memory of the process so far, MiB; null where the platform does not tell."""

    def rounded(self) -> Cost:
        """As it is stored: three decimals."""
        return Cost(**{key: round(value, 3) if isinstance(value, float) else value for key, value in self.model_dump().items()})


class Environment(RecordPart):
    """Where it was run."""

    device: str
    threads: int
    """CPU threads used; sums are ordered by them, so scores are bit-identical for the same number."""
    compiled: bool = False
    """Whether training and scoring were compiled with ``--compile``: compiled code rounds otherwise."""
    python: str
    platform: str
    packages: dict[str, str]


class Choice(RecordPart):
    """Something that a component chose by data while it was fitted, as it declared it with ``context.chosen``."""

    component: str
    """Its path within the run, e.g. ``msgflow.tokenizer``."""
    what: str
    """What was chosen, e.g. ``epoch``."""
    value: Any
    """What it came to."""
    by: Literal["training", "held-out", "validation"]
    """The training data, a part of them that was not trained on, or the validation split."""


class LeakCheck(RecordPart):
    """What ``vadbench check-leak`` found of the run: whether its scores are of each clip alone."""

    date: str
    """UTC, ISO 8601."""
    vadbench: str
    """Version that checked."""
    clips: int
    """Test clips that were scored alone."""
    clips_of: int
    """Test clips that have windows."""
    windows: int
    """Windows of the clips that were scored alone: what is compared."""
    tolerance: float
    """Largest relative difference that is still put down to rounding."""
    transductive: bool
    """True where a score depends on which other clips are scored, or in which order."""
    adapts: bool
    """True where scoring changes the detector: the same windows, scored again, have other scores."""
    draws: bool
    """True where the scores change with the seed of scoring: then what differs may be chance."""
    largest_difference: float
    """Between a window's score among all clips and in its clip alone."""
    largest_relative: float
    """The same in units of the spread of the scores; see ``docs/label-safety.md``."""
    windows_differ: int
    """Windows whose scores differ by more than the tolerance."""
    rank_correlation: float | None
    """Spearman's, of the scores among all clips with those alone; null where either never varies."""
    reproduced: bool
    """Whether the detector, built again from its record, gave the stored scores."""
    largest_from_stored: float
    """Between the stored scores and those of the detector built again."""

    @property
    def clean(self) -> bool:
        """Whether nothing was found: stored scores that cannot be reproduced are a finding, too."""
        return self.reproduced and not self.transductive and not self.adapts

    def replaces(self, earlier: LeakCheck | None) -> bool:
        """Whether this check may stand in the record instead of an earlier one.

        It must have looked at no fewer clips, and one that could not reproduce the scores does not speak against one that
        could: a finding does not go away by looking less closely, or at another detector.
        """
        if earlier is None:
            return True
        return self.clips >= earlier.clips and (self.reproduced or not earlier.reproduced)


class RunRecord(RecordPart):
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
    choices: tuple[Choice, ...] = ()
    """What the components chose by data, in the order in which they said so."""
    leak_check: LeakCheck | None = None
    """The last check of whether the scores are of each clip alone; null where there was none. It changes nothing else."""

    @field_serializer("cost")
    def _round_cost(self, cost: Cost) -> dict[str, Any]:
        return cost.rounded().model_dump()


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nan_to_none(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_nan_to_none(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value

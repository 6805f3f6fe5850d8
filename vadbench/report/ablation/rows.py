"""The figures of an ablation: each variant over seeds, and its difference from the base on the same clips and seeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from vadbench.api import DriftError, VadbenchError
from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.frame_axis import FrameAxis
from vadbench.evaluation.frames import frame_scores
from vadbench.evaluation.intervals import RESAMPLES, auroc_interval
from vadbench.evaluation.paired import difference_interval, exchange_test
from vadbench.report.comparison_frames import CountedFrames
from vadbench.report.recompute import TOLERANCE, run_pipeline
from vadbench.store.folders import RECORD
from vadbench.store.row_record import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vadbench.api import WindowScores
    from vadbench.engine.ablation.grid import Grid, Variant
    from vadbench.engine.ablation.readings import Figure
    from vadbench.engine.ablation.runs import Ablation
    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.evaluation.intervals import Interval
    from vadbench.store.folders import StoredRun


@dataclass(frozen=True, slots=True)
class SeedFrames:
    """The frames of one figure.

    Args:
        run: That it comes from.
        frames: Those that count.
        pairs: Their ordered pairs by clip.
        terms: Name to the AUROC of each term of the run taken alone; empty for a reading.
    """

    run: StoredRun
    frames: CountedFrames
    pairs: ClipPairs
    terms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class VariantFrames:
    """A variant on a data set: its frames by seed, ascending, and why seeds are missing."""

    variant: Variant
    seeds: Mapping[int, SeedFrames]
    left_out: tuple[VadbenchError, ...] = ()


@dataclass(frozen=True, slots=True)
class AblationRow:
    """A variant over seeds. AUROCs are micro, in [0, 1].

    Args:
        variant: Its name.
        question: What it is to answer.
        source: How it is read and from which variant's runs; empty for runs of its own.
        same_as: Name of an earlier variant that has the very same runs and reading; empty where there is none.
        seeds: Ascending.
        auroc: Over seeds.
        interval: Of its mean, over clips.
        difference: Its mean minus that of the base, over the seeds that both have; None for the base itself, or where there
            is no such seed or a class is absent.
        difference_sd: Standard deviation over seeds of the difference, each seed with itself.
        difference_interval: Of ``difference``, over clips.
        p: Of the paired permutation test of clips, two-sided.
        terms: Each term of the score taken alone, over seeds; empty for a reading.
        diagnostics: What the grid asks for of what the components say of their training, over seeds; empty for a reading.
        parameters: Numbers that were learned; None for a reading.
        fit_s: Mean seconds that training takes, that of shared parts included; None for a reading.
        runs: Folders of the runs, by seed.
    """

    variant: str
    question: str
    source: str
    same_as: str
    seeds: tuple[int, ...]
    auroc: Spread
    interval: Interval
    difference: float | None
    difference_sd: float | None
    difference_interval: Interval | None
    p: float | None
    terms: Mapping[str, Spread]
    diagnostics: Mapping[str, Spread]
    parameters: int | None
    fit_s: float | None
    runs: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class AblationTable:
    """An ablation on one data set.

    Args:
        method: Name of the method.
        dataset: Name of the data set.
        stand_in: True for data that are never a result.
        protocol: Under which all were scored.
        clips: Clips that have a frame that counts.
        frames: Frames that count.
        base: Name of the variant that all others are compared with.
        seeds: That were asked for.
        rows: In the order of the grid, the base first; variants without any seed are not there.
        left_out: Why figures are missing, though their runs are stored.
    """

    method: str
    dataset: str
    stand_in: bool
    protocol: str
    clips: int
    frames: int
    base: str
    seeds: tuple[int, ...]
    rows: tuple[AblationRow, ...]
    left_out: tuple[VadbenchError, ...] = field(default=())

    def row(self, variant: str) -> AblationRow | None:
        """The row of a variant."""
        return next((row for row in self.rows if row.variant == variant), None)


def read_variants(ablation: Ablation, dataset: int) -> list[VariantFrames]:
    """The frames of every variant on the i-th data set, from stored scores; a variant without any seed is there, and empty."""
    terms: dict[Path, Mapping[str, float]] = {}
    found = []
    for variant in ablation.plan.variants:
        seeds: dict[int, SeedFrames] = {}
        left_out: list[VadbenchError] = []
        for seed, figure in sorted(ablation.of(dataset, variant).items()):
            try:
                seeds[seed] = _seed_frames(figure, terms)
            except VadbenchError as error:
                left_out.append(error if error.where else type(error)(error.what, where=figure.run.path, remedy=error.remedy))
        found.append(VariantFrames(variant, seeds, tuple(left_out)))
    return found


def make_table(ablation: Ablation, read: Iterable[VariantFrames], *, resamples: int = RESAMPLES) -> AblationTable | None:
    """The table of one data set; None where no variant has a figure.

    Args:
        ablation: That was run.
        read: As `read_variants` gave it for one of its data sets.
        resamples: For intervals and tests.
    """
    read = list(read)
    there = [each for each in read if each.seeds]
    if not there:
        return None
    grid = ablation.plan.grid
    base = next((each for each in there if each.variant.name == grid.base), None)
    first = next(iter(there[0].seeds.values()))
    known: dict[tuple[object, ...], str] = {}
    rows = []
    for each in there:
        runs = tuple(one.run.path for one in each.seeds.values())
        key = (runs, None if each.variant.reading is None else each.variant.reading.model_dump_json(exclude={"of"}))
        same_as = known.setdefault(key, each.variant.name)
        rows.append(_row(each, base, grid, same_as if same_as != each.variant.name else "", resamples))
    record = first.run.record
    return AblationTable(
        method=ablation.plan.method,
        dataset=record.dataset.name,
        stand_in=record.dataset.stand_in,
        protocol=record.protocol,
        clips=first.pairs.n_clips,
        frames=int(first.pairs.abnormal.sum() + first.pairs.normal.sum()),
        base=grid.base,
        seeds=ablation.plan.seeds,
        rows=tuple(rows),
        left_out=tuple(error for each in read for error in each.left_out),
    )


def _seed_frames(figure: Figure, terms: dict[Path, Mapping[str, float]]) -> SeedFrames:
    run, record = figure.run, figure.run.record
    own = run.scores()
    frames = _counted(run, figure.scores() if figure.reading is not None else own, smoothed=figure.smoothed)
    pairs = frames.pairs()
    if figure.reading is not None:
        return SeedFrames(run, frames, pairs, {})
    if record.metrics.auroc is not None and abs(pairs.auroc - record.metrics.auroc) > TOLERANCE:
        raise DriftError(
            f"the recorded auroc is {record.metrics.auroc}, but the stored scores give {pairs.auroc}",
            where=run.path / RECORD,
            remedy="run again with --force; a result whose record was edited cannot be trusted",
        )
    if run.path not in terms:
        terms[run.path] = {name: _counted(run, own.of_term(name), smoothed=True).pairs().auroc for name in own.terms}
    return SeedFrames(run, frames, pairs, terms[run.path])


def _counted(run: StoredRun, scores: WindowScores, *, smoothed: bool) -> CountedFrames:
    labels, scenes = run.labels()
    frames = frame_scores(scores, FrameAxis.of_labels(labels, scenes), run_pipeline(run))
    return CountedFrames(
        tuple(part[keep] for part, keep in zip(labels.abnormal, labels.keep, strict=True)),
        tuple(part[keep] for part, keep in zip(frames.smoothed if smoothed else frames.raw, labels.keep, strict=True)),
    )


def _row(each: VariantFrames, base: VariantFrames | None, grid: Grid, same_as: str, resamples: int) -> AblationRow:
    variant, seeds = each.variant, list(each.seeds.values())
    together = over_seeds([one.pairs for one in seeds])
    records = [one.run.record for one in seeds]
    own = variant.reading is None
    compared = _compared(each, base, resamples) if base is not None and each is not base else (None, None, None, None)
    terms = {name: Spread.over([_known(one.terms.get(name)) for one in seeds]) for name in (seeds[0].terms if own else ())}
    told = {name: Spread.over([record.diagnostics.get(name) for record in records]) for name in (grid.diagnostics if own else ())}
    return AblationRow(
        variant=variant.name,
        question=variant.question,
        source=_source(variant, grid),
        same_as=same_as,
        seeds=tuple(each.seeds),
        auroc=Spread.over([_known(one.pairs.auroc) for one in seeds]),
        interval=auroc_interval(together, resamples=resamples),
        difference=compared[0],
        difference_sd=compared[1],
        difference_interval=compared[2],
        p=compared[3],
        terms=terms,
        diagnostics={name: spread for name, spread in told.items() if spread.mean is not None},
        parameters=max(record.cost.parameters for record in records) if own else None,
        fit_s=fmean(record.cost.fit_s for record in records) if own else None,
        runs=tuple(one.run.path for one in seeds),
    )


def _compared(
    each: VariantFrames, base: VariantFrames, resamples: int
) -> tuple[float | None, float | None, Interval | None, float | None]:
    """Difference, its deviation over seeds, its interval, and p; over the seeds that both have."""
    common = [seed for seed in each.seeds if seed in base.seeds]
    if not common:
        return None, None, None, None
    mine, theirs = [each.seeds[seed] for seed in common], [base.seeds[seed] for seed in common]
    by_seed = [a.pairs.auroc - b.pairs.auroc for a, b in zip(mine, theirs, strict=True)]
    a, b = over_seeds([one.pairs for one in mine]), over_seeds([one.pairs for one in theirs])
    difference = _known(a.auroc - b.auroc)
    if difference is None:
        return None, None, difference_interval(a, b, resamples=resamples), None
    test = exchange_test(
        mine[0].frames.abnormal,
        [one.frames.score for one in mine],
        [one.frames.score for one in theirs],
        resamples=resamples,
    )
    deviation = stdev(by_seed) if len(by_seed) > 1 else None
    return difference, deviation, difference_interval(a, b, resamples=resamples), _known(test.p)


def _source(variant: Variant, grid: Grid) -> str:
    reading = variant.reading
    if reading is None:
        return ""
    of = grid.source(variant).name
    if reading.term is not None:
        return f"term {reading.term} of {of}"
    if reading.scorer is not None:
        return f"terms of {of}, fused anew"
    return f"{of}, not smoothed"


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN is what differs from itself

"""Reproduced rows: stored runs grouped over seeds, every figure computed again from the raw scores."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from vadbench.api import VadbenchError
from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.intervals import auroc_interval
from vadbench.report.comparison_frames import counted_frames, tie_groups
from vadbench.report.recompute import recompute, run_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.store.folders import StoredRun
    from vadbench.store.record import DatasetRecord, Metrics


_Sound = tuple["StoredRun", "Metrics", "ClipPairs"]
"""A run whose scores give its record, its figures, and its ordered pairs."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over seeds: its mean and, from two seeds on, its sample standard deviation. In [0, 1]; None: undefined."""

    mean: float | None
    sd: float | None

    @classmethod
    def over(cls, values: Sequence[float | None]) -> Spread:
        """Of one value a seed; undefined where any of them is."""
        known = [value for value in values if value is not None]
        if len(known) < len(values) or not known:
            return cls(None, None)
        return cls(fmean(known), stdev(known) if len(known) > 1 else None)


@dataclass(frozen=True, slots=True)
class ReproducedRow:
    """One configuration of a method on one state of a data set under one protocol, over seeds.

    Args:
        rank: Among the rows of the same test poses, labels, protocol and track; None for stand-in data, without AUROC, and
            for a transductive method.
        tie: Letter of the group of ranked rows that the test clips do not tell from its first; None without a rank.
        transductive: Whether a score of any seed was found to depend on which other test clips are scored.
        method: Name and changes.
        track: Which rows it may be ranked with.
        dataset: Name of the data set.
        dataset_settings: The settings it was read with, ``key=value``, as far as any were given.
        stand_in: True for data that are never a result.
        protocol: Name of the protocol.
        protocol_digest: 12 hex digits over its rule.
        config_hash: 12 hex digits over the configuration.
        data: 12 hex digits over poses and labels.
        test: 12 hex digits over test poses and labels.
        seeds: The seeds, ascending.
        auroc: Smoothed, micro.
        interval: The ends of its 95 % interval over clips, in [0, 1]; None where nothing can be said.
        auroc_raw: Not smoothed, micro.
        ap: Average precision, smoothed.
        parameters: Numbers that were learned; the most of any seed.
        fit_s: Mean seconds of training.
        windows_per_s: Mean test windows scored a second; None where unknown.
        runs: Folders of the runs, by seed.
    """

    rank: int | None
    tie: str | None
    transductive: bool
    method: str
    track: str
    dataset: str
    dataset_settings: str
    stand_in: bool
    protocol: str
    protocol_digest: str
    config_hash: str
    data: str
    test: str
    seeds: tuple[int, ...]
    auroc: Spread
    interval: tuple[float, float] | None
    auroc_raw: Spread
    ap: Spread
    parameters: int
    fit_s: float
    windows_per_s: float | None
    runs: tuple[Path, ...]


def reproduced_rows(runs: Iterable[StoredRun]) -> tuple[list[ReproducedRow], list[VadbenchError]]:
    """Rows of stored runs, and why runs were left out.

    Of several runs of one configuration, seed and state of the data (other software versions, another device) the newest
    counts. Sorted by data set, track, protocol, then AUROC descending; stand-in data last.

    Returns:
        ``(rows, left_out)``; each error of ``left_out`` names the run it concerns.
    """
    groups: dict[tuple[object, ...], dict[int, list[StoredRun]]] = {}
    for run in runs:
        groups.setdefault(_group(run), {}).setdefault(run.record.seed, []).append(run)
    rows: list[tuple[ReproducedRow, ClipPairs]] = []
    left_out: list[VadbenchError] = []
    for by_seed in groups.values():
        chosen = []
        for seed in sorted(by_seed):
            newest_first = sorted(by_seed[seed], key=lambda run: (run.record.created, run.record.id, str(run.path)), reverse=True)
            found = _first_sound(newest_first, left_out)
            if found is not None:
                chosen.append(found)
        if chosen:
            rows.append(_row(chosen))
    return _ranked(rows), sorted(left_out, key=str)


def data_digest(dataset: DatasetRecord) -> str:
    """12 hex digits over the poses of every split and the test labels."""
    return _digest(sorted(dataset.poses.items()), dataset.labels)


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def dataset_settings(dataset: DatasetRecord) -> str:
    """The settings a data set was read with, ``key=value``, without its place on disk."""
    return ", ".join(f"{key}={value}" for key, value in sorted(dataset.settings.items()) if key != "root")


def _group(run: StoredRun) -> tuple[object, ...]:
    record = run.record
    return (
        *(record.method.label, record.method.track, record.method.config_hash),
        *(record.dataset.name, dataset_settings(record.dataset), record.dataset.stand_in, data_digest(record.dataset)),
        *(record.protocol, record.protocol_digest),
    )


def _first_sound(runs: Sequence[StoredRun], left_out: list[VadbenchError]) -> _Sound | None:
    """The first run whose scores give its record, so that an older one may stand in for a damaged one."""
    for run in runs:
        try:
            return run, recompute(run), counted_frames(run, run_pipeline(run)).pairs()
        except VadbenchError as error:
            left_out.append(error if error.where else type(error)(error.what, where=run.path, remedy=error.remedy))
    return None


def _row(chosen: Sequence[_Sound]) -> tuple[ReproducedRow, ClipPairs]:
    records = [run.record for run, _, _ in chosen]
    pairs = over_seeds([each for _, _, each in chosen])
    interval = auroc_interval(pairs)
    first = records[0]
    speeds = [record.cost.windows_per_s for record in records if record.cost.windows_per_s is not None]
    row = ReproducedRow(
        rank=None,
        tie=None,
        transductive=any(record.leak_check is not None and record.leak_check.transductive for record in records),
        method=first.method.label,
        track=first.method.track,
        dataset=first.dataset.name,
        dataset_settings=dataset_settings(first.dataset),
        stand_in=first.dataset.stand_in,
        protocol=first.protocol,
        protocol_digest=first.protocol_digest,
        config_hash=first.method.config_hash,
        data=data_digest(first.dataset),
        test=_digest(first.dataset.poses.get("test"), first.dataset.labels),
        seeds=tuple(record.seed for record in records),
        auroc=Spread.over([metrics.auroc for _, metrics, _ in chosen]),
        interval=(interval.low, interval.high) if interval.known else None,
        auroc_raw=Spread.over([metrics.auroc_raw for _, metrics, _ in chosen]),
        ap=Spread.over([metrics.ap for _, metrics, _ in chosen]),
        parameters=max(record.cost.parameters for record in records),
        fit_s=fmean(record.cost.fit_s for record in records),
        windows_per_s=fmean(speeds) if speeds else None,
        runs=tuple(run.path for run, _, _ in chosen),
    )
    return row, pairs


def _ranked(rows: Sequence[tuple[ReproducedRow, ClipPairs]]) -> list[ReproducedRow]:
    """Sorted, ranked, and with tie groups; equal AUROCs share a rank.

    Rows are ranked together only on the same test poses and labels: whoever finds people better, or reads the other family
    of published poses, is measured on something else. Which skeleton layout a method sees is its own choice, and plays no part.
    """
    ranked: list[ReproducedRow] = []
    for _, group in groupby(sorted(rows, key=lambda each: _order(each[0])), key=lambda each: _ranking(each[0])):
        together = list(group)
        means = [row.auroc.mean for row, _ in together if _has_rank(row)]
        ties = iter(tie_groups([pairs for row, pairs in together if _has_rank(row)]))
        for row, _ in together:
            mean = row.auroc.mean
            if mean is None or not _has_rank(row):
                ranked.append(row)
                continue
            rank = 1 + sum(other is not None and other > mean for other in means)
            ranked.append(replace(row, rank=rank, tie=next(ties)))
    return ranked


def _has_rank(row: ReproducedRow) -> bool:
    return row.auroc.mean is not None and not row.stand_in and not row.transductive


def _ranking(row: ReproducedRow) -> tuple[object, ...]:
    """Equal for rows that are ranked together, which stand together in the order of rows."""
    return (row.stand_in, row.dataset, row.dataset_settings, row.track, row.protocol, row.protocol_digest, row.test)


def _order(row: ReproducedRow) -> tuple[object, ...]:
    mean = row.auroc.mean
    place = (1, 0.0) if mean is None else (0, -mean)
    return (
        row.stand_in,
        row.dataset,
        row.dataset_settings,
        row.track,
        row.protocol,
        row.protocol_digest,
        row.test,
        *place,
        row.method,
        row.config_hash,
        row.data,
    )

"""Rows of leaderboards: stored runs grouped over seeds, every figure computed again from the raw scores; and their ranks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from vadbench.api import VadbenchError
from vadbench.report.comparison_frames import counted_frames, tie_groups
from vadbench.report.recompute import recompute, run_pipeline
from vadbench.report.row_figures import row_figures
from vadbench.store.folders import SCORES
from vadbench.store.row_record import RowMethod, RowRecord, SeedResult, mean_cost

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from vadbench.evaluation.clip_pairs import ClipPairs
    from vadbench.store.folders import StoredRun
    from vadbench.store.record import DatasetRecord, Metrics
    from vadbench.store.row_record import Spread


_Sound = tuple["StoredRun", "Metrics", "ClipPairs"]
"""A run whose scores give its record, its figures, and its ordered pairs."""


@dataclass(frozen=True, slots=True)
class ReproducedRow:
    """A row of a leaderboard, and its place there.

    Args:
        record: What it says: figures in [0, 1], costs, and what it was made of.
        runs: Folders of the runs, by seed; none for a row that was read from a file.
        rank: Among the reproduced rows of the same test poses, labels, protocol and track; None for stand-in data, without
            AUROC, for a transductive method, and for scores only.
        tie: Letter of the group of ranked rows that the test clips do not tell from its first; None without a rank, and for rows
            that were read from files, which hold no scores.
        place: Of a row of scores only, which has no rank: the rank it would have among the reproduced rows on these labels.
    """

    record: RowRecord
    runs: tuple[Path, ...] = ()
    rank: int | None = None
    tie: str | None = None
    place: int | None = None

    @property
    def method(self) -> str:
        """Name and changes."""
        return self.record.method.label

    @property
    def track(self) -> str:
        """Which rows it may be ranked with."""
        return self.record.method.track

    @property
    def config_hash(self) -> str | None:
        """12 hex digits over the configuration; None for scores only."""
        return self.record.method.config_hash

    @property
    def dataset(self) -> str:
        """Name of the data set."""
        return self.record.dataset.name

    @property
    def dataset_settings(self) -> str:
        """The settings it was read with, ``key=value``, as far as any were given."""
        return dataset_settings(self.record.dataset)

    @property
    def scores_only(self) -> bool:
        """Whether it was computed from scores that were sent in, which nobody can make again."""
        return self.record.scores_only

    @property
    def stand_in(self) -> bool:
        """True for data that are never a result."""
        return self.record.dataset.stand_in

    @property
    def data(self) -> str:
        """12 hex digits over poses and labels."""
        return data_digest(self.record.dataset)

    @property
    def test(self) -> str:
        """12 hex digits over test poses and labels."""
        return _digest(self.record.dataset.poses.get("test"), self.record.dataset.labels)

    @property
    def protocol(self) -> str:
        """Name of the protocol."""
        return self.record.protocol

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, ascending."""
        return tuple(result.seed for result in self.record.seeds)

    @property
    def auroc(self) -> Spread:
        """Smoothed, micro."""
        return self.record.auroc


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
    rows: list[tuple[ReproducedRow, ClipPairs | None]] = []
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


def rows_of_records(records: Iterable[RowRecord]) -> list[ReproducedRow]:
    """Rows that were read from files, sorted and ranked as those of stored runs are; without ties, which take scores."""
    return _ranked([(ReproducedRow(record), None) for record in records])


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
    first = records[0]
    results = tuple(
        SeedResult(
            seed=run.record.seed,
            auroc=metrics.auroc,
            auroc_raw=metrics.auroc_raw,
            ap=metrics.ap,
            scores=run.record.files[SCORES],
            cost=run.record.cost,
        )
        for run, metrics, _ in chosen
    )
    figures = row_figures(results, [pairs for _, _, pairs in chosen], chosen[0][0].labels()[0])
    settings = {key: value for key, value in first.dataset.settings.items() if key != "root"}
    record = RowRecord(
        method=RowMethod(**first.method.model_dump()),
        dataset=first.dataset.model_copy(update={"settings": settings}),
        protocol=first.protocol,
        protocol_digest=first.protocol_digest,
        seeds=results,
        auroc=figures.auroc,
        auroc_raw=figures.auroc_raw,
        ap=figures.ap,
        cost=mean_cost([each.cost for each in records]),
        interval=figures.interval,
        transductive=any(each.leak_check is not None and each.leak_check.transductive for each in records),
        oracles=figures.oracles,
        environment=first.environment,
    )
    return ReproducedRow(record, tuple(run.path for run, _, _ in chosen)), figures.pairs


def _ranked(rows: Sequence[tuple[ReproducedRow, ClipPairs | None]]) -> list[ReproducedRow]:
    """Sorted, ranked, and, where their pairs are known, with tie groups; equal AUROCs share a rank.

    Rows are ranked together only on the same test poses and labels: whoever finds people better, or reads the other family
    of published poses, is measured on something else. Which skeleton layout a method sees is its own choice, and plays no part.
    """
    ranked: list[ReproducedRow] = []
    for _, group in groupby(sorted(rows, key=lambda each: _order(each[0])), key=lambda each: _ranking(each[0])):
        together = list(group)
        means = [row.auroc.mean for row, _ in together if _has_rank(row)]
        pairs = [known for row, known in together if _has_rank(row) and known is not None]
        ties = iter(tie_groups(pairs) if len(pairs) == len(means) else [None] * len(means))
        for row, _ in together:
            mean = row.auroc.mean
            if mean is None or not _has_rank(row):
                ranked.append(row)
                continue
            rank = 1 + sum(other is not None and other > mean for other in means)
            ranked.append(replace(row, rank=rank, tie=next(ties)))
    return [_placed(row, ranked) for row in ranked]


def _has_rank(row: ReproducedRow) -> bool:
    return row.auroc.mean is not None and not (row.stand_in or row.record.transductive or row.scores_only)


def _placed(row: ReproducedRow, ranked: Sequence[ReproducedRow]) -> ReproducedRow:
    """A row of scores only with its place: it is counted, and takes no rank from a row that somebody can make again."""
    mean = row.auroc.mean
    if mean is None or not row.scores_only or row.stand_in:
        return row
    above = [
        other
        for other in ranked
        if other.rank is not None
        and _table(other) == _table(row)
        and other.record.dataset.labels == row.record.dataset.labels
        and (other.auroc.mean or 0.0) > mean
    ]
    return replace(row, place=1 + len(above))


def _table(row: ReproducedRow) -> tuple[object, ...]:
    """Equal for rows that stand in one table."""
    return (row.stand_in, row.dataset, row.dataset_settings, row.track, row.protocol, row.record.protocol_digest)


def _ranking(row: ReproducedRow) -> tuple[object, ...]:
    """Equal for rows that are ranked together, which stand together in the order of rows; scores only below the others."""
    return (*_table(row), row.scores_only, row.test)


def _order(row: ReproducedRow) -> tuple[object, ...]:
    mean = row.auroc.mean
    place = (1, 0.0) if mean is None else (0, -mean)
    return (*_ranking(row), *place, row.method, row.config_hash or "", row.data)

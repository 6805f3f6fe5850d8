"""Two methods on the same test clips: AUROCs with intervals, their difference, and whether these clips tell them apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vadbench.api import UsageError
from vadbench.evaluation.clip_pairs import over_seeds
from vadbench.evaluation.intervals import RESAMPLES, auroc_interval
from vadbench.evaluation.paired import difference_interval, exchange_test
from vadbench.evaluation.published_protocols import stand_in_values
from vadbench.report.comparison_frames import counted_frames
from vadbench.report.formatting import STAND_IN
from vadbench.report.recompute import run_protocol
from vadbench.report.reproduced import data_digest, dataset_settings
from vadbench.store.row_record import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from vadbench.evaluation.intervals import Interval
    from vadbench.evaluation.paired import ExchangeTest
    from vadbench.evaluation.protocol import Protocol
    from vadbench.store.folders import StoredRun


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two methods.

    Args:
        name: As tables and the sentence call it.
        seeds: The seeds, ascending.
        auroc: Micro, over seeds.
        interval: Of the mean over these seeds; over clips.
        runs: Folders of the runs, by seed.
    """

    name: str
    seeds: tuple[int, ...]
    auroc: Spread
    interval: Interval
    runs: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is known of the difference between two methods.

    Args:
        dataset: Name of the data set.
        stand_in: True for data that are never a result.
        protocol: Under which both were scored.
        clips: Clips that have a frame that counts.
        frames: Frames that count.
        a: The first method.
        b: The second.
        difference: AUROC of a minus AUROC of b, each the mean over its seeds; None where a class is absent.
        interval: Of the difference, over clips.
        test: The permutation test of it.
        notes: What has to be known to read it, a sentence each.
    """

    dataset: str
    stand_in: bool
    protocol: str
    clips: int
    frames: int
    a: Side
    b: Side
    difference: float | None
    interval: Interval
    test: ExchangeTest
    notes: tuple[str, ...]


def labelled(runs: Sequence[StoredRun], label: str | None) -> list[StoredRun]:
    """The runs of one method, by what tables call it; all of them without a label.

    Raises:
        UsageError: if no run has the label.
    """
    found = [run for run in runs if label is None or run.record.method.label == label]
    if not found:
        known = sorted({run.record.method.label for run in runs})
        raise UsageError(
            f"no run here is called {label!r}", where=f"{runs[0].path} and others", remedy=f"the methods are {'; '.join(known)}"
        )
    return found


def compare(
    a: Sequence[StoredRun], b: Sequence[StoredRun], *, protocol: Protocol | None = None, resamples: int = RESAMPLES
) -> Comparison:
    """Compares two methods.

    Args:
        a: Runs of one method on one data set, one or several seeds; of several runs of a seed the newest counts.
        b: Runs of another method, or of another configuration, on the same test clips.
        protocol: How both are scored; None for the one that they were evaluated under.
        resamples: For intervals and test.

    Raises:
        UsageError: if ``a`` or ``b`` mixes methods or data, both are the same runs, their data sets or test labels differ, or
            they were evaluated under different protocols and none is given.
        DriftError: if a file has changed since its run was recorded.
        DataError: if a file is missing or damaged, or the protocol cannot take the scores.
    """
    runs_a, runs_b = _one_method(a, "A"), _one_method(b, "B")
    first_a, first_b = runs_a[0].record, runs_b[0].record
    _check_comparable(runs_a, runs_b)
    protocol = _own_protocol([*runs_a, *runs_b]) if protocol is None else protocol
    pipeline = protocol.on(first_a.dataset.name)
    frames_a, frames_b = ([counted_frames(run, pipeline) for run in runs] for runs in (runs_a, runs_b))
    each_a, each_b = ([frames.pairs() for frames in found] for found in (frames_a, frames_b))
    pairs_a, pairs_b = over_seeds(each_a), over_seeds(each_b)
    sides = [
        Side(
            name=run[0].record.method.label,
            seeds=tuple(each.record.seed for each in run),
            auroc=Spread.over([None if math.isnan(pairs.auroc) else pairs.auroc for pairs in each]),
            interval=auroc_interval(together, resamples=resamples),
            runs=tuple(each.path for each in run),
        )
        for run, each, together in ((runs_a, each_a, pairs_a), (runs_b, each_b, pairs_b))
    ]
    means = (sides[0].auroc.mean, sides[1].auroc.mean)
    notes = [f"{first_a.dataset.name}: {STAND_IN}."] if first_a.dataset.stand_in or first_b.dataset.stand_in else []
    return Comparison(
        dataset=first_a.dataset.name,
        stand_in=first_a.dataset.stand_in or first_b.dataset.stand_in,
        protocol=protocol.name,
        clips=pairs_a.n_clips,
        frames=int(pairs_a.abnormal.sum() + pairs_a.normal.sum()),
        a=sides[0],
        b=sides[1],
        difference=None if means[0] is None or means[1] is None else means[0] - means[1],
        interval=difference_interval(pairs_a, pairs_b, resamples=resamples),
        test=exchange_test(
            frames_a[0].abnormal, [each.score for each in frames_a], [each.score for each in frames_b], resamples=resamples
        ),
        notes=(*notes, *_notes(runs_a, runs_b, protocol)),
    )


def _one_method(runs: Sequence[StoredRun], which: str) -> list[StoredRun]:
    """The newest run of each seed, by seed.

    Raises:
        UsageError: unless all are of one configuration of one method, on one state of one data set, under one protocol.
    """
    kinds: dict[str, set[str]] = {
        "methods": {run.record.method.label for run in runs},
        "data sets": {run.record.dataset.name for run in runs},
        "tracks": {run.record.method.track for run in runs},
        "configurations": {run.record.method.config_hash for run in runs},
        "settings of the data set": {dataset_settings(run.record.dataset) or "none" for run in runs},
        "states of the data": {data_digest(run.record.dataset) for run in runs},
    }
    for kind, found in kinds.items():
        if len(found) > 1:
            remedy = "give the folder of one method on one data set, such as runs/METHOD/DATASET, or a single run folder"
            if kind == "methods":
                remedy += f"; or choose one by its name, such as --label-{which.lower()} '{min(found)}'"
            raise UsageError(
                f"{which} mixes {len(found)} {kind}: {'; '.join(sorted(found))}",
                where=f"{runs[0].path} and others",
                remedy=remedy,
            )
    newest: dict[int, StoredRun] = {}
    for run in sorted(runs, key=lambda run: (run.record.created, run.record.id, str(run.path))):
        newest[run.record.seed] = run
    return [newest[seed] for seed in sorted(newest)]


def _check_comparable(a: Sequence[StoredRun], b: Sequence[StoredRun]) -> None:
    data_a, data_b = a[0].record.dataset, b[0].record.dataset
    where = f"{a[0].path} and {b[0].path}"
    if {run.path.resolve() for run in a} & {run.path.resolve() for run in b}:
        raise UsageError("A and B have a run in common", where=where, remedy="give two methods, or two configurations of one")
    if data_a.name != data_b.name:
        raise UsageError(
            f"A is on {data_a.name}, B on {data_b.name}", where=where, remedy="compare two methods on the same data set"
        )
    if data_a.labels != data_b.labels:
        raise UsageError(
            f"A and B were tested on different labels of {data_a.name}",
            where=where,
            remedy="run both on the same state of the data set",
        )


def _own_protocol(runs: Iterable[StoredRun]) -> Protocol:
    runs = list(runs)
    names = sorted({run.record.protocol for run in runs})
    if len(names) > 1:
        raise UsageError(
            f"the runs were evaluated under different protocols: {', '.join(names)}",
            where=f"{runs[0].path} and {runs[-1].path}",
            remedy=f"name one for both: --protocol {names[0]}",
        )
    return [run_protocol(run) for run in runs][0]  # noqa: RUF015 - the protocol of each has to be checked


def _notes(a: Sequence[StoredRun], b: Sequence[StoredRun], protocol: Protocol) -> list[str]:
    record_a, record_b = a[0].record, b[0].record
    found = []
    if record_a.dataset.poses.get("test") != record_b.dataset.poses.get("test"):
        found.append("The test poses of A and B differ: part of the difference may be due to them.")
    elif record_a.dataset.poses != record_b.dataset.poses:
        found.append("The training poses of A and B differ: part of the difference may be due to them.")
    if record_a.method.track != record_b.method.track:
        found.append(f"A is {record_a.method.track}, B is {record_b.method.track}: they were not given the same to learn from.")
    for name, runs in (("A", a), ("B", b)):
        if any(run.record.leak_check is not None and run.record.leak_check.transductive for run in runs):
            found.append(f"{name} is transductive: its scores of a clip depend on which other test clips are scored.")
    if stand_in_values(protocol, record_a.dataset.name):
        found.append(
            f"Nobody published shift and smoothing of {protocol.name} for {record_a.dataset.name}: "
            "those for ShanghaiTech stand in."
        )
    if protocol.on(record_a.dataset.name).metric != "micro-auroc":
        found.append(f"The figure of {protocol.name} itself is the macro AUROC; compared is the micro AUROC of its frame scores.")
    if len(a) == 1 or len(b) == 1:
        found.append("With one seed it is not known how much a figure changes from one training to the next.")
    return found

"""Ablations for tests of reports: stored runs made up, nothing trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stored_runs import made_labels, made_scores, write_run

from vadbench.engine.ablation.plan import AblationPlan
from vadbench.engine.ablation.readings import Figure
from vadbench.engine.ablation.runs import Ablation
from vadbench.engine.plugins import load_plugins

if TYPE_CHECKING:
    from vadbench.engine.ablation.grid import Grid, Variant
    from vadbench.store.folders import StoredRun

CLIPS = {f"{i % 3:02d}_{i:02d}": ((10, 10 + 3 * i),) if i % 4 else () for i in range(12)}
"""Twelve clips, as an interval takes ten, and their abnormal stretches."""


def ablated_run(
    root: Path, variant: str, seed: int, *, skill: float, dataset: str = "campus", stand_in: bool = False
) -> StoredRun:
    """A stored run of a variant with the terms ``semantic`` and ``detail``."""
    labels = made_labels(CLIPS)
    scores = made_scores(
        labels, seed=seed + 100 * sum(map(ord, variant)), skill=skill, terms=True, persons=dict.fromkeys(CLIPS, (1, 2))
    )
    return write_run(
        root, method=variant, dataset=dataset, seed=seed, labels=labels, scores=scores, stand_in=stand_in, fit_s=2.0 + seed
    )


def ablation_of(
    grid: Grid,
    runs: Mapping[str, Mapping[int, StoredRun]],
    variants: tuple[Variant, ...] | None = None,
    *,
    datasets: tuple[str, ...] = ("campus",),
    seeds: tuple[int, ...] = (0, 1, 2),
) -> Ablation:
    """An ablation that made these runs of variants on the first data set; readings are read from them.

    Args:
        grid: Of the variants.
        runs: Name of a variant to seed to run.
        variants: Those shown; by default all of the grid.
        datasets: Names.
        seeds: That were asked for.
    """
    shown = grid.variant if variants is None else variants
    plan = AblationPlan("msgflow", grid, tuple(shown), datasets, seeds, (), (), defaulted=False)
    registry = load_plugins().registry
    figures = {
        (0, variant.name): {seed: Figure(run, variant.reading, registry) for seed, run in runs[source].items()}
        for variant in shown
        if (source := grid.source(variant).name) in runs
    }
    return Ablation(plan, figures, (), reused=0, made=sum(map(len, runs.values())))

"""A plan: method x data set x seed, resolved before anything is computed, so that a typing error costs no time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vadbench.engine.config import ResolvedMethod, resolve
from vadbench.engine.datasets import data_root, default_datasets, open_dataset, split_changes
from vadbench.engine.presets import load_preset
from vadbench.evaluation.published_protocols import STANDARD_V1

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vadbench.api import Dataset, Kind
    from vadbench.engine.plugins import Plugins
    from vadbench.evaluation.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Job:
    """One run to be made."""

    resolved: ResolvedMethod
    dataset: Dataset
    dataset_settings: Mapping[str, Any]
    seed: int
    protocol: Protocol = STANDARD_V1


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs to be made, one data set after another; ``defaulted`` when the user named no data set."""

    jobs: tuple[Job, ...]
    defaulted: bool


def make_plan(
    method: str,
    plugins: Plugins,
    *,
    datasets: Sequence[str] = (),
    root: Path | None = None,
    seeds: Sequence[int] = (0,),
    swaps: Mapping[Kind, str] | None = None,
    changes: Sequence[str] = (),
) -> Plan:
    """Every run that a command asks for, checked as far as it can be without reading data.

    Args:
        method: A preset's name, a detector's name, or a TOML file.
        plugins: Installed plug-ins.
        datasets: Names or folders; by default those found below the data root, else the stand-in.
        root: Data root; by default ``$VADBENCH_DATA``.
        seeds: One run each.
        swaps: Kind to component name.
        changes: ``key=value``; keys that begin with ``dataset.`` are settings of the data set.

    Raises:
        VadbenchError: for whatever the user wrote that cannot be meant.
    """
    registry, folder = plugins.registry, data_root(root)
    preset = load_preset(method, registry)
    method_changes, dataset_settings = split_changes(changes)
    chosen = list(datasets) or default_datasets(registry, root=folder)
    jobs = []
    for name in dict.fromkeys(chosen):
        dataset = open_dataset(name, registry, root=folder, settings=dataset_settings)
        resolved = resolve(preset, registry, dataset=dataset.info.name, swaps=swaps or {}, changes=method_changes)
        jobs += [Job(resolved, dataset, dataset_settings, seed) for seed in dict.fromkeys(seeds)]
    return Plan(tuple(jobs), defaulted=not datasets)

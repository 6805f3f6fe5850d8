"""A plan: methods x data sets x seeds, resolved before anything is computed, so that a typing error costs no time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vadbench.api import PluginError, UsageError
from vadbench.engine.config import ResolvedMethod, resolve
from vadbench.engine.datasets import data_root, default_datasets, open_dataset, split_changes
from vadbench.engine.presets import load_preset
from vadbench.engine.weights import Pretrained
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
    pretrained: Pretrained | None = None
    """Weights that the method takes instead of being trained."""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A method that cannot be run on a data set because a plug-in fails as soon as it is asked for its settings."""

    method: str
    dataset: str
    error: PluginError


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs to be made.

    Args:
        jobs: One data set after another, on each one method after another.
        defaulted: When the user named no data set.
        unplanned: Methods that broken plug-ins leave out of a plan of several.
    """

    jobs: tuple[Job, ...]
    defaulted: bool
    unplanned: tuple[Unplanned, ...] = ()


def make_plan(
    methods: str | Sequence[str],
    plugins: Plugins,
    *,
    datasets: Sequence[str] = (),
    root: Path | None = None,
    seeds: Sequence[int] = (0,),
    swaps: Mapping[Kind, str] | None = None,
    changes: Sequence[str] = (),
    weights: Path | None = None,
    allow_programs: bool | None = None,
) -> Plan:
    """Every run that a command asks for, checked as far as it can be without reading data.

    Args:
        methods: One or several: a preset's name, a detector's name, ``NAME:VARIANT``, or a TOML file.
        plugins: Installed plug-ins.
        datasets: Names or folders; by default those found below the data root, else the stand-in.
        root: Data root; by default ``$VADBENCH_DATA``.
        seeds: One run each.
        swaps: Kind to component name.
        changes: ``key=value``; keys that begin with ``dataset.`` are settings of the data set.
        weights: File of weights that the method takes instead of being trained.
        allow_programs: Whether components may start programs that their settings name; by default those of the user's own
            settings may, and those of a card of weights may not.

    Raises:
        ProgramsRefusedError: for a component that may not.
        UsageError, ConfigError: for whatever the user wrote that cannot be meant.
        PluginError: for a broken plug-in, where one method was asked for and it leaves nothing to run.
    """
    registry, folder = plugins.registry, data_root(root)
    named = dict.fromkeys([methods] if isinstance(methods, str) else methods)
    pretrained = Pretrained.read(weights) if weights is not None else None
    # The card has the whole configuration: its method need not be one that can be found by name, as one of a TOML file cannot.
    presets = {
        method: {"name": method} if pretrained is not None and method == pretrained.card.method else load_preset(method, registry)
        for method in named
    }
    if pretrained is not None and swaps:
        raise UsageError(
            f"the weights are of {pretrained.card.method} as it is; with another {', '.join(swaps)} they do not fit",
            where=weights,
            remedy="leave out --weights, or the other component",
        )
    method_changes, dataset_settings = split_changes(changes)
    chosen = list(datasets) or default_datasets(registry, root=folder)
    allowed = pretrained is None if allow_programs is None else allow_programs
    jobs: list[Job] = []
    unplanned: list[Unplanned] = []
    for name in dict.fromkeys(chosen):
        dataset = open_dataset(name, registry, root=folder, settings=dataset_settings)
        for method, preset in presets.items():
            own = preset if pretrained is None else pretrained.preset(preset["name"], dataset.info.name)
            try:
                resolved = resolve(
                    own,
                    registry,
                    dataset=dataset.info.name,
                    swaps=swaps or {},
                    changes=method_changes,
                    allow_programs=allowed,
                )
            except PluginError as error:
                unplanned.append(Unplanned(method, dataset.info.name, error))
                continue
            if pretrained is not None:
                pretrained.check_windows(resolved)
            jobs += [Job(resolved, dataset, dataset_settings, seed, pretrained=pretrained) for seed in dict.fromkeys(seeds)]
    if unplanned and not jobs and len(presets) == 1:
        raise unplanned[0].error
    return Plan(tuple(jobs), not datasets, tuple(unplanned))

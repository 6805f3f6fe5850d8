"""From a grid to jobs: variants x data sets x seeds, each distinct run once, in an order in which parts are shared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vadbench.api import UsageError, VadbenchError
from vadbench.engine.ablation.grid import grid_of
from vadbench.engine.config import PARTS, digest_of, parse_change
from vadbench.engine.datasets import data_root, default_datasets, split_changes
from vadbench.engine.plan import make_plan
from vadbench.engine.presets import load_preset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vadbench.api import Kind
    from vadbench.engine.ablation.grid import Grid, Variant
    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins


@dataclass(frozen=True, slots=True)
class AblationRequest:
    """What the user asked for, in plain values, so that another process can plan the same.

    Args:
        method: As `make_plan` takes it.
        grid: Name of a shipped grid, or a TOML file; None for that of the method.
        only: Variants and subsets; none for the default subset.
        factorial: Every combination of the grid's factors instead of variants.
        datasets: As `make_plan` takes them.
        root: Data root.
        seeds: One run each.
        changes: ``key=value``, for all variants. Those to a part that a variant swaps count as far as the new part has the key.
    """

    method: str
    grid: str | None = None
    only: tuple[str, ...] = ()
    factorial: bool = False
    datasets: tuple[str, ...] = ()
    root: Path | None = None
    seeds: tuple[int, ...] = (0,)
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Variants that have no figure, and why; plain values, as it may come from another process."""

    variants: tuple[str, ...]
    dataset: str
    seed: int | None
    what: str
    where: str | None
    remedy: str | None
    exit_code: int

    @classmethod
    def of(cls, error: VadbenchError, variants: Sequence[str], dataset: str, seed: int | None) -> Failure:
        """From an error."""
        return cls(tuple(variants), dataset, seed, error.what, error.where, error.remedy, error.exit_code)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run, and the variants whose figures come from it.

    Args:
        job: What to run.
        group: Runs of one group may share trained parts: they are of one data set and seed, and made one after another.
        variants: Names, the first of them the one that the run is made for.
    """

    job: Job
    group: int
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AblationPlan:
    """What an ablation runs.

    Args:
        method: Name of the method.
        grid: That the variants are of.
        variants: That are shown, the base first.
        datasets: Names, in the order asked for.
        seeds: The seeds.
        runs: Group after group; within a group the base first, then runs that share most with those before them.
        failed: Variants that cannot be run at all.
        defaulted: Whether the user named no data set.
    """

    method: str
    grid: Grid
    variants: tuple[Variant, ...]
    datasets: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: tuple[PlannedRun, ...]
    failed: tuple[Failure, ...]
    defaulted: bool


def plan_ablation(request: AblationRequest, plugins: Plugins) -> AblationPlan:
    """Every run that an ablation needs.

    Variants that resolve to the same settings are one run, and readings need none of their own. A variant that cannot be
    resolved, as its component is not installed, is a failure of the plan and stops no other.

    Raises:
        UsageError: for options that exclude each other.
        VadbenchError: for a grid that cannot be read, and for whatever keeps the base itself from being run.
    """
    if request.factorial and request.only:
        raise UsageError(
            "--factorial runs every combination of the grid's factors, and --only names variants",
            where="--factorial, --only",
            remedy="give one of them",
        )
    preset = load_preset(request.method, plugins.registry)
    grid = grid_of(request.method, request.grid, plugins.registry)
    base = grid.named(grid.base)
    variants = [base, *grid.combinations()] if request.factorial else grid.chosen(request.only)
    # Readings need the runs of the variants they are read from, shown or not.
    sources = {grid.source(variant).name: grid.source(variant) if variant.reading else variant for variant in variants}
    readers = {name: [each.name for each in variants if grid.source(each).name == name] for name in sources}
    names = list(dict.fromkeys(request.datasets)) or default_datasets(plugins.registry, root=data_root(request.root))
    seeds = tuple(dict.fromkeys(request.seeds))
    planner = _Planner(request, preset, plugins)
    runs: list[PlannedRun] = []
    failed: list[Failure] = []
    titles = []
    for i, dataset in enumerate(names):
        found: dict[str, tuple[list[Job], list[str]]] = {}
        for source in sources.values():
            try:
                jobs = planner.jobs(source, dataset)
            except VadbenchError as error:
                if source is base:
                    raise
                failed.append(Failure.of(error, readers[source.name], dataset, None))
                continue
            _, waiting = found.setdefault(jobs[0].resolved.digest, (jobs, []))
            waiting += readers[source.name]
        titles.append(next(iter(found.values()))[0][0].dataset.info.name)
        ordered = _sharing_order(list(found.values()))
        for k in range(len(seeds)):
            runs += [PlannedRun(jobs[k], i * len(seeds) + k, tuple(waiting)) for jobs, waiting in ordered]
    return AblationPlan(
        method=runs[0].job.resolved.method.name,
        grid=grid,
        variants=tuple(variants),
        datasets=tuple(titles),
        seeds=seeds,
        runs=tuple(runs),
        failed=tuple(failed),
        defaulted=not request.datasets,
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    """Makes the jobs of variants."""

    request: AblationRequest
    preset: Mapping[str, Any]
    plugins: Plugins

    def jobs(self, variant: Variant, dataset: str) -> list[Job]:
        """The variant's jobs on a data set, one a seed."""
        common = [change for change in self.request.changes if self._counts(change, variant)]
        plan = make_plan(
            self.request.method,
            self.plugins,
            datasets=[dataset],
            root=self.request.root,
            seeds=self.request.seeds,
            swaps=dict[Any, str](variant.swaps),
            changes=[*common, *variant.set],
        )
        return list(plan.jobs)

    def _counts(self, change: str, variant: Variant) -> bool:
        """Whether a change for all variants counts in this one: not if it is of a part swapped for one without the key."""
        section, key, *_ = parse_change(change)[0].split(".")
        kind: Kind | None = next((part for part in PARTS if part == section), None)
        name = None if kind is None else dict[Any, str](variant.swaps).get(kind)
        if kind is None or name is None or name == self._base_name(kind):
            return True
        if name == "none" or key == "name":
            return False
        return key in self.plugins.registry.get(kind, name).load_config().model_fields

    def _base_name(self, kind: Kind) -> str | None:
        """The component that the method itself has in a slot, after the user's changes."""
        changes = map(parse_change, split_changes(self.request.changes)[0])
        named = [str(value) for key, value in changes if key == f"{kind}.name"]
        section = self.preset.get(kind)
        return named[-1] if named else section.get("name") if isinstance(section, dict) else None


def _sharing_order(found: list[tuple[list[Job], list[str]]]) -> list[tuple[list[Job], list[str]]]:
    """Runs of equal windows and tokenizer together, and within these those of equal prior; otherwise as they came."""
    places: dict[tuple[str, ...], int] = {}

    def place(jobs: list[Job]) -> tuple[int, int]:
        settings = jobs[0].resolved.settings
        tokens = digest_of({key: settings.get(key) for key in ("windows", "tokenizer")})
        prior = digest_of({key: settings.get(key) for key in ("prior", "composition")})
        first = places.setdefault((tokens,), len(places))
        return first, places.setdefault((tokens, prior), len(places))

    marked = [(place(jobs), (jobs, waiting)) for jobs, waiting in found]
    return [each for _, each in sorted(marked, key=lambda pair: pair[0])]

"""Running an ablation: the planned runs one after another, or several groups of them at once; what fails stops no other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vadbench.api import Silent, VadbenchError
from vadbench.engine.ablation.plan import Failure, plan_ablation
from vadbench.engine.ablation.readings import Figure
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.store.folders import open_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from vadbench.api import Progress
    from vadbench.engine.ablation.grid import Variant
    from vadbench.engine.ablation.plan import AblationPlan, AblationRequest, PlannedRun
    from vadbench.engine.plugins import Plugins

PARTS: Final = ".parts"
"""Folder below that of all runs in which trained parts are shared; deleting it costs time and nothing else."""


@dataclass(frozen=True, slots=True)
class Execution:
    """How runs are made.

    Args:
        out: Folder of all runs.
        device: As `choose_device` gives it.
        threads: CPU threads of each run.
        force: Run again even if a finished identical run is there; trained parts are still shared.
        processes: Groups of runs that are made at once. A group, a data set and a seed, is made by one process, so no two
            processes train the same part.
    """

    out: Path
    device: str = "cpu"
    threads: int = 1
    force: bool = False
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Ablation:
    """An ablation that has been run.

    Args:
        plan: What was planned.
        figures: (index of the data set, name of the variant) to seed to where its figure comes from.
        failed: Variants without a figure, those of the plan among them.
        reused: Runs that were found finished.
        made: Runs that were made.
    """

    plan: AblationPlan
    figures: dict[tuple[int, str], dict[int, Figure]] = field(default_factory=dict)
    failed: tuple[Failure, ...] = ()
    reused: int = 0
    made: int = 0

    def of(self, dataset: int, variant: Variant) -> dict[int, Figure]:
        """Figures of a variant on the i-th data set, by seed; those that failed are not there."""
        return self.figures.get((dataset, variant.name), {})


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of a planned run: its folder, or a failure. Plain values, as it may come from another process."""

    index: int
    path: Path | None
    reused: bool
    failure: Failure | None


def run_ablation(
    plan: AblationPlan,
    request: AblationRequest,
    plugins: Plugins,
    execution: Execution,
    *,
    progress: Progress | None = None,
    on_failure: Callable[[Failure], None] | None = None,
) -> Ablation:
    """Makes every planned run that is not there yet.

    Args:
        plan: What to run.
        request: That it was planned for: other processes plan it again.
        plugins: Installed plug-ins.
        execution: How.
        progress: Where to show progress.
        on_failure: Called as soon as a run has failed.
    """
    progress = progress or Silent()
    figures: dict[tuple[int, str], dict[int, Figure]] = {}
    failed, reused, made = list(plan.failed), 0, 0
    with progress.task("ablation", len(plan.runs)) as advance:
        for each in _results(plan, request, plugins, execution, progress):
            advance(1)
            planned = plan.runs[each.index]
            if each.failure is not None or each.path is None:
                failure = each.failure
                assert failure is not None  # noqa: S101 - there is a folder or a failure
                failed.append(failure)
                if on_failure is not None:
                    on_failure(failure)
                continue
            reused, made = reused + each.reused, made + (not each.reused)
            run = open_run(each.path)
            for variant in plan.variants:
                if variant.name in planned.variants:
                    key = planned.group // len(plan.seeds), variant.name
                    figures.setdefault(key, {})[planned.job.seed] = Figure(run, variant.reading, plugins.registry)
    return Ablation(plan, figures, tuple(failed), reused, made)


def _results(
    plan: AblationPlan, request: AblationRequest, plugins: Plugins, execution: Execution, progress: Progress
) -> Iterator[_Made]:
    if execution.processes == 1:
        yield from _made(range(len(plan.runs)), plan.runs, plugins, execution, progress)
        return
    from joblib import Parallel, delayed

    groups = dict.fromkeys(planned.group for planned in plan.runs)
    calls = (delayed(_group_in_another_process)(request, group, execution) for group in groups)
    for results in Parallel(n_jobs=execution.processes, return_as="generator_unordered")(calls):
        yield from results


def _group_in_another_process(request: AblationRequest, group: int, execution: Execution) -> list[_Made]:
    """Plans anew what the first process planned, and makes the runs of one group: only plain values cross between processes."""
    plugins = load_plugins()
    runs = plan_ablation(request, plugins).runs
    return list(_made([i for i, run in enumerate(runs) if run.group == group], runs, plugins, execution, Silent()))


def _made(
    indices: Iterable[int], runs: tuple[PlannedRun, ...], plugins: Plugins, execution: Execution, progress: Progress
) -> Iterator[_Made]:
    for i in indices:
        job = runs[i].job
        try:
            outcome = run_job(
                job,
                plugins,
                out=execution.out,
                device=execution.device,
                threads=execution.threads,
                force=execution.force,
                progress=progress,
                shared_parts=execution.out / PARTS,
            )
        except VadbenchError as error:
            yield _Made(i, None, reused=False, failure=Failure.of(error, runs[i].variants, job.dataset.info.name, job.seed))
        else:
            yield _Made(i, outcome.run.path, outcome.reused, None)

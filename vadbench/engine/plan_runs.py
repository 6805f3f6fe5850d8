"""Making the runs of a plan one after another: one that fails does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vadbench.api import VadbenchError
from vadbench.engine.run import run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vadbench.api import Progress
    from vadbench.engine.plan import Job, Plan
    from vadbench.engine.plugins import Plugins
    from vadbench.engine.run import Outcome, TrainingOptions


def plan_runs(
    plan: Plan,
    plugins: Plugins,
    *,
    out: Path,
    device: str,
    threads: int = 1,
    force: bool = False,
    progress: Progress | None = None,
    options: TrainingOptions | None = None,
    announce: Callable[[str], None] | None = None,
) -> Iterator[tuple[Job, Outcome | VadbenchError]]:
    """Each job of a plan with its stored run, or why there is none; arguments as `run_job` takes them."""
    for job in plan.jobs:
        try:
            yield (
                job,
                run_job(
                    job,
                    plugins,
                    out=out,
                    device=device,
                    threads=threads,
                    force=force,
                    progress=progress,
                    options=options,
                    announce=announce,
                ),
            )
        except VadbenchError as error:
            yield job, error

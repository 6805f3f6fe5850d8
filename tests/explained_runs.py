"""Tiny stored runs, opened as ``vadbench explain`` opens them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tiny_methods import TINY_MSGFLOW

from vadbench.api import Silent
from vadbench.engine.explaining.explanation import Explained, check_explainable, explained
from vadbench.engine.plan import make_plan
from vadbench.engine.plugins import load_plugins
from vadbench.engine.run import run_job
from vadbench.engine.trained import checking_context, dataset_of_run, inputs_of_run, method_of_run, trained_of_run

if TYPE_CHECKING:
    from vadbench.store.folders import StoredRun


def tiny_run(root: Path, data: Path, *changes: str, swaps: dict[str, str] | None = None) -> StoredRun:
    """A tiny run of msgflow, with changes and swapped parts."""
    plugins = load_plugins()
    plan = make_plan("msgflow", plugins, datasets=[str(data)], swaps=swaps or {}, changes=(*_for(swaps or {}), *changes))
    (job,) = plan.jobs
    return run_job(job, plugins, out=root).run


@contextmanager
def opened(run: StoredRun, data: Path) -> Iterator[Explained]:
    """A stored run, open for questions as long as the block lasts."""
    registry = load_plugins().registry
    method = method_of_run(run, registry)
    check_explainable(method, run.path)
    dataset = dataset_of_run(run.record, registry, name=str(data), root=None)
    with checking_context(method, run.record.seed, "cpu", Silent()) as context:
        inputs = inputs_of_run(run.record, method, dataset, context, cache=None)
        yield explained(trained_of_run(run, method, inputs, context), inputs, run.scores())


def _for(swaps: dict[str, str]) -> tuple[str, ...]:
    """The changes that make msgflow tiny, without those of parts that are swapped for others."""
    return tuple(change for change in TINY_MSGFLOW if change.partition(".")[0] not in swaps)

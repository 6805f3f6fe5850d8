"""``vadbench.run``: what ``vadbench run`` does, from a notebook or a script, with what was registered there."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vadbench.api import ConfigError, PluginError, RunFailedError, UsageError, VadbenchError
from vadbench.engine.device import choose_device
from vadbench.engine.plan import make_plan
from vadbench.engine.plan_runs import plan_runs
from vadbench.engine.plugins import load_plugins

if TYPE_CHECKING:
    from vadbench.api import Kind, Progress, WindowScores
    from vadbench.engine.plugins import Plugins
    from vadbench.engine.run import Outcome
    from vadbench.store.folders import StoredRun
    from vadbench.store.record import RunRecord

Names = str | Path | Sequence[str | Path] | None


@dataclass(frozen=True, slots=True, repr=False)
class FinishedRun:
    """A run that `run` made, or found finished.

    Args:
        stored: The run on disk.
        reused: Whether it was there already.
    """

    stored: StoredRun
    reused: bool

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """As `run_job` gives it."""
        return cls(outcome.run, outcome.reused)

    @property
    def record(self) -> RunRecord:
        """All that ``run.json`` says."""
        return self.stored.record

    @property
    def path(self) -> Path:
        """Folder of the run."""
        return self.stored.path

    @property
    def auroc(self) -> float | None:
        """Micro AUROC over frames under the run's protocol, from 0 to 1; None where frames of one class alone were tested."""
        return self.record.metrics.auroc

    def scores(self) -> WindowScores:
        """Scores of the test windows; raises `DriftError` when the file is not the one that was stored."""
        return self.stored.scores()

    def __repr__(self) -> str:
        record = self.record
        auroc = "undefined" if self.auroc is None else f"{self.auroc:.4f}"
        changes = f" ({', '.join(record.method.changes)})" if record.method.changes else ""
        stand_in = ", a generated stand-in" if record.dataset.stand_in else ""
        found = "found finished" if self.reused else "written"
        return (
            f"<{record.method.name}{changes} on {record.dataset.name}{stand_in}, seed {record.seed}: AUROC {auroc}, "
            f"{found}: {self.path}>"
        )


def run(
    method: str | Path | Sequence[str],
    *,
    dataset: Names = None,
    seeds: int | Sequence[int] = (0,),
    tokenizer: str | None = None,
    prior: str | None = None,
    flow: str | None = None,
    scorer: str | None = None,
    settings: Mapping[str, Any] | None = None,
    weights: str | Path | None = None,
    data_root: str | Path | None = None,
    out: str | Path = "runs",
    device: str = "auto",
    threads: int = 1,
    force: bool = False,
    progress: Progress | None = None,
) -> list[FinishedRun]:
    """Trains and evaluates a method, as ``vadbench run`` does, or finds the finished run; stores it below ``out``.

    What `vadbench.api.register` registered in this process is there by its name, beside all that is installed.

    Args:
        method: A name that ``vadbench list method`` shows, ``NAME:VARIANT``, a TOML file, or several of them.
        dataset: A name, a folder, or several; by default the HR data sets found below the data root, else synthetic-campus.
        seeds: One run each.
        tokenizer: Swaps the tokenizer; ``"none"`` leaves it out.
        prior: Swaps the prior, likewise.
        flow: Swaps the flow, likewise.
        scorer: Swaps the scorer.
        settings: Dotted key to value: ``{"detector.quantile": 0.9}``; keys that begin with ``dataset.`` are the data set's.
        weights: File of weights to take instead of training.
        data_root: Folder below which data sets lie; by default ``$VADBENCH_DATA``.
        out: Folder of all runs.
        device: ``cpu``, ``cuda``, ``cuda:1``, ..., or ``auto``.
        threads: CPU threads.
        force: Run again even if an identical run is there.
        progress: Where to show progress; by default nowhere.

    Returns:
        One run for each method, data set and seed, in the order in which they were made.

    Raises:
        UsageError, ConfigError: for a name or setting that is not known.
        PluginError: if a component fails, or what was registered in this process cannot be used.
        DataError: for data that is missing or damaged.
        RunFailedError: if some of several runs failed; the others are stored, and found by the next call.
    """
    if threads < 1:
        raise UsageError(f"{threads} threads cannot compute", where="threads", remedy="at least 1")
    plugins = _plugins()
    named: dict[Kind, str | None] = {"tokenizer": tokenizer, "prior": prior, "flow": flow, "scorer": scorer}
    plan = make_plan(
        [str(each) for each in _several(method)],
        plugins,
        datasets=[str(each) for each in _several(dataset)],
        root=None if data_root is None else Path(data_root),
        seeds=[seeds] if isinstance(seeds, int) else seeds,
        swaps={kind: name for kind, name in named.items() if name is not None},
        changes=[change_of(key, value) for key, value in (settings or {}).items()],
        weights=None if weights is None else Path(weights),
    )
    failed: list[tuple[str, VadbenchError]] = [(f"{one.method} on {one.dataset}", one.error) for one in plan.unplanned]
    done: list[FinishedRun] = []
    made = plan_runs(plan, plugins, out=Path(out), device=choose_device(device), threads=threads, force=force, progress=progress)
    for job, outcome in made:
        if isinstance(outcome, VadbenchError):
            failed.append((f"{job.resolved.method.name} on {job.dataset.info.name}, seed {job.seed}", outcome))
        else:
            done.append(FinishedRun.of(outcome))
    if len(failed) == 1 and not done:
        raise failed[0][1]
    if failed:
        told = "\n".join(f"{name}: {error}" for name, error in failed)
        raise RunFailedError(f"{len(failed)} of {len(failed) + len(done)} runs failed; the others are stored\n{told}", where=out)
    return done


def change_of(key: str, value: Any) -> str:
    """A setting as ``--set`` takes it: ``key=value``, with a value that is read back as it was.

    Raises:
        ConfigError: for a value that no setting can have.
    """
    return f"{key}={_as_toml(value, key)}"


def _as_toml(value: Any, key: str) -> str:
    if hasattr(value, "dtype") and hasattr(value, "item"):  # a NumPy number, which may be a float as well
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_as_toml(each, key) for each in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{json.dumps(str(name))} = {_as_toml(each, key)}' for name, each in value.items())}}}"
    raise ConfigError(
        f"{value!r} is no value of a setting", where=key, remedy="a truth value, a number, a string, or a list or mapping of such"
    )


def _several(given: Names) -> list[str | Path]:
    if given is None:
        return []
    return [given] if isinstance(given, (str, Path)) else list(given)


def _plugins() -> Plugins:
    """Installed plug-ins and what was registered here, of which nothing may have failed: whoever wrote it sits before it."""
    plugins = load_plugins()
    for status in plugins.failed:
        if status.origin == "process":
            raise PluginError(status.error or "it failed", where=status.where, remedy=status.remedy)
        warnings.warn(f"plug-in {status.name!r} was left out: {status.error}; vadbench plugin list shows more", stacklevel=3)
    return plugins

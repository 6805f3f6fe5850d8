"""``vadbench run``: plan, run, report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from vadbench.api.errors import RunFailedError, VadbenchError
from vadbench.cli.completion import ComponentName
from vadbench.cli.installed import installed_plugins
from vadbench.cli.progress import shown_progress
from vadbench.cli.seeds import parse_seeds

if TYPE_CHECKING:
    from vadbench.api.entry import Kind
    from vadbench.engine.plan import Job, Unplanned
    from vadbench.engine.run import Outcome


@dataclass(frozen=True, slots=True)
class _Failure:
    """What was to be run and was not, and why; ``told`` are its keys in JSON."""

    name: str
    told: dict[str, Any]
    error: VadbenchError

    @classmethod
    def of(cls, job: Job, error: VadbenchError) -> Self:
        resolved, dataset = job.resolved, job.dataset.info
        told = {
            "method": resolved.method.name,
            "dataset": dataset.name,
            "seed": job.seed,
            "protocol": job.protocol.name,
            "components": {kind: part.entry.name for kind, part in resolved.components.items()},
            "changes": list(resolved.changes),
            "config_hash": resolved.digest,
            "stand_in": dataset.stand_in,
        }
        return cls(f"{resolved.method.name} on {dataset.name}, seed {job.seed}", told, error)

    @classmethod
    def unplanned(cls, found: Unplanned) -> Self:
        unknown = dict.fromkeys(("seed", "protocol", "components", "changes", "config_hash", "stand_in"))
        told = {"method": found.method, "dataset": found.dataset, **unknown}
        return cls(f"{found.method} on {found.dataset}", told, found.error)

    def tell(self) -> None:
        click.echo(f"failed: {self.name}\n{self.error}", err=True)

    def row(self) -> dict[str, Any]:
        error = self.error
        said = {"what": error.what, "where": error.where, "remedy": error.remedy, "exit_code": error.exit_code}
        return {**self.told, "status": "failed", "metrics": None, "cost": None, "path": None, "error": said}


@click.command()
@click.argument("methods", metavar="METHOD...", nargs=-1, required=True, type=ComponentName())
@click.option("--dataset", "datasets", multiple=True, type=ComponentName("dataset"), help="Data set or folder; repeatable.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--seed", "seeds", multiple=True, default=("0",), show_default=True, metavar="N|N-M|N,N,...", help="Repeatable.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a setting: tokenizer.codebook_size=32.")
@click.option("--tokenizer", type=ComponentName("tokenizer"), help="Swap the tokenizer; 'none' leaves it out.")
@click.option("--prior", type=ComponentName("prior"), help="Swap the prior; 'none' leaves it out.")
@click.option("--flow", type=ComponentName("flow"), help="Swap the flow; 'none' leaves it out.")
@click.option("--scorer", type=ComponentName("scorer"), help="Swap the scorer.")
@click.option("--weights", type=click.Path(path_type=Path), help="Weights to take instead of training; see vadbench weights.")
@click.option("--allow-programs", is_flag=True, help="Let the card of --weights name programs to start on this machine.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ... or auto.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="CPU threads. Scores depend on their number in the last bits, and training on those: compare runs of one number.",
)
@click.option(
    "--checkpoint-minutes",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="Time between checkpoints; 0 for one after every step. A run that was killed is taken up again by the same command.",
)
@click.option(
    "--compile", "compiled", is_flag=True, help="Compile training and scoring with torch.compile; needs a C++ compiler."
)
@click.option("--tensorboard", type=click.Path(path_type=Path, file_okay=False), help="Write events for TensorBoard below DIR.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of all runs.")
@click.option("--force", is_flag=True, help="Run again even if an identical run is there, finished or not.")
@click.option("--no-plots", is_flag=True, help="Write no plots.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def run(
    methods: tuple[str, ...],
    datasets: tuple[str, ...],
    data_root: Path | None,
    seeds: tuple[str, ...],
    changes: tuple[str, ...],
    tokenizer: str | None,
    prior: str | None,
    flow: str | None,
    scorer: str | None,
    weights: Path | None,
    allow_programs: bool,
    device: str,
    threads: int,
    checkpoint_minutes: float,
    compiled: bool,
    tensorboard: Path | None,
    out: Path,
    force: bool,
    no_plots: bool,
    as_json: bool,
) -> None:
    """Train and evaluate each METHOD: a name that `vadbench list method` shows, NAME:VARIANT, or a TOML file.

    Without --dataset: the HR data sets found below the data root, else synthetic-campus. One that fails is reported and does
    not stop the others.
    """
    from vadbench.engine.device import choose_device
    from vadbench.engine.plan import make_plan
    from vadbench.engine.plan_runs import plan_runs
    from vadbench.engine.run import TrainingOptions

    plugins = installed_plugins()
    wanted: dict[Kind, str | None] = {"tokenizer": tokenizer, "prior": prior, "flow": flow, "scorer": scorer}
    swaps = {kind: name for kind, name in wanted.items() if name is not None}
    plan = make_plan(
        methods,
        plugins,
        datasets=datasets,
        root=data_root,
        seeds=parse_seeds(seeds),
        swaps=swaps,
        changes=changes,
        weights=weights,
        # In a method's own file, or by --set, the user has said so already.
        allow_programs=allow_programs or weights is None,
    )
    chosen_device = choose_device(device)
    if plan.defaulted and plan.jobs and all(job.dataset.info.stand_in for job in plan.jobs):
        click.echo(
            f"No data set was named and none was found below the data root: running on {plan.jobs[0].dataset.info.name}, "
            "a generated stand-in. Its figures try the software out; they are not a result.",
            err=as_json,
        )
    if checkpoint_minutes != checkpoint_minutes:  # noqa: PLR0124 - NaN, which lies in every range
        raise click.BadParameter("nan is no time", param_hint="--checkpoint-minutes")
    options = TrainingOptions(checkpoint_minutes * 60, compiled, tensorboard)
    done: list[Outcome] = []
    failed = [_Failure.unplanned(one) for one in plan.unplanned]
    for failure in failed:
        failure.tell()
    with shown_progress() as progress:
        made = plan_runs(
            plan,
            plugins,
            out=out,
            device=chosen_device,
            threads=threads,
            force=force,
            progress=progress,
            options=options,
            announce=partial(click.echo, err=True),
        )
        for job, outcome in made:
            if not isinstance(outcome, VadbenchError):
                done.append(outcome)
                continue
            if len(plan.jobs) == 1 and not failed and not as_json:
                raise outcome
            failed.append(_Failure.of(job, outcome))
            failed[-1].tell()
    if as_json:
        rows = [_row(outcome) for outcome in done]
        click.echo(json.dumps({"runs": rows + [failure.row() for failure in failed]}, indent=2))
    else:
        _show(done, out, plots=not no_plots)
    if failed:
        codes = {failure.error.exit_code for failure in failed}
        if not done and len(codes) == 1:
            raise click.exceptions.Exit(codes.pop())
        raise RunFailedError(f"{len(failed)} of {len(done) + len(failed)} runs failed; the others are stored", where=out)


def _show(done: list[Outcome], out: Path, *, plots: bool) -> None:
    """The table, what was reused, and the paths written."""
    from vadbench.cli.console import output_console
    from vadbench.report.figures import draw_roc, draw_timeline, save_figure
    from vadbench.report.run_table import run_table

    if not done:
        return
    console = output_console()
    console.print(run_table([outcome.run for outcome in done]))
    for outcome in done:
        path = outcome.run.path
        console.print(
            f"{'finished before, reused' if outcome.reused else 'written'}: {path}", soft_wrap=True, highlight=False, markup=False
        )
        if plots:
            for name, draw in (("roc.png", draw_roc), ("timeline.png", draw_timeline)):
                written = path / "plots" / name
                if not written.is_file():
                    save_figure(draw([outcome.run]), written)
                console.print(f"  plot: {written}", soft_wrap=True, highlight=False, markup=False)
    console.print(f"All runs side by side: vadbench leaderboard --runs {out}", soft_wrap=True, highlight=False, markup=False)


def _row(outcome: Outcome) -> dict[str, Any]:
    record = outcome.run.record
    return {
        "method": record.method.name,
        "dataset": record.dataset.name,
        "seed": record.seed,
        "protocol": record.protocol,
        "status": record.status,
        "components": record.method.components,
        "changes": list(record.method.changes),
        "config_hash": record.method.config_hash,
        "stand_in": record.dataset.stand_in,
        "reused": outcome.reused,
        "metrics": record.metrics.model_dump(),
        "terms": {name: metrics.model_dump() for name, metrics in record.terms.items()},
        "diagnostics": record.diagnostics,
        "cost": record.model_dump()["cost"],
        "path": str(outcome.run.path),
    }

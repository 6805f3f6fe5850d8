"""``vadbench ablate``: a grid of variants of a method, run, compared and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from vadbench.api.errors import RunFailedError
from vadbench.cli.completion import ComponentName
from vadbench.cli.installed import installed_plugins
from vadbench.cli.progress import shown_progress
from vadbench.cli.seeds import parse_seeds

if TYPE_CHECKING:
    from vadbench.engine.ablation.grid import Grid
    from vadbench.engine.ablation.plan import AblationPlan, Failure
    from vadbench.report.ablation.report import AblationReport


class VariantName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A variant or subset of the method's grid; completes names and checks nothing: the grid says it better."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names that begin with what is typed."""
        from vadbench.api.errors import VadbenchError
        from vadbench.engine.ablation.grid import ALL, grid_of

        try:
            grid = grid_of(str(ctx.params.get("method")), ctx.params.get("grid"), installed_plugins(quiet=True).registry)
        except VadbenchError:
            return []
        return [CompletionItem(name) for name in (*grid.subsets, ALL, *grid.names) if name.startswith(incomplete)]


class GridName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A shipped grid, or a TOML file."""

    name = "grid"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin with what is typed; else files."""
        from vadbench.engine.ablation.grid import grid_names

        items = [CompletionItem(name) for name in grid_names() if name.startswith(incomplete)]
        return items or [CompletionItem(incomplete, type="file")]


@click.command()
@click.argument("method", type=ComponentName())
@click.option("--dataset", "datasets", multiple=True, type=ComponentName("dataset"), help="Data set or folder; repeatable.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--seed", "seeds", multiple=True, default=("0-4",), show_default=True, metavar="N|N-M|N,N,...", help="Repeatable.")
@click.option("--only", multiple=True, type=VariantName(), help="Variant or subset of the grid; repeatable. [default: default]")
@click.option("--factorial", is_flag=True, help="Every combination of the grid's factors, and their main effects.")
@click.option("--grid", type=GridName(), metavar="NAME|FILE", help="Another grid than the method's own.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a setting in all variants.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ... or auto.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="CPU threads of each run.")
@click.option(
    "--jobs", "processes", type=click.IntRange(min=1), default=1, show_default=True, help="Data sets and seeds run at once."
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Folder of all runs.")
@click.option("--report", type=click.Path(path_type=Path), help="Folder of tables and pictures. [default: OUT/ablation-METHOD]")
@click.option(
    "--resamples", type=click.IntRange(100, 100_000), default=10_000, show_default=True, help="For intervals and tests."
)
@click.option("--force", is_flag=True, help="Run again what is finished; trained parts are still shared.")
@click.option("--list", "listed", is_flag=True, help="Show the variants and subsets of the grid, and run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def ablate(
    method: str,
    datasets: tuple[str, ...],
    data_root: Path | None,
    seeds: tuple[str, ...],
    only: tuple[str, ...],
    factorial: bool,
    grid: str | None,
    changes: tuple[str, ...],
    device: str,
    threads: int,
    processes: int,
    out: Path,
    report: Path | None,
    resamples: int,
    force: bool,
    listed: bool,
    as_json: bool,
) -> None:
    """Run variants of METHOD that differ in one respect each, and compare every one with the method itself.

    Trained parts are shared between runs, finished runs are found again, and a variant that fails stops no other. Without
    --dataset: the HR data sets found below the data root, else synthetic-campus.

    These figures are computed with test labels: a variant chosen by them is no result on the same data (docs/ablations.md).
    """
    plugins = installed_plugins()
    if listed:
        from vadbench.engine.ablation.grid import grid_of

        variants = grid_of(method, grid, plugins.registry)
        click.echo(variants.model_dump_json(indent=2) if as_json else _listing(variants))
        return
    from vadbench.engine.ablation.plan import AblationRequest, plan_ablation
    from vadbench.engine.ablation.runs import Execution, run_ablation
    from vadbench.engine.device import choose_device
    from vadbench.report.ablation.report import make_report, write_report

    request = AblationRequest(method, grid, only, factorial, datasets, data_root, parse_seeds(seeds), changes)
    plan = plan_ablation(request, plugins)
    _tell_plan(plan, as_json=as_json)
    execution = Execution(out, choose_device(device), threads, force, processes)
    for failure in plan.failed:
        _tell_failure(failure)
    with shown_progress() as progress:
        ablation = run_ablation(plan, request, plugins, execution, progress=progress, on_failure=_tell_failure)
        found = make_report(ablation, factorial=factorial, resamples=resamples, progress=progress)
    folder = report if report is not None else out / f"ablation-{plan.method}"
    written = write_report(found, folder) if found.tables else []
    if as_json:
        click.echo(found.json, nl=False)
    else:
        _show(found, written)
    for error in (error for table in found.tables for error in table.left_out):
        click.echo(f"left out: {error}", err=True)
    if ablation.failed:
        codes = {failure.exit_code for failure in ablation.failed}
        if not ablation.figures and len(codes) == 1:
            raise click.exceptions.Exit(codes.pop())
        done = ablation.made + ablation.reused
        raise RunFailedError(f"{len(ablation.failed)} failed, as said above; {done} runs are stored", where=out)
    if any(table.left_out for table in found.tables):
        raise RunFailedError("some figures could not be read from stored runs; the others are reported", where=out)


def _tell_plan(plan: AblationPlan, *, as_json: bool) -> None:
    if plan.defaulted and all(planned.job.dataset.info.stand_in for planned in plan.runs):
        click.echo(
            f"No data set was named and none was found below the data root: running on {plan.datasets[0]}, "
            "a generated stand-in. Its figures try the software out; they are not a result.",
            err=as_json,
        )
    figures = len(plan.variants) * len(plan.seeds) * len(plan.datasets)
    click.echo(
        f"{len(plan.variants)} variants x {len(plan.datasets)} data sets x {len(plan.seeds)} seeds: {figures} figures from "
        f"{len(plan.runs)} runs.",
        err=as_json,
    )


def _tell_failure(failure: Failure) -> None:
    seed = "" if failure.seed is None else f", seed {failure.seed}"
    lines = [f"failed: {', '.join(failure.variants)} on {failure.dataset}{seed}", failure.what]
    lines += [f"  where:  {failure.where}"] * (failure.where is not None)
    lines += [f"  remedy: {failure.remedy}"] * (failure.remedy is not None)
    click.echo("\n".join(lines), err=True)


def _show(found: AblationReport, written: list[Path]) -> None:
    from rich.text import Text

    from vadbench.cli.console import output_console
    from vadbench.report.ablation.table import TUNING, effects_block, effects_notes, figures_block, parts_block, terminal

    console = output_console()
    blocks = [make(table) for table in found.tables for make in (figures_block, parts_block)]
    notes = list(found.notes)
    if found.effects:  # the combinations are too many to read here: they stand in the files
        blocks, notes = list(map(effects_block, found.effects)), [*effects_notes(found.effects), TUNING]
    for block in blocks:
        # A line of its own: a table breaks its title at the table's own width.
        console.print(Text(block.heading, style="bold"))
        console.print(terminal(block))
    for note in notes if blocks else ():
        console.print(Text(note))
    console.print()
    ablation = found.ablation
    console.print(f"{ablation.made} runs made, {ablation.reused} finished before and reused.", highlight=False)
    for path in written:
        console.print(f"written: {path}", soft_wrap=True, highlight=False, markup=False)


def _listing(grid: Grid) -> str:
    """Every variant with its question, and every subset with its variants."""
    width = max(map(len, grid.names))
    lines = [f"{variant.name:{width}}  {variant.question}" for variant in grid.variant]
    lines += ["", "subsets for --only:", *(f"{name:{width}}  {', '.join(inside)}" for name, inside in grid.subsets.items())]
    if grid.factorial:
        lines += [
            "",
            "factors of --factorial:",
            *(f"{slot:{width}}  {', '.join(levels)}" for slot, levels in grid.factorial.items()),
        ]
    return "\n".join(lines)

"""``vadbench reproduce``: the command that makes a row of a leaderboard, and whether it still makes it."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vadbench.api.errors import DriftError
from vadbench.cli.completion import ComponentName, RowName
from vadbench.cli.installed import installed_plugins
from vadbench.cli.progress import shown_progress
from vadbench.cli.seeds import parse_seeds

if TYPE_CHECKING:
    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins
    from vadbench.report.reproduction import SeedComparison
    from vadbench.report.row_command import RowCommand
    from vadbench.store.folders import StoredRun
    from vadbench.store.row_record import RowRecord


@dataclass(slots=True)
class _Reproduction:
    """A row, the command that makes it, and what came of it so far."""

    name: str
    path: Path
    row: RowRecord
    command: RowCommand
    tolerance: float
    found: list[SeedComparison] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    configuration_checked: bool = True

    @property
    def differs(self) -> list[SeedComparison]:
        return [each for each in self.found if each.finding == "differs"]

    def why(self) -> str:
        """What differs, a few words a seed."""
        return ", ".join(
            f"seed {each.seed} " + ("has its scores and other figures" if each.same_scores else f"by {each.told}")
            for each in self.differs
        )


@click.command()
@click.argument("row", type=RowName())
@click.option("--seed", "seeds", multiple=True, metavar="N|N-M|N,N,...", help="Only these seeds of the row; repeatable.")
@click.option(
    "--method",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="TOML file of the row's method, if it is none of the installed ones.",
)
@click.option("--dataset", type=ComponentName("dataset"), help="Where the data set lies, if the row's name of it does not say.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--device", help="cpu, cuda, cuda:1, ... or auto; by default that of the row.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; by default those of the row.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0, max=100),
    help="Points of AUROC by which a seed with other scores may differ; by default 0.5, or 3 sd of the row if that is more.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("reproduced"), show_default=True, help="Folder of the runs.")
@click.option("--allow-programs", is_flag=True, help="Let ROW name programs to start on this machine.")
@click.option("--dry-run", is_flag=True, help="Say the command and what it should give; read no data and train nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def reproduce(
    row: str,
    seeds: tuple[str, ...],
    method: Path | None,
    dataset: str | None,
    data_root: Path | None,
    device: str | None,
    threads: int | None,
    tolerance: float | None,
    out: Path,
    allow_programs: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make ROW again, seed by seed, and compare: a row's JSON file, or DATASET/METHOD of one that travels with vadbench.

    Says the command that makes the row. Stops before it trains where configuration, protocol, poses or labels are not the row's.
    """
    from vadbench.engine.programs import ProgramsRefusedError
    from vadbench.report.reproduction import check_data, check_method, default_tolerance
    from vadbench.report.row_command import command_of_row
    from vadbench.report.row_files import find_row, open_row, row_name

    path = find_row(row)
    record = open_row(path)
    plugins = installed_plugins()
    command = command_of_row(
        record,
        plugins.registry,
        out=out,
        seeds=parse_seeds(seeds),
        method=method,
        dataset=dataset,
        root=data_root,
        device=device,
        threads=threads,
    )
    asked = _Reproduction(row_name(record), path, record, command, default_tolerance(record) if tolerance is None else tolerance)
    try:
        jobs = command.plan(plugins, allow_programs=allow_programs).jobs
    except ProgramsRefusedError as error:
        # What runs nothing may say what would be run; but settings of somebody else are not even looked at unasked, as that
        # may read the disk.
        if not dry_run:
            raise
        asked.configuration_checked = False
        told = "whether the command gives the row's configuration was not looked at: that takes --allow-programs"
        click.echo(f"{error.what}\n{told}", err=True)
    else:
        check_method(record, jobs[0], path)
    if not as_json:
        click.echo(f"{asked.name} on {record.dataset.title}, {record.protocol}. The command that makes it:")
        click.echo(shlex.join(command.words()))
    if dry_run:
        _say_expected(asked, as_json=as_json)
        return
    # From a plan of its own: the data set that methods are given windows of has then shown its labels to nobody.
    check_data(record, command.plan(plugins, allow_programs=allow_programs).jobs[0], path)
    _run(asked, jobs, plugins, as_json=as_json)
    if as_json:
        click.echo(json.dumps(_json(asked), indent=2))
    if asked.differs:
        raise DriftError(
            f"{len(asked.differs)} of {len(asked.found)} seeds do not give the row: {asked.why()}",
            where=path,
            remedy="see whether code or packages have changed since; if so, and it is meant, write the row again with "
            "vadbench leaderboard --write; --tolerance takes other points",
        )


def _run(asked: _Reproduction, jobs: tuple[Job, ...], plugins: Plugins, *, as_json: bool) -> None:
    """Makes the runs, and shows each beside the row."""
    from vadbench.cli.console import output_console
    from vadbench.engine.device import choose_device
    from vadbench.report.reproduction import changed_environment, compare_seed, comparison_table

    device = choose_device(asked.command.device)
    runs: list[StoredRun] = []
    with shown_progress() as progress:
        made = partial(
            _made_now, plugins=plugins, out=asked.command.out, device=device, threads=asked.command.threads, progress=progress
        )
        for job in jobs:
            runs.append(made(job))
            asked.found.append(compare_seed(asked.row, runs[-1], asked.tolerance))
    asked.changed = changed_environment(asked.row.ran_in, runs[0].record.environment)
    if as_json:
        return
    output_console().print(comparison_table(asked.found))
    click.echo(f"AUROC in percent. identical: the same scores, bit for bit; agrees: within {asked.tolerance:g} points.")
    if asked.changed:
        click.echo(f"Not as it was for the row: {'; '.join(asked.changed)}")
    for each in asked.found:
        click.echo(f"written: {each.run}")
    if not asked.differs:
        identical = sum(each.finding == "identical" for each in asked.found)
        click.echo(f"Reproduced: {len(asked.found)} of {len(asked.found)} seeds, {identical} of them bit for bit.")


def _made_now(job: Job, *, plugins: Plugins, **where: Any) -> StoredRun:
    """The run of a job, computed now: a finished one is not taken for it, an unfinished one is taken up."""
    from vadbench.engine.run import run_job

    announce = partial(click.echo, err=True)
    outcome = run_job(job, plugins, announce=announce, **where)
    return (run_job(job, plugins, announce=announce, force=True, **where) if outcome.reused else outcome).run


def _say_expected(asked: _Reproduction, *, as_json: bool) -> None:
    from vadbench.cli.console import output_console
    from vadbench.report.reproduction import expected_table

    if as_json:
        click.echo(json.dumps(_json(asked), indent=2))
        return
    output_console().print(expected_table([result for result in asked.row.seeds if result.seed in asked.command.seeds]))


def _json(asked: _Reproduction) -> dict[str, Any]:
    """``reproduced`` is null where nothing was run; AUROCs and differences in percent, as everywhere on a leaderboard."""
    now = {each.seed: each for each in asked.found}
    then = {result.seed: result for result in asked.row.seeds}
    return {
        "row": asked.name,
        "file": str(asked.path),
        "command": asked.command.words(),
        "unit": "percent",
        "tolerance": asked.tolerance,
        "configuration_checked": asked.configuration_checked,
        "reproduced": not asked.differs if asked.found else None,
        "changed": asked.changed,
        "seeds": [
            {
                "seed": seed,
                "finding": now[seed].finding if seed in now else None,
                "auroc": _percent(now[seed].now) if seed in now else None,
                "auroc_row": _percent(then[seed].auroc),
                "difference": now[seed].difference if seed in now else None,
                "path": str(now[seed].run) if seed in now else None,
            }
            for seed in asked.command.seeds
        ],
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share

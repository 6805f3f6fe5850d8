"""``vadbench check-leak``: whether the scores of a run, or of a method, are of each test clip alone."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from vadbench.api.errors import DriftError, UsageError
from vadbench.cli.completion import ComponentName
from vadbench.cli.installed import installed_plugins
from vadbench.cli.progress import shown_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vadbench.api import Progress
    from vadbench.api.entry import Kind
    from vadbench.engine.leak_check import LeakReport
    from vadbench.engine.plan import Job
    from vadbench.engine.plugins import Plugins
    from vadbench.store.record import LeakCheck

EXIT_LEAK: Final = 7
"""What the command exits with where scores depend on other test clips, or scoring changes the detector."""

_OF_A_METHOD: Final = ("seed", "changes", "tokenizer", "prior", "flow", "scorer")
"""Options that say which method is meant, which a run says by itself."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """A check, what it found, and what stands in the record of the run after it; neither path nor record for a method."""

    name: str
    report: LeakReport
    finding: LeakCheck
    path: Path | None = None
    recorded: LeakCheck | None = None


@click.command("check-leak")
@click.argument("target", metavar="RUN|METHOD", type=ComponentName())
@click.option("--clips", type=click.IntRange(min=1), help="Test clips to score alone, drawn by the seed; all, or 20 of more.")
@click.option("--dataset", type=ComponentName("dataset"), help="Data set or folder; of a run, where its folder lies now.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of a METHOD.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Of a METHOD: change a setting.")
@click.option("--tokenizer", type=ComponentName("tokenizer"), help="Of a METHOD: swap the tokenizer; 'none' leaves it out.")
@click.option("--prior", type=ComponentName("prior"), help="Of a METHOD: swap the prior; 'none' leaves it out.")
@click.option("--flow", type=ComponentName("flow"), help="Of a METHOD: swap the flow; 'none' leaves it out.")
@click.option("--scorer", type=ComponentName("scorer"), help="Of a METHOD: swap the scorer.")
@click.option("--allow-programs", is_flag=True, help="Let the record of a RUN name programs to start on this machine.")
@click.option("--device", help="cpu, cuda, cuda:1, ... or auto; by default that of the run, for a METHOD auto.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; by default those of the run, for a METHOD 1.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def check_leak(
    ctx: click.Context,
    target: str,
    clips: int | None,
    dataset: str | None,
    data_root: Path | None,
    seed: int,
    changes: tuple[str, ...],
    tokenizer: str | None,
    prior: str | None,
    flow: str | None,
    scorer: str | None,
    allow_programs: bool,
    device: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Score the test clips together and each alone: do the scores of RUN, or of METHOD, depend on other test clips?

    RUN is a run folder: its detector is built again from its record, and the finding is written into the record. METHOD is a name
    or a TOML file: it is trained, and nothing is stored. No label is read.

    Exits with 0 where nothing was found, 7 where scores depend on other clips or scoring changes the detector, and 6 where the
    stored scores cannot be reproduced.
    """
    from vadbench.engine.plan import make_plan

    run = _run_folder(target)
    plugins = installed_plugins()
    done: list[_Checked] = []
    with shown_progress() as progress:
        if run is not None:
            given = [name for name in _OF_A_METHOD if ctx.get_parameter_source(name) is not ParameterSource.DEFAULT]
            if given:
                raise UsageError(
                    f"a run has its settings already; --{'set' if given[0] == 'changes' else given[0]} cannot change them",
                    where=run,
                    remedy="leave it out, or name a method instead of a run",
                )
            done.append(
                _check_run(run, plugins, clips, dataset, data_root, device, threads, progress, allow_programs=allow_programs)
            )
        else:
            wanted: dict[Kind, str | None] = {"tokenizer": tokenizer, "prior": prior, "flow": flow, "scorer": scorer}
            swaps: Mapping[Kind, str] = {kind: name for kind, name in wanted.items() if name is not None}
            datasets = [] if dataset is None else [dataset]
            plan = make_plan(target, plugins, datasets=datasets, root=data_root, seeds=[seed], swaps=swaps, changes=changes)
            done += [_check_method(job, clips, device or "auto", threads or 1, progress) for job in plan.jobs]
    if as_json:
        click.echo(json.dumps({"checks": [_row(checked) for checked in done]}, indent=2))
    else:
        for checked in done:
            _show(checked)
    findings = [checked.finding for checked in done]
    if any(finding.transductive or finding.adapts for finding in findings):
        raise click.exceptions.Exit(EXIT_LEAK)
    if not all(finding.reproduced for finding in findings):
        raise click.exceptions.Exit(DriftError.exit_code)


def _run_folder(target: str) -> Path | None:
    """The folder of a run, or None for what can only be a method: a folder of a method's runs is called as the method is."""
    from vadbench.store.folders import RECORD

    path = Path(target)
    if path.name == RECORD:
        return path.parent
    is_run = (path / RECORD).is_file() or (len(path.parts) > 1 and path.suffix != ".toml")
    return path if is_run else None


def _check_run(
    path: Path,
    plugins: Plugins,
    clips: int | None,
    dataset: str | None,
    root: Path | None,
    device: str | None,
    threads: int | None,
    progress: Progress,
    *,
    allow_programs: bool,
) -> _Checked:
    from vadbench.data.cache.track_cache import default_cache
    from vadbench.engine.device import choose_device, cpu_threads
    from vadbench.engine.leak_check import check_leak as check
    from vadbench.engine.leak_check import keep_check
    from vadbench.engine.trained import checking_context, dataset_of_run, inputs_of_run, method_of_run, trained_of_run
    from vadbench.store.folders import open_run

    run = open_run(path)
    record = run.record
    method = method_of_run(run, plugins.registry, allow_programs=allow_programs)
    data = dataset_of_run(record, plugins.registry, name=dataset, root=root)
    where = choose_device(device or record.environment.device.partition(" ")[0])
    with checking_context(method, record.seed, where, progress) as context, cpu_threads(threads or record.environment.threads):
        inputs = inputs_of_run(record, method, data, context, cache=default_cache())
        report = check(trained_of_run(run, method, inputs, context), inputs, run.scores(), clips=clips)
    finding = report.as_record()
    name = f"{record.method.label} on {record.dataset.name}, seed {record.seed}"
    return _Checked(name, report, finding, run.path, keep_check(run, finding))


def _check_method(job: Job, clips: int | None, device: str, threads: int, progress: Progress) -> _Checked:
    from vadbench.engine.device import choose_device, cpu_threads
    from vadbench.engine.job_inputs import inputs_of_job
    from vadbench.engine.leak_check import check_leak as check
    from vadbench.engine.trained import checking_context, train_method

    method = job.resolved
    with checking_context(method, job.seed, choose_device(device), progress) as context, cpu_threads(threads):
        inputs = inputs_of_job(job, progress)
        trained, detector = train_method(method, inputs, context, job.dataset, job.protocol)
        report = check(trained, inputs, trained.scores(detector, inputs.test, inputs.test_clips), clips=clips)
    return _Checked(f"{method.method.name} on {job.dataset.info.name}, seed {job.seed}", report, report.as_record())


def _show(checked: _Checked) -> None:
    """The differences as a table, then what they mean, in plain words."""
    from rich import box
    from rich.table import Table

    from vadbench.cli.console import output_console

    report, console = checked.report, output_console()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("scores compared", no_wrap=True)
    for name in ("largest difference", "relative", "windows that differ", "rank correlation"):
        table.add_column(name, justify="right")
    stored = "stored, and by the detector built again" if checked.path else "by the detector that was fitted, and built again"
    rows = {
        stored: report.rebuilt,
        "among all clips, and alone": report.alone,
        "in order, and clips in reverse": report.reordered,
        "first time, and again": report.again,
        "with the run's seed of scoring, and another": report.reseeded,
    }
    for name, found in rows.items():
        correlation = "n/a" if found.rank_correlation is None else f"{found.rank_correlation:.6f}"
        table.add_row(name, f"{found.largest:.3g}", f"{found.relative:.1e}", f"{found.windows:,}", correlation)
    alone = f"{len(report.clips)} of {report.clips_of} test clips scored alone, {report.windows:,} windows"
    console.print(f"{checked.name}: {alone}", soft_wrap=True, highlight=False, markup=False)
    console.print(table)
    for sentence in _sentences(checked):
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)


def _sentences(checked: _Checked) -> list[str]:
    finding, report = checked.finding, checked.report
    told = []
    if finding.transductive:
        windows = max(report.alone.windows, report.reordered.windows)
        told.append(
            f"FOUND: scores depend on other test clips: {windows:,} windows differ by more than {finding.tolerance:g} of "
            "the spread of the scores."
        )
    if finding.adapts:
        told.append("FOUND: scoring changes the detector: the same windows, scored again, have other scores.")
    if finding.draws and not finding.clean:
        told.append(
            "The scores change with the seed of scoring, so the differences may be chance: only a method that draws for each "
            "window by itself can be checked."
        )
    if not finding.reproduced:
        told.append(
            f"FOUND: the {'stored' if checked.path else 'first'} scores cannot be reproduced: they differ by as much as "
            f"{finding.largest_from_stored:.3g}. The code, the device or the libraries have changed since, or the weights do not "
            "hold all that was learned."
        )
    if finding.clean:
        rest = finding.clips_of - finding.clips
        told.append(f"Nothing found{f' in these clips; {rest} were not scored alone' if rest else ''}.")
    if checked.path is not None:
        place = checked.path / "run.json"
        earlier = checked.recorded if checked.recorded != finding else None
        told.append(f"recorded: {place}" if earlier is None else f"not recorded: {place} keeps {_in_words(earlier)}")
    return told


def _in_words(check: LeakCheck) -> str:
    scores = "" if check.reproduced else " and could not reproduce the scores"
    found = "something" if check.transductive or check.adapts else "nothing"
    return f"the check of {check.date}, which scored {check.clips} clips alone, found {found}{scores}"


def _row(checked: _Checked) -> dict[str, Any]:
    return {
        "name": checked.name,
        **asdict(checked.report),
        "finding": checked.finding.model_dump(),
        "path": None if checked.path is None else str(checked.path),
        "recorded": None if checked.recorded is None else checked.recorded.model_dump(),
    }

"""``vadbench submit pack``: the folder of a submission, from stored runs or from score bundles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vadbench.api.errors import ConfigError, UsageError
from vadbench.cli.completion import ComponentName
from vadbench.cli.installed import installed_plugins

if TYPE_CHECKING:
    from vadbench.report.submission.pack import Packing

_OPTIONS: Final = {"contact": "--contact", "licence": "--licence", "code": "--code", "paper": "--paper"}


@click.command()
@click.argument("paths", metavar="[RUN]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--scores", "files", multiple=True, type=click.Path(path_type=Path), help="A score bundle; one a seed, repeatable.")
@click.option("--dataset", type=ComponentName("dataset"), help="With --scores: what was scored, a name.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set: dataset.family=csv.")
@click.option("--contact", required=True, help="An e-mail address, or a web address at which somebody answers.")
@click.option("--licence", required=True, metavar="SPDX", help="Under which licence all of it may be given on: CC-BY-4.0.")
@click.option("--code", default="", metavar="URL", help="Where the method's code is.")
@click.option("--paper", default="", metavar="ARXIV", help="arXiv identifier of the method's paper.")
@click.option("--notes", default="", metavar="TEXT", help="Whatever else a reader should know.")
@click.option("--no-labels", is_flag=True, help="Leave the test labels out; whoever checks must then have the data set.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="By default submissions/DATASET/ROW.")
@click.option("--force", is_flag=True, help="Replace the folder if it is there, with everything in it.")
def pack(
    paths: tuple[Path, ...],
    files: tuple[Path, ...],
    dataset: str | None,
    data_root: Path | None,
    changes: tuple[str, ...],
    contact: str,
    licence: str,
    code: str,
    paper: str,
    notes: str,
    no_labels: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Make the folder of a submission from RUN, run folders (or folders above them) of one row over seeds, or from --scores.

    It holds the row, the raw scores of every seed, the test labels, and who sends it in.
    """
    from pydantic import ValidationError

    from vadbench.data.user_paths import expanded
    from vadbench.report.row_files import SUBMISSIONS, row_name
    from vadbench.report.submission.check import MIN_SEEDS
    from vadbench.report.submission.pack import write_packing

    if bool(paths) == bool(files):
        what = "runs and score bundles make different rows" if files else "there is nothing to pack"
        raise UsageError(what, remedy="give run folders, or score bundles with --scores")
    if files:
        packing = _of_bundles(files, dataset, data_root, changes, no_labels)
    else:
        packing = _of_runs(paths, dataset, changes, no_labels)
    name = row_name(packing.row)
    folder = Path(SUBMISSIONS) / name if output is None else expanded(output)
    try:
        about = {"contact": contact, "licence": licence, "code": code, "paper": paper, "notes": notes}
        write_packing(packing, folder, replace=force, **about)
    except ValidationError as error:
        first = error.errors()[0]
        where = _OPTIONS.get(str(first["loc"][0]), str(first["loc"][0]))
        remedy = "licences are named as spdx.org/licenses does" if where == "--licence" else "correct it; nothing was written"
        raise ConfigError(first["msg"].removeprefix("Value error, "), where=where, remedy=remedy) from error
    for warning in packing.warnings:
        click.echo(f"warning: {warning}", err=True)
    if (given := len(packing.row.seeds)) < MIN_SEEDS:
        click.echo(f"warning: {given} seeds; the leaderboards that travel with vadbench take rows of {MIN_SEEDS}", err=True)
    click.echo(f"written: {folder}, the row {name}")
    click.echo(f"vadbench submit check {folder} says what whoever receives it will see.")


def _of_runs(paths: tuple[Path, ...], dataset: str | None, changes: tuple[str, ...], no_labels: bool) -> Packing:
    from vadbench.cli.run_paths import runs_at
    from vadbench.report.submission.pack import packing_of_runs

    if dataset or changes:
        raise UsageError("--dataset and --set are for --scores: a run has its data set with it", remedy="leave them out")
    return packing_of_runs(runs_at(paths), installed_plugins().registry, labels=not no_labels)


def _of_bundles(
    files: tuple[Path, ...], dataset: str | None, data_root: Path | None, changes: tuple[str, ...], no_labels: bool
) -> Packing:
    from vadbench.cli.data.opening import open_named
    from vadbench.data.cache.track_cache import default_cache
    from vadbench.data.user_paths import expanded
    from vadbench.evaluation.published_protocols import STANDARD_V1
    from vadbench.report.rescoring_entrants import read_ground_truth
    from vadbench.report.scores_only import scores_only_row
    from vadbench.report.submission.pack import packing_of_bundles
    from vadbench.store.bundle import load_bundle

    if dataset is None:
        raise UsageError("the scores need labels to be held against", remedy="name the data set: --dataset NAME")
    bundles = [load_bundle(expanded(file)) for file in files]
    opened = open_named(dataset, data_root, changes)
    truth = read_ground_truth(opened.dataset, opened.settings, default_cache())
    row = scores_only_row(bundles, truth, opened.dataset.info, opened.settings, STANDARD_V1)
    return packing_of_bundles(row, bundles, None if no_labels else (truth.labels, truth.scenes))

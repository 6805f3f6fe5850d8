"""``vadbench score``: scores that are there already, of stored runs or from elsewhere, under any protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.shell_completion import CompletionItem

from vadbench.api.errors import DataError, UsageError
from vadbench.cli.completion import ComponentName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vadbench.evaluation.protocol import Protocol
    from vadbench.report.protocol_matrix import Matrix
    from vadbench.report.rescoring_entrants import Entrant, GroundTruth
    from vadbench.store.bundle import ScoreBundle
    from vadbench.store.folders import StoredRun

_ALL: Final = "all"


class ProtocolName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A protocol, or ``all``; completes the names and files, and checks nothing: the evaluation says it better."""

    name = "protocol"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin with what is typed; else files."""
        from vadbench.evaluation.published_protocols import PROTOCOLS

        items = [CompletionItem(name) for name in (*PROTOCOLS, _ALL) if name.startswith(incomplete)]
        return items or [CompletionItem(incomplete, type="file")]


@click.command()
@click.argument("paths", metavar="[RUN]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--protocol", "names", multiple=True, type=ProtocolName(), help="Name, TOML file, or all; repeatable. [default: all]"
)
@click.option(
    "--scores", "files", multiple=True, type=click.Path(path_type=Path), help="Scores from elsewhere: an .npz, or its folder."
)
@click.option("--dataset", type=ComponentName("dataset"), help="Data set or folder that --scores were made on.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set: dataset.family=csv.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Draw the matrix into this file (PNG, SVG or PDF).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every metric.")
@click.option("--bundle", type=click.Path(path_type=Path), help="Write the scores of the one RUN into this folder; no figures.")
@click.option("--force", is_flag=True, help="Replace a bundle that is there.")
def score(
    paths: tuple[Path, ...],
    names: tuple[str, ...],
    files: tuple[Path, ...],
    dataset: str | None,
    data_root: Path | None,
    changes: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    bundle: Path | None,
    force: bool,
) -> None:
    """Score again what is scored already: a matrix of methods and protocols.

    RUN is a run folder, its run.json, or a folder above: then every run below it. Scores from elsewhere are an .npz with a
    meta.json beside it (docs/scoring.md), and are held against the labels of --dataset, or of the runs given.

    Nothing is fitted or tuned. Whoever picks a protocol after seeing these figures makes a choice on test labels: settle on
    one before, or report them all.
    """
    if not paths and not files:
        raise UsageError("there is nothing to score", remedy="give run folders, or scores from elsewhere with --scores")
    if bundle is not None:
        if files or names or output or as_json or dataset or changes:
            raise UsageError("--bundle writes the scores of a run and computes no figure", remedy="call vadbench score twice")
        click.echo(_write_bundle(paths, bundle, replace=force))
        return
    if force:
        raise UsageError("--force belongs to --bundle", remedy="leave it out")
    matrices = _matrices(paths, files, _protocols(names), dataset, data_root, changes, output, as_json=as_json)
    if not as_json:
        _show(matrices)
    if output is not None:
        click.echo(output, err=as_json)


def _matrices(
    paths: tuple[Path, ...],
    files: tuple[Path, ...],
    protocols: Sequence[Protocol],
    dataset: str | None,
    data_root: Path | None,
    changes: tuple[str, ...],
    output: Path | None,
    *,
    as_json: bool,
) -> list[Matrix]:
    """Scores everything, writes the figure, and prints the JSON or the warnings."""
    from vadbench.cli.progress import shown_progress
    from vadbench.cli.run_paths import runs_at
    from vadbench.report.protocol_matrix import make_matrix, matrices_json
    from vadbench.report.rescoring import Rescoring

    runs = runs_at(paths)
    bundles = _bundles(files)
    if not bundles and (dataset or changes):
        raise UsageError("--dataset and --set are for --scores: a run has its labels with it", remedy="leave them out")
    entrants = _entrants(bundles, runs, dataset, data_root, changes)
    rescoring = Rescoring(protocols)
    with shown_progress() as progress, progress.task("score", len(runs) + len(entrants)) as advance:
        rescoring.add_runs(runs, advance)
        for entrant in entrants:
            rescoring.add(entrant)
            advance(1)
    boards = rescoring.boards()
    if not boards:
        raise rescoring.left_out[0]
    matrices = [make_matrix(board, protocols) for board in boards]
    if output is not None:  # before anything is printed: whoever reads may hang up
        from vadbench.report.figures import save_figure
        from vadbench.report.matrix_figure import draw_matrix

        save_figure(draw_matrix(matrices), output)
    for error in rescoring.left_out:
        click.echo(f"warning: left out: {error}", err=True)
    if as_json:
        click.echo(json.dumps(matrices_json(matrices, rescoring.left_out), indent=2, ensure_ascii=False))
    return matrices


def _protocols(names: tuple[str, ...]) -> list[Protocol]:
    """The protocols of names and files, each once; raises `UsageError` where two different ones have one name."""
    from vadbench.evaluation.protocol_file import named_or_file
    from vadbench.evaluation.published_protocols import PROTOCOLS

    found: dict[str, Protocol] = {}
    for name in names or (_ALL,):
        for protocol in PROTOCOLS.values() if name == _ALL else [named_or_file(name)]:
            if found.setdefault(protocol.name, protocol) != protocol:
                raise UsageError(
                    f"two different protocols are called {protocol.name!r}", where=name, remedy="give one of them another name"
                )
    return list(found.values())


def _bundles(files: tuple[Path, ...]) -> list[ScoreBundle]:
    from vadbench.data.user_paths import expanded
    from vadbench.store.bundle import load_bundle

    found: dict[Path, ScoreBundle] = {}
    for file in files:
        bundle = load_bundle(expanded(file))
        found.setdefault(bundle.path.resolve(), bundle)
    return list(found.values())


def _entrants(
    bundles: list[ScoreBundle], runs: list[StoredRun], dataset: str | None, data_root: Path | None, changes: tuple[str, ...]
) -> list[Entrant]:
    """Each bundle with its labels: those of the data set named, else of the runs."""
    from vadbench.report.rescoring_entrants import entrant_of_bundle

    if not bundles:
        return []
    if dataset is not None:
        truth = _read_truth(dataset, data_root, changes)
        return [entrant_of_bundle(bundle, truth) for bundle in bundles]
    if changes:
        raise UsageError("--set changes a data set, and none is named", remedy="name it with --dataset")
    if not runs:
        names = " and ".join(sorted({bundle.meta.dataset for bundle in bundles}))
        raise UsageError(
            "the scores need labels to be held against",
            remedy=f"name the data set, --dataset NAME or --dataset PATH; meta.json says {names}",
        )
    return [entrant_of_bundle(bundle, _truth_of_runs(bundle, runs)) for bundle in bundles]


def _truth_of_runs(bundle: ScoreBundle, runs: list[StoredRun]) -> GroundTruth:
    """The labels of the runs on the bundle's data set; raises `UsageError` where there are none, or not the same ones."""
    from vadbench.report.rescoring_entrants import truth_of_run

    same = [run for run in runs if run.record.dataset.name == bundle.meta.dataset]
    if len({run.record.dataset.labels for run in same}) != 1:
        names = ", ".join(sorted({run.record.dataset.name for run in runs}))
        raise UsageError(
            f"the scores are of {bundle.meta.dataset}, and the runs "
            + ("on it have different labels" if same else f"are on {names}"),
            where=bundle.path,
            remedy="name the data set with --dataset",
        )
    return truth_of_run(same[0])


def _read_truth(dataset: str, data_root: Path | None, changes: tuple[str, ...]) -> GroundTruth:
    from vadbench.cli.data.opening import open_named
    from vadbench.data.cache.track_cache import default_cache
    from vadbench.report.rescoring_entrants import read_ground_truth

    opened = open_named(dataset, data_root, changes)
    if "test" not in opened.dataset.info.splits:
        raise DataError(f"{opened.dataset.info.name} has no test split", remedy="name a data set with labels")
    return read_ground_truth(opened.dataset, opened.settings, default_cache())


def _write_bundle(paths: tuple[Path, ...], folder: Path, *, replace: bool) -> Path:
    from vadbench.cli.run_paths import runs_at
    from vadbench.data.user_paths import expanded
    from vadbench.store.bundle import bundle_of_run, save_bundle

    runs = runs_at(paths)
    if len(runs) != 1:
        raise UsageError(f"a bundle holds the scores of one run, and {len(runs)} were given", remedy="give one run folder")
    meta, scores = bundle_of_run(runs[0])
    save_bundle(expanded(folder), meta, scores, replace=replace)
    return folder


def _show(matrices: Sequence[Matrix]) -> None:
    from rich.text import Text

    from vadbench.cli.console import output_console
    from vadbench.report.score_table import matrix_heading, matrix_notes, matrix_tables, protocol_table

    console = output_console()
    for i, matrix in enumerate(matrices):
        if i:
            console.print()
        # A line of its own: a table breaks its title at the table's own width.
        console.print(Text(matrix_heading(matrix), style="bold"))
        for table in matrix_tables(matrix, console.width):
            console.print(table)
        console.print(protocol_table(matrix))
        for line in matrix_notes(matrix):
            console.print(Text(line))

"""``vadbench analyse``: what limits the figure of a finished run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vadbench.cli.completion import ComponentName
from vadbench.cli.installed import installed_plugins


@click.command()
@click.argument("path", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--dataset", type=ComponentName("dataset"), help="Where the run's poses are, if not where it says: name or folder.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="Worst stretches of each kind.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Draw a figure into this file (PNG, SVG or PDF).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def analyse(path: Path, dataset: str | None, data_root: Path | None, top: int, output: Path | None, as_json: bool) -> None:
    """Explain what limits the AUROC of the run at RUN.

    Bounds that labels and coverage set, ranking of clips against ranking of frames, what each step of the protocol is worth,
    frames without a score and why, scenes, and the stretches that cost the most. All of it is made with the test labels: it
    explains a result, and is not for choosing settings.
    """
    from vadbench.engine.datasets import data_root as checked_root
    from vadbench.report.analysis import analyse as analysed
    from vadbench.report.analysis_reasons import with_reasons
    from vadbench.report.analysis_text import analysis_json, sentences, tables
    from vadbench.store.folders import open_run

    run = open_run(path)
    registry = installed_plugins(quiet=as_json).registry
    found = with_reasons(analysed(run, top=top), run, registry, root=checked_root(data_root), dataset=dataset)
    if output is not None:  # before anything is printed: whoever reads may hang up
        from vadbench.report.analysis_figure import draw_analysis
        from vadbench.report.figures import save_figure

        save_figure(draw_analysis(run, found), output)
    if as_json:
        click.echo(json.dumps(analysis_json(found, run.record, str(run.path)), indent=2))
    else:
        from vadbench.cli.console import output_console

        console = output_console()
        for sentence in sentences(found, run.record):
            console.print(sentence, highlight=False, markup=False)
        for table in tables(found):
            console.print()
            console.print(table)
    if output is not None:
        click.echo(output, err=as_json)

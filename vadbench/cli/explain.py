"""``vadbench explain``: the primitives of a run, and why its alarms were raised."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vadbench.cli.completion import ComponentName
from vadbench.cli.installed import installed_plugins
from vadbench.cli.progress import shown_progress


@click.command()
@click.argument("path", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--clip", help="Name of a test clip: its token timeline and its top alarms, instead of those of all clips.")
@click.option("--frame", type=int, help="A frame of the clip: every person in it, and the primitives nearest to it.")
@click.option("--person", type=int, help="A person of the clip, alone.")
@click.option("--top", type=click.IntRange(min=1), default=6, show_default=True, help="Alarms.")
@click.option("--primitives", type=click.IntRange(min=1), default=24, show_default=True, help="Most used primitives to show.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the pictures [RUN/explain].")
@click.option("--dataset", type=ComponentName("dataset"), help="Where the run's poses are, if not where it says: name or folder.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--allow-programs", is_flag=True, help="Let the record of RUN name programs to start on this machine.")
@click.option("--device", help="cpu, cuda, cuda:1, ... or auto; by default that of the run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def explain(
    path: Path,
    clip: str | None,
    frame: int | None,
    person: int | None,
    top: int,
    primitives: int,
    out: Path | None,
    dataset: str | None,
    data_root: Path | None,
    allow_programs: bool,
    device: str | None,
    as_json: bool,
) -> None:
    """Show what the composition at RUN learned, and why it raised its alarms.

    Of the test windows with the highest scores: which term raised the alarm, which tokens and which joints were surprising. With
    --clip the tokens of every person over time. Pictures: skeleton strips of the alarms, a gallery of the codebook (PNG and
    animated GIF), and a diagram of transitions. Labels are shown in the timeline of a clip, and used for nothing.
    """
    from vadbench.data.cache.track_cache import default_cache
    from vadbench.engine.device import choose_device, cpu_threads
    from vadbench.engine.explaining.explanation import check_explainable, explained
    from vadbench.engine.trained import checking_context, dataset_of_run, inputs_of_run, method_of_run, trained_of_run
    from vadbench.report.explaining.explanation import Question, draw_explanation
    from vadbench.report.explaining.explanation import explain as answer
    from vadbench.report.explaining.text import explanation_json, lines_of
    from vadbench.store.folders import open_run

    stored = open_run(path)
    record, registry = stored.record, installed_plugins(quiet=as_json).registry
    method = method_of_run(stored, registry, allow_programs=allow_programs)
    check_explainable(method, stored.path)
    data = dataset_of_run(record, registry, name=dataset, root=data_root)
    where = choose_device(device or record.environment.device.partition(" ")[0])
    with (
        shown_progress() as progress,
        checking_context(method, record.seed, where, progress) as context,
        cpu_threads(record.environment.threads),
    ):
        inputs = inputs_of_run(record, method, data, context, cache=default_cache())
        run = explained(trained_of_run(stored, method, inputs, context), inputs, stored.scores())
        found = answer(run, Question(clip, frame, person, top, primitives))
        pictures = draw_explanation(stored, run, found, out or stored.path / "explain")
    if as_json:
        click.echo(json.dumps(explanation_json(found, record, str(stored.path), pictures), indent=2))
        return
    for line in lines_of(found, record):
        click.echo(line)
    click.echo()
    for picture in pictures:
        click.echo(picture)

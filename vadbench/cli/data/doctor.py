"""``vadbench data doctor``: what is wrong with a data set, where, and what to do about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vadbench.api.errors import DataError
from vadbench.cli.completion import ComponentName
from vadbench.cli.progress import shown_progress

if TYPE_CHECKING:
    from vadbench.api import Split
    from vadbench.data.doctor.diagnosis import Diagnosis, Report

_SPLITS: Final = ("train", "validation", "test")
_SHOWN: Final = 3
"""Cases of a diagnosis in the table; --json has them all."""
_STYLES: Final = {"error": "bold red", "warning": "yellow", "note": "dim"}


@click.command()
@click.argument("name", metavar="NAME|PATH", type=ComponentName("dataset"))
@click.option("--split", "chosen", multiple=True, type=click.Choice(_SPLITS), help="Only this split; repeatable.")
@click.option("--strict", is_flag=True, help="Exit with 3 for a warning as well.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set: dataset.family=csv.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every case.")
def doctor(
    name: str, chosen: tuple[Split, ...], strict: bool, data_root: Path | None, changes: tuple[str, ...], as_json: bool
) -> None:
    """Look for defects in the data set NAME, or the folder PATH; say where each is and what to do about it.

    An error stops a run or makes its figures wrong, a warning may, a note is worth knowing. Exits with 0 where there is no
    error, with 3 where there is one. docs/doctor.md states the rule of every check.
    """
    from vadbench.cli.data.opening import chosen_splits, open_named
    from vadbench.data.doctor.examination import examine
    from vadbench.engine.plugin_faults import dataset_step

    dataset = open_named(name, data_root, changes).dataset
    splits = chosen_splits(dataset, chosen)
    with shown_progress() as progress, dataset_step("be examined", dataset):
        report = examine(dataset, splits, _window_lengths(dataset.info.name), progress)
    counts = report.counts()
    if as_json:
        found = [_row(diagnosis) for diagnosis in report.diagnoses]
        click.echo(json.dumps({"dataset": report.dataset, "splits": splits, "findings": found, "counts": counts}, indent=2))
    else:
        _show(report)
    if counts["error"] or (strict and counts["warning"]):
        raise click.exceptions.Exit(DataError.exit_code)


def _window_lengths(dataset: str) -> tuple[int, ...]:
    """T as most of the shipped methods have it for this data set, then the other lengths that occur, and the default."""
    from collections import Counter

    from vadbench.engine.config import WindowsConfig
    from vadbench.engine.plugins import load_plugins
    from vadbench.engine.presets import load_preset, preset_names

    usual, registry = WindowsConfig().length, load_plugins().registry
    lengths: Counter[int] = Counter()
    for method in preset_names():
        preset = load_preset(method, registry)
        windows = preset.get("windows", {}) | preset.get("per-dataset", {}).get(dataset, {}).get("windows", {})
        lengths[windows.get("length", usual)] += 1
    return tuple(dict.fromkeys([*(length for length, _ in lengths.most_common()), usual]))


def _row(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "split": diagnosis.split,
        "check": diagnosis.check,
        "severity": diagnosis.severity,
        "what": diagnosis.what,
        "where": diagnosis.where,
        "remedy": diagnosis.remedy,
        "cases": [{"what": case.what, "where": case.where} for case in diagnosis.cases],
    }


def _show(report: Report) -> None:
    """A table a split, worst first, and a line that sums it up."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from vadbench.cli.console import output_console

    console = output_console()
    if report.diagnoses and report.root is not None:
        console.print(Text(f"Files below {report.root}"), soft_wrap=True)
    for split in dict.fromkeys(diagnosis.split for diagnosis in report.diagnoses):
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(split, no_wrap=True)
        table.add_column("check", no_wrap=True)
        table.add_column("what, where, remedy", overflow="fold")
        for diagnosis in (each for each in report.diagnoses if each.split == split):
            text = "\n".join([diagnosis.what, *_places(diagnosis), f"-> {diagnosis.remedy}"])
            if report.root is not None:
                text = text.replace(f"{report.root}/", "")
            table.add_row(
                Text(diagnosis.severity, style=_STYLES[diagnosis.severity]), diagnosis.check, Text(text), end_section=True
            )
        console.print(table)
    console.print(Text(_summary(report), style="bold"), soft_wrap=True)


def _places(diagnosis: Diagnosis) -> list[str]:
    """The first cases, a line each, and how many more there are."""
    lines = [
        f"   {case.where}" if case.what in diagnosis.what else f"   {case.where}: {case.what}"
        for case in diagnosis.cases[:_SHOWN]
    ]
    more = len(diagnosis.cases) - _SHOWN
    return lines + [f"   and {more:,} more (--json lists them)"] * (more > 0)


def _summary(report: Report) -> str:
    counts = [f"{number} {severity}{'' if number == 1 else 's'}" for severity, number in report.counts().items()]
    splits = " and ".join(filter(None, [", ".join(report.splits[:-1]), *report.splits[-1:]]))
    return f"{report.dataset}, {splits}: {', '.join(counts)}."

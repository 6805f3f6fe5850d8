"""``vadbench data list``: every data set, and whether its files are found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vadbench.api.errors import VadbenchError
from vadbench.cli.installed import installed_plugins

if TYPE_CHECKING:
    from vadbench.api.entry import Entry
    from vadbench.api.registry import Registry


@click.command("list")
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_datasets(data_root: Path | None, as_json: bool) -> None:
    """Every data set that is installed: whether its files are found, and where; splits, layout, settings.

    One that cannot be opened is named with the reason; the others are listed all the same.
    """
    from vadbench.engine import datasets

    registry, root = installed_plugins().registry, datasets.data_root(data_root)
    rows = [_row(entry, registry, root) for entry in registry.entries("dataset")]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        _show(rows, root)


def _row(entry: Entry, registry: Registry, root: Path | None) -> dict[str, Any]:
    from dataclasses import asdict

    from vadbench.cli.data.opening import locate
    from vadbench.engine.config_words import settings_of
    from vadbench.engine.datasets import open_dataset

    row: dict[str, Any] = {
        "name": entry.name,
        "summary": entry.summary,
        "plugin": entry.plugin,
        "default": entry.default,
        "opens_folders": entry.opens_folders,
    }
    unknown = dict.fromkeys(("status", "where", "title", "stand_in", "splits", "layout", "settings", "problem"))
    try:
        dataset = open_dataset(entry.name, registry, root=root, settings={})
        location, info = locate(dataset, entry), dataset.info
        settings = [asdict(setting) for setting in settings_of(entry.load_config())]
    except VadbenchError as error:
        return row | unknown | {"status": "failed", "problem": str(error)}
    return row | {
        "status": location.status,
        "where": location.where,
        "title": info.title,
        "stand_in": info.stand_in,
        "splits": list(info.splits),
        "layout": info.layout,
        "settings": settings,
        "problem": None,
    }


def _show(rows: list[dict[str, Any]], root: Path | None) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from vadbench.cli.console import output_console

    console = output_console()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("data set", "files", "splits", "layout"):
        table.add_column(name, no_wrap=True)
    table.add_column("what it is", overflow="fold")
    for row in rows:
        what = Text(row["summary"])
        for line in _more(row):
            what.append(f"\n{line}", style="dim")
        splits = ", ".join(row["splits"]) if row["splits"] else ""
        table.add_row(Text(row["name"]), row["status"], splits, row["layout"] or "", what)
    console.print(table)
    below = f"Data root: {root}." if root else "There is no data root: name one with --data-root DIR or $VADBENCH_DATA."
    console.print(Text(f"{below} More of each: vadbench data info NAME"), soft_wrap=True)


def _more(row: dict[str, Any]) -> list[str]:
    """What stands below the summary: where the files are, what can be set, what went wrong."""
    lines = []
    if row["where"]:
        lines.append(("in " if row["status"] == "found" else "looked in ") + row["where"])
    if row["settings"]:
        lines.append("settings: " + ", ".join(_setting(setting) for setting in row["settings"]))
    if row["problem"]:
        lines += row["problem"].splitlines()
    return lines


def _setting(setting: dict[str, Any]) -> str:
    """A key, with its values where they are listed."""
    return f"{setting['name']} ({' or '.join(setting['choices'])})" if setting["choices"] else str(setting["name"])

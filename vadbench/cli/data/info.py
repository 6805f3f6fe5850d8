"""``vadbench data info``: what there is to know of one data set before it is used."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vadbench.cli.completion import ComponentName

if TYPE_CHECKING:
    from rich.console import RenderableType

    from vadbench.api import DatasetInfo
    from vadbench.cli.data.opening import Location
    from vadbench.engine.config_words import Setting


@click.command()
@click.argument("name", type=ComponentName("dataset"))
@click.option("--data-root", type=click.Path(path_type=Path), help="Folder below which data sets lie [$VADBENCH_DATA].")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set: dataset.family=csv.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def info(name: str, data_root: Path | None, changes: tuple[str, ...], as_json: bool) -> None:
    """The data set NAME, a name that `vadbench data list` shows or a folder: licence, citation, how to get it, where to put it.

    Also its layout and what that can be converted to, what it should amount to, its settings, and whether its files are found.
    """
    from vadbench.cli.data.opening import locate, open_named
    from vadbench.engine.config_words import settings_of

    opened = open_named(name, data_root, changes)
    location = locate(opened.dataset, opened.entry)
    settings = settings_of(opened.entry.load_config())
    if as_json:
        click.echo(json.dumps(_as_json(opened.dataset.info, opened.entry.summary, location, settings), indent=2))
    else:
        _show(opened.dataset.info, opened.entry.summary, location, settings)


def _as_json(about: DatasetInfo, summary: str, location: Location, settings: list[Setting]) -> dict[str, Any]:
    from vadbench.api import LAYOUTS
    from vadbench.data.layout_conversion import conversion_plan

    conversions = {}
    if about.layout in LAYOUTS:
        for target in LAYOUTS.values():
            plan = conversion_plan(LAYOUTS[about.layout], target)
            conversions[target.name] = {
                "kept": plan.kept,
                "computed": plan.computed,
                "impossible": plan.impossible,
                "dropped": plan.dropped,
            }
    expected = {split: asdict(amount) for split, amount in about.expected.items()}
    plain = {name: getattr(about, name) for name in about.__dataclass_fields__}
    return plain | {
        "summary": summary,
        "expected": expected,
        "status": location.status,
        "where": location.where,
        "conversions": conversions,
        "settings": [asdict(setting) for setting in settings],
    }


def _show(about: DatasetInfo, summary: str, location: Location, settings: list[Setting]) -> None:
    from rich.table import Table
    from rich.text import Text

    from vadbench.cli.console import output_console

    console = output_console()
    console.print(Text(about.title, style="bold"), Text(f"({about.name})"))
    if summary:
        console.print(Text(summary))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    width, height = about.resolution or (None, None)
    lines: dict[str, RenderableType] = {
        "licence": Text(about.licence),
        "cite": Text(about.citation),
        "get it": Text(about.source),
        "files": Text(_files(location)),
        "put them": Text(about.tree),
        "splits": Text(", ".join(about.splits)),
        "layout": Text(_layout(about.layout)),
        "resolution": Text(f"{width} x {height} pixels" if about.resolution else "differs, or is not known"),
        "frame rate": Text(f"{about.frame_rate:g} frames a second"),
        "notes": Text("\n".join(about.notes)),
    }
    if about.stand_in:
        lines["beware"] = Text("stand-in data: a figure on it is never a result", style="bold")
    for label, text in lines.items():
        if str(text):
            grid.add_row(Text(label, style="dim"), text)
    console.print(grid)
    if about.expected:
        console.print(_expected_table(about))
    console.print(_settings_table(settings) if settings else Text("It has no settings."))


def _files(location: Location) -> str:
    if location.status == "found":
        return f"found in {location.where}" if location.where else "found"
    if location.status == "not found":
        return f"not found; looked in {location.where}" if location.where else "not found"
    told = {
        "generated": "none: it is generated",
        "any folder": "give the path of a folder in place of the name",
    }
    return told.get(location.status, "the data set does not say")


def _layout(name: str) -> str:
    """The layout, and as what else a method can have it."""
    from vadbench.api import LAYOUTS
    from vadbench.data.layout_conversion import conversion_plan

    if name not in LAYOUTS:
        return name
    can, cannot = [], []
    for target in LAYOUTS.values():
        plan = conversion_plan(LAYOUTS[name], target)
        if plan.impossible:
            cannot.append(target.name)
        elif target.name != name:
            can.append(f"{target.name} ({' and '.join(plan.computed)} computed)" if plan.computed else target.name)
    text = f"{name}, {len(LAYOUTS[name])} joints"
    text += f"; a method can have it as {', '.join(can)}" if can else ""
    return text + (f"; not as {', '.join(cannot)}, which have joints that it lacks" if cannot else "")


def _expected_table(about: DatasetInfo) -> RenderableType:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title="What it should amount to")
    table.title_justify, table.title_style = "left", "bold"
    table.add_column("split")
    columns = ("clips", "frames", "counted", "abnormal", "poses")
    heads = {"counted": "frames that count", "abnormal": "of these abnormal"}
    for column in columns:
        table.add_column(heads.get(column, column), justify="right")
    for split, amount in about.expected.items():
        numbers = [getattr(amount, column) for column in columns]
        table.add_row(split, *("not known" if number is None else f"{number:,}" for number in numbers))
    return table


def _settings_table(settings: list[Setting]) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = "Settings: --set dataset.KEY=VALUE"
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title=title)
    table.title_justify, table.title_style = "left", "bold"
    table.add_column("key", no_wrap=True)
    table.add_column("takes", overflow="fold", max_width=30)
    table.add_column("default", overflow="fold", max_width=30)
    table.add_column("what it does", overflow="fold")
    for setting in settings:
        default = "(required)" if setting.required else _value(setting.default)
        table.add_row(Text(setting.name), Text(setting.type), Text(default), Text(setting.description))
    return table


def _value(value: Any) -> str:
    """A default as it would be typed, as far as it can be."""
    return "none" if value is None else value if isinstance(value, str) else json.dumps(value)

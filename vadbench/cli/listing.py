"""``vadbench list``: what is installed, by kind. Imports no component, so it answers at once."""

from __future__ import annotations

import json
from typing import Any

import click

from vadbench.api.registry import KINDS
from vadbench.cli.installed import installed_plugins
from vadbench.engine.presets import method_names, preset_names

_KINDS = ("method", *KINDS)


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(_KINDS))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_components(kind: str | None, as_json: bool) -> None:
    """Methods, data sets and components that are installed; of one KIND or of all."""
    registry = installed_plugins(quiet=as_json).registry
    presets = preset_names()
    rows: list[dict[str, Any]] = []
    if kind in (None, "method"):
        for name in method_names(registry):
            origin = "preset" if name in presets else "detector"
            rows.append({"kind": "method", "name": name, "summary": f"vadbench run {name}", "plugin": origin})
    rows += [
        {"kind": entry.kind, "name": entry.name, "summary": entry.summary, "plugin": entry.plugin}
        for entry in registry.entries()
        if kind in (None, entry.kind)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max((len(row["name"]) for row in rows), default=0)
    shown = None
    for row in rows:
        if row["kind"] != shown:
            shown = row["kind"]
            click.secho(f"{shown}s", bold=True)
        click.echo(f"  {row['name']:<{width}}  {row['summary']}  ({row['plugin']})")

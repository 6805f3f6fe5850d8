"""``vadbench list``: what is installed, by kind. Imports no component, so it answers at once."""

from __future__ import annotations

import json
from typing import Any

import click
from click.shell_completion import CompletionItem

from vadbench.api.errors import UsageError, did_you_mean
from vadbench.api.registry import KINDS
from vadbench.cli.installed import installed_plugins
from vadbench.engine.presets import method_names, preset_names

_KINDS = ("method", *KINDS)


class KindName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A kind of component, singular or plural."""

    name = "kind"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The kind's name; raises `UsageError` with the nearest ones for an unknown kind."""
        singular = value.removesuffix("s")
        if singular not in _KINDS:
            raise UsageError(f"there is no kind of component called {value!r}", remedy=did_you_mean(value, _KINDS))
        return singular

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The kinds that begin with what is typed."""
        return [CompletionItem(kind) for kind in _KINDS if kind.startswith(incomplete)]


@click.command("list")
@click.argument("kind", required=False, type=KindName())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_components(kind: str | None, as_json: bool) -> None:
    """Methods, data sets and components that are installed; of one KIND or of all."""
    registry = installed_plugins().registry
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

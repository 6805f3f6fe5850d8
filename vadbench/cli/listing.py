"""``vadbench list``: what is installed, by kind. Imports no component and no numerical library, so it answers at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from click.shell_completion import CompletionItem

from vadbench.api.entry import KINDS
from vadbench.api.errors import UsageError, did_you_mean
from vadbench.cli.installed import installed_plugins
from vadbench.engine.presets import load_preset, method_names, preset_names

_KINDS = ("method", *KINDS, "protocol")


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
    """Methods, data sets, components and evaluation protocols that there are; of one KIND or of all."""
    registry = installed_plugins().registry
    origins = {method.name: method.plugin for method in registry.methods()} | dict.fromkeys(preset_names(), "preset")
    rows: list[dict[str, Any]] = []
    if kind in (None, "method"):
        for name in method_names(registry):
            title = str(load_preset(name, registry).get("title") or name)
            rows.append({"kind": "method", "name": name, "summary": title, "plugin": origins.get(name, "detector")})
    rows += [
        {
            "kind": entry.kind,
            "name": entry.name,
            "summary": entry.summary,
            "plugin": entry.plugin,
            "needs": list(entry.missing()),
        }
        for entry in registry.entries()
        if kind in (None, entry.kind)
    ]
    if kind in (None, "protocol"):
        rows += _protocols()
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    width = max((len(row["name"]) for row in rows), default=0)
    shown = None
    for row in rows:
        if row["kind"] != shown:
            shown = row["kind"]
            click.secho(f"{shown}s", bold=True)
        needs = f"; needs {', '.join(row['needs'])}" if row.get("needs") else ""
        click.echo(f"  {row['name']:<{width}}  {row['summary']}  ({row['plugin']}{needs})")
        if kind == "protocol":
            for line in _told(row):
                click.echo(click.wrap_text(line, 110, f"  {'':<{width}}  ", f"  {'':<{width}}    "))


def _protocols() -> list[dict[str, Any]]:
    """The protocols that come with vadbench; ``steps_on`` has those of data sets on which they are others."""
    from vadbench.evaluation.protocol import in_words
    from vadbench.evaluation.published_protocols import PROTOCOLS

    return [
        {
            "kind": "protocol",
            "name": protocol.name,
            "summary": protocol.source,
            "plugin": "vadbench",
            "version": protocol.version,
            "digest": protocol.digest(),
            "steps": in_words(protocol.pipeline),
            "steps_on": {dataset: in_words(pipeline) for dataset, pipeline in protocol.per_dataset},
            "notes": list(protocol.notes),
        }
        for protocol in PROTOCOLS.values()
    ]


def _told(row: dict[str, Any]) -> Iterator[str]:
    """What a list of protocols alone says of one beside its name and source."""
    yield f"version {row['version']}, digest {row['digest']}"
    yield row["steps"]
    usual = row["steps"].split("; ")
    for dataset, steps in row["steps_on"].items():
        if other := [step for step in steps.split("; ") if step not in usual]:
            yield f"on {dataset}: {'; '.join(other)}"
    yield from row["notes"]

"""``vadbench plugin list``: every plug-in, what it offers and needs, or why it failed and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from vadbench.cli.installed import installed_plugins
from vadbench.engine.plugins import PluginFaultsError

if TYPE_CHECKING:
    from vadbench.api.entry import Entry
    from vadbench.api.method_preset import MethodPreset
    from vadbench.engine.plugins import Plugins, PluginStatus


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--traceback", "tracebacks", is_flag=True, help="Show where those that failed did so.")
def list_plugins(as_json: bool, tracebacks: bool) -> int:
    """Every plug-in: where it comes from, and what it offers or why it failed.

    Exit code 4 if one failed and VADBENCH_STRICT is 1.
    """
    try:
        plugins, code = installed_plugins(quiet=True), 0
    except PluginFaultsError as error:  # this command is where faults are told
        plugins, code = error.plugins, error.exit_code
    if as_json:
        click.echo(json.dumps([_row(status, plugins) for status in plugins.statuses], indent=2))
    else:
        _show(plugins, tracebacks=tracebacks)
    return code


def _offered(status: PluginStatus, plugins: Plugins) -> list[Entry]:
    return [entry for entry in plugins.registry.entries() if entry.plugin == status.name]


def _methods(status: PluginStatus, plugins: Plugins) -> list[MethodPreset]:
    return [method for method in plugins.registry.methods() if method.plugin == status.name]


def _row(status: PluginStatus, plugins: Plugins) -> dict[str, Any]:
    offers: list[dict[str, Any]] = [
        {
            "kind": entry.kind,
            "name": entry.name,
            "summary": entry.summary,
            "target": entry.target,
            "needs": list(entry.missing()),
            "runs_programs": entry.runs_programs,
        }
        for entry in _offered(status, plugins)
    ]
    offers += [{"kind": "method", "name": each.name, "target": each.target} for each in _methods(status, plugins)]
    return {**asdict(status), "offers": offers}


def _show(plugins: Plugins, *, tracebacks: bool) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from vadbench.cli.console import output_console

    console = output_console()
    for number, status in enumerate(plugins.statuses):
        if number:
            console.print()
        style = "bold red" if status.status == "failed" else "bold yellow" if status.needs else "bold green"
        console.print(
            Text.assemble((status.name, "bold"), f"  {status.distribution} {status.version}  ", (_state(status), style))
        )
        told = Table.grid(padding=(0, 2))
        told.add_column(no_wrap=True, style="dim")
        told.add_column(overflow="fold")
        for name, text in _facts(status):
            told.add_row(name, Text(text))
        console.print(Padding(told, (0, 0, 0, 2), expand=False))
        offered, methods = _offered(status, plugins), _methods(status, plugins)
        if offered or methods:
            parts = Table.grid(padding=(0, 2))
            for column in ("kind", "name"):
                parts.add_column(column, no_wrap=True)
            parts.add_column("summary", overflow="fold")
            for entry in offered:
                needs = f"needs {', '.join(missing)}" if (missing := entry.missing()) else ""
                summary = Text.assemble(entry.summary, ("  " if needs and entry.summary else ""), (needs, "yellow"))
                parts.add_row(entry.kind, entry.name, summary)
            for method in methods:
                parts.add_row("method", method.name, method.target)
            console.print(Padding(parts, (0, 0, 0, 2), expand=False))
        if tracebacks and status.traceback:
            console.print(Padding(Text(status.traceback), (1, 0, 0, 4), expand=False))
    if any(status.traceback for status in plugins.failed) and not tracebacks:
        console.print("\nvadbench plugin list --traceback shows where those that failed did so.", highlight=False)


def _state(status: PluginStatus) -> str:
    if status.status == "failed":
        return "failed"
    return f"needs {', '.join(status.needs)}" if status.needs else "ok"


def _facts(status: PluginStatus) -> Iterator[tuple[str, str]]:
    if status.error:
        yield "cause", status.error
    if status.remedy:
        yield "remedy", status.remedy
    yield "where", status.where
    if status.origin != "installed":
        yield "origin", {"folder": "a file or folder pointed to", "process": "registered in this process"}[status.origin]
    if status.api_version is not None:
        yield "API", str(status.api_version)
    if status.status == "ok" and not status.components:
        yield "offers", "nothing"
    if status.printed:
        yield "printed", status.printed.rstrip()

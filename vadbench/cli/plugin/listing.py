"""``vadbench plugin list``: what is installed, and why a plug-in failed."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from vadbench.cli.installed import installed_plugins


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def list_plugins(as_json: bool) -> None:
    """Every plug-in: distribution, version, status, and what it offers or why it failed."""
    statuses = installed_plugins(quiet=True).statuses
    if as_json:
        click.echo(json.dumps([asdict(status) for status in statuses], indent=2))
        return
    for status in statuses:
        click.secho(f"{status.name}  ({status.distribution} {status.version})  {status.status}", bold=True)
        for component in status.components:
            click.echo(f"  {component}")
        for line in (status.error or "").splitlines() + (status.traceback or "").splitlines():
            click.echo(f"  {line}")

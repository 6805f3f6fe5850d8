"""The plug-ins a command works with; a broken one is mentioned once, on stderr, and survived."""

from __future__ import annotations

import click

from vadbench.engine.plugins import Plugins, load_plugins


def installed_plugins(*, quiet: bool = False) -> Plugins:
    """Loads the plug-ins; says on stderr which failed, unless ``quiet``.

    Raises:
        PluginError: if one failed and ``VADBENCH_STRICT`` is 1.
    """
    plugins = load_plugins()
    if not quiet and plugins.failed:
        for status in plugins.failed:
            what = (status.error or "").splitlines()[0]
            click.echo(f"warning: plug-in {status.name!r} ({status.distribution}) was left out: {what}", err=True)
        click.echo("         vadbench plugin list shows why, and what to do", err=True)
    return plugins

"""``vadbench plugin``: plug-ins from their first file to their publication."""

from __future__ import annotations

from typing import Final

import click

from vadbench.cli.lazy import Commands, LazyGroup

_HERE: Final = "vadbench.cli.plugin"
COMMANDS: Final[Commands] = {
    "new": (f"{_HERE}.new:new", "A component of your own as an installable, tested distribution."),
    "check": (f"{_HERE}.check:check", "Whether a plug-in or component keeps its contracts, rule by rule."),
    "list": (f"{_HERE}.listing:list_plugins", "Every plug-in, what it offers, or why it failed and what to do."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def plugin() -> None:
    """Plug-ins: what is installed and what became of it."""

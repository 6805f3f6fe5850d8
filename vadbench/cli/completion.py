"""``vadbench completion``: the script that teaches a shell to complete our commands, options and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from vadbench.api.errors import UsageError, VadbenchError

if TYPE_CHECKING:
    from vadbench.api.entry import Kind


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL; e.g. eval "$(vadbench completion bash)" in ~/.bashrc."""
    from vadbench.cli.main import cli

    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"there is no completion for {shell}")
    click.echo(found(cli, {}, "vadbench", "_VADBENCH_COMPLETE").source())


class RowName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A row of a leaderboard: completes the names of those that travel with vadbench, and files."""

    name = "row"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Rows whose name begins with what is typed, else files."""
        from vadbench.report.row_files import shipped_rows

        items = [CompletionItem(name) for name in shipped_rows() if name.startswith(incomplete)]
        return items or [CompletionItem(incomplete, type="file")]


class ComponentName(click.ParamType):  # type: ignore[type-arg] # generic in some versions of click only
    """A component of a kind, or a method; completes installed names and checks nothing: the engine says it better."""

    name = "name"

    def __init__(self, kind: Kind | None = None) -> None:
        self.kind = kind

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Installed names that begin with what is typed; files as well, where a file or folder may stand."""
        from vadbench.engine.plugins import load_plugins
        from vadbench.engine.presets import method_names

        try:
            registry = load_plugins().registry
        except VadbenchError:  # where faults are not allowed; a shell that completes is no place to tell of them
            return []
        names = method_names(registry) if self.kind is None else registry.names(self.kind)
        items = [CompletionItem(name) for name in names if name.startswith(incomplete)]
        if self.kind in (None, "dataset") and not items:
            items.append(CompletionItem(incomplete, type="file" if self.kind is None else "dir"))
        return items

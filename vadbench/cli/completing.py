"""Completion of what may stand anywhere on the command line; click knows of it before the subcommand only."""

from __future__ import annotations

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

from vadbench.api.errors import UsageError
from vadbench.cli.anywhere import DEBUG, PLUGINS_DIR, Anywhere, plugin_folders, taken_apart


class _Anywhere(ShellComplete):
    """Completes ``--plugins-dir`` and ``--debug`` after a subcommand too, and names of plug-ins in the folders that are named."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        # Bash takes "--plugins-dir=x" for three words.
        words = [word for place, word in enumerate(args) if word != "=" or args[place - 1 : place] != [PLUGINS_DIR]]
        if words[-1:] == [PLUGINS_DIR]:
            return [CompletionItem(incomplete.removeprefix("="), type="file")]
        try:
            given = taken_apart(words)
        except UsageError:  # a shell that completes is no place to tell of it
            given = Anywhere(tuple(words))
        with plugin_folders(given.folders):
            found = super().get_completions([*given.arguments], incomplete)
        known = {item.value for item in found}
        own = [option for option in (PLUGINS_DIR, DEBUG) if incomplete.startswith("-") and option.startswith(incomplete)]
        return [*found, *(CompletionItem(option) for option in own if option not in known)]


class _Bash(_Anywhere, BashComplete):
    pass


class _Zsh(_Anywhere, ZshComplete):
    pass


class _Fish(_Anywhere, FishComplete):
    pass


def teach_click() -> None:
    """From now on click completes so."""
    for each in (_Bash, _Zsh, _Fish):
        add_completion_class(each)
